"""How Bybit writes rows, pages, times and absent numbers, and how a malformed answer is refused. Pure; shared by mapping and orders.

Bybit writes numbers and times as strings; an empty string, and for prices a zero, is its word for "no such figure".
"""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, ParamSpec, TypeVar

from exchanges.adapters.bybit.errors import EXCHANGE
from exchanges.decimals import to_decimal_or_none
from exchanges.domain import PositionSide
from exchanges.errors import BadVenueResponse

Row = dict[str, Any]
P = ParamSpec("P")
T = TypeVar("T")

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MILLISECOND = timedelta(milliseconds=1)
# The SDK signs a query string as it is and does not encode it: these are the values that arrive as they were signed and stay one value.
QUERY_VALUE = re.compile(r"(?:[A-Za-z0-9\-._~!$'()*+,/:;=?@]|%[0-9A-Fa-f]{2})+")
NO_TIME = ("", "0", 0, None)
LEGS = {0: PositionSide.BOTH, 1: PositionSide.LONG, 2: PositionSide.SHORT}


def answered(to_domain: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Map a venue's answer. Whatever is malformed in it becomes BadVenueResponse: never a crash, never a wrong number."""
    try:
        return to_domain(*args, **kwargs)
    except (ValueError, TypeError, LookupError, AttributeError, ArithmeticError) as error:
        raise BadVenueResponse(f"the exchange's answer cannot be read: {error!r:.200}", exchange=EXCHANGE, original_error=error) from error


def to_rows(envelope: Row) -> list[Any]:
    """Objects, or arrays in the case of candles."""
    rows = envelope["result"]["list"]
    if not isinstance(rows, list):
        raise TypeError("a list that is none")
    return rows


def to_cursor(envelope: Row) -> str:
    """Where the next page starts; "" after the last one. Percent-encoded by the venue and sent back as it came."""
    cursor: str = envelope["result"].get("nextPageCursor") or ""
    if cursor and not QUERY_VALUE.fullmatch(cursor):
        raise ValueError("a page cursor that cannot be sent back")
    return cursor


def to_text(value: object) -> str:
    """An identity: a string that is not empty."""
    if not isinstance(value, str) or not value:
        raise ValueError(f"not an identity: {value!r:.40}")
    return value


def to_client_order_id(value: object) -> str:
    """ "" for an order that was placed without one."""
    return to_text(value) if value else ""


def to_milliseconds(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise TypeError(f"not a time: {value!r:.40}")
    return int(value)


def to_moment(value: object) -> datetime:
    return EPOCH + to_milliseconds(value) * MILLISECOND


def to_moment_or_none(value: object) -> datetime | None:
    return None if value in NO_TIME else to_moment(value)


def to_price_or_none(value: object) -> Decimal | None:
    number = to_decimal_or_none(value)
    return number if number else None
