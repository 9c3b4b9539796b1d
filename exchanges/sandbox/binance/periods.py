"""The time window of a list request: `startTime`, `endTime` and `limit`, against what happened and against rows of a fixed period."""

from collections.abc import Sequence
from typing import TypeVar

from exchanges.sandbox.binance import errors
from exchanges.sandbox.binance.params import Params

T = TypeVar("T")
_DAY_MS = 86_400_000


def asked_range(params: Params) -> tuple[int | None, int | None]:
    start_ms, end_ms = params.integer("startTime"), params.integer("endTime")
    for name, moment in (("startTime", start_ms), ("endTime", end_ms)):
        if moment is not None and moment < 0:
            raise errors.invalid_data(name)
    if start_ms is not None and end_ms is not None and start_ms > end_ms:
        raise errors.VenueError(-1023, "Start time is greater than end time.")
    return start_ms, end_ms


def window(params: Params, *, now_ms: int, days: int) -> tuple[int, int]:
    """The days from `startTime` on, or up to `endTime` (now) where only that was sent; more than those are refused."""
    start_ms, end_ms = asked_range(params)
    length_ms = days * _DAY_MS
    if start_ms is None:
        end_ms = now_ms if end_ms is None else end_ms
        return end_ms - length_ms, end_ms
    if end_ms is None:
        return start_ms, start_ms + length_ms
    if end_ms - start_ms > length_ms:
        raise errors.VenueError(-4165, f"Maximum time interval is {days} days")
    return start_ms, end_ms


def page(rows: Sequence[T], limit: int, *, is_from_start: bool) -> Sequence[T]:
    """Of rows that are oldest first: the first ones where the client named a beginning, else the newest."""
    return rows[:limit] if is_from_start else rows[-limit:]


def rows_range(asked: tuple[int | None, int | None], *, period_ms: int, limit: int, earliest_ms: int, now_ms: int) -> tuple[int, int]:
    """First and last moment of at most `limit` rows at multiples of the period: the first ones from `startTime` on where it was
    sent, else the newest up to `endTime`."""
    start_ms, end_ms = asked
    end_ms = now_ms if end_ms is None else min(end_ms, now_ms)
    if start_ms is None:
        start_ms = end_ms - end_ms % period_ms - (limit - 1) * period_ms
        return max(start_ms, earliest_ms), end_ms
    first_ms = -(-max(start_ms, earliest_ms) // period_ms) * period_ms
    return first_ms, min(end_ms, first_ms + (limit - 1) * period_ms)
