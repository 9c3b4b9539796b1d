"""What the account's lists share: the window of time they cover, what its fills did to its positions, and what these held when. Reads the
engine only."""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from exchanges.sandbox.bybit.candles import DAY_MS
from exchanges.sandbox.bybit.closing import Effect, effects
from exchanges.sandbox.bybit.errors import VenueError
from exchanges.sandbox.bybit.serving import Call
from exchanges.sandbox.model import ZERO, Entry, EntryKind, Fill, PositionKey


@dataclass(frozen=True, slots=True)
class TimeWindow:
    """Both ends inclusive, epoch milliseconds."""

    start_ms: int
    end_ms: int

    def __contains__(self, at_ms: int) -> bool:
        return self.start_ms <= at_ms <= self.end_ms


@dataclass(frozen=True, slots=True)
class Past:
    """`effects` by fill, oldest first; `sizes` by position: numbers of fills, and what was held after each."""

    effects: Mapping[int, Effect]
    sizes: Mapping[PositionKey, list[tuple[int, Decimal]]]

    def size_before(self, key: PositionKey, number: int) -> Decimal:
        """What a position held (signed) when the engine gave out a number."""
        steps = self.sizes.get(key, [])
        index = bisect_left(steps, number, key=lambda step: step[0])
        return steps[index - 1][1] if index else ZERO


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


def held(call: Call, key: PositionKey) -> Decimal:
    """The signed position, 0 when flat."""
    position = call.account.positions.get(key)
    return position.quantity if position else ZERO


def key_of(entry: Entry) -> PositionKey:
    return PositionKey(entry.symbol, entry.leg, entry.margin_mode)


def past_of(call: Call) -> Past:
    """Every fill that is remembered, with what it did to its position."""
    by_key: dict[PositionKey, list[Fill]] = {key: [] for key in call.account.positions}
    for fill in reversed(call.engine.fills(call.account)):
        by_key.setdefault(fill.key, []).append(fill)
    found: list[Effect] = []
    sizes: dict[PositionKey, list[tuple[int, Decimal]]] = {}
    extra_fees = _liquidation_fees_by_fill(call)
    for key, fills in by_key.items():
        size_before = held(call, key) - sum((fill.quantity * fill.side.sign for fill in fills), ZERO)
        mine = effects(fills, size_before=size_before, extra_fees=extra_fees)
        sizes[key] = [(0, size_before), *((effect.fill.id, effect.size_after) for effect in mine)]
        found += mine
    found.sort(key=lambda effect: effect.fill.id)
    return Past({effect.fill.id: effect for effect in found}, sizes)


def liquidation_fees(call: Call) -> Mapping[int, Decimal]:
    """By order, beside its trading fees; costs are positive."""
    fees: dict[int, Decimal] = defaultdict(Decimal)
    for entry in call.engine.statement(call.account, {EntryKind.LIQUIDATION_FEE}):
        fees[entry.order_id] -= entry.amount
    return fees


def _liquidation_fees_by_fill(call: Call) -> Mapping[int, Decimal]:
    fees: dict[int, Decimal] = defaultdict(Decimal)
    for entry in call.engine.statement(call.account, {EntryKind.LIQUIDATION_FEE}):
        fees[entry.fill_id] -= entry.amount
    return fees
