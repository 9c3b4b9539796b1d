"""How OKX writes numbers, times and their absence, and how a malformed answer is refused. Pure; shared by mapping and orders.

OKX counts in contracts; a contract's size differs between live and demo. An empty string is its word for "no such figure".
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Context, Decimal
from typing import Any, ParamSpec, TypeVar

from exchanges.adapters.okx.errors import EXCHANGE
from exchanges.decimals import to_decimal, to_decimal_or_none
from exchanges.domain import MarginMode, PositionSide
from exchanges.errors import BadVenueResponse

Row = dict[str, Any]
P = ParamSpec("P")
T = TypeVar("T")

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MILLISECOND = timedelta(milliseconds=1)
# Wide enough that a product of two wire numbers, or a quotient of multiples, is never rounded.
EXACT = Context(prec=130)
MARGIN_MODES = {mode.value: mode for mode in MarginMode}
LEGS = {"net": PositionSide.BOTH, "long": PositionSide.LONG, "short": PositionSide.SHORT}


def answered(to_domain: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Map a venue's answer. Whatever is malformed in it becomes BadVenueResponse: never a crash, never a wrong number."""
    try:
        return to_domain(*args, **kwargs)
    except (ValueError, TypeError, LookupError, AttributeError, ArithmeticError) as error:
        raise BadVenueResponse(
            f"the exchange's answer could not be read: {error!r:.200}", exchange=EXCHANGE, original_error=error
        ) from error


def to_base_units(contracts: object, contract_size: Decimal) -> Decimal:
    return EXACT.multiply(to_decimal(contracts), contract_size)


def to_base_units_or_none(contracts: object, contract_size: Decimal) -> Decimal | None:
    return None if contracts in ("", None) else to_base_units(contracts, contract_size)


def to_price_or_none(value: object) -> Decimal | None:
    """A price; OKX writes an absent one as an empty string, 0 or (at market) -1."""
    number = to_decimal_or_none(value)
    return number if number is not None and number > 0 else None


def to_identity(value: object) -> str:
    if not isinstance(value, str) or not value:
        raise ValueError("an order without an id")
    return value


def to_text(value: object) -> str:
    """An identity that may be empty, as the client order id of an order that was placed by hand."""
    if not isinstance(value, str):
        raise TypeError(f"not a text: {value!r:.40}")
    return value


def to_milliseconds(value: object) -> int:
    if not isinstance(value, str):
        raise TypeError(f"not a time: {value!r:.40}")
    return int(value)


def to_moment(value: object) -> datetime:
    if not isinstance(value, str):
        raise TypeError(f"not a time: {value!r:.40}")
    return EPOCH + int(value) * MILLISECOND


def to_moment_or_none(value: object) -> datetime | None:
    if isinstance(value, str) and value:  # as nearly always
        return EPOCH + int(value) * MILLISECOND
    return None if value in ("", None) else to_moment(value)
