"""Pages and their cursors. A cursor names the last row given out, so rows that appear or vanish between two pages shift nothing.

As on the venue a list answers a cursor with every page that has rows; the end is an empty page or a short one. Cursors are percent-encoded
text that clients send back unchanged.
"""

import re
from collections.abc import Callable, Sequence
from typing import TypeVar
from urllib.parse import quote, unquote

from exchanges.sandbox.bybit.errors import bad_parameter
from exchanges.sandbox.bybit.params import Params

Row = TypeVar("Row")
_NUMBER = re.compile(r"[0-9]{1,19}")


def newest_first(rows: Sequence[Row], params: Params, *, limit: int, number: Callable[[Row], int]) -> tuple[list[Row], str]:
    """One page of rows whose `number` falls along the list, and the cursor of the next."""
    cursor = _token(params, "page_token")
    if cursor and not _NUMBER.fullmatch(cursor):
        raise bad_parameter("cursor")
    page = [row for row in rows if not cursor or number(row) < int(cursor)][:limit]
    return page, _encoded("page_token", str(number(page[-1]))) if page else ""


def by_name(rows: Sequence[Row], params: Params, *, limit: int, name: Callable[[Row], str], is_endless: bool) -> tuple[list[Row], str]:
    """One page of rows in the order of their names. `is_endless`: a cursor goes with the last page too."""
    cursor = _token(params, "last")
    left = [row for row in rows if name(row) > cursor]
    page = left[:limit]
    if not page or (len(page) == len(left) and not is_endless):
        return page, ""
    return page, _encoded("last", name(page[-1]))


def _token(params: Params, label: str) -> str:
    cursor = params.text("cursor")
    if not cursor:
        return ""
    decoded = unquote(cursor)  # the query string was decoded once already; clients that encode the cursor again are understood too
    prefix = f"{label}="
    if not decoded.startswith(prefix):
        raise bad_parameter("cursor")
    return decoded.removeprefix(prefix)


def _encoded(label: str, value: str) -> str:
    return quote(f"{label}={value}", safe="")
