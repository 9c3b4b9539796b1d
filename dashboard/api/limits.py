"""How often one person may ask the API, with their browser and all their tokens together: so many requests a minute, and fewer of those
that ask an exchange, whose own limit is one for everybody here (S66).

Counted in Valkey, so that all web processes count together, in windows of a minute. While Valkey is away nothing is counted and nobody is
refused: a limit that nobody keeps for a minute is better than a book that cannot be traded."""

import logging
import time
from functools import cache

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from ninja import NinjaAPI
from ninja.errors import Throttled
from ninja.throttling import BaseThrottle
from redis import Redis, RedisError
from redis.backoff import NoBackoff
from redis.retry import Retry

from dashboard.api.auth import caller_of

logger = logging.getLogger(__name__)

WINDOW_S = 60
ANSWER_WITHIN_S = 0.2
AWAY_FOR_S = 5.0
_PREFIX = "crossbook:limit:"


class Limit(BaseThrottle):
    """`setting` names the setting that says how many requests a minute; 0 for any number. One of these serves all threads."""

    def __init__(self, what: str, setting: str) -> None:
        self._what = what
        self._setting = setting
        self._away_until = 0.0

    def allow_request(self, request: HttpRequest) -> bool:
        allowed: int = getattr(settings, self._setting)
        return not allowed or self._counted(caller_of(request).pk) <= allowed

    def wait(self) -> float:
        return seconds_left(time.time())

    def _counted(self, user_id: int) -> int:
        """Which request of this window it is; 0 while nobody counts, which is not tried anew with every request."""
        if time.monotonic() < self._away_until:
            return 0
        key = f"{_PREFIX}{self._what}:{user_id}:{int(time.time()) // WINDOW_S}"
        try:
            with _valkey().pipeline(transaction=False) as pipeline:
                pipeline.incr(key)
                pipeline.expire(key, 2 * WINDOW_S)
                number, _ = pipeline.execute()
        except RedisError as error:
            self._away_until = time.monotonic() + AWAY_FOR_S
            logger.warning("requests are not counted for %g s: Valkey does not answer (%s)", AWAY_FOR_S, type(error).__name__)
            return 0
        return int(number)


REQUESTS = Limit("requests", "API_REQUESTS_PER_MINUTE")
QUESTIONS = Limit("questions", "API_QUESTIONS_PER_MINUTE")
# Of an operation that asks an exchange, in place of what its router says.
ASKING: list[BaseThrottle] = [REQUESTS, QUESTIONS]


def install(api: NinjaAPI) -> None:
    """The answer to whoever asks too often; ninja adds Retry-After."""

    @api.exception_handler(Throttled)
    def too_many(request: HttpRequest, error: Throttled) -> HttpResponse:
        message = f"Too many requests in this minute; the next one begins in {-(-(error.wait or 0) // 1):g} s."
        return api.create_response(request, {"code": "too_many_requests", "message": message, "details": []}, status=429)


def seconds_left(now: float) -> float:
    """Until the window that `now` is in ends: more than nothing, and at most the whole of it."""
    return WINDOW_S - now % WINDOW_S


@cache
def _valkey() -> Redis:
    """One for all threads of this process. Answers at once or not at all."""
    no_retry = Retry(NoBackoff(), 0)
    return Redis.from_url(settings.REDIS_URL, socket_connect_timeout=ANSWER_WITHIN_S, socket_timeout=ANSWER_WITHIN_S, retry=no_retry)
