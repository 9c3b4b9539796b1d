"""Deterministic randomness: numbers that depend on a seed, a subject and a place in time, and on nothing else.

Floats are at home here and in the price path only; whoever turns them into money rounds them to exact steps first.
"""

import struct
from collections.abc import Sequence
from functools import lru_cache
from hashlib import blake2b
from math import log
from statistics import NormalDist

DRAWS = 32

_UNPACK = struct.Struct(f"<{DRAWS}H").unpack
_PLACE = struct.Struct("<qq").pack
_INVERSE_NORMAL = NormalDist().inv_cdf


def subject_key(seed: int, *subject: str) -> bytes:
    """The key under which one subject ("path", "BTC") draws its numbers."""
    return blake2b("/".join((str(seed), *subject)).encode(), digest_size=32).digest()


def draw(key: bytes, place: int, index: int) -> tuple[int, ...]:
    """`DRAWS` independent integers in [0, 65535] for one place (a level, a kind) and index (a time)."""
    return _UNPACK(blake2b(_PLACE(place, index), digest_size=2 * DRAWS, key=key).digest())


def uniform(number: int) -> float:
    """In (0, 1), never an end: its logarithm and its normal quantile exist."""
    return (number + 0.5) / 65536


def normal(number: int) -> float:
    return _INVERSE_NORMAL((number + 0.5) / 65536)


def exponential(number: int) -> float:
    return -log((number + 0.5) / 65536)


class Drift:
    """Bounded noise over whole days: octaves of doubling period whose amplitude grows with the root of the period, so that
    it moves like a random walk over days and weeks and yet stays within `amplitude` * 25."""

    def __init__(self, key: bytes, *, amplitude: float, octaves: int) -> None:
        self._key = key
        self._octaves = [(1 << octave, amplitude * 2 ** (octave / 2)) for octave in range(octaves)]
        self._knot = lru_cache(maxsize=4096)(self._draw_knot)

    def __call__(self, day: int) -> float:
        total = 0.0
        for period, amplitude in self._octaves:
            knot, offset = divmod(day, period)
            left = self._knot(period, knot)
            total += amplitude * (left + (self._knot(period, knot + 1) - left) * offset / period if offset else left)
        return total

    def _draw_knot(self, period: int, knot: int) -> float:
        return 2 * uniform(draw(self._key, period, knot)[0]) - 1


def shares(total: int, weights: Sequence[int]) -> list[int]:
    """Splits `total` into whole parts proportional to the weights that add up to it exactly."""
    whole = sum(weights)
    parts, given, seen = [], 0, 0
    for weight in weights:
        seen += weight
        reached = total * seen // whole
        parts.append(reached - given)
        given = reached
    return parts
