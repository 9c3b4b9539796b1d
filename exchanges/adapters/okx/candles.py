"""Candles over several pages: from OKX's recent endpoint (1,440 candles back) and its history one. Oldest first, each once."""

from exchanges.adapters.okx.client import OkxClient
from exchanges.adapters.okx.errors import EXCHANGE
from exchanges.adapters.okx.mapping import BARS, to_klines, to_listing_time_ms
from exchanges.adapters.okx.wire import answered
from exchanges.candles import KlineQuery, in_order, opened_ms
from exchanges.domain import Instrument, Kline
from exchanges.errors import BadVenueResponse

RECENT_PAGE = 300
HISTORY_PAGE = 100
MAX_LIMIT = 10_000
MAX_PAGES = MAX_LIMIT // HISTORY_PAGE + 20
# The recent endpoint reaches 1,440 candles back; a page that starts within this many lies inside for certain.
_RECENT_REACH = 1_440 - RECENT_PAGE - 1


async def fetch_klines(client: OkxClient, instrument: Instrument, query: KlineQuery) -> list[Kline]:
    """The oldest `limit` where only a start is given, else the newest `limit` of the range."""
    if query.start_ms is not None and query.end_ms is None:
        return await _oldest(client, instrument, query, query.start_ms)
    return await _newest(client, instrument, query)


async def _newest(client: OkxClient, instrument: Instrument, query: KlineQuery) -> list[Kline]:
    start_ms = query.start_ms or 0
    cursor = None if query.end_ms is None else query.end_ms + 1
    found: dict[int, Kline] = {}
    for _ in range(MAX_PAGES):
        page = await _page(client, instrument, query, after_ms=cursor, size=min(RECENT_PAGE, query.limit - len(found)))
        if not page:
            break
        oldest = min(page)
        if cursor is not None and max(page) >= cursor:
            raise BadVenueResponse("the exchange's candle pages do not go back in time", exchange=EXCHANGE)
        found.update((opened, kline) for opened, kline in page.items() if opened >= start_ms)
        if len(found) >= query.limit or oldest - query.step_ms < start_ms:
            break
        cursor = oldest
    else:
        raise BadVenueResponse(f"the candles take more than {MAX_PAGES} pages", exchange=EXCHANGE)
    return in_order(found)[-query.limit :]


async def _oldest(client: OkxClient, instrument: Instrument, query: KlineQuery, start_ms: int) -> list[Kline]:
    """Forward in windows that one page can hold; a start before the listing jumps there."""
    found: dict[int, Kline] = {}
    cursor, knows_listing = start_ms, False
    for _ in range(MAX_PAGES):
        if len(found) >= query.limit or cursor > query.now_ms:
            return in_order(found)[: query.limit]
        size = RECENT_PAGE if _is_recent(query, cursor) else HISTORY_PAGE
        end = cursor + size * query.step_ms
        page = await _page(client, instrument, query, after_ms=end, before_ms=cursor - 1, size=size)
        found.update((opened, kline) for opened, kline in page.items() if cursor <= opened < end)
        cursor = end
        if not found and not knows_listing:
            rows = await client.get_instruments(instType="SWAP", instId=instrument.venue_symbol)
            cursor, knows_listing = max(cursor, answered(to_listing_time_ms, rows) - query.step_ms), True
    raise BadVenueResponse(f"no candles within {MAX_PAGES} pages after the start", exchange=EXCHANGE)


async def _page(
    client: OkxClient, instrument: Instrument, query: KlineQuery, *, after_ms: int | None, before_ms: int | None = None, size: int
) -> dict[int, Kline]:
    """Candles that opened before `after_ms` and after `before_ms`, by open time: the venue's words for its own newest-first order."""
    is_recent = after_ms is None or _is_recent(query, after_ms if before_ms is None else before_ms)
    fetch = client.get_candlesticks if is_recent else client.get_history_candlesticks
    rows = await fetch(
        instId=instrument.venue_symbol,
        bar=BARS[query.interval],
        after="" if after_ms is None else str(after_ms),
        before="" if before_ms is None else str(before_ms),
        limit=str(size if is_recent else min(size, HISTORY_PAGE)),
    )
    klines = answered(to_klines, rows, instrument.symbol, query.interval)
    return {opened_ms(kline): kline for kline in klines}


def _is_recent(query: KlineQuery, opened: int) -> bool:
    return opened > query.now_ms - _RECENT_REACH * query.step_ms
