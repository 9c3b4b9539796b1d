"""What was traded along a price path: whole lots, their turnover and the number of trades, additive over any ranges.

A day's volume is split into the parts of its path, always so that every part trades within its own low and high: turnover counts
ticks times lots, a whole number, so that nothing is lost to rounding.
"""

from functools import lru_cache
from typing import NamedTuple

from .noise import draw, shares, uniform
from .path import BRANCHES, DAY_MS, DURATIONS_MS, LEAF, Path, Segment

_TRADE_USD = 900  # what one trade is worth on average
_MOST_MOVED = 0.85  # of a segment's volume, to the parts where its mean price lies


class Traded(NamedTuple):
    """`turnover` is the sum of price in ticks times quantity in lots."""

    lots: int
    turnover: int
    trades: int


class Bounds(NamedTuple):
    """In ticks; `mean` is about the mean price over the time of a segment."""

    low: int
    high: int
    mean: int


class Volumes:
    def __init__(self, key: bytes, path: Path, *, daily_usd: float, tick: float, lot: float) -> None:
        self._key = key
        self._path = path
        self._daily_usd = daily_usd
        self._tick_lot_usd = tick * lot
        self._parts = lru_cache(maxsize=192)(self._split)
        self._day = lru_cache(maxsize=64)(self._draw_day)

    def between(self, start_ms: int, end_ms: int) -> Traded:
        """Everything traded from one moment (included) to another (excluded)."""
        if start_ms >= end_ms:
            return Traded(0, 0, 0)
        days = range(start_ms // DAY_MS, (end_ms - 1) // DAY_MS + 1)
        return _sum([self._within(0, day, self._day(day), start_ms, end_ms) for day in days])

    def _within(self, level: int, index: int, whole: Traded, start_ms: int, end_ms: int) -> Traded:
        first_ms, duration = index * DURATIONS_MS[level], DURATIONS_MS[level]
        if start_ms <= first_ms and first_ms + duration <= end_ms:
            return whole
        start_ms, end_ms = max(start_ms, first_ms), min(end_ms, first_ms + duration)
        if level == LEAF:
            return _minus(_part_of(whole, end_ms - first_ms, duration), _part_of(whole, start_ms - first_ms, duration))
        parts, step = self._parts(level, index), DURATIONS_MS[level + 1]
        reached = range((start_ms - first_ms) // step, (end_ms - 1 - first_ms) // step + 1)
        return _sum([self._within(level + 1, index * BRANCHES[level] + part, parts[part], start_ms, end_ms) for part in reached])

    def _traded(self, level: int, index: int) -> Traded:
        if level == 0:
            return self._day(index)
        parent, part = divmod(index, BRANCHES[level - 1])
        return self._parts(level - 1, parent)[part]

    def _draw_day(self, day: int) -> Traded:
        mean = self._bounds(0, day, self._path.day(day)).mean
        usd = self._daily_usd * (0.6 + 0.9 * uniform(draw(self._key, -1, day)[0]))
        lots = max(1, round(usd / (mean * self._tick_lot_usd)))
        return Traded(lots, lots * mean, max(1, round(usd / _TRADE_USD)))

    def _split(self, level: int, index: int) -> tuple[Traded, ...]:
        whole, numbers = self._traded(level, index), draw(self._key, level, index)
        parts = self._path.parts(level, index)
        bounds = [self._bounds(level + 1, index * BRANCHES[level] + part, segment) for part, segment in enumerate(parts)]
        lots = lots_of_parts(whole, bounds, [16384 + number for number in numbers[: BRANCHES[level]]])
        trades = shares(whole.trades, lots) if whole.lots else [0] * len(lots)
        return tuple(map(Traded, lots, turnovers_of_parts(whole.turnover, lots, bounds), trades))

    def _bounds(self, level: int, index: int, segment: Segment) -> Bounds:
        """The mean comes from the parts of the segment: the nearer to the truth, the less volume has to move when it is split."""
        mean = (segment.start + segment.end) / 2
        if level < LEAF:
            parts = self._path.parts(level, index)
            mean = sum(part.start + part.end for part in parts) / 2 / len(parts)
        to_ticks = self._path.to_ticks
        return Bounds(to_ticks(segment.low), to_ticks(segment.high), to_ticks(mean))


def lots_of_parts(whole: Traded, bounds: list[Bounds], weights: list[int]) -> list[int]:
    """Lots per part, near the weights, but moved to where the turnover of the whole lies, so that the parts can make it up."""
    lots = shares(whole.lots, _tilted(weights, [each.mean for each in bounds], whole.turnover / max(whole.lots, 1)))
    least = sum(count * each.low for count, each in zip(lots, bounds, strict=True))
    most = sum(count * each.high for count, each in zip(lots, bounds, strict=True))
    if least <= whole.turnover <= most:
        return lots
    # The path is continuous: some part passes through the mean price of the whole, and can take everything.
    home = next(part for part, each in enumerate(bounds) if each.low * whole.lots <= whole.turnover <= each.high * whole.lots)
    return [whole.lots if part == home else 0 for part in range(len(bounds))]


def _tilted(weights: list[int], values: list[int], wanted: float) -> list[int]:
    """The weights, mixed with those of the values beyond `wanted` until their mean value is `wanted` or nearly all is moved."""
    mean = sum(value * weight for value, weight in zip(values, weights, strict=True)) / sum(weights)
    beyond = [weight if (value > wanted) == (wanted > mean) else 0 for value, weight in zip(values, weights, strict=True)]
    if not any(beyond):
        nearest = min(range(len(values)), key=lambda part: abs(values[part] - wanted))
        beyond = [weight if part == nearest else 0 for part, weight in enumerate(weights)]
    target = sum(value * weight for value, weight in zip(values, beyond, strict=True)) / sum(beyond)
    moved = min(_MOST_MOVED, max(0.0, (wanted - mean) / (target - mean))) if target != mean else 0.0
    scale = moved * sum(weights) / sum(beyond)
    return [round(weight * (1 - moved) + extra * scale) for weight, extra in zip(weights, beyond, strict=True)]


def turnovers_of_parts(turnover: int, lots: list[int], bounds: list[Bounds]) -> list[int]:
    """Each part's turnover: its mean price, and what then is missing or too much spread by the room up or down."""
    usual = [count * each.mean for count, each in zip(lots, bounds, strict=True)]
    missing = turnover - sum(usual)
    if missing >= 0:
        room = [count * each.high - base for count, each, base in zip(lots, bounds, usual, strict=True)]
    else:
        room = [base - count * each.low for count, each, base in zip(lots, bounds, usual, strict=True)]
    if not any(room):
        return usual
    sign = 1 if missing >= 0 else -1
    return [base + sign * extra for base, extra in zip(usual, shares(abs(missing), room), strict=True)]


def _part_of(whole: Traded, elapsed: int, duration: int) -> Traded:
    lots = whole.lots * elapsed // duration
    return Traded(lots, whole.turnover * lots // max(whole.lots, 1), whole.trades * elapsed // duration)


def _minus(whole: Traded, part: Traded) -> Traded:
    return Traded(whole.lots - part.lots, whole.turnover - part.turnover, whole.trades - part.trades)


def _sum(parts: list[Traded]) -> Traded:
    return Traded(sum(part.lots for part in parts), sum(part.turnover for part in parts), sum(part.trades for part in parts))
