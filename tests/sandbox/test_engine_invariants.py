"""What holds of money and quantities after any sequence of events."""

from contextlib import suppress
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from exchanges.sandbox.engine import Engine
from exchanges.sandbox.ledger import Ledger
from exchanges.sandbox.model import ZERO, Account, Kind, Leg, Lifetime, Listing, MarginMode, Order, Refused, Side, Status, Venue
from tests.sandbox.exchange import BUY, HOUR_MS, SELL, Clock, away, check_books


@st.composite
def steps(draw: st.DrawFn) -> list[tuple[Any, ...]]:
    order = st.tuples(
        st.just("order"),
        st.sampled_from([BUY, SELL]),
        st.sampled_from(list(Kind)),
        st.sampled_from(list(Lifetime)),
        st.integers(1, 3000),  # lots of a thousandth of the depth of a level
        st.integers(-30, 30),  # hundredths of a percent from the mark
        st.booleans(),
        st.integers(0, 1),
        st.sampled_from([Leg.LONG, Leg.SHORT]),
    )
    wait = st.tuples(st.just("wait"), st.sampled_from([200, 1000, 5000, 60_000, HOUR_MS, 9 * HOUR_MS]))
    shock = st.tuples(st.just("shock"), st.integers(0, 1), st.sampled_from(["0.8", "0.93", "0.98", "1.02", "1.07", "1.2"]))
    restart = st.tuples(st.just("restart"))
    cancel = st.tuples(st.just("cancel"), st.integers(0, 5))
    amend = st.tuples(st.just("amend"), st.integers(0, 5), st.integers(1, 3000), st.integers(-30, 30))
    leverage = st.tuples(st.just("leverage"), st.integers(1, 60), st.integers(0, 1))
    margin = st.tuples(st.just("margin"), st.integers(-3000, 3000))
    rare = st.one_of(wait, cancel, amend, leverage, margin, shock, restart)
    return draw(st.lists(st.one_of(order, order, order, wait, shock, rare), min_size=1, max_size=30))


@given(venue=st.sampled_from(list(Venue)), hedge=st.booleans(), mode=st.sampled_from(list(MarginMode)), events=steps())
@settings(max_examples=150, deadline=None)
def test_money_and_quantities_are_conserved_whatever_happens(
    venue: Venue, hedge: bool, mode: MarginMode, events: list[tuple[Any, ...]]
) -> None:
    with TemporaryDirectory() as directory:
        run(Path(directory) / "ledger.jsonl", venue, hedge=hedge, mode=mode, events=events)


def run(path: Path, venue: Venue, *, hedge: bool, mode: MarginMode, events: list[tuple[Any, ...]]) -> None:
    clock, ledger = Clock(), Ledger(path)
    engine = Engine(seed=7, ledger=ledger, now_ms=clock)
    symbols = [engine.listings(venue)[0].symbol, engine.listings(venue)[-1].symbol]
    account, amended = engine.account(venue, "someone"), set[int]()
    set_modes(engine, account, symbols, hedge=hedge, mode=mode)
    for event in events:
        if event[0] == "wait":
            clock.ms += event[1]
        elif event[0] == "shock":
            engine.shock(symbols[event[1]], Decimal(event[2]))
            clock.ms += 1000
        elif event[0] == "restart":
            ledger.close()
            before, ledger = account, Ledger(path)
            engine = Engine(seed=7, ledger=ledger, now_ms=clock)
            account = engine.account(venue, "someone")
            assert account.totals.keys() >= before.totals.keys()
        elif event[0] == "cancel":
            for order in engine.open_orders(account)[event[1] : event[1] + 1]:
                assert engine.cancel(account, symbol=order.symbol, order_id=order.id).status is Status.CANCELED
        elif event[0] == "amend":
            for order in engine.open_orders(account)[event[1] : event[1] + 1]:
                amend(engine, account, order, *event[2:])
                amended.add(order.id)
        elif event[0] == "leverage":
            with suppress(Refused):
                engine.set_leverage(account, symbols[event[2]], event[1])
        elif event[0] == "margin":
            for key in list(account.positions):
                with suppress(Refused):
                    engine.add_margin(account, key, Decimal(event[1]))
        else:
            place(engine, account, symbols[event[7]], *event[1:7], leg=event[8] if hedge else Leg.NET, mode=mode)
        check_books(engine, account, amended=amended)
    ledger.close()


def set_modes(engine: Engine, account: Account, symbols: list[str], *, hedge: bool, mode: MarginMode) -> None:
    if hedge:
        engine.set_position_mode(account, hedge)
    for symbol in symbols:
        with suppress(Refused):  # OKX, and Bybit the second time
            engine.set_margin_mode(account, symbol, mode)


def amend(engine: Engine, account: Account, order: Order, size: int, offset: int) -> None:
    listing = engine.listing(account.venue, order.symbol)
    price = away(engine, listing, f"{1 + offset / 10_000}")
    try:
        engine.amend(account, order, quantity=_lots(listing, price, size) * listing.lot, limit_price=price)
    except Refused:
        return
    assert order.remaining >= 0


def _lots(listing: Listing, price: Decimal, size: int) -> int:
    return max(1, int(Decimal(20 * size) / price / listing.lot))


def place(
    engine: Engine,
    account: Account,
    symbol: str,
    side: Side,
    kind: Kind,
    lifetime: Lifetime,
    size: int,
    offset: int,
    reduce_only: bool,
    *,
    leg: Leg,
    mode: MarginMode,
) -> None:
    listing = engine.listing(account.venue, symbol)
    lots = _lots(listing, engine.mark(account.venue, symbol), size)
    price = away(engine, listing, f"{1 + offset / 10_000}") if kind is Kind.LIMIT else None
    try:
        order = engine.place(
            account,
            symbol=symbol,
            side=side,
            kind=kind,
            lifetime=lifetime,
            quantity=lots * listing.lot,
            limit_price=price,
            reduce_only=reduce_only,
            leg=leg,
            margin_mode=mode,
        )
    except Refused:
        return
    if kind is Kind.MARKET or lifetime in (Lifetime.IOC, Lifetime.FOK):
        assert not order.status.is_open
    if lifetime is Lifetime.FOK and kind is Kind.LIMIT:
        assert order.filled in (ZERO, order.quantity)
