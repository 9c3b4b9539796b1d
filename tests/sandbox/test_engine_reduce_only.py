"""Orders that may only reduce, and what turning a position around realises."""

from decimal import ROUND_HALF_EVEN, Decimal

import pytest

from exchanges.sandbox.model import ZERO, PositionKey, Reason, Status, Venue
from exchanges.sandbox.positions import CENT
from tests.sandbox.exchange import BUY, HOUR_MS, MARKET, NOW_MS, SELL, away, check_books, exchange, limit, market, refusal


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
    entry = account.positions[PositionKey("BTCUSDT")].entry_price
    clock.ms += HOUR_MS
    order = market(engine, account, SELL, "0.03")
    first = engine.fills(account, order_id=order.id)[-1]
    position = account.positions[PositionKey("BTCUSDT")]
    assert position.quantity == Decimal("-0.02")
    assert position.opened_ms == clock.ms
    assert first.realized_pnl == (Decimal("0.01") * (first.price - entry)).quantize(CENT, ROUND_HALF_EVEN)
    of_both_parts, *of_opening = engine.fills(account, order_id=order.id)[::-1]
    closing = Decimal("0.01") / of_both_parts.quantity
    assert position.realized_pnl == -(of_both_parts.fee * (1 - closing)).quantize(CENT) - sum(fill.fee for fill in of_opening)
