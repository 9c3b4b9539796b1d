"""Candlestick bars as the venue cuts them: up to 4 hours on the UTC clock, longer ones from midnight in Hong Kong (UTC+8) unless
the name ends in "utc"."""

from collections.abc import Iterator
from typing import NamedTuple

from exchanges.sandbox.market import HOUR_MS, MONTH_MS, QUARTER_MS, WEEK_MS
from exchanges.sandbox.path import DAY_MS

SECOND_MS = 1_000
MINUTE_MS = 60_000
_HONG_KONG_MS = 8 * HOUR_MS

_SHORT = {"1m": 1, "3m": 3, "5m": 5, "15m": 15, "30m": 30, "1H": 60, "2H": 120, "4H": 240}
_LONG = {
    "6H": 6 * HOUR_MS,
    "12H": 12 * HOUR_MS,
    "1D": DAY_MS,
    "2D": 2 * DAY_MS,
    "3D": 3 * DAY_MS,
    "1W": WEEK_MS,
    "1M": MONTH_MS,
    "3M": QUARTER_MS,
}


class Bar(NamedTuple):
    """`offset_ms` is how far the clock that it is cut by is ahead of UTC."""

    interval_ms: int
    offset_ms: int = 0


def _bars() -> Iterator[tuple[str, Bar]]:
    for name, minutes in _SHORT.items():
        yield name, Bar(minutes * MINUTE_MS)
    for name, interval_ms in _LONG.items():
        yield name, Bar(interval_ms, _HONG_KONG_MS)
        yield f"{name}utc", Bar(interval_ms)


PRICE_BARS = dict(_bars())  # of marks and indices
BARS = {"1s": Bar(SECOND_MS), **PRICE_BARS}
