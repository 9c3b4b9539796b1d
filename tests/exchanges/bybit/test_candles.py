"""Candles over real HTTP from a venue that pages as Bybit does: every range, oldest first, each once."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from aiohttp import web

from exchanges.adapters.bybit.exchange import BybitExchange
from exchanges.errors import BadParameter, BadVenueResponse
from tests.exchanges.bybit.recording import RecordingVenue, result

MINUTE_MS = 60_000
LISTED_MS = 1_700_000_040_000


def kline_server(now_ms: int) -> Any:
    """Answers as the venue does: newest first; with a start alone the oldest from there, else the newest up to the end."""

    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        query = {name: int(value) for name, value in request.query.items() if value.isdigit()}
        opens = range(LISTED_MS, now_ms + 1, MINUTE_MS)
        wanted = [opened for opened in opens if query.get("start", 0) <= opened <= query.get("end", now_ms)]
        limit = query["limit"]
        kept = wanted[:limit] if "start" in query and "end" not in query else wanted[-limit:]
        rows = [[str(opened), "1", "2", "0.5", "1.5", "10", "15"] for opened in reversed(kept)]
        return web.json_response(result(category="linear", symbol="BTCUSDT", list=rows))

    return answer


@pytest.mark.parametrize(
    ("limit", "start", "end", "first", "count"),
    [
        (3, None, None, 2497, 3),
        (2300, None, None, 200, 2300),
        (5000, None, None, 0, 2500),
        (2300, 10, None, 10, 2300),
        (5000, 10, None, 10, 2490),
        (4, -100, None, 0, 4),
        (4, None, 100, 97, 4),
        (2100, None, 2200, 101, 2100),
        (5000, 7, 2200, 7, 2194),
        (4, 7, 2200, 2197, 4),
        (500, 7, 7, 7, 1),
        (500, 8, 7, None, 0),
        (500, 5000, None, None, 0),
        (2, 0, 99_999, 2498, 2),
    ],
)
async def test_klines_of_any_range(
    limit: int, start: int | None, end: int | None, first: int | None, count: int, venue: RecordingVenue, exchange: BybitExchange
) -> None:
    epoch, minute = datetime(1970, 1, 1, tzinfo=UTC), timedelta(minutes=1)
    listed = epoch + timedelta(milliseconds=LISTED_MS)
    venue.answer("/v5/market/kline", kline_server(LISTED_MS + 2_499 * MINUTE_MS))
    klines = await exchange.get_klines(
        "BTCUSDT",
        "1m",
        limit,
        None if start is None else listed + start * minute,
        None if end is None else listed + end * minute,
    )
    assert [kline.open_time for kline in klines] == [listed + ((first or 0) + number) * minute for number in range(count)]
    assert len(venue.requests) - 1 <= count // 1_000 + 2


async def test_klines_between_the_grid_lines(venue: RecordingVenue, exchange: BybitExchange) -> None:
    start = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=LISTED_MS, seconds=30)
    venue.answer("/v5/market/kline", kline_server(LISTED_MS + 99 * MINUTE_MS))
    klines = await exchange.get_klines("BTCUSDT", "1m", 500, start, start + timedelta(minutes=3))
    assert [(kline.open_time - start).total_seconds() for kline in klines] == [30, 90, 150]


async def test_candle_pages_that_do_not_move_are_no_answer(venue: RecordingVenue, exchange: BybitExchange) -> None:
    rows = [[str(LISTED_MS + number * MINUTE_MS), "1", "2", "0.5", "1.5", "10", "15"] for number in reversed(range(1_000))]
    venue.answer("/v5/market/kline", result(category="linear", symbol="BTCUSDT", list=rows))
    start = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=LISTED_MS)
    with pytest.raises(BadVenueResponse):
        await exchange.get_klines("BTCUSDT", "1m", 3_000, start)
    with pytest.raises(BadVenueResponse):
        await exchange.get_klines("BTCUSDT", "1m", 3_000)


@pytest.mark.parametrize(
    ("interval", "limit", "start", "field"),
    [
        ("7m", 5, None, "interval"),
        ("1M", 5, None, "interval"),
        ("1m", 0, None, "limit"),
        ("1m", 10**9, None, "limit"),
        ("1m", 5, datetime(2026, 1, 1), "start_time"),  # noqa: DTZ001
    ],
)
async def test_kline_parameters_are_checked(
    interval: str, limit: int, start: datetime | None, field: str, venue: RecordingVenue, exchange: BybitExchange
) -> None:
    with pytest.raises(BadParameter) as caught:
        await exchange.get_klines("BTCUSDT", interval, limit, start)
    assert caught.value.field == field
