"""Candles: oldest first, without gaps, by open time, over as many pages as it takes."""

import time
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise

import pytest

from exchanges.decimals import is_multiple
from exchanges.domain import KLINE_INTERVALS_S, Kline
from exchanges.errors import BadParameter, InvalidOrder, UnknownSymbol
from exchanges.protocol import IExchangeClient
from tests.exchanges.contract.desk import Desk

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
MANY = 2_000  # more than any venue answers at once


def hours_ago(hours: int) -> datetime:
    """A full hour, so that no test depends on when it runs."""
    return datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - hours * HOUR


def assert_seamless(klines: list[Kline], interval: str) -> None:
    step = timedelta(seconds=KLINE_INTERVALS_S[interval])
    assert all(later.open_time - earlier.open_time == step for earlier, later in pairwise(klines))
    assert all(each.close_time - each.open_time == step for each in klines)


@pytest.mark.parametrize("interval", KLINE_INTERVALS_S)
async def test_every_interval_gives_seamless_candles_up_to_now(desk: Desk, interval: str) -> None:
    klines = await desk.client.get_klines("BTCUSDT", interval, limit=5)
    instrument = await desk.instrument("BTCUSDT")
    assert len(klines) == 5
    assert_seamless(klines, interval)
    assert [each.is_closed for each in klines[:-1]] == [True] * 4
    assert klines[-1].close_time > datetime.now(UTC) - timedelta(seconds=2)
    for each in klines:
        assert (each.symbol, each.interval) == ("BTCUSDT", interval)
        assert 0 < each.low <= min(each.open, each.close) <= max(each.open, each.close) <= each.high
        assert all(is_multiple(price, instrument.tick) for price in (each.open, each.high, each.low, each.close))
        assert each.volume >= 0
        # OKX may round turnover; the mean price of a candle lies within it all the same.
        if each.volume:
            assert each.low * Decimal("0.9999") <= each.turnover / each.volume <= each.high * Decimal("1.0001")


@pytest.mark.parametrize(("interval", "unit"), [("1d", "midnight"), ("1w", "monday")])
async def test_days_begin_at_midnight_utc_and_weeks_on_monday(client: IExchangeClient, interval: str, unit: str) -> None:
    for each in await client.get_klines("ETHUSDT", interval, limit=3):
        assert (each.open_time.hour, each.open_time.minute) == (0, 0)
        assert unit == "midnight" or each.open_time.weekday() == 0


async def test_the_running_candle_is_not_closed(client: IExchangeClient) -> None:
    [last] = await client.get_klines("BTCUSDT", "1w", limit=1)
    assert last.open_time <= datetime.now(UTC) < last.close_time
    assert not last.is_closed


async def test_sixty_minute_candles_make_up_their_hour(client: IExchangeClient) -> None:
    opened = hours_ago(3)
    [hour] = await client.get_klines("ETHUSDT", "1h", limit=1, start_time=opened, end_time=opened)
    minutes = await client.get_klines("ETHUSDT", "1m", limit=60, start_time=opened)
    assert (len(minutes), minutes[0].open_time, minutes[-1].close_time) == (60, hour.open_time, hour.close_time)
    assert (minutes[0].open, minutes[-1].close) == (hour.open, hour.close)
    assert (min(each.low for each in minutes), max(each.high for each in minutes)) == (hour.low, hour.high)
    assert sum(each.volume for each in minutes) == hour.volume
    assert abs(sum(each.turnover for each in minutes) - hour.turnover) < Decimal("0.01")


async def test_more_than_one_page_is_seamless_to_now(client: IExchangeClient) -> None:
    klines = await client.get_klines("BTCUSDT", "1m", limit=MANY)
    assert len(klines) == MANY
    assert client.capabilities.max_klines_per_call < MANY
    assert_seamless(klines, "1m")
    assert klines[-1].close_time > datetime.now(UTC) - timedelta(seconds=5)


async def test_more_than_one_page_from_a_start_is_seamless(client: IExchangeClient) -> None:
    start = hours_ago(40)
    klines = await client.get_klines("BTCUSDT", "1m", limit=MANY, start_time=start)
    assert (len(klines), klines[0].open_time) == (MANY, start)
    assert_seamless(klines, "1m")


async def test_more_than_one_page_of_a_range_is_seamless(client: IExchangeClient) -> None:
    start, end = hours_ago(60), hours_ago(26)
    klines = await client.get_klines("BTCUSDT", "1m", limit=5_000, start_time=start, end_time=end)
    assert (klines[0].open_time, klines[-1].open_time, len(klines)) == (start, end, 34 * 60 + 1)
    assert_seamless(klines, "1m")


async def test_the_default_limit_is_five_hundred(client: IExchangeClient) -> None:
    assert len(await client.get_klines("BTCUSDT", "5m")) == 500


async def test_with_only_a_start_the_oldest_from_there_come(client: IExchangeClient) -> None:
    start = hours_ago(48)
    klines = await client.get_klines("BTCUSDT", "15m", limit=7, start_time=start)
    assert [each.open_time for each in klines] == [start + n * 15 * MINUTE for n in range(7)]


async def test_with_only_an_end_the_newest_up_to_it_come(client: IExchangeClient) -> None:
    """The end is an open time and belongs to the range."""
    end = hours_ago(48)
    klines = await client.get_klines("BTCUSDT", "15m", limit=7, end_time=end)
    assert [each.open_time for each in klines] == [end - n * 15 * MINUTE for n in reversed(range(7))]


async def test_of_a_range_that_holds_more_than_the_limit_the_newest_come(client: IExchangeClient) -> None:
    start, end = hours_ago(48), hours_ago(24)
    klines = await client.get_klines("BTCUSDT", "1h", limit=5, start_time=start, end_time=end)
    assert [each.open_time for each in klines] == [end - n * HOUR for n in reversed(range(5))]


async def test_both_ends_of_a_range_belong_to_it(client: IExchangeClient) -> None:
    start, end = hours_ago(12), hours_ago(10)
    klines = await client.get_klines("BTCUSDT", "1h", limit=500, start_time=start, end_time=end)
    assert [each.open_time for each in klines] == [start, start + HOUR, end]


async def test_bounds_between_open_times_take_only_what_opens_inside(client: IExchangeClient) -> None:
    start, end = hours_ago(12) + MINUTE, hours_ago(10) + 30 * MINUTE
    klines = await client.get_klines("BTCUSDT", "1h", limit=500, start_time=start, end_time=end)
    assert [each.open_time for each in klines] == [hours_ago(11), hours_ago(10)]
    after = await client.get_klines("BTCUSDT", "1h", limit=2, start_time=start)
    assert [each.open_time for each in after] == [hours_ago(11), hours_ago(10)]


async def test_a_range_without_an_open_time_is_empty(client: IExchangeClient) -> None:
    start = hours_ago(12) + MINUTE
    assert await client.get_klines("BTCUSDT", "1h", start_time=start, end_time=start + MINUTE) == []
    assert await client.get_klines("BTCUSDT", "1h", start_time=start, end_time=start - HOUR) == []
    assert await client.get_klines("BTCUSDT", "1h", start_time=datetime.now(UTC) + 3 * HOUR) == []


async def test_a_start_before_the_listing_gives_the_first_candles_there_are(client: IExchangeClient) -> None:
    klines = await client.get_klines("BTCUSDT", "1d", limit=3, start_time=datetime(2015, 1, 1, tzinfo=UTC))
    assert len(klines) == 3
    assert klines[0].open_time.year in (2019, 2020, 2021)
    assert_seamless(klines, "1d")


async def test_a_closed_candle_never_changes(client: IExchangeClient) -> None:
    start = hours_ago(5)
    first = await client.get_klines("SOLUSDT", "1m", limit=30, start_time=start)
    second = await client.get_klines("SOLUSDT", "1m", limit=30, end_time=start + 29 * MINUTE)
    assert first == second


async def test_the_last_candle_ends_near_the_mark(desk: Desk) -> None:
    [last] = await desk.client.get_klines("BTCUSDT", "1m", limit=1)
    assert abs(last.close / await desk.mark("BTCUSDT") - 1) < Decimal("0.005")


@pytest.mark.parametrize("interval", ["7m", "1M", "1H", "", "60"])
async def test_an_unknown_interval_is_refused_with_the_allowed_ones(client: IExchangeClient, interval: str) -> None:
    with pytest.raises(BadParameter, match=r"1m.*1w") as refusal:
        await client.get_klines("BTCUSDT", interval)
    assert refusal.value.field == "interval"


@pytest.mark.parametrize("limit", [0, -1, 10_000_000])
async def test_a_limit_out_of_range_is_refused(client: IExchangeClient, limit: int) -> None:
    with pytest.raises(BadParameter) as refusal:
        await client.get_klines("BTCUSDT", "1m", limit=limit)
    assert refusal.value.field == "limit"


async def test_a_time_without_a_zone_is_refused(client: IExchangeClient) -> None:
    naive = datetime(2026, 1, 1)  # noqa: DTZ001
    with pytest.raises(BadParameter) as refusal:
        await client.get_klines("BTCUSDT", "1h", start_time=naive)
    assert refusal.value.field == "start_time"


async def test_an_unlisted_symbol_has_no_candles(client: IExchangeClient) -> None:
    with pytest.raises(UnknownSymbol) as refusal:
        await client.get_klines("NOSUCHUSDT", "1h")
    assert isinstance(refusal.value, InvalidOrder)


async def test_reading_two_thousand_candles_is_no_matter_of_seconds(client: IExchangeClient) -> None:
    started = time.monotonic()
    await client.get_klines("LTCUSDT", "1m", limit=MANY)
    assert time.monotonic() - started < 5
