"""What is counted about calls to venues, for monitoring: how they ended, how long they took, and how much of a rate limit is used up.
Knows the exchange's name, nothing of accounts or figures."""

from collections.abc import Mapping
from functools import cache

from prometheus_client import Counter, Gauge, Histogram

_UNTIL_S = (0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)

VENUE_CALLS = Counter("crossbook_venue_calls", "Calls to a venue, by what came of them.", ["exchange", "method", "outcome"])
VENUE_CALL_SECONDS = Histogram("crossbook_venue_call_seconds", "How long an answered call took.", ["exchange"], buckets=_UNTIL_S)

BUDGET_USED = Gauge(
    "crossbook_venue_budget_used_ratio",
    "Used share (0 to 1) of a rate limit, as the venue's last answer to this process said. OKX says nothing.",
    ["exchange", "budget"],
)

# Binance tells what is used in the running window, the limits stand in its exchangeInfo (rateLimits); weight counts by address.
_USED_OF = {
    "X-MBX-USED-WEIGHT-1M": ("weight_1m", 2_400),
    "X-MBX-ORDER-COUNT-10S": ("orders_10s", 300),
    "X-MBX-ORDER-COUNT-1M": ("orders_1m", 1_200),
}
# Bybit tells the limit of this endpoint, and what is left of it in the running second.
_LIMIT, _LEFT = "X-Bapi-Limit", "X-Bapi-Limit-Status"
# Which of a figure's rows is meant is looked up once: these are counted with every request.
_calls = cache(VENUE_CALLS.labels)
_call_seconds = cache(VENUE_CALL_SECONDS.labels)
_budget_used = cache(BUDGET_USED.labels)
_TOO_LONG = 10  # digits; what may be a number of requests has fewer
_LIMITED = frozenset({403, 418, 429})


def count_call(exchange: str, method: str, *, status: int | None, seconds: float, failure: str = "") -> None:
    """`failure` says why no usable answer came; there may have been an answer, with its `status`, all the same."""
    _calls(exchange, method, failure or _outcome(status)).inc()
    if not failure:
        _call_seconds(exchange).observe(seconds)


def note_budget(exchange: str, path: str, headers: Mapping[str, str]) -> None:
    """What the headers of an answer say of rate limits; `path` is the endpoint's. What is no number is not noted."""
    if exchange == "binance":
        for header, (budget, most) in _USED_OF.items():
            used = _number(headers.get(header))
            if used is not None:
                _budget_used(exchange, budget).set(used / most)
    elif exchange == "bybit":
        limit, left = _number(headers.get(_LIMIT)), _number(headers.get(_LEFT))
        if limit and left is not None:
            _budget_used(exchange, path).set((limit - left) / limit)


def _number(text: str | None) -> int | None:
    return int(text) if text is not None and text.isascii() and text.isdigit() and len(text) < _TOO_LONG else None


def _outcome(status: int | None) -> str:
    if status is None or status >= 500:
        return "failed"
    if status < 400:
        return "answered"
    if status in _LIMITED:
        return "limited"
    return "refused"
