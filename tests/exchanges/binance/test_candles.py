"""Candles over a scripted local server: every page, each candle once, and what is refused before anything is sent."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from exchanges.errors import BadParameter
from tests.exchanges.binance.venue_server import Answer, Recorded, Setup

MINUTE = timedelta(minutes=1)
NOON = datetime(2025, 11, 24, 12, tzinfo=UTC)


def candles(request: Recorded) -> Answer:
    """Minutes from the epoch of the test to 4,000 minutes later, as Binance pages them: from startTime forward, else up to endTime."""
    fields = request.parameters
    first, last, limit = int(NOON.timestamp()) * 1_000, int((NOON + 4_000 * MINUTE).timestamp()) * 1_000, int(fields["limit"])
    opens = [ms for ms in range(first, last, 60_000) if int(fields.get("startTime", 0)) <= ms <= int(fields.get("endTime", 10**15))]
    opens = opens[:limit] if "startTime" in fields else opens[-limit:]
    return Answer([[ms, "1", "2", "0.5", "1.5", "10", ms + 59_999, "15", 3, "5", "7", "0"] for ms in opens])


@pytest.mark.parametrize(
    ("arguments", "first", "count", "pages"),
    [
        ({}, 3_500, 500, 1),
        ({"limit": 3_200}, 800, 3_200, 3),
        ({"limit": 10_000}, 0, 4_000, 3),
        ({"limit": 5, "start_time": NOON + 10 * MINUTE}, 10, 5, 1),
        ({"limit": 3_100, "start_time": NOON + 10 * MINUTE}, 10, 3_100, 3),
        ({"limit": 3_100, "start_time": NOON + 3_990 * MINUTE}, 3_990, 10, 1),
        ({"limit": 5, "end_time": NOON + 100 * MINUTE}, 96, 5, 1),
        ({"limit": 5, "start_time": NOON, "end_time": NOON + 100 * MINUTE}, 96, 5, 1),
        ({"limit": 500, "start_time": NOON + 90 * MINUTE, "end_time": NOON + 100 * MINUTE}, 90, 11, 1),
        ({"limit": 9, "start_time": NOON - 5 * MINUTE, "end_time": NOON + MINUTE}, 0, 2, 1),
        ({"limit": 3_001, "start_time": NOON, "end_time": NOON + 3_500 * MINUTE}, 500, 3_001, 3),
        ({"start_time": NOON + MINUTE, "end_time": NOON}, 0, 0, 0),
    ],
)
async def test_candles_are_paged_without_gaps_or_repeats(
    setup: Setup, arguments: dict[str, Any], first: int, count: int, pages: int
) -> None:
    setup.server.on("GET", "/fapi/v1/klines", candles)
    klines = await setup.exchange.get_klines("SOLUSDT", "1m", **arguments)
    assert [kline.open_time for kline in klines] == [NOON + (first + number) * MINUTE for number in range(count)]
    assert len(setup.server.requests) == pages


async def test_a_venue_that_repeats_a_page_does_not_hold_us(setup: Setup) -> None:
    page = [[1_763_900_000_000 + 60_000 * n, "1", "2", "1", "1", "1", 1_763_900_059_999 + 60_000 * n, "1"] for n in range(1_500)]
    setup.server.on("GET", "/fapi/v1/klines", page)
    forward = await setup.exchange.get_klines("SOLUSDT", "1m", 100_000, datetime(2025, 11, 1, tzinfo=UTC))
    backward = await setup.exchange.get_klines("SOLUSDT", "1m", 100_000)
    assert (len(forward), len(backward), len(setup.server.requests)) == (1_500, 1_500, 4)


@pytest.mark.parametrize(
    ("field", "arguments"),
    [
        ("interval", {"interval": "7m"}),
        ("limit", {"limit": 0}),
        ("limit", {"limit": 1_000_000}),
        ("start_time", {"start_time": NOON.replace(tzinfo=None)}),
        ("end_time", {"end_time": NOON.replace(tzinfo=None)}),
    ],
)
async def test_bad_arguments_of_candles_are_named(setup: Setup, field: str, arguments: dict[str, Any]) -> None:
    with pytest.raises(BadParameter) as caught:
        await setup.exchange.get_klines(**{"symbol": "SOLUSDT", "interval": "1m", **arguments})
    assert caught.value.field == field
    assert setup.server.requests == []
