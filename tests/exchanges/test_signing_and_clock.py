"""The moment a request is signed with: stored and kept per task, else the venue's time of now as the clock has measured it."""

import asyncio
from functools import partial

import pytest

from exchanges.clock import SAMPLES, VenueClock
from exchanges.errors import NotSent
from exchanges.signing import DEFAULT_WINDOW_MS, SigningMoment, signing_at, stored_moment

NOW_MS = 1_795_500_000_000


class Wall:
    """A wall clock that is set by hand."""

    def __init__(self) -> None:
        self.ms = NOW_MS

    def __call__(self) -> int:
        return self.ms


def test_the_fence_is_the_end_of_the_window() -> None:
    assert SigningMoment(1_000, 250).fence_ms == 1_250
    assert SigningMoment(1_000).window_ms == DEFAULT_WINDOW_MS == 5_000


def test_a_moment_is_stored_inside_the_block_alone() -> None:
    outer, inner = SigningMoment(1), SigningMoment(2)
    assert stored_moment() is None
    with signing_at(outer):
        with signing_at(inner):
            assert stored_moment() is inner
        assert stored_moment() is outer
    assert stored_moment() is None


def test_a_moment_is_forgotten_when_the_block_fails() -> None:
    with pytest.raises(NotSent), signing_at(SigningMoment(1)):
        raise NotSent("no connection")
    assert stored_moment() is None


async def test_tasks_do_not_see_each_others_moments() -> None:
    barrier = asyncio.Barrier(20)

    async def sign(ms: int) -> int:
        with signing_at(SigningMoment(ms)):
            await barrier.wait()
            moment = stored_moment()
            assert moment is not None
            return moment.timestamp_ms

    assert await asyncio.gather(*map(sign, range(20))) == list(range(20))


def test_the_clock_prefers_the_stored_moment() -> None:
    clock, stored = VenueClock(Wall()), SigningMoment(5, 7)
    with signing_at(stored):
        assert clock.moment() is stored
        assert clock.moment(window_ms=1) is stored
    assert clock.moment() == SigningMoment(NOW_MS, DEFAULT_WINDOW_MS)
    assert clock.moment(window_ms=900) == SigningMoment(NOW_MS, 900)


async def test_the_offset_is_the_venues_time_less_ours_at_half_the_round_trip() -> None:
    wall = Wall()
    clock = VenueClock(wall)

    async def ask() -> int:
        wall.ms += 40  # the way there and back
        return NOW_MS + 20 + 750

    assert await clock.measure(ask) == 750
    assert clock.now_ms() == wall.ms + 750
    assert clock.moment().timestamp_ms == wall.ms + 750


async def test_one_odd_measurement_does_not_move_the_clock() -> None:
    wall = Wall()
    clock = VenueClock(wall)
    for offset in (100, 102, 98, 101, 60_000):
        await clock.measure(partial(_venue_time, wall.ms + offset))
    assert clock.offset_ms == 101


async def test_old_measurements_are_forgotten() -> None:
    wall = Wall()
    clock = VenueClock(wall)
    for offset in [5_000] * SAMPLES + [-300] * SAMPLES:
        await clock.measure(partial(_venue_time, wall.ms + offset))
    assert clock.offset_ms == -300


async def _venue_time(ms: int) -> int:
    return ms


async def test_a_measurement_that_fails_changes_nothing() -> None:
    clock = VenueClock(Wall())

    async def fail() -> int:
        raise NotSent("no connection")

    with pytest.raises(NotSent):
        await clock.measure(fail)
    assert (clock.offset_ms, clock.measured_at_ms) == (0, None)


async def test_age_counts_from_the_last_measurement() -> None:
    wall = Wall()
    clock = VenueClock(wall)
    assert clock.is_older_than(1e9)
    await clock.measure(partial(_venue_time, wall.ms))
    wall.ms += 60_000
    assert clock.is_older_than(59.9)
    assert not clock.is_older_than(60)
