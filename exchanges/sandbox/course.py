"""How the market departs from the paths it is drawn with: how fast these are run through, and by how much prices were moved by hand.

Everyone lives by the clock; only paths are read at path time, which is the clock's until the first `Pace` and runs `speed` times as
fast from there on. A `Shock` multiplies the prices of an asset on all venues from a moment of the clock on. Both are kept in the ledger.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

SECOND_MS = 1000
_STEPS_MS = (1000, 500, 250, 200, 125, 100, 50, 40, 25, 20, 10, 8, 5, 4, 2)  # whole numbers of them make a second


class Pace(NamedTuple):
    """From `clock_ms` on, where path time is `path_ms`, it runs `speed` times as fast as the clock."""

    clock_ms: int
    path_ms: int
    speed: int


class Shock(NamedTuple):
    """`ratio` as it was given, a decimal number above 0."""

    clock_ms: int
    asset: str
    ratio: str


class Course:
    def __init__(self, departures: Iterable[Pace | Shock] = (), *, keep: Callable[[Pace | Shock], None] = lambda _: None) -> None:
        """`keep` is given every new one before it holds."""
        self._paces: list[Pace] = []
        self._factors: dict[str, list[tuple[int, float]]] = {}  # by asset: since when, and what all shocks until then come to
        self._keep = keep
        for each in departures:
            self._apply(each)

    @property
    def speed(self) -> int:
        return self._paces[-1].speed if self._paces else 1

    @property
    def step_ms(self) -> int:
        """By the clock: a second of path time or, where that is not a whole part of a second, the next smaller one; 1 at the least."""
        return next((step for step in _STEPS_MS if step * self.speed <= SECOND_MS), 1)

    def set_speed(self, speed: int, now_ms: int) -> None:
        """From this second on; prices go on where they are."""
        if speed != self.speed:
            second_ms = max(now_ms - now_ms % SECOND_MS, self._paces[-1].clock_ms if self._paces else 0)
            self._add(Pace(second_ms, self.path_ms(second_ms), speed))

    def shock(self, asset: str, ratio: str, now_ms: int) -> Shock:
        """From the next second on: within one the market stands still."""
        shock = Shock(now_ms - now_ms % SECOND_MS + SECOND_MS, asset, ratio)
        self._add(shock)
        return shock

    def path_ms(self, clock_ms: int) -> int:
        pace = self._pace(clock_ms, 0)
        return clock_ms if pace is None else pace.path_ms + (clock_ms - pace.clock_ms) * pace.speed

    def clock_ms(self, path_ms: int) -> int:
        """The first moment of the clock at which path time is that far."""
        pace = self._pace(path_ms, 1)
        return path_ms if pace is None else pace.clock_ms - (pace.path_ms - path_ms) // pace.speed

    def factor(self, asset: str, clock_ms: int) -> float:
        factors = self._factors.get(asset)
        place = bisect_right(factors, clock_ms, key=lambda each: each[0]) if factors else 0
        return factors[place - 1][1] if factors and place else 1.0

    def stretches(self, asset: str, start_ms: int, end_ms: int) -> Iterator[tuple[int, int, float]]:
        """The parts of a span between shocks and the factor of each; where one ends the next begins."""
        factors = self._factors.get(asset, [])
        since_ms, factor = start_ms, self.factor(asset, start_ms)
        for at_ms, following in factors[bisect_right(factors, start_ms, key=lambda each: each[0]) :]:
            if at_ms > end_ms:
                break
            yield since_ms, at_ms, factor
            since_ms, factor = at_ms, following
        yield since_ms, end_ms, factor

    def _pace(self, at_ms: int, field: int) -> Pace | None:
        place = bisect_right(self._paces, at_ms, key=lambda each: each[field]) if self._paces else 0
        return self._paces[place - 1] if place else None

    def _add(self, departure: Pace | Shock) -> None:
        self._keep(departure)
        self._apply(departure)

    def _apply(self, departure: Pace | Shock) -> None:
        if isinstance(departure, Pace):
            self._paces.append(departure)
            return
        factors = self._factors.setdefault(departure.asset, [])
        last_ms, factor = factors[-1] if factors else (0, 1.0)
        if factors and departure.clock_ms <= last_ms:
            factors.pop()
        factors.append((max(departure.clock_ms, last_ms), factor * float(departure.ratio)))
