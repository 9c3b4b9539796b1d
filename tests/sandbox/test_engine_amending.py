"""Changing an open order in place: what it then takes, binds and ends as, and what is refused and changes nothing."""

from decimal import Decimal

import pytest

from exchanges.sandbox.model import ZERO, Lifetime, Reason, Status, Venue
from tests.sandbox.exchange import BUY, MARKET, NOW_MS, SELL, away, check_books, exchange, limit, market, refusal


def test_an_amended_order_keeps_its_identity_and_binds_by_its_new_terms() -> None:
    engine, clock = exchange()
    account = engine.account(Venue.BINANCE, "someone")
    low = away(engine, engine.listing(Venue.BINANCE, "BTCUSDT"), "0.97")
    order = limit(engine, account, BUY, "0.02", low, client_id="mine")
    clock.ms += 250
    assert engine.amend(account, order, quantity=Decimal("0.05")) is order
    assert (order.quantity, order.limit_price, order.status, order.created_ms, order.updated_ms) == (
        Decimal("0.05"),
        low,
        Status.NEW,
        NOW_MS,
        clock.ms,
    )
    assert engine.view(account).order_margin == Decimal("0.05") * low / 10
    engine.amend(account, order, limit_price=low - 100, wire={"note": "lower"})
    assert engine.view(account).order_margin == Decimal("0.05") * (low - 100) / 10
    assert engine.order(account, client_id="mine") is order
    assert order.wire == {"note": "lower"}
    check_books(engine, account)


def test_an_order_amended_across_the_book_takes_and_rests_the_remainder() -> None:
    engine, _ = exchange()
    account = engine.account(Venue.BYBIT, "someone")
    best = engine.book(Venue.BYBIT, "BTCUSDT", 1).asks[0]
    order = limit(engine, account, BUY, best.quantity + Decimal("0.1"), away(engine, engine.listing(Venue.BYBIT, "BTCUSDT"), "0.97"))
    engine.amend(account, order, limit_price=best.price)
    assert (order.status, order.filled, order.remaining) == (Status.PARTIALLY_FILLED, best.quantity, Decimal("0.1"))
    (fill,) = engine.fills(account)
    assert (fill.is_maker, fill.price) == (False, best.price)
    check_books(engine, account)


@pytest.mark.parametrize("venue", list(Venue))
def test_an_amendment_ends_what_has_nothing_left_or_may_only_rest(venue: Venue) -> None:
    engine, _ = exchange()
    account = engine.account(venue, "someone")
    best = engine.book(venue, "BTCUSDT", 1).asks[0]
    part = limit(engine, account, BUY, best.quantity + Decimal("0.1"), best.price)
    engine.amend(account, part, quantity=best.quantity)
    assert (part.status, part.filled) == (Status.CANCELED, best.quantity)
    maker = limit(engine, account, BUY, "0.1", best.price - 500, lifetime=Lifetime.POST_ONLY)
    engine.amend(account, maker, limit_price=best.price)
    assert (maker.status, maker.filled, maker.cancel_reason) == (Status.CANCELED, ZERO, "post_only")
    assert engine.open_orders(account) == []


def test_a_refused_amendment_changes_nothing() -> None:
    engine, _ = exchange()
    account = engine.account(Venue.BINANCE, "someone")
    mark = engine.mark(Venue.BINANCE, "BTCUSDT")
    low = away(engine, engine.listing(Venue.BINANCE, "BTCUSDT"), "0.97")
    order = limit(engine, account, BUY, "0.02", low)
    cases = [
        ({"quantity": Decimal("0.0005")}, Reason.BELOW_MINIMUM),
        ({"quantity": Decimal("0.0215")}, Reason.BAD_LOT),
        ({"quantity": Decimal("1001")}, Reason.ABOVE_MAXIMUM),
        ({"limit_price": low + Decimal("0.05")}, Reason.BAD_TICK),
        ({"limit_price": mark * 2}, Reason.PRICE_OUT_OF_BAND),
        ({"quantity": Decimal("100")}, Reason.INSUFFICIENT_MARGIN),
    ]
    for changes, reason in cases:
        assert refusal(engine.amend, account, order, **changes) is reason
    assert (order.quantity, order.limit_price, order.updated_ms) == (Decimal("0.02"), low, NOW_MS)
    engine.cancel(account, symbol="BTCUSDT", order_id=order.id)
    assert refusal(engine.amend, account, order, quantity=Decimal("0.03")) is Reason.ALREADY_FINAL


def test_an_order_may_be_made_as_large_as_the_margin_that_it_frees_itself_allows() -> None:
    engine, _ = exchange()
    account = engine.account(Venue.OKX, "someone")
    low = away(engine, engine.listing(Venue.OKX, "BTCUSDT"), "0.97")
    order = limit(engine, account, BUY, "9", low)
    assert refusal(limit, engine, account, BUY, "9", low) is Reason.INSUFFICIENT_MARGIN
    engine.amend(account, order, limit_price=low - 100)
    assert order.limit_price == low - 100


@pytest.mark.parametrize("venue", list(Venue))
def test_an_amended_reduce_only_order_still_only_reduces(venue: Venue) -> None:
    engine, _ = exchange()
    account = engine.account(venue, "someone")
    listing = engine.listing(venue, "BTCUSDT")
    market(engine, account, BUY, "0.3")
    order = limit(engine, account, SELL, "0.1", away(engine, listing, "1.03"), reduce_only=True)
    engine.amend(account, order, quantity=Decimal("0.5"), limit_price=away(engine, listing, "0.99"))
    assert account.positions == {}
    assert (order.filled, order.status) == (Decimal("0.3"), Status.EXPIRED if venue is Venue.BINANCE else Status.FILLED)
    check_books(engine, account)


def test_what_happened_before_an_amendment_does_not_fill_it() -> None:
    """Within the second in which it was amended the market has moved away already."""
    at = (Venue.BINANCE, "BTCUSDT")
    seconds = range(NOW_MS, NOW_MS + 3_600_000, 1000)
    second_ms = next(ms for ms in seconds if MARKET.price(*at, ms) < MARKET.extremes(*at, ms + 900, ms + 1000)[0])
    engine, clock = exchange(second_ms)
    account = engine.account(Venue.BINANCE, "someone")
    price = MARKET.price(*at, second_ms)
    order = limit(engine, account, BUY, "0.01", price - 5000)
    clock.ms = second_ms + 900
    engine.amend(account, order, limit_price=price)
    clock.ms = second_ms + 1000
    assert engine.fills(account) == []
