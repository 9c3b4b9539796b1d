"""Every page of an OKX list, with an end: a bound on pages and no cursor twice."""

from collections.abc import Awaitable, Callable

from exchanges.adapters.okx.errors import EXCHANGE
from exchanges.adapters.okx.wire import Row, answered, to_identity
from exchanges.errors import BadVenueResponse

ORDERS_PAGE = 100
MAX_PAGES = 100


async def every_page(fetch: Callable[..., Awaitable[list[Row]]], id_name: str, **filters: str) -> list[Row]:
    """Rows of all pages, newest first. OKX pages backwards: `after` an id are the rows older than it."""
    rows: list[Row] = []
    cursors = {""}
    cursor = ""
    for _ in range(MAX_PAGES):
        page = await fetch(**filters, after=cursor, limit=str(ORDERS_PAGE))
        rows += page
        if len(page) < ORDERS_PAGE:
            return rows
        cursor = answered(lambda last: to_identity(last[id_name]), page[-1])
        if cursor in cursors:
            raise BadVenueResponse("the exchange's pages repeat", exchange=EXCHANGE)
        cursors.add(cursor)
    raise BadVenueResponse(f"the list takes more than {MAX_PAGES} pages", exchange=EXCHANGE)
