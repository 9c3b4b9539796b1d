"""Every page of a Bybit list, with an end: a bound on pages and no cursor twice."""

from collections.abc import Awaitable, Callable

from exchanges.adapters.bybit.client import Envelope
from exchanges.adapters.bybit.errors import EXCHANGE
from exchanges.adapters.bybit.wire import answered, to_cursor, to_rows
from exchanges.errors import BadVenueResponse

MAX_PAGES = 100


async def every_page(call: Callable[..., Awaitable[Envelope]], **parameters: object) -> list[Envelope]:
    """An empty page is the last one: Bybit may name a next page after the last row."""
    envelopes: list[Envelope] = []
    cursor: str | None = None
    seen: set[str] = set()
    for _ in range(MAX_PAGES):
        envelope = await call(**parameters, cursor=cursor)
        envelopes.append(envelope)
        cursor = answered(to_cursor, envelope)
        if not cursor or not answered(to_rows, envelope):
            return envelopes
        if cursor in seen:
            raise BadVenueResponse("the exchange's pages repeat", exchange=EXCHANGE)
        seen.add(cursor)
    raise BadVenueResponse(f"the list takes more than {MAX_PAGES} pages", exchange=EXCHANGE)
