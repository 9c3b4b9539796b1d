"""What holds of money and quantities after any sequence of events."""

from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from exchanges.sandbox.engine import Engine
from exchanges.sandbox.model import ZERO, Account, Kind, Lifetime, Listing, Order, Refused, Side, Status, Venue
from tests.sandbox.exchange import BUY, HOUR_MS, SELL, away, check_books, exchange


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
    )
    wait = st.tuples(st.just("wait"), st.sampled_from([200, 1000, 5000, 60_000, HOUR_MS]))
    cancel = st.tuples(st.just("cancel"), st.integers(0, 5))
    amend = st.tuples(st.just("amend"), st.integers(0, 5), st.integers(1, 3000), st.integers(-30, 30))
    return draw(st.lists(st.one_of(order, order, wait, cancel, amend), min_size=1, max_size=30))


@given(venue=st.sampled_from(list(Venue)), events=steps())
@settings(max_examples=150, deadline=None)
def test_money_and_quantities_are_conserved_whatever_happens(venue: Venue, events: list[tuple[Any, ...]]) -> None:
    engine, clock = exchange()
    symbols = [engine.listings(venue)[0].symbol, engine.listings(venue)[-1].symbol]
    account, amended = engine.account(venue, "someone"), set[int]()
    for event in events:
        if event[0] == "wait":
            clock.ms += event[1]
        elif event[0] == "cancel":
            for order in engine.open_orders(account)[event[1] : event[1] + 1]:
                assert engine.cancel(account, symbol=order.symbol, order_id=order.id).status is Status.CANCELED
        elif event[0] == "amend":
            for order in engine.open_orders(account)[event[1] : event[1] + 1]:
                amend(engine, account, order, *event[2:])
                amended.add(order.id)
        else:
            place(engine, account, symbols[event[7]], *event[1:7])
        check_books(engine, account, amended=amended)


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
    engine: Engine, account: Account, symbol: str, side: Side, kind: Kind, lifetime: Lifetime, size: int, offset: int, reduce_only: bool
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
        )
    except Refused:
        return
    if kind is Kind.MARKET or lifetime in (Lifetime.IOC, Lifetime.FOK):
        assert not order.status.is_open
    if lifetime is Lifetime.FOK and kind is Kind.LIMIT:
        assert order.filled in (ZERO, order.quantity)
