"""What the account's lists share: the window of time they cover and the effects of its fills. Reads the engine only."""

from dataclasses import dataclass
from decimal import Decimal

from exchanges.sandbox.bybit.candles import DAY_MS
from exchanges.sandbox.bybit.closing import Effect, effects
from exchanges.sandbox.bybit.errors import VenueError
from exchanges.sandbox.bybit.serving import Call
from exchanges.sandbox.model import ZERO, Fill


@dataclass(frozen=True, slots=True)
class TimeWindow:
    """Both ends inclusive, epoch milliseconds."""

    start_ms: int
    end_ms: int

    def __contains__(self, at_ms: int) -> bool:
        return self.start_ms <= at_ms <= self.end_ms


def time_window(call: Call, *, days: int = 7, most_days: int = 7) -> TimeWindow:
    """The venue's rule: `days` up to now, or from the start, or up to the end; a given range spans `most_days` at most."""
    start_ms, end_ms = call.params.integer("startTime"), call.params.integer("endTime")
    span_ms = days * DAY_MS
    if start_ms is None:
        last_ms = call.engine.now_ms() if end_ms is None else end_ms
        return TimeWindow(last_ms - span_ms, last_ms)
    if end_ms is None:
        return TimeWindow(start_ms, start_ms + span_ms)
    if not 0 <= end_ms - start_ms <= most_days * DAY_MS:
        raise VenueError(10001, f"The time range between startTime and endTime cannot exceed {most_days} days")
    return TimeWindow(start_ms, end_ms)


def held(call: Call, symbol: str) -> Decimal:
    """The signed position, 0 when flat."""
    position = call.account.positions.get(symbol)
    return position.quantity if position else ZERO


def effects_newest_first(call: Call) -> list[Effect]:
    """Every fill that is remembered, with what it did to its symbol's position."""
    by_symbol: dict[str, list[Fill]] = {}
    for fill in reversed(call.engine.fills(call.account)):
        by_symbol.setdefault(fill.symbol, []).append(fill)
    found: list[Effect] = []
    for symbol, fills in by_symbol.items():
        change = sum((fill.quantity * fill.side.sign for fill in fills), ZERO)
        found += effects(fills, size_before=held(call, symbol) - change)
    return sorted(found, key=lambda effect: effect.fill.id, reverse=True)
