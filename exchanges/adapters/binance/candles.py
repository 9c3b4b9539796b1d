"""Candles over several pages of Binance's kline endpoint: oldest first, each once.

With a start alone the venue answers the oldest candles from there, with an end alone the newest before it.
"""

from exchanges.adapters.binance import mapping
from exchanges.adapters.binance.client import BinanceClient
from exchanges.adapters.binance.mapping import read
from exchanges.candles import KlineQuery, opened_ms
from exchanges.domain import Kline

CANDLES_PER_PAGE = 1_500
MAX_LIMIT = 100 * CANDLES_PER_PAGE


async def fetch_klines(client: BinanceClient, symbol: str, query: KlineQuery) -> list[Kline]:
    """The oldest `limit` where only a start is given, else the newest `limit` of the range."""
    if query.start_ms is not None and query.end_ms is None:
        return await _oldest(client, symbol, query, query.start_ms)
    return await _newest(client, symbol, query)


async def _oldest(client: BinanceClient, symbol: str, query: KlineQuery, start_ms: int) -> list[Kline]:
    """A page that brings nothing newer ends it."""
    found: list[Kline] = []
    while len(found) < query.limit:
        size = min(CANDLES_PER_PAGE, query.limit - len(found))
        page = [kline for kline in await _page(client, symbol, query, size, startTime=start_ms) if opened_ms(kline) >= start_ms]
        found += page
        if len(page) < size:
            break
        start_ms = opened_ms(page[-1]) + 1
    return found[: query.limit]


async def _newest(client: BinanceClient, symbol: str, query: KlineQuery) -> list[Kline]:
    """By the end alone, so it is no question which end of a range the venue would cut. A page that brings nothing older ends it."""
    start_ms, end_ms, limit = query.start_ms or 0, query.end_ms, query.limit
    if query.start_ms is not None and end_ms is not None:
        limit = min(limit, (end_ms - start_ms) // query.step_ms + 1)
    found: list[Kline] = []
    while len(found) < limit:
        size = min(CANDLES_PER_PAGE, limit - len(found))
        page = await _page(client, symbol, query, size, **({} if end_ms is None else {"endTime": end_ms}))
        page = [kline for kline in page if end_ms is None or opened_ms(kline) <= end_ms]
        found = page + found
        if len(page) < size:
            break
        end_ms = opened_ms(page[0]) - 1
    newest = found[-limit:] if limit > 0 else []
    return [kline for kline in newest if opened_ms(kline) >= start_ms]


async def _page(client: BinanceClient, symbol: str, query: KlineQuery, size: int, **window: int) -> list[Kline]:
    answer = await client.futures_klines(symbol=symbol, interval=query.interval, limit=size, **window)
    return read("klines", mapping.to_klines, answer, symbol=symbol, interval=query.interval, now_ms=query.now_ms)
