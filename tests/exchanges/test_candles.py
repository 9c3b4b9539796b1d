"""A request for candles: what is refused before anything is sent, and bounds to the millisecond."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from exchanges.candles import KlineQuery, kline_query
from exchanges.errors import BadParameter

NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)
NOON_MS = 1_772_625_600_000


def query(**wanted: Any) -> KlineQuery:
    asked: dict[str, Any] = {"interval": "1h", "limit": 500, "start_time": None, "end_time": None} | wanted
    return kline_query("okx", **asked, max_limit=1_000, now_ms=NOON_MS)


@pytest.mark.parametrize(
    ("wanted", "field", "message"),
    [
        ({"interval": "7m"}, "interval", "interval must be one of 1m, 3m, .*, was '7m'"),
        ({"interval": ""}, "interval", "was ''"),
        ({"interval": "1H"}, "interval", "was '1H'"),
        ({"interval": "x" * 10_000}, "interval", "was 'x{39} "),
        ({"limit": 0}, "limit", "limit must be from 1 to 1000, was 0"),
        ({"limit": 1_001}, "limit", "was 1001"),
        ({"start_time": NOON.replace(tzinfo=None)}, "start_time", "start_time must have a time zone, was 2026-03-04T12:00:00"),
        ({"end_time": NOON.replace(tzinfo=None)}, "end_time", "end_time must have a time zone"),
    ],
)
def test_what_no_exchange_can_answer_is_refused_with_the_field(wanted: dict[str, Any], field: str, message: str) -> None:
    with pytest.raises(BadParameter, match=message) as refusal:
        query(**wanted)
    assert (refusal.value.field, refusal.value.exchange) == (field, "okx")


def test_bounds_are_whole_milliseconds_that_let_in_no_candle_from_outside() -> None:
    split = timedelta(microseconds=400)
    bounds = query(start_time=NOON + split, end_time=NOON + split)
    assert (bounds.start_ms, bounds.end_ms) == (NOON_MS + 1, NOON_MS)
    tokyo = NOON.astimezone(timezone(timedelta(hours=9)))
    assert query(start_time=tokyo, end_time=tokyo) == query(start_time=NOON, end_time=NOON)


def test_without_bounds_there_are_none() -> None:
    assert (query().start_ms, query().end_ms, query().step_ms) == (None, None, 3_600_000)
