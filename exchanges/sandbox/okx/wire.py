"""The venue's numbers: every one a string in fixed notation, sizes in contracts, order and trade ids of 19 digits."""

from decimal import ROUND_CEILING, ROUND_FLOOR, Context, Decimal

from exchanges.sandbox.model import Leg, Listing, MarginMode, PositionKey

# The engine counts its orders and fills; the venue's ids are long numbers, so each count is moved up by a fixed amount and stays stable.
_ORDER_ID_BASE = 2_900_000_000_000_000_000
_BILL_ID_BASE = 2_910_000_000_000_000_000
_POSITION_ID_BASE = 2_920_000_000_000_000_000
_KINDS_OF_POSITION = tuple((leg, mode) for mode in MarginMode for leg in Leg)
_SIGNIFICANT = Context(prec=18)


def plain(value: Decimal) -> str:
    """Fixed notation without trailing zeros: "0.0000001", "100", "0"."""
    if not value:
        return "0"
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def blank(names: str) -> dict[str, object]:
    """Fields that this account has no use for: the venue sends them all the same, empty."""
    return dict.fromkeys(names.split(), "")


def ratio(value: Decimal) -> str:
    """A quotient, to 18 significant digits."""
    return plain(_SIGNIFICANT.plus(value))


def contracts(listing: Listing, quantity: Decimal) -> str:
    """Base units as contracts; exact, contract sizes are powers of ten."""
    return plain(quantity / listing.contract_size)


def quantity_of(listing: Listing, size: Decimal) -> Decimal:
    """Contracts as base units."""
    return size * listing.contract_size


def price_limits(listing: Listing, mark: Decimal) -> tuple[Decimal, Decimal]:
    """The highest price of a buy and the lowest of a sell, on the tick, within the band around the mark."""
    highest = (mark * (1 + listing.price_band) / listing.tick).to_integral_value(ROUND_FLOOR) * listing.tick
    lowest = (mark * (1 - listing.price_band) / listing.tick).to_integral_value(ROUND_CEILING) * listing.tick
    return highest, lowest


def whole_lots(listing: Listing, quantity: Decimal) -> Decimal:
    return max((quantity / listing.lot).to_integral_value(ROUND_FLOOR), Decimal(0)) * listing.lot


def order_id(engine_id: int) -> str:
    return str(_ORDER_ID_BASE + engine_id)


def engine_order_id(venue_id: int) -> int:
    """The engine's id; below 1 (an id this venue never gave) for a number that is not one of ours."""
    return max(venue_id - _ORDER_ID_BASE, 0)


def bill_id(fill_id: int) -> str:
    return str(_BILL_ID_BASE + fill_id)


def position_id(instrument_code: int, key: PositionKey) -> str:
    """Stable for each leg and margin mode of an instrument."""
    return str(_POSITION_ID_BASE + instrument_code * 10 + _KINDS_OF_POSITION.index((key.leg, key.margin_mode)))
