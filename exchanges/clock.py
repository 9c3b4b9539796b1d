"""How far a venue's clock is from ours, measured from its time endpoint; shared by every account's client of that venue."""

import time
from collections import deque
from collections.abc import Awaitable, Callable
from statistics import median

from exchanges.signing import DEFAULT_WINDOW_MS, SigningMoment, stored_moment

SAMPLES = 5


def _wall_ms() -> int:
    return time.time_ns() // 1_000_000


class VenueClock:
    """`offset_ms` = venue's time minus ours, the median of the last five measurements, each corrected by half its round trip."""

    def __init__(self, wall_ms: Callable[[], int] = _wall_ms) -> None:
        self._wall_ms = wall_ms
        self._samples: deque[int] = deque(maxlen=SAMPLES)
        self._offset_ms = 0
        self.measured_at_ms: int | None = None

    @property
    def offset_ms(self) -> int:
        return self._offset_ms

    def now_ms(self) -> int:
        """Now on the venue's clock, epoch milliseconds."""
        return self._wall_ms() + self._offset_ms

    def moment(self, window_ms: int = DEFAULT_WINDOW_MS) -> SigningMoment:
        """What to sign the request at hand with: the stored moment of the call, else now on the venue's clock."""
        return stored_moment() or SigningMoment(self._wall_ms() + self._offset_ms, window_ms)

    async def measure(self, fetch_time_ms: Callable[[], Awaitable[int]]) -> int:
        """Ask the venue once and return the new offset in milliseconds. Errors of `fetch_time_ms` pass through."""
        sent = self._wall_ms()
        venue_ms = await fetch_time_ms()
        received = self._wall_ms()
        self._samples.append(venue_ms - (sent + received) // 2)
        self._offset_ms = round(median(self._samples))
        self.measured_at_ms = received
        return self.offset_ms

    def is_older_than(self, seconds: float) -> bool:
        return self.measured_at_ms is None or self._wall_ms() - self.measured_at_ms > seconds * 1_000
