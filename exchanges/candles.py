"""What is asked of an exchange when candles are wanted, checked once for all of them. How one pages its candles is its adapter's affair."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from exchanges.domain import KLINE_INTERVALS_S, Kline
from exchanges.errors import BadParameter

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True)
class KlineQuery:
    """Bounds are open times in epoch milliseconds, both inclusive, None where there is none. `now_ms` is the venue's clock."""

    interval: str
    limit: int
    start_ms: int | None
    end_ms: int | None
    now_ms: int

    @property
    def step_ms(self) -> int:
        return KLINE_INTERVALS_S[self.interval] * 1_000


def kline_query(
    exchange: str, interval: str, limit: int, start_time: datetime | None, end_time: datetime | None, *, max_limit: int, now_ms: int
) -> KlineQuery:
    """Raises BadParameter in the name of `exchange`."""
    if interval not in KLINE_INTERVALS_S:
        allowed = ", ".join(KLINE_INTERVALS_S)
        raise BadParameter(f"interval must be one of {allowed}, was {interval!r:.40}", exchange=exchange, field="interval")
    if not 1 <= limit <= max_limit:
        raise BadParameter(f"limit must be from 1 to {max_limit}, was {limit}", exchange=exchange, field="limit")
    for name, moment in (("start_time", start_time), ("end_time", end_time)):
        if moment is not None and moment.tzinfo is None:
            raise BadParameter(f"{name} must have a time zone, was {moment.isoformat()}", exchange=exchange, field=name)
    start_ms = None if start_time is None else -((_EPOCH - start_time) // _MILLISECOND)
    end_ms = None if end_time is None else (end_time - _EPOCH) // _MILLISECOND
    return KlineQuery(interval, limit, start_ms, end_ms, now_ms)


def opened_ms(kline: Kline) -> int:
    """When it opened, in epoch milliseconds."""
    return (kline.open_time - _EPOCH) // _MILLISECOND


def in_order(found: dict[int, Kline]) -> list[Kline]:
    """Candles known by when they opened, oldest first."""
    return [found[opened] for opened in sorted(found)]
