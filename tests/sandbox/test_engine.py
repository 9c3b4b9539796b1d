"""Orders, positions and money of the simulated exchange: what holds after any sequence of events, and each rule once."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exchanges.sandbox.accounts import KEPT
from exchanges.sandbox.engine import Engine
from exchanges.sandbox.ledger import Ledger
from exchanges.sandbox.market import Market
from exchanges.sandbox.model import (
    ZERO,
    Account,
    Fill,
    Kind,
    Lifetime,
    Listing,
    Order,
    Reason,
    Refused,
    Side,
    Status,
    Venue,
)
from exchanges.sandbox.positions import CENT
from exchanges.sandbox.trading import MAX_OPEN_ORDERS, OPENING_WALLET

MARKET = Market(7)  # what the exchanges under test see
NOW_MS = 1_795_510_000_000
HOUR_MS = 3_600_000
BUY, SELL = Side.BUY, Side.SELL


class Clock:
    def __init__(self, at_ms: int = NOW_MS) -> None:
        self.ms = at_ms

    def __call__(self) -> int:
        return self.ms


def exchange(at_ms: int = NOW_MS) -> tuple[Engine, Clock]:
    clock = Clock(at_ms)
    return Engine(seed=7, ledger=Ledger(None), now_ms=clock), clock


def market(engine: Engine, account: Account, side: Side, quantity: str | Decimal, symbol: str = "BTCUSDT", **more: Any) -> Order:
    kind, lifetime = Kind.MARKET, Lifetime.GTC
    amount = Decimal(quantity)
    return engine.place(account, symbol=symbol, side=side, kind=kind, lifetime=lifetime, quantity=amount, limit_price=None, **more)


def limit(
    engine: Engine, account: Account, side: Side, quantity: str | Decimal, price: Decimal, symbol: str = "BTCUSDT", **more: Any
) -> Order:
    lifetime = more.pop("lifetime", Lifetime.GTC)
    amount = Decimal(quantity)
    return engine.place(account, symbol=symbol, side=side, kind=Kind.LIMIT, lifetime=lifetime, quantity=amount, limit_price=price, **more)


def away(engine: Engine, listing: Listing, ratio: str) -> Decimal:
    """The mark times a ratio, on the tick."""
    return engine.mark(listing.venue, listing.symbol) * Decimal(ratio) // listing.tick * listing.tick


def refusal(call: Any, *args: Any, **more: Any) -> Reason:
    with pytest.raises(Refused) as refused:
        call(*args, **more)
    return refused.value.reason


# -- what holds after anything --


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
    return draw(st.lists(st.one_of(order, order, wait, cancel), min_size=1, max_size=30))


@given(venue=st.sampled_from(list(Venue)), events=steps())
@settings(max_examples=150, deadline=None)
def test_money_and_quantities_are_conserved_whatever_happens(venue: Venue, events: list[tuple[Any, ...]]) -> None:
    engine, clock = exchange()
    symbols = [engine.listings(venue)[0].symbol, engine.listings(venue)[-1].symbol]
    account = engine.account(venue, "someone")
    for event in events:
        if event[0] == "wait":
            clock.ms += event[1]
        elif event[0] == "cancel":
            for order in engine.open_orders(account)[event[1] : event[1] + 1]:
                assert engine.cancel(account, symbol=order.symbol, order_id=order.id).status is Status.CANCELED
        else:
            place(engine, account, symbols[event[7]], *event[1:7])
        check_books(engine, account)


def place(
    engine: Engine, account: Account, symbol: str, side: Side, kind: Kind, lifetime: Lifetime, size: int, offset: int, reduce_only: bool
) -> None:
    listing = engine.listing(account.venue, symbol)
    lots = max(1, int(Decimal(20 * size) / engine.mark(account.venue, symbol) / listing.lot))
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


def check_books(engine: Engine, account: Account) -> None:
    view, fills = engine.view(account), engine.fills(account)[::-1]
    assert account.wallet == OPENING_WALLET + sum(fill.realized_pnl - fill.fee for fill in fills)
    assert view.equity == view.wallet + view.unrealized_pnl
    assert view.available >= 0 <= view.order_margin
    held: dict[str, Decimal] = {}
    orders = {order.id: order for order in engine.order_history(account)}
    for fill in fills:
        check_fill(engine.listing(account.venue, fill.symbol), fill, orders[fill.order_id], held)
    assert held == {symbol: position.quantity for symbol, position in account.positions.items()}
    for order in orders.values():
        mine = [fill for fill in fills if fill.order_id == order.id]
        assert order.filled == sum(fill.quantity for fill in mine) <= order.quantity
        assert order.filled_value == sum(fill.quantity * fill.price for fill in mine)
        assert order.fees == sum(fill.fee for fill in mine)
        assert order.realized_pnl == sum(fill.realized_pnl for fill in mine)
        assert (order.status is Status.FILLED) == (order.remaining == 0)
        assert order.quantity % engine.listing(account.venue, order.symbol).lot == 0
        if order.status.is_open and order.reduce_only:
            assert held.get(order.symbol, ZERO) * order.side.sign < 0
    assert [order for order in orders.values() if order.status.is_open][::-1] == engine.open_orders(account)


def check_fill(listing: Listing, fill: Fill, order: Order, held: dict[str, Decimal]) -> None:
    before = held.get(fill.symbol, ZERO)
    after = before + fill.side.sign * fill.quantity
    assert fill.quantity > 0 == fill.quantity % listing.lot
    assert fill.price % listing.tick == 0
    assert fill.fee == (fill.quantity * fill.price * (listing.maker_fee if fill.is_maker else listing.taker_fee)).quantize(CENT)
    assert fill.time_ms >= order.created_ms
    if order.limit_price is not None:
        assert (order.limit_price - fill.price) * order.side.sign >= 0
        assert not fill.is_maker or fill.price == order.limit_price
    if order.reduce_only:
        assert abs(after) < abs(before)
        assert after * before >= 0
    if after:
        held[fill.symbol] = after
    else:
        held.pop(fill.symbol, None)


# -- taking --


def test_a_market_order_walks_the_book() -> None:
    engine, _ = exchange()
    account = engine.account(Venue.BINANCE, "someone")
    book = engine.book(Venue.BINANCE, "BTCUSDT", 3)
    wanted = book.asks[0].quantity + book.asks[1].quantity + Decimal("0.001")
    order = market(engine, account, BUY, wanted)
    fills = engine.fills(account, order_id=order.id)[::-1]
    assert order.status is Status.FILLED
    assert [(fill.price, fill.quantity) for fill in fills] == [
        (book.asks[0].price, book.asks[0].quantity),
        (book.asks[1].price, book.asks[1].quantity),
        (book.asks[2].price, Decimal("0.001")),
    ]
    assert account.positions["BTCUSDT"].quantity == wanted
    assert order.average_price is not None
    assert abs(account.positions["BTCUSDT"].entry_price - order.average_price) <= Decimal("0.0000001")


def test_a_limit_order_takes_what_crosses_and_rests_the_remainder() -> None:
    engine, _ = exchange()
    account = engine.account(Venue.BYBIT, "someone")
    best = engine.book(Venue.BYBIT, "BTCUSDT", 1).asks[0]
    order = limit(engine, account, BUY, best.quantity + Decimal("0.1"), best.price)
    assert (order.status, order.filled, order.remaining) == (Status.PARTIALLY_FILLED, best.quantity, Decimal("0.1"))
    assert engine.open_orders(account, "BTCUSDT") == [order]


@pytest.mark.parametrize(
    ("venue", "unfilled"), [(Venue.BINANCE, Status.EXPIRED), (Venue.BYBIT, Status.CANCELED), (Venue.OKX, Status.CANCELED)]
)
def test_what_ioc_and_fok_cannot_fill_is_final_at_once(venue: Venue, unfilled: Status) -> None:
    engine, _ = exchange()
    account = engine.account(venue, "someone")
    best = engine.book(venue, "BTCUSDT", 1).asks[0]
    part = limit(engine, account, BUY, best.quantity + Decimal("0.1"), best.price, lifetime=Lifetime.IOC)
    none = limit(engine, account, BUY, best.quantity + Decimal("0.1"), best.price, lifetime=Lifetime.FOK)
    whole = limit(engine, account, BUY, best.quantity, best.price, lifetime=Lifetime.FOK)
    assert (part.status, part.filled) == (unfilled, best.quantity)
    assert (none.status, none.filled) == (unfilled, ZERO)
    assert whole.status is Status.FILLED
    assert engine.open_orders(account) == []


def test_post_only_that_would_take_is_refused_by_binance_and_canceled_by_the_others() -> None:
    engine, _ = exchange()
    for venue in Venue:
        account = engine.account(venue, "someone")
        price = engine.book(venue, "BTCUSDT", 1).asks[0].price
        if venue is Venue.BINANCE:
            assert refusal(limit, engine, account, BUY, "0.01", price, lifetime=Lifetime.POST_ONLY) is Reason.WOULD_TAKE
            assert engine.order_history(account) == []
        else:
            order = limit(engine, account, BUY, "0.01", price, lifetime=Lifetime.POST_ONLY)
            assert (order.status, order.filled, order.cancel_reason) == (Status.CANCELED, ZERO, "post_only")
        resting = limit(engine, account, SELL, "0.01", price, lifetime=Lifetime.POST_ONLY)
        assert resting.status is Status.NEW


# -- resting --


def test_a_spike_between_two_looks_is_not_missed() -> None:
    engine, clock = exchange()
    account = engine.account(Venue.BINANCE, "someone")
    (hour,) = MARKET.candles(Venue.BINANCE, "BTCUSDT", [NOW_MS], [NOW_MS + HOUR_MS], NOW_MS + HOUR_MS)
    assert hour.low < min(hour.open, hour.close)
    order = limit(engine, account, BUY, "0.01", hour.low)
    clock.ms += HOUR_MS
    (fill,) = engine.fills(account)
    assert engine.order(account, order_id=order.id) is order
    assert (order.status, fill.price, fill.is_maker) == (Status.FILLED, hour.low, True)
    assert engine.mark(Venue.BINANCE, "BTCUSDT", fill.time_ms) == hour.low
    assert MARKET.extremes(Venue.BINANCE, "BTCUSDT", NOW_MS, fill.time_ms - 1)[0] > hour.low


def test_a_tick_beyond_the_extreme_is_not_reached() -> None:
    engine, clock = exchange()
    account = engine.account(Venue.BINANCE, "someone")
    low, high = MARKET.extremes(Venue.BINANCE, "BTCUSDT", NOW_MS, NOW_MS + HOUR_MS)
    tick = engine.listing(Venue.BINANCE, "BTCUSDT").tick
    limit(engine, account, BUY, "0.01", low - tick)
    limit(engine, account, SELL, "0.01", high + tick)
    clock.ms += HOUR_MS
    assert engine.fills(account) == []
    assert len(engine.open_orders(account)) == 2


def test_what_happened_before_an_order_does_not_fill_it() -> None:
    """Within the second in which it was placed the market has moved away already."""
    at = (Venue.BINANCE, "BTCUSDT")
    rising = (ms for ms in range(NOW_MS, NOW_MS + HOUR_MS, 1000) if MARKET.price(*at, ms) < MARKET.extremes(*at, ms + 900, ms + 1000)[0])
    second_ms = next(rising)
    engine, clock = exchange(second_ms)
    account = engine.account(Venue.BINANCE, "someone")
    clock.ms = second_ms + 900
    limit(engine, account, BUY, "0.01", MARKET.price(*at, second_ms))
    clock.ms = second_ms + 1000
    assert engine.fills(account) == []


def test_a_resting_order_larger_than_a_level_fills_in_parts() -> None:
    engine, clock = exchange()
    account = engine.account(Venue.BINANCE, "someone")
    engine.set_leverage(account, "BTCUSDT", 100)
    order = limit(engine, account, BUY, "20", away(engine, engine.listing(Venue.BINANCE, "BTCUSDT"), "0.9999"))
    seen = []
    for _ in range(3600):
        clock.ms += 1000
        engine.settle()
        if order.filled not in seen:
            seen.append(order.filled)
        if order.status is Status.FILLED:
            break
    assert order.status is Status.FILLED
    assert len(seen) > 2
    assert seen == sorted(seen)
    assert all(fill.is_maker and fill.price == order.limit_price for fill in engine.fills(account))


def test_orders_fill_in_the_order_in_which_the_price_reached_them() -> None:
    engine, clock = exchange()
    account = engine.account(Venue.OKX, "someone")
    listing = engine.listing(Venue.OKX, "BTCUSDT")
    low = MARKET.extremes(Venue.OKX, "BTCUSDT", NOW_MS, NOW_MS + HOUR_MS)[0]
    far = limit(engine, account, BUY, "0.01", low)
    near = limit(engine, account, BUY, "0.01", (low + engine.mark(Venue.OKX, "BTCUSDT")) / 2 // listing.tick * listing.tick)
    clock.ms += HOUR_MS
    assert [fill.order_id for fill in engine.fills(account)] == [far.id, near.id]


# -- reduce-only --


@pytest.mark.parametrize("venue", list(Venue))
def test_reduce_only_never_opens_and_never_flips(venue: Venue) -> None:
    engine, _ = exchange()
    account = engine.account(venue, "someone")
    assert refusal(market, engine, account, SELL, "0.1", reduce_only=True) is Reason.REDUCE_ONLY
    market(engine, account, BUY, "0.3")
    assert refusal(market, engine, account, BUY, "0.1", reduce_only=True) is Reason.REDUCE_ONLY
    order = market(engine, account, SELL, "0.5", reduce_only=True)
    assert order.filled == Decimal("0.3")
    assert not order.status.is_open
    assert order.status is (Status.EXPIRED if venue is Venue.BINANCE else Status.FILLED)
    assert account.positions == {}


def test_resting_reduce_only_orders_end_with_the_position() -> None:
    engine, _ = exchange()
    account = engine.account(Venue.BINANCE, "someone")
    listing = engine.listing(Venue.BINANCE, "BTCUSDT")
    market(engine, account, BUY, "0.3")
    closing = limit(engine, account, SELL, "0.3", away(engine, listing, "1.05"), reduce_only=True)
    other = limit(engine, account, SELL, "0.3", away(engine, listing, "1.05"))
    market(engine, account, SELL, "0.1")
    assert closing.status is Status.NEW
    market(engine, account, SELL, "0.2")
    assert (closing.status, closing.cancel_reason, other.status) == (Status.CANCELED, "reduce_only", Status.NEW)


def test_a_crossing_reduce_only_limit_order_larger_than_the_position_does_not_rest() -> None:
    engine, _ = exchange()
    account = engine.account(Venue.BINANCE, "someone")
    market(engine, account, BUY, "0.3")
    price = away(engine, engine.listing(Venue.BINANCE, "BTCUSDT"), "0.99")
    order = limit(engine, account, SELL, "0.5", price, reduce_only=True)
    assert (order.filled, order.status, order.cancel_reason) == (Decimal("0.3"), Status.EXPIRED, "reduce_only")
    assert engine.open_orders(account) == []


@pytest.mark.parametrize("venue", list(Venue))
def test_a_resting_reduce_only_order_larger_than_the_position_only_closes_it(venue: Venue) -> None:
    engine, clock = exchange()
    account = engine.account(venue, "someone")
    _, high = MARKET.extremes(venue, "BTCUSDT", NOW_MS, NOW_MS + HOUR_MS)
    market(engine, account, BUY, "0.3")
    first, second = (limit(engine, account, SELL, "0.2", high, reduce_only=True) for _ in range(2))
    third = limit(engine, account, SELL, "0.9", high, reduce_only=True)
    while clock.ms < NOW_MS + HOUR_MS and account.positions:
        clock.ms += 60_000
        engine.settle()
    assert account.positions == {}
    assert (first.filled, second.filled, third.filled) == (Decimal("0.2"), Decimal("0.1"), ZERO)
    assert (second.status, third.status) == (Status.CANCELED, Status.CANCELED)
    check_books(engine, account)


def test_a_flip_realises_the_old_position_and_opens_at_the_new_price() -> None:
    engine, clock = exchange()
    account = engine.account(Venue.BINANCE, "someone")
    market(engine, account, BUY, "0.01")
    entry = account.positions["BTCUSDT"].entry_price
    clock.ms += HOUR_MS
    order = market(engine, account, SELL, "0.03")
    first = engine.fills(account, order_id=order.id)[-1]
    position = account.positions["BTCUSDT"]
    assert position.quantity == Decimal("-0.02")
    assert position.opened_ms == clock.ms
    assert first.realized_pnl == (Decimal("0.01") * (first.price - entry)).quantize(CENT)


# -- refusals --


def test_filters_refuse_with_their_reasons_and_change_nothing() -> None:
    engine, _ = exchange()
    account = engine.account(Venue.BINANCE, "someone")
    mark = engine.mark(Venue.BINANCE, "BTCUSDT")
    cases = [
        (lambda: market(engine, account, BUY, "0.1", symbol="NOPEUSDT"), Reason.UNKNOWN_SYMBOL),
        (lambda: market(engine, account, BUY, "0.0005"), Reason.BELOW_MINIMUM),
        (lambda: market(engine, account, BUY, "0"), Reason.BELOW_MINIMUM),
        (lambda: market(engine, account, BUY, "-1"), Reason.BELOW_MINIMUM),
        (lambda: market(engine, account, BUY, "0.0015"), Reason.BAD_LOT),
        (lambda: market(engine, account, BUY, "121"), Reason.ABOVE_MAXIMUM),
        (lambda: limit(engine, account, BUY, "1001", mark), Reason.ABOVE_MAXIMUM),
        (lambda: limit(engine, account, BUY, "0.01", mark + Decimal("0.05")), Reason.BAD_TICK),
        (lambda: limit(engine, account, BUY, "0.01", mark * 2), Reason.PRICE_OUT_OF_BAND),
        (lambda: limit(engine, account, SELL, "0.01", mark // 2), Reason.PRICE_OUT_OF_BAND),
        (lambda: limit(engine, account, BUY, "0.01", Decimal("500")), Reason.PRICE_OUT_OF_BAND),
        (lambda: limit(engine, account, BUY, "0.001", Decimal("90000")), Reason.BELOW_NOTIONAL),
        (lambda: market(engine, account, BUY, "100"), Reason.INSUFFICIENT_MARGIN),
        (lambda: limit(engine, account, BUY, "100", Decimal("60000")), Reason.INSUFFICIENT_MARGIN),
        (lambda: engine.cancel(account, symbol="BTCUSDT", order_id=1), Reason.UNKNOWN_ORDER),
        (lambda: engine.set_leverage(account, "BTCUSDT", 126), Reason.LEVERAGE_TOO_HIGH),
        (lambda: engine.set_leverage(account, "BTCUSDT", 0), Reason.LEVERAGE_TOO_HIGH),
    ]
    for call, reason in cases:
        assert refusal(call) is reason
    assert engine.order_history(account) == []
    assert account.wallet == OPENING_WALLET


def test_closing_needs_no_margin_and_reduce_only_no_minimum_notional() -> None:
    engine, _ = exchange()
    account = engine.account(Venue.BINANCE, "someone")
    market(engine, account, BUY, "9.2")
    assert refusal(market, engine, account, BUY, "0.5") is Reason.INSUFFICIENT_MARGIN
    assert market(engine, account, SELL, "9.2").status is Status.FILLED
    market(engine, account, BUY, "0.010", symbol="ETHUSDT")
    market(engine, account, SELL, "0.009", symbol="ETHUSDT", reduce_only=True)
    assert refusal(market, engine, account, SELL, "0.001", symbol="ETHUSDT") is Reason.BELOW_NOTIONAL
    assert market(engine, account, SELL, "0.001", symbol="ETHUSDT", reduce_only=True).status is Status.FILLED


def test_order_margin_counts_the_larger_side_and_only_what_opens() -> None:
    engine, _ = exchange()
    account = engine.account(Venue.BYBIT, "someone")
    listing = engine.listing(Venue.BYBIT, "BTCUSDT")
    low, high = away(engine, listing, "0.9"), away(engine, listing, "1.1")
    limit(engine, account, BUY, "1", low)
    limit(engine, account, SELL, "1", high)
    assert engine.view(account).order_margin == high / 10
    market(engine, account, BUY, "1")
    assert engine.view(account).order_margin == low / 10
    engine.set_leverage(account, "BTCUSDT", 20)
    assert engine.view(account).order_margin == low / 20


def test_leverage_cannot_be_lowered_below_what_the_account_can_bind() -> None:
    engine, _ = exchange()
    account = engine.account(Venue.OKX, "someone")
    assert engine.leverage(account, "BTCUSDT") == 10
    market(engine, account, BUY, "5")
    assert refusal(engine.set_leverage, account, "BTCUSDT", 2) is Reason.INSUFFICIENT_MARGIN
    assert engine.leverage(account, "BTCUSDT") == 10
    engine.set_leverage(account, "BTCUSDT", 50)
    assert engine.leverage(account, "BTCUSDT") == 50


def test_client_ids_are_unique_for_ever_except_on_binance() -> None:
    engine, _ = exchange()
    for venue in Venue:
        account = engine.account(venue, "someone")
        price = away(engine, engine.listing(venue, "BTCUSDT"), "0.9")
        first = limit(engine, account, BUY, "0.01", price, client_id="mine")
        assert refusal(limit, engine, account, BUY, "0.01", price, client_id="mine") is Reason.DUPLICATE_CLIENT_ID
        assert engine.cancel(account, symbol="BTCUSDT", client_id="mine") is first
        assert refusal(engine.cancel, account, symbol="BTCUSDT", client_id="mine") is Reason.ALREADY_FINAL
        if venue is Venue.BINANCE:
            second = market(engine, account, BUY, "0.01", client_id="mine")
            assert engine.order(account, client_id="mine") is second
        else:
            assert refusal(market, engine, account, BUY, "0.01", client_id="mine") is Reason.DUPLICATE_CLIENT_ID
        assert engine.order(account, symbol="ETHUSDT", client_id="mine") is None


def test_a_symbol_takes_two_hundred_open_orders() -> None:
    engine, _ = exchange()
    account = engine.account(Venue.BINANCE, "someone")
    price = away(engine, engine.listing(Venue.BINANCE, "BTCUSDT"), "0.9")
    for _ in range(MAX_OPEN_ORDERS):
        limit(engine, account, BUY, "0.002", price)
    assert refusal(limit, engine, account, BUY, "0.002", price) is Reason.TOO_MANY_ORDERS
    assert market(engine, account, BUY, "0.002").status is Status.FILLED


# -- accounts --


def test_the_liquidation_price_is_where_equity_meets_maintenance() -> None:
    engine, _ = exchange()
    account = engine.account(Venue.BINANCE, "someone")
    market(engine, account, BUY, "8")
    market(engine, account, SELL, "20", symbol="ETHUSDT")
    view = engine.view(account)
    rates = {symbol: engine.listing(Venue.BINANCE, symbol).maintenance_rate for symbol in ("BTCUSDT", "ETHUSDT")}
    for each in view.positions:
        assert each.liquidation_price is not None
        quantity, price = each.position.quantity, each.liquidation_price
        equity = view.equity + quantity * (price - each.mark)
        maintenance = view.maintenance_margin + (abs(quantity) * price - each.notional) * rates[each.position.symbol]
        assert abs(equity - maintenance) < abs(quantity)
        assert (price < each.mark) == (quantity > 0)


def test_what_could_never_be_liquidated_has_no_liquidation_price() -> None:
    engine, _ = exchange()
    account = engine.account(Venue.BINANCE, "someone")
    market(engine, account, BUY, "0.5")
    assert engine.view(account).positions[0].liquidation_price is None


def test_the_demo_account_has_a_past_and_orders_away_from_the_price() -> None:
    engine, _ = exchange()
    directions: dict[str, set[bool]] = {}
    for venue in Venue:
        demo = engine.account(venue, "demo")
        view, resting = engine.view(demo), engine.open_orders(demo)
        assert 3 <= len(view.positions) <= 4
        assert 2 <= len(resting) <= 3
        assert view.unrealized_pnl != 0
        assert {each.position.quantity > 0 for each in view.positions} == {True, False}
        for order in resting:
            assert Decimal("0.07") < abs((order.limit_price or ZERO) / engine.mark(venue, order.symbol) - 1) < Decimal("0.09")
        for each in view.positions:
            directions.setdefault(each.position.symbol, set()).add(each.position.quantity > 0)
            assert each.position.opened_ms < NOW_MS
        check_books(engine, demo)
    assert directions["BTCUSDT"] == {True, False}
    assert "1000PEPEUSDT" in engine.account(Venue.BINANCE, "demo").positions


def test_accounts_are_apart() -> None:
    engine, _ = exchange()
    one, other = engine.account(Venue.BINANCE, "one"), engine.account(Venue.BINANCE, "other")
    market(engine, one, BUY, "1")
    assert (other.wallet, other.positions, engine.fills(other)) == (OPENING_WALLET, {}, [])
    assert engine.account(Venue.BYBIT, "one").positions == {}


def test_old_final_orders_are_forgotten_and_open_ones_kept() -> None:
    engine, _ = exchange()
    account = engine.account(Venue.BINANCE, "someone")
    resting = limit(engine, account, BUY, "0.002", away(engine, engine.listing(Venue.BINANCE, "BTCUSDT"), "0.9"))
    for number in range(KEPT + KEPT // 5):
        market(engine, account, (BUY, SELL)[number % 2], "0.001", client_id=f"n{number}")
    history = engine.order_history(account)
    assert KEPT < len(history) <= KEPT + KEPT // 10 + 1
    assert history[-1] is resting
    assert engine.order(account, client_id="n0") is None
    assert engine.order(account, client_id=f"n{KEPT}") is not None
    assert len(engine.fills(account)) == KEPT
