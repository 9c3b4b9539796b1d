"""How this venue writes numbers: strings with a fixed count of decimals, never an exponent."""

import json
from decimal import ROUND_HALF_EVEN, Decimal

from exchanges.sandbox.model import ZERO, Listing

MONEY_PLACES = 8


def fixed(value: Decimal, places: int) -> str:
    rounded = value.quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_EVEN)
    return f"{rounded if rounded else abs(rounded):f}"


def plain(value: Decimal) -> str:
    """As many decimals as the value has."""
    return f"{value.normalize():f}" if value else "0"


def money(value: Decimal) -> str:
    return fixed(value, MONEY_PLACES)


def money_or_zero(value: Decimal) -> str:
    """Money as the venue writes it where "nothing" is a bare 0."""
    return money(value) if value else "0"


def at_least_one_decimal(value: Decimal) -> str:
    """5 -> "5.0", as refusals quote it."""
    text = plain(value)
    return text if "." in text else f"{text}.0"


def bare(value: Decimal) -> float:
    """A JSON number with a decimal point, for the few fields that this venue does not write as strings."""
    number: float = json.loads(at_least_one_decimal(value))
    return number


def places(step: Decimal) -> int:
    """Decimals of a step as it is written: 0.10 has two, and this venue's precisions follow that."""
    exponent = step.as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


def price_places(listing: Listing) -> int:
    return places(listing.tick)


def quantity_places(listing: Listing) -> int:
    return places(listing.lot)


def average_places(listing: Listing) -> int:
    """Average prices and order values carry five decimals, more where the price itself has more."""
    return max(5, price_places(listing))


def price(value: Decimal | None, listing: Listing) -> str:
    return fixed(value or ZERO, price_places(listing))


def quantity(value: Decimal, listing: Listing) -> str:
    return fixed(value, quantity_places(listing))
