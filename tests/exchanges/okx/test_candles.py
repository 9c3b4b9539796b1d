"""Candles over a scripted local server: both endpoints, every page, each candle once."""

import math
from datetime import UTC, datetime, timedelta

import pytest

from exchanges.errors import BadParameter, BadVenueResponse
from tests.exchanges.okx.venue import envelope, payload


class Candles:
    """A minute-candle tape as OKX serves it: newest first, `after` older than, `before` newer than, two endpoints of different reach."""

    def __init__(self, venue, now: datetime, listed: datetime) -> None:
        self.now_ms, self.listed_ms = (int(moment.timestamp()) * 1000 for moment in (now, listed))
        venue.script |= {"/api/v5/market/candles": self.recent, "/api/v5/market/history-candles": self.history}
        venue.script["/api/v5/public/instruments"] = self.instruments
        self.listed = listed

    def instruments(self, request):
        (btc, *_) = payload("instruments")["data"]
        return envelope(btc | {"listTime": str(self.listed_ms)})

    def recent(self, request):
        return self._page(request, maximum=300, oldest=max(self.listed_ms, self._floor(self.now_ms) - 1_439 * 60_000))

    def history(self, request):
        return self._page(request, maximum=100, oldest=self.listed_ms)

    def _floor(self, moment_ms):
        return moment_ms // 60_000 * 60_000

    def _page(self, request, *, maximum, oldest):
        query = request.query
        limit = int(query["limit"])
        assert limit <= maximum
        assert query["bar"] == "1m"
        newest = min(self._floor(self.now_ms), self._floor(int(query.get("after", 2**60)) - 1))
        oldest = max(oldest, int(query.get("before", 0)) + 1)
        opened = range(newest, oldest - 1, -60_000)
        return envelope(*[self.row(moment) for moment in opened[:limit]])

    def row(self, moment):
        is_closed = "0" if moment == self._floor(self.now_ms) else "1"
        return [str(moment), "10", "12", "9", "11", "100", "1", "11", is_closed]


NOW = datetime.now(UTC).replace(microsecond=0)
MINUTE = timedelta(minutes=1)


def floored(moment: datetime) -> datetime:
    return moment.replace(second=0, microsecond=0)


@pytest.mark.parametrize("limit", [1, 299, 300, 301, 1_300, 1_900])
async def test_the_newest_candles_oldest_first_over_both_endpoints(venue, exchange, limit):
    Candles(venue, NOW, NOW - 3_000 * MINUTE)
    klines = await exchange.get_klines("BTCUSDT", "1m", limit=limit)
    last = floored(NOW)
    assert [kline.open_time for kline in klines] == [last - MINUTE * back for back in reversed(range(limit))]
    assert [kline.is_closed for kline in klines] == [True] * (limit - 1) + [False]


async def test_fewer_candles_than_asked_for_when_the_listing_is_young(venue, exchange):
    Candles(venue, NOW, floored(NOW) - 400 * MINUTE)
    assert len(await exchange.get_klines("BTCUSDT", "1m", limit=1_000)) == 401


@pytest.mark.parametrize("age", [50, 1_100, 1_500, 5_000])
async def test_candles_of_a_range(venue, exchange, age):
    Candles(venue, NOW, NOW - 6_000 * MINUTE)
    start = floored(NOW) - age * MINUTE
    klines = await exchange.get_klines("BTCUSDT", "1m", start_time=start, end_time=start + 20 * MINUTE)
    assert [kline.open_time for kline in klines] == [start + number * MINUTE for number in range(21)]
    inside = await exchange.get_klines("BTCUSDT", "1m", start_time=start + MINUTE / 2, end_time=start + 1.5 * MINUTE)
    assert [kline.open_time for kline in inside] == [start + MINUTE]


async def test_of_a_range_with_more_than_the_limit_the_newest(venue, exchange):
    Candles(venue, NOW, NOW - 6_000 * MINUTE)
    end = floored(NOW) - 2_000 * MINUTE
    klines = await exchange.get_klines("BTCUSDT", "1m", limit=250, start_time=end - 1_000 * MINUTE, end_time=end)
    assert [kline.open_time for kline in klines] == [end - MINUTE * back for back in reversed(range(250))]


@pytest.mark.parametrize("age", [10, 1_000, 1_600, 4_000])
async def test_with_only_a_start_the_oldest_from_there(venue, exchange, age):
    Candles(venue, NOW, NOW - 6_000 * MINUTE)
    start = floored(NOW) - age * MINUTE
    klines = await exchange.get_klines("BTCUSDT", "1m", limit=700, start_time=start)
    assert [kline.open_time for kline in klines] == [start + number * MINUTE for number in range(min(700, age + 1))]


async def test_a_start_long_before_the_listing_finds_the_first_candles(venue, exchange):
    listed = floored(NOW) - 3_000 * MINUTE
    Candles(venue, NOW, listed)
    klines = await exchange.get_klines("BTCUSDT", "1m", limit=150, start_time=listed - timedelta(days=900))
    assert [kline.open_time for kline in klines] == [listed + number * MINUTE for number in range(150)]


async def test_candle_requests_that_make_no_sense(venue, exchange):
    for arguments, field in (
        ({"interval": "7m"}, "interval"),
        ({"limit": 0}, "limit"),
        ({"limit": 10_001}, "limit"),
        ({"start_time": datetime(2026, 1, 1)}, "start_time"),  # noqa: DTZ001
    ):
        with pytest.raises(BadParameter) as refusal:
            await exchange.get_klines(**({"symbol": "BTCUSDT", "interval": "1m"} | arguments))
        assert refusal.value.field == field
    assert venue.sent_to("candles") == []


async def test_candle_pages_that_repeat_are_refused(venue, exchange):
    tape = Candles(venue, NOW, NOW - 3_000 * MINUTE)
    venue.script["/api/v5/market/candles"] = envelope(*[tape.row(tape.now_ms // 60_000 * 60_000 - back * 60_000) for back in range(300)])
    with pytest.raises(BadVenueResponse):
        await exchange.get_klines("BTCUSDT", "1m", limit=500)
    assert len(venue.sent_to("candles")) == 2


async def test_ten_thousand_candles_take_as_few_requests_as_their_endpoints_allow(venue, exchange):
    Candles(venue, NOW, NOW - 20_000 * MINUTE)
    assert len(await exchange.get_klines("BTCUSDT", "1m", limit=10_000)) == 10_000
    assert len(venue.sent_to("market/candles")) == 4
    assert len(venue.sent_to("history-candles")) == math.ceil((10_000 - 4 * 300) / 100)
