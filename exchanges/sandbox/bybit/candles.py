"""Candles by the venue's interval names and page rules."""

from exchanges.sandbox.bybit.errors import bad_parameter
from exchanges.sandbox.engine import Engine
from exchanges.sandbox.market import MONTH_MS, WEEK_MS
from exchanges.sandbox.model import Listing, Venue
from exchanges.sandbox.views import Candle

MINUTE_MS = 60_000
DAY_MS = 86_400_000

_MINUTES = ("1", "3", "5", "15", "30", "60", "120", "240", "360", "720")
_INTERVALS_MS = {name: int(name) * MINUTE_MS for name in _MINUTES} | {"D": DAY_MS, "W": WEEK_MS, "M": MONTH_MS}
_LONGEST_MONTH_MS = 31 * DAY_MS


def fetch(engine: Engine, listing: Listing, interval: str, *, start_ms: int | None, end_ms: int | None, limit: int) -> list[Candle]:
    """Newest first. With a start alone the page grows from there, otherwise it is the newest `limit` up to the end, both inclusive."""
    step_ms = _INTERVALS_MS.get(interval)
    if step_ms is None:
        raise bad_parameter("interval")
    now_ms = engine.now_ms()
    last_ms = now_ms if end_ms is None else min(end_ms, now_ms)
    first_ms = max(start_ms or 0, listing.listed_at_ms)
    if start_ms is None or end_ms is not None:
        return engine.candles(Venue.BYBIT, listing.symbol, step_ms, first_ms, last_ms, limit)[::-1]
    longest_ms = _LONGEST_MONTH_MS if step_ms == MONTH_MS else step_ms
    last_ms = min(last_ms, first_ms + limit * longest_ms)
    candles = engine.candles(Venue.BYBIT, listing.symbol, step_ms, first_ms, last_ms, limit + limit // 8 + 2)
    return candles[:limit][::-1]
