"""What an order takes at once, and what a moving price gives it while it rests."""

from decimal import Decimal

import pytest

from exchanges.sandbox.model import ZERO, Lifetime, Reason, Status, Venue
from tests.sandbox.exchange import BUY, HOUR_MS, MARKET, NOW_MS, SELL, away, check_books, exchange, limit, market, refusal


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
    position = account.position("BTCUSDT")
    assert position is not None
    assert position.quantity == wanted
    assert order.average_price is not None
    assert abs(position.entry_price - order.average_price) <= Decimal("0.0000001")


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


def test_a_fill_that_is_found_later_is_not_told_before_what_was_traded_meanwhile() -> None:
    """Who reads on from the newest line would never see it."""
    engine, clock = exchange()
    account, at = engine.account(Venue.BINANCE, "someone"), (Venue.BINANCE, "BTCUSDT")
    seconds = range(NOW_MS, NOW_MS + HOUR_MS, 1000)
    second_ms = next(each for each in seconds if MARKET.price(*at, each) > MARKET.price(*at, each + 300))
    clock.ms = second_ms
    resting = limit(engine, account, BUY, "0.01", MARKET.price(*at, second_ms + 300))
    clock.ms = second_ms + 700
    market(engine, account, BUY, "0.02")
    clock.ms = second_ms + 1000
    engine.settle()
    assert resting.status is Status.FILLED
    assert [(fill.quantity, fill.time_ms) for fill in engine.fills(account)] == [
        (Decimal("0.01"), second_ms + 700),
        (Decimal("0.02"), second_ms + 700),
    ]
    check_books(engine, account)


def test_canceling_all_counts_what_is_meant_alone() -> None:
    engine, _ = exchange()
    account = engine.account(Venue.BYBIT, "someone")
    for symbol in ("BTCUSDT", "ETHUSDT", "BTCUSDT", "ETHUSDT"):
        limit(engine, account, BUY, "0.01", away(engine, engine.listing(Venue.BYBIT, symbol), "0.9"), symbol)
    canceled = engine.cancel_all(account, lambda order: order.symbol == "ETHUSDT", most=1)
    assert [(order.symbol, order.status, order.cancel_reason) for order in canceled] == [("ETHUSDT", Status.CANCELED, "user")]
    assert [order.symbol for order in engine.open_orders(account)] == ["BTCUSDT", "BTCUSDT", "ETHUSDT"]
    assert engine.cancel_all(account, lambda _: True) == engine.order_history(account)[::-1][:1] + engine.order_history(account)[::-1][2:]
