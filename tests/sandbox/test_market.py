"""The price path and what is derived from it: pure, exact at its extremes, additive, and cheap however long ago."""

import time
from datetime import UTC, datetime
from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exchanges.sandbox.market import HOUR_MS, MONTH_MS, WEEK_MS, Market, candle_bounds
from exchanges.sandbox.model import Listing, Reason, Refused, Side, Venue
from exchanges.sandbox.noise import shares
from exchanges.sandbox.path import DAY_MS, DURATIONS_MS, LEAF
from exchanges.sandbox.views import Candle
from exchanges.sandbox.volume import Bounds, Traded, lots_of_parts, turnovers_of_parts

NOW_MS = 1_795_510_000_000  # 24 November 2026
MINUTE_MS = 60_000
MARKET = Market(7)
EVERY = [listing for venue in Venue for listing in MARKET.listings(venue)]

listings = st.sampled_from(EVERY)
moments = st.integers(NOW_MS - 400 * DAY_MS, NOW_MS + 30 * DAY_MS)


def candles(listing: Listing, interval_ms: int, start_ms: int, end_ms: int, now_ms: int = NOW_MS + 100 * DAY_MS) -> list[Candle]:
    opens, closes = candle_bounds(interval_ms, start_ms, end_ms, 10_000)
    return MARKET.candles(listing.venue, listing.symbol, opens, closes, now_ms)


@given(listing=listings, at_ms=moments, seed=st.integers(0, 2**31))
@settings(max_examples=40, deadline=None)
def test_a_price_depends_on_seed_listing_and_time_alone(listing: Listing, at_ms: int, seed: int) -> None:
    warm, fresh = Market(seed), Market(seed)
    warm.extremes(listing.venue, listing.symbol, at_ms - DAY_MS, at_ms)
    assert warm.price(listing.venue, listing.symbol, at_ms) == fresh.price(listing.venue, listing.symbol, at_ms)


@given(listing=listings, at_ms=moments)
@settings(max_examples=200, deadline=None)
def test_a_price_is_a_positive_multiple_of_the_tick_within_its_bounds(listing: Listing, at_ms: int) -> None:
    price = MARKET.price(listing.venue, listing.symbol, at_ms)
    assert price % listing.tick == 0
    assert listing.min_price < price < listing.max_price


@given(listing=listings, hour=moments, data=st.data())
@settings(max_examples=60, deadline=None)
def test_a_candle_contains_every_price_of_its_time_and_ends_on_them(listing: Listing, hour: int, data: st.DataObject) -> None:
    start_ms = hour - hour % HOUR_MS
    (candle,) = candles(listing, HOUR_MS, start_ms, start_ms)
    assert candle.open == MARKET.price(listing.venue, listing.symbol, start_ms)
    assert candle.close == MARKET.price(listing.venue, listing.symbol, start_ms + HOUR_MS)
    for at_ms in data.draw(st.lists(st.integers(start_ms, start_ms + HOUR_MS), min_size=20, max_size=20)):
        assert candle.low <= MARKET.price(listing.venue, listing.symbol, at_ms) <= candle.high


@given(listing=listings, at_ms=moments)
@settings(max_examples=15, deadline=None)
def test_highs_and_lows_are_really_reached(listing: Listing, at_ms: int) -> None:
    start_ms, step_ms = at_ms - at_ms % HOUR_MS, DURATIONS_MS[LEAF]
    prices = [MARKET.price(listing.venue, listing.symbol, knot) for knot in range(start_ms, start_ms + HOUR_MS + 1, step_ms)]
    assert MARKET.extremes(listing.venue, listing.symbol, start_ms, start_ms + HOUR_MS) == (min(prices), max(prices))


@given(listing=listings, start_ms=moments, first=st.integers(0, 3 * DAY_MS), second=st.integers(0, 3 * DAY_MS))
@settings(max_examples=100, deadline=None)
def test_extremes_of_a_range_are_those_of_its_parts(listing: Listing, start_ms: int, first: int, second: int) -> None:
    at = (listing.venue, listing.symbol)
    left, right = MARKET.extremes(*at, start_ms, start_ms + first), MARKET.extremes(*at, start_ms + first, start_ms + first + second)
    assert MARKET.extremes(*at, start_ms, start_ms + first + second) == (min(left[0], right[0]), max(left[1], right[1]))


@pytest.mark.parametrize(
    ("long_ms", "short_ms"), [(HOUR_MS, MINUTE_MS), (15 * MINUTE_MS, 3 * MINUTE_MS), (DAY_MS, HOUR_MS), (WEEK_MS, DAY_MS)]
)
@given(listing=listings, at_ms=moments)
@settings(max_examples=15, deadline=None)
def test_a_candle_is_the_merge_of_the_shorter_ones_in_it(long_ms: int, short_ms: int, listing: Listing, at_ms: int) -> None:
    opens, _ = candle_bounds(long_ms, 0, at_ms, 1)
    (whole,) = candles(listing, long_ms, opens[0], opens[0])
    parts = candles(listing, short_ms, opens[0], opens[0] + long_ms - 1)
    assert len(parts) == long_ms // short_ms
    assert (whole.open, whole.close) == (parts[0].open, parts[-1].close)
    assert (whole.low, whole.high) == (min(part.low for part in parts), max(part.high for part in parts))
    assert whole.volume == sum(part.volume for part in parts)
    assert whole.turnover == sum(part.turnover for part in parts)
    assert whole.trades == sum(part.trades for part in parts)
    assert all(before.close == after.open for before, after in pairwise(parts))


@given(listing=listings, at_ms=moments, now_ms=moments)
@settings(max_examples=60, deadline=None)
def test_what_was_traded_was_traded_within_the_candle(listing: Listing, at_ms: int, now_ms: int) -> None:
    for interval_ms in (MINUTE_MS, 5 * MINUTE_MS, HOUR_MS, DAY_MS):
        for candle in candles(listing, interval_ms, min(at_ms, now_ms) - interval_ms, min(at_ms, now_ms), now_ms):
            assert candle.low * candle.volume <= candle.turnover <= candle.high * candle.volume
            assert candle.volume % listing.lot == 0
            assert candle.low <= min(candle.open, candle.close) <= max(candle.open, candle.close) <= candle.high
            assert candle.is_closed == (candle.close_ms <= now_ms)


def test_an_open_candle_ends_at_now() -> None:
    now_ms = NOW_MS - NOW_MS % DAY_MS + 7 * HOUR_MS + 123_456
    (candle,) = candles(EVERY[0], DAY_MS, now_ms - 8 * HOUR_MS, now_ms, now_ms)
    assert not candle.is_closed
    assert candle.close == MARKET.price(EVERY[0].venue, EVERY[0].symbol, now_ms)


@pytest.mark.parametrize("days_ago", [0, 90, 700])
def test_five_hundred_days_cost_well_under_a_second_whenever_they_were(days_ago: int) -> None:
    market, end_ms = Market(days_ago), NOW_MS - days_ago * DAY_MS
    opens, closes = candle_bounds(DAY_MS, 0, end_ms, 500)
    started = time.process_time()
    assert len(market.candles(Venue.BINANCE, "BTCUSDT", opens, closes, end_ms)) == 500
    assert time.process_time() - started < 0.5


def test_bitcoin_moves_within_seconds_and_by_percents_over_days() -> None:
    at = (Venue.BINANCE, "BTCUSDT")
    steps = [abs(MARKET.price(*at, NOW_MS + ms + 10_000) / MARKET.price(*at, NOW_MS + ms) - 1) for ms in range(0, 3_600_000, 10_000)]
    assert Decimal("0.0001") < sum(steps) / len(steps) < Decimal("0.0006")
    days = candles(EVERY[0], DAY_MS, NOW_MS - 365 * DAY_MS, NOW_MS)
    ranges = [(day.high - day.low) / day.open for day in days]
    assert Decimal("0.015") < sum(ranges) / len(ranges) < Decimal("0.06")
    assert all(day.low > 45_000 and day.high < 200_000 for day in days)


@given(at_ms=moments, base=st.sampled_from([listing.base for listing in MARKET.listings(Venue.OKX)]))
@settings(max_examples=150, deadline=None)
def test_venues_agree_up_to_a_small_basis(at_ms: int, base: str) -> None:
    okx = MARKET.listing(Venue.OKX, f"{base}USDT")
    scale = 1000 if base == "PEPE" else 1
    prices = []
    for venue in (Venue.BINANCE, Venue.BYBIT):
        listing = MARKET.listing(venue, f"{'1000' if scale == 1000 else ''}{base}USDT")
        prices.append((MARKET.price(venue, listing.symbol, at_ms), listing.tick))
    for price, tick in prices:
        theirs = MARKET.price(Venue.OKX, okx.symbol, at_ms) * scale
        assert abs(price - theirs) <= price * Decimal("0.0025") + tick + okx.tick * scale


def test_venues_keep_the_same_shape_over_months() -> None:
    for at_ms in range(NOW_MS - 150 * DAY_MS, NOW_MS, 2 * HOUR_MS + 61_000):
        ratio = MARKET.price(Venue.BINANCE, "BTCUSDT", at_ms) / MARKET.price(Venue.OKX, "BTCUSDT", at_ms)
        assert abs(ratio - 1) < Decimal("0.0012")


@given(listing=listings, at_ms=moments, depth=st.integers(1, 60))
@settings(max_examples=60, deadline=None)
def test_a_book_stands_around_the_price_and_still_for_a_second(listing: Listing, at_ms: int, depth: int) -> None:
    second_ms = at_ms - at_ms % 1000
    book = MARKET.book(listing.venue, listing.symbol, depth, at_ms)
    assert (
        book == MARKET.book(listing.venue, listing.symbol, depth, second_ms) == Market(7).book(listing.venue, listing.symbol, depth, at_ms)
    )
    bids, asks = [level.price for level in book.bids], [level.price for level in book.asks]
    assert len(bids) == len(asks) == depth
    assert bids == sorted(set(bids), reverse=True)
    assert asks == sorted(set(asks))
    assert bids[0] < MARKET.price(listing.venue, listing.symbol, second_ms) < asks[0]
    for level in book.bids + book.asks:
        assert level.price % listing.tick == 0 < level.price
        assert level.quantity % listing.lot == 0 < level.quantity
    for side, levels in ((Side.BUY, book.asks), (Side.SELL, book.bids)):
        assert tuple(level for level, _ in zip(MARKET.levels(listing.venue, listing.symbol, side, at_ms), levels, strict=False)) == levels


@given(listing=listings, at_ms=moments)
@settings(max_examples=40, deadline=None)
def test_a_ticker_tells_the_last_24_hours(listing: Listing, at_ms: int) -> None:
    ticker = MARKET.ticker(listing.venue, listing.symbol, at_ms - at_ms % 1000)
    assert ticker.bid.price < ticker.last < ticker.ask.price
    assert ticker.low_24h <= min(ticker.open_24h, ticker.last) <= max(ticker.open_24h, ticker.last) <= ticker.high_24h
    assert ticker.low_24h * ticker.volume_24h <= ticker.turnover_24h <= ticker.high_24h * ticker.volume_24h
    period_ms = listing.funding_interval_h * HOUR_MS
    assert ticker.next_funding_ms % period_ms == 0 < ticker.next_funding_ms - ticker.time_ms <= period_ms
    assert abs(ticker.index / ticker.mark - 1) < Decimal("0.003")
    assert abs(ticker.funding_rate) <= Decimal("0.003")


def test_months_begin_on_their_first_weeks_on_mondays_and_days_where_the_offset_says() -> None:
    opens, closes = candle_bounds(MONTH_MS, 0, NOW_MS, 15)
    days = [datetime.fromtimestamp(opened / 1000, UTC) for opened in opens]
    assert [(day.day, day.hour) for day in days] == [(1, 0)] * 15
    assert [day.month for day in days] == [9, 10, 11, 12, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]
    assert closes[:-1] == opens[1:]
    assert all(datetime.fromtimestamp(opened / 1000, UTC).weekday() == 0 for opened in candle_bounds(WEEK_MS, 0, NOW_MS, 9)[0])
    assert all(datetime.fromtimestamp(opened / 1000, UTC).hour == 16 for opened in candle_bounds(DAY_MS, 0, NOW_MS, 9, 8 * HOUR_MS)[0])
    shifted = [datetime.fromtimestamp(opened / 1000, UTC) for opened in candle_bounds(MONTH_MS, 0, NOW_MS, 4, 8 * HOUR_MS)[0]]
    assert [(day.month, day.day, day.hour) for day in shifted] == [(7, 31, 16), (8, 31, 16), (9, 30, 16), (10, 31, 16)]


def test_an_unlisted_symbol_is_refused() -> None:
    with pytest.raises(Refused) as refused:
        MARKET.price(Venue.OKX, "1000PEPEUSDT", NOW_MS)
    assert refused.value.reason is Reason.UNKNOWN_SYMBOL


@st.composite
def segments(draw: st.DrawFn) -> tuple[Traded, list[Bounds], list[int]]:
    """A whole whose mean price lies anywhere within its parts, and parts that meet each other as a continuous path does."""
    knots = draw(st.lists(st.integers(1, 60), min_size=4, max_size=7))
    bounds = []
    for start, end in pairwise(knots):
        low, high = max(1, min(start, end) - draw(st.integers(0, 5))), max(start, end) + draw(st.integers(0, 5))
        bounds.append(Bounds(low, high, draw(st.integers(low, high))))
    lots = draw(st.integers(0, 50))
    low, high = min(each.low for each in bounds), max(each.high for each in bounds)
    return (
        Traded(lots, draw(st.integers(low * lots, high * lots)), 9),
        bounds,
        draw(st.lists(st.integers(1, 9), min_size=len(bounds), max_size=len(bounds))),
    )


@given(segment=segments())
@settings(max_examples=400, deadline=None)
def test_the_parts_of_a_volume_make_up_the_whole_within_their_bounds(segment: tuple[Traded, list[Bounds], list[int]]) -> None:
    whole, bounds, weights = segment
    lots = lots_of_parts(whole, bounds, weights)
    turnovers = turnovers_of_parts(whole.turnover, lots, bounds)
    assert (sum(lots), sum(turnovers)) == (whole.lots, whole.turnover)
    for count, turnover, each in zip(lots, turnovers, bounds, strict=True):
        assert each.low * count <= turnover <= each.high * count


@given(total=st.integers(0, 10**24), weights=st.lists(st.integers(0, 10**9), min_size=1, max_size=8).filter(any))
def test_shares_add_up_and_no_weight_gets_nothing(total: int, weights: list[int]) -> None:
    parts = shares(total, weights)
    assert sum(parts) == total
    assert all(abs(part * sum(weights) - total * weight) <= sum(weights) for part, weight in zip(parts, weights, strict=True))
    assert all(part == 0 for part, weight in zip(parts, weights, strict=True) if weight == 0)
