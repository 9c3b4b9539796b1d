"""When a venue is asked again: at the time it named, and by a rule of our own where it named none or one that nobody can have meant."""

from datetime import UTC, datetime, timedelta

import pytest

from exchanges import errors, pauses
from exchanges.adapters.binance.errors import to_error
from exchanges.adapters.okx.errors import error_from_edge
from exchanges.errors import ExchangeAPIError

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("error", "pause_s"),
    [
        (errors.RateLimited("slow down", retry_after_s=7), 7),
        (errors.AccountRateLimited("slow down", retry_after_s=0.5), 0.5),
        (errors.RateLimited("slow down"), 10),
        (errors.RateLimited("slow down", retry_after_s=0), 10),
        (errors.Banned("banned", retry_after_s=120), 120),
        (errors.Banned("banned"), 600),
        (errors.RateLimited("slow down", retry_after_s=1e15), 3 * 86_400),
        (errors.BadApiKey("wrong key"), 60),
    ],
)
def test_a_pause_is_as_long_as_the_venue_says_or_as_our_rule(error: ExchangeAPIError, pause_s: float) -> None:
    assert pauses.until(error, NOW) == NOW + timedelta(seconds=pause_s)


@pytest.mark.parametrize("error", [errors.ExchangeUnavailable("down"), errors.NotSent("down"), errors.BadVenueResponse("html")])
def test_a_venue_that_is_down_is_asked_at_the_next_poll(error: ExchangeAPIError) -> None:
    assert pauses.until(error, NOW) is None


def test_a_ban_that_names_no_time_is_not_asked_into_again_at_once() -> None:
    of_binance = to_error(status=418, code=None, message="", is_write=False, retry_after=None, now_ms=0)
    of_okx = error_from_edge(403, None)
    assert of_okx is not None
    assert {pauses.until(error, NOW) for error in (of_binance, of_okx)} == {NOW + timedelta(minutes=10)}
