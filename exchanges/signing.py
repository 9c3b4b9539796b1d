"""The moment a request is signed with: taken from the call, so that what was stored before sending is what gets signed.

A write that was claimed at 12:00:00 and paused for a minute must arrive with the time of its claim, and be refused by the venue as too
old, instead of arriving fresh after somebody had declared it lost. Adapters read the moment here, never the clock.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

DEFAULT_WINDOW_MS = 5_000


@dataclass(frozen=True, slots=True)
class SigningMoment:
    """`timestamp_ms` is epoch milliseconds on the venue's clock; the venue refuses the request after timestamp_ms + window_ms."""

    timestamp_ms: int
    window_ms: int = DEFAULT_WINDOW_MS

    @property
    def fence_ms(self) -> int:
        return self.timestamp_ms + self.window_ms


_stored: ContextVar[SigningMoment | None] = ContextVar("signing_moment", default=None)


def stored_moment() -> SigningMoment | None:
    """The moment set by `signing_at` around this call, else None: then the adapter signs with the venue's time of now."""
    return _stored.get()


@contextmanager
def signing_at(moment: SigningMoment) -> Iterator[None]:
    """Every request made inside (in this task) is signed with `moment`."""
    token = _stored.set(moment)
    try:
        yield
    finally:
        _stored.reset(token)
