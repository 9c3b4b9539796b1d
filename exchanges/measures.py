"""What is counted about calls to venues, for monitoring. Knows the exchange's name and how a call ended, nothing of accounts or figures."""

from prometheus_client import Counter, Histogram

_UNTIL_S = (0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)

VENUE_CALLS = Counter("crossbook_venue_calls", "Calls to a venue, by what came of them.", ["exchange", "method", "outcome"])
VENUE_CALL_SECONDS = Histogram("crossbook_venue_call_seconds", "How long an answered call took.", ["exchange"], buckets=_UNTIL_S)

_LIMITED = frozenset({403, 418, 429})


def count_call(exchange: str, method: str, *, status: int | None, seconds: float, failure: str = "") -> None:
    """`failure` says why no usable answer came; there may have been an answer, with its `status`, all the same."""
    VENUE_CALLS.labels(exchange, method, failure or _outcome(status)).inc()
    if not failure:
        VENUE_CALL_SECONDS.labels(exchange).observe(seconds)


def _outcome(status: int | None) -> str:
    if status is None or status >= 500:
        return "failed"
    if status < 400:
        return "answered"
    if status in _LIMITED:
        return "limited"
    return "refused"
