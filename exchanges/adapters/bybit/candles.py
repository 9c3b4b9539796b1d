"""Candles over several pages of Bybit's kline endpoint: oldest first, each once.

With a start alone the venue answers the oldest candles from there (also where the start lies before the listing), otherwise the newest.
"""

from exchanges.adapters.bybit import mapping
from exchanges.adapters.bybit.client import BybitClient
from exchanges.adapters.bybit.errors import EXCHANGE
from exchanges.adapters.bybit.orders import LINEAR
from exchanges.adapters.bybit.wire import answered
from exchanges.candles import KlineQuery, in_order, opened_ms
from exchanges.domain import Instrument, Kline
from exchanges.errors import BadVenueResponse

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


async def fetch_klines(client: BybitClient, instrument: Instrument, query: KlineQuery) -> list[Kline]:
    """The oldest `limit` where only a start is given, else the newest `limit` of the range."""
    if query.start_ms is not None and query.end_ms is None:
        return await _oldest(client, instrument, query, query.start_ms)
    return await _newest(client, instrument, query)


async def _oldest(client: BybitClient, instrument: Instrument, query: KlineQuery, start_ms: int) -> list[Kline]:
    found: dict[int, Kline] = {}
    while len(found) < query.limit:
        size = min(CANDLES_PER_PAGE, query.limit - len(found))
        page = await _page(client, instrument, query, size, start=start_ms)
        found |= {opened: kline for opened, kline in page.items() if opened >= start_ms}
        if len(page) < size:
            break
        start_ms = _moved(start_ms, max(page) + query.step_ms, is_forward=True)
    return in_order(found)[: query.limit]


async def _newest(client: BybitClient, instrument: Instrument, query: KlineQuery) -> list[Kline]:
    """By the end alone: the start is looked after here, so it is no question which end of a range the venue would cut."""
    found: dict[int, Kline] = {}
    start_ms, end_ms = query.start_ms or 0, query.end_ms
    while len(found) < query.limit and (end_ms is None or end_ms >= start_ms):
        size = min(CANDLES_PER_PAGE, query.limit - len(found))
        if end_ms is not None:
            size = min(size, (end_ms - start_ms) // query.step_ms + 1)
        page = await _page(client, instrument, query, size, end=end_ms)
        found |= {opened: kline for opened, kline in page.items() if start_ms <= opened and (end_ms is None or opened <= end_ms)}
        if len(page) < size:
            break
        end_ms = _moved(end_ms, min(page) - 1, is_forward=False)
    return in_order(found)[-query.limit :]


def _moved(cursor_ms: int | None, next_ms: int, *, is_forward: bool) -> int:
    if cursor_ms is not None and (next_ms <= cursor_ms if is_forward else next_ms >= cursor_ms):
        raise BadVenueResponse("the exchange's candle pages do not move in time", exchange=EXCHANGE)
    return next_ms


async def _page(
    client: BybitClient, instrument: Instrument, query: KlineQuery, size: int, *, start: int | None = None, end: int | None = None
) -> dict[int, Kline]:
    envelope = await client.get_kline(
        category=LINEAR,
        symbol=instrument.venue_symbol,
        interval=_WIRE_INTERVALS[query.interval],
        start=start,
        end=end,
        limit=size,
    )
    klines = answered(mapping.to_klines, envelope, instrument, query.interval, query.now_ms)
    return {opened_ms(kline): kline for kline in klines}
