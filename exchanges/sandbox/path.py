"""The price path of one listing: a continuous function of time, drawn top-down so that extremes are exact and cheap.

A day knows its two ends, its low and its high. It is split into parts whose inner knots, lows and highs are drawn within it, so that
one part holds the day's high and one its low; parts are split the same way down to straight lines of two seconds. So the
extremes of any range need a walk along its two borders only, however long ago and however long it is.
Everything here is the logarithm of a price until it leaves as a whole number of ticks.
"""

from collections.abc import Callable
from functools import lru_cache
from itertools import pairwise
from math import exp, sqrt
from typing import NamedTuple

from .noise import draw, exponential, normal

DAY_MS = 86_400_000
# Day, 4 h, 1 h, 15 min, 5 min, 1 min, 10 s, 2 s: each a whole number of the next, at least three (room for a high and a low knot).
DURATIONS_MS = (DAY_MS, 14_400_000, 3_600_000, 900_000, 300_000, 60_000, 10_000, 2_000)
BRANCHES = tuple(longer // shorter for longer, shorter in pairwise(DURATIONS_MS))
LEAF = len(DURATIONS_MS) - 1

_MOST = max(BRANCHES)
_HIGHS, _LOWS = _MOST, 2 * _MOST  # where in a draw the parts' own highs and lows begin
_AT_HIGH, _AT_LOW, _SIDES = 3 * _MOST, 3 * _MOST + 1, 3 * _MOST + 2


class Segment(NamedTuple):
    """A stretch of the path: its values at both ends, and the lowest and highest value it takes in between."""

    start: float
    end: float
    low: float
    high: float


class _Split(NamedTuple):
    """The parts of a segment, and which of the points between and around them are made its highest and lowest."""

    parts: tuple[Segment, ...]
    top: int
    bottom: int


class Path:
    def __init__(self, key: bytes, *, level: Callable[[int], float], volatility: float, tick: float, guide: "Path | None" = None) -> None:
        """`key` draws the shape within days, `level` tells the value at the midnight that begins a day; `volatility` is that of one
        day (0.02 = 2 %). A path with a `guide` puts its highs and lows where the guide has them, so that venues whose paths differ by a
        small basis keep the same shape."""
        self._key = key
        self._level = level
        self._guide = guide
        self._spreads = [volatility * sqrt(duration / DAY_MS) for duration in DURATIONS_MS]
        self._ticks_per_unit = 1 / tick
        self._split = lru_cache(maxsize=192)(self._draw_split)
        self._day = lru_cache(maxsize=64)(self._draw_day)
        self._ticks = lru_cache(maxsize=64)(self._find_ticks)

    def ticks(self, at_ms: int) -> int:
        """The price at a moment, in ticks."""
        return self._ticks(at_ms)

    def extremes(self, start_ms: int, end_ms: int) -> tuple[int, int]:
        """The lowest and the highest price from one moment to another, both included, in ticks."""
        if start_ms >= end_ms:
            price = self.ticks(start_ms)
            return price, price
        lows, highs = [], []
        for day in range(start_ms // DAY_MS, (end_ms - 1) // DAY_MS + 1):
            low, high = self._within(0, day, self.day(day), start_ms, end_ms)
            lows.append(low)
            highs.append(high)
        return self.to_ticks(min(lows)), self.to_ticks(max(highs))

    def day(self, day: int) -> Segment:
        return self._day(day)

    def parts(self, level: int, index: int) -> tuple[Segment, ...]:
        """The parts of the segment of that level that begins at `index` times its duration."""
        return self._split(level, index).parts

    def to_ticks(self, value: float) -> int:
        return max(1, round(exp(value) * self._ticks_per_unit))

    def _find_ticks(self, at_ms: int) -> int:
        index, start_ms = at_ms // DAY_MS, at_ms - at_ms % DAY_MS
        segment = self.day(index)
        for level, branches in enumerate(BRANCHES):
            if at_ms == start_ms:
                break
            part = (at_ms - start_ms) // DURATIONS_MS[level + 1]
            segment = self.parts(level, index)[part]
            start_ms += part * DURATIONS_MS[level + 1]
            index = index * branches + part
        # A time that begins a segment of any level needs no finer one: the fraction is 0.
        return self.to_ticks(_on_line(segment, (at_ms - start_ms) / DURATIONS_MS[LEAF]))

    def _within(self, level: int, index: int, segment: Segment, start_ms: int, end_ms: int) -> tuple[float, float]:
        first_ms, duration = index * DURATIONS_MS[level], DURATIONS_MS[level]
        if start_ms <= first_ms and first_ms + duration <= end_ms:
            return segment.low, segment.high
        start_ms, end_ms = max(start_ms, first_ms), min(end_ms, first_ms + duration)
        if level == LEAF:
            ends = _on_line(segment, (start_ms - first_ms) / duration), _on_line(segment, (end_ms - first_ms) / duration)
            return min(ends), max(ends)
        parts, step = self.parts(level, index), DURATIONS_MS[level + 1]
        lows, highs = [], []
        for part in range((start_ms - first_ms) // step, (end_ms - 1 - first_ms) // step + 1):
            low, high = self._within(level + 1, index * BRANCHES[level] + part, parts[part], start_ms, end_ms)
            lows.append(low)
            highs.append(high)
        return min(lows), max(highs)

    def _segment(self, level: int, index: int) -> Segment:
        if level == 0:
            return self.day(index)
        parent, part = divmod(index, BRANCHES[level - 1])
        return self.parts(level - 1, parent)[part]

    def _draw_day(self, day: int) -> Segment:
        numbers = draw(self._key, -1, day)
        start, end = self._level(day), self._level(day + 1)
        return Segment(start, end, *_reach(start, end, self._spreads[0], numbers[0], numbers[1]))

    def _draw_split(self, level: int, index: int) -> _Split:
        whole, numbers = self._segment(level, index), draw(self._key, level, index)
        count, spread, is_last = BRANCHES[level], self._spreads[level + 1], level + 1 == LEAF
        knots = _walk(whole, numbers, count, spread)
        if self._guide is None or is_last:
            top, bottom = _extreme_knots(whole, knots, 0.0 if is_last else spread)
        else:
            _, top, bottom = self._guide._split(level, index)
        _pin(whole, knots, top, bottom, numbers, 0.0 if is_last else spread)
        if is_last:
            return _Split(tuple(Segment(a, b, min(a, b), max(a, b)) for a, b in pairwise(knots)), top, bottom)
        # The part before or the part after the highest knot holds the high of the whole; likewise the low.
        top_part = min(max(top - (numbers[_SIDES] & 1), 0), count - 1)
        bottom_part = min(max(bottom - (numbers[_SIDES] >> 1 & 1), 0), count - 1)
        parts = []
        for part in range(count):
            start, end = knots[part], knots[part + 1]
            low, high = _reach(start, end, spread, numbers[_LOWS + part], numbers[_HIGHS + part])
            low = whole.low if part == bottom_part else max(low, whole.low)
            high = whole.high if part == top_part else min(high, whole.high)
            parts.append(Segment(start, end, low, high))
        return _Split(tuple(parts), top, bottom)


def _walk(whole: Segment, numbers: tuple[int, ...], count: int, spread: float) -> list[float]:
    """The values at the `count` + 1 points around the parts of a segment: a random walk pinned at both ends."""
    walk = [0.0]
    for part in range(count):
        walk.append(walk[-1] + normal(numbers[part]))
    trend = (whole.end - whole.start) / count
    inner = [whole.start + trend * part + spread * (walk[part] - walk[-1] * part / count) for part in range(1, count)]
    return [whole.start, *inner, whole.end]


def _extreme_knots(whole: Segment, knots: list[float], spread: float) -> tuple[int, int]:
    """Where the high and the low of the whole belong: at an end if that is the extreme of the walk and the high (low) is within its
    reach, else at the inner knot that is nearest to it."""
    everywhere, inner = range(len(knots)), range(1, len(knots) - 1)
    top, bottom = max(everywhere, key=knots.__getitem__), min(everywhere, key=knots.__getitem__)
    if top not in inner and whole.high - knots[top] > spread:
        top = max(inner, key=knots.__getitem__)
    if bottom not in inner and knots[bottom] - whole.low > spread:
        bottom = min(inner, key=knots.__getitem__)
    return top, bottom


def _pin(whole: Segment, knots: list[float], top: int, bottom: int, numbers: tuple[int, ...], spread: float) -> None:
    """Moves the inner knots between the low and the high of the whole, and the highest and lowest as near to these as the part
    beside them usually reaches (`spread`; 0: onto them)."""
    room = (whole.high - whole.low) / 3
    for inner in range(1, len(knots) - 1):
        if inner == top:
            knots[inner] = whole.high - min(spread * sqrt(exponential(numbers[_AT_HIGH]) / 2), room)
        elif inner == bottom:
            knots[inner] = whole.low + min(spread * sqrt(exponential(numbers[_AT_LOW]) / 2), room)
        else:
            knots[inner] = min(max(knots[inner], whole.low), whole.high)


def _reach(start: float, end: float, spread: float, low_number: int, high_number: int) -> tuple[float, float]:
    """How low and how high a random walk pinned at both ends goes in between (the exact law of its maximum, inverted)."""
    middle, gap = (start + end) / 2, (end - start) ** 2
    low = middle - sqrt(gap + 2 * spread * spread * exponential(low_number)) / 2
    high = middle + sqrt(gap + 2 * spread * spread * exponential(high_number)) / 2
    return min(low, start, end), max(high, start, end)


def _on_line(segment: Segment, fraction: float) -> float:
    value = segment.start + (segment.end - segment.start) * fraction
    return min(max(value, segment.low), segment.high)
