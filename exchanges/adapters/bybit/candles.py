"""Candles over several pages of Bybit's kline endpoint: oldest first, each once.

With a start alone the venue answers the oldest candles from there (also where the start lies before the listing), otherwise the newest.
"""

from dataclasses import dataclass
from datetime import datetime

from exchanges.adapters.bybit import mapping
from exchanges.adapters.bybit.client import BybitClient
from exchanges.adapters.bybit.errors import EXCHANGE
from exchanges.adapters.bybit.orders import LINEAR
from exchanges.adapters.bybit.wire import EPOCH, MILLISECOND, answered, from_moment
from exchanges.domain import KLINE_INTERVALS_S, Instrument, Kline
from exchanges.errors import BadParameter, BadVenueResponse

CANDLES_PER_PAGE = 1_000
MAX_LIMIT = 50_000

_WIRE_INTERVALS = {
    "1m": "1",
    "3m": "3",
    "5m": "5",
    "15m": "15",
    "30m": "30",
    "1h": "60",
    "2h": "120",
    "4h": "240",
    "6h": "360",
    "12h": "720",
    "1d": "D",
    "1w": "W",
}


@dataclass(frozen=True, slots=True)
class KlineQuery:
    """Bounds are open times in epoch milliseconds, both inclusive."""

    instrument: Instrument
    interval: str
    limit: int
    start_ms: int | None
    end_ms: int | None
    now_ms: int

    @property
    def step_ms(self) -> int:
        return KLINE_INTERVALS_S[self.interval] * 1_000


def kline_query(
    instrument: Instrument, interval: str, limit: int, start_time: datetime | None, end_time: datetime | None, now_ms: int
) -> KlineQuery:
    """Raises BadParameter."""
    if interval not in _WIRE_INTERVALS:
        allowed = ", ".join(_WIRE_INTERVALS)
        raise BadParameter(f"interval must be one of {allowed}, was {interval[:20]!r}", exchange=EXCHANGE, field="interval")
    if not 1 <= limit <= MAX_LIMIT:
        raise BadParameter(f"limit must be 1 to {MAX_LIMIT}, was {limit}", exchange=EXCHANGE, field="limit")
    start_ms = None if start_time is None else from_moment(start_time, "start_time")
    end_ms = None if end_time is None else from_moment(end_time, "end_time")
    return KlineQuery(instrument, interval, limit, start_ms, end_ms, now_ms)


async def fetch_klines(client: BybitClient, query: KlineQuery) -> list[Kline]:
    """The oldest `limit` where only a start is given, else the newest `limit` of the range."""
    if query.start_ms is not None and query.end_ms is None:
        return await _oldest(client, query, query.start_ms)
    return await _newest(client, query)


async def _oldest(client: BybitClient, query: KlineQuery, start_ms: int) -> list[Kline]:
    found: dict[int, Kline] = {}
    while len(found) < query.limit:
        size = min(CANDLES_PER_PAGE, query.limit - len(found))
        page = await _page(client, query, size, start=start_ms)
        found |= {opened: kline for opened, kline in page.items() if opened >= start_ms}
        if len(page) < size:
            break
        start_ms = _moved(start_ms, max(page) + query.step_ms, is_forward=True)
    return _ordered(found)[: query.limit]


async def _newest(client: BybitClient, query: KlineQuery) -> list[Kline]:
    """By the end alone: the start is looked after here, so it is no question which end of a range the venue would cut."""
    found: dict[int, Kline] = {}
    start_ms, end_ms = query.start_ms or 0, query.end_ms
    while len(found) < query.limit and (end_ms is None or end_ms >= start_ms):
        size = min(CANDLES_PER_PAGE, query.limit - len(found))
        if end_ms is not None:
            size = min(size, (end_ms - start_ms) // query.step_ms + 1)
        page = await _page(client, query, size, end=end_ms)
        found |= {opened: kline for opened, kline in page.items() if start_ms <= opened and (end_ms is None or opened <= end_ms)}
        if len(page) < size:
            break
        end_ms = _moved(end_ms, min(page) - 1, is_forward=False)
    return _ordered(found)[-query.limit :]


def _moved(cursor_ms: int | None, next_ms: int, *, is_forward: bool) -> int:
    if cursor_ms is not None and (next_ms <= cursor_ms if is_forward else next_ms >= cursor_ms):
        raise BadVenueResponse("the exchange's candle pages do not move in time", exchange=EXCHANGE)
    return next_ms


async def _page(client: BybitClient, query: KlineQuery, size: int, *, start: int | None = None, end: int | None = None) -> dict[int, Kline]:
    envelope = await client.get_kline(
        category=LINEAR,
        symbol=query.instrument.venue_symbol,
        interval=_WIRE_INTERVALS[query.interval],
        start=start,
        end=end,
        limit=size,
    )
    klines = answered(mapping.to_klines, envelope, query.instrument, query.interval, query.now_ms)
    return {(kline.open_time - EPOCH) // MILLISECOND: kline for kline in klines}


def _ordered(found: dict[int, Kline]) -> list[Kline]:
    return [found[opened] for opened in sorted(found)]
