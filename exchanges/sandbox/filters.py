"""What a listing lets through: steps, minima, maxima, notional and price band. Pure; raises Refused and changes nothing."""

from decimal import Decimal

from .model import Kind, Listing, Reason, Refused, Side


def check_quantity(listing: Listing, quantity: Decimal, *, kind: Kind) -> None:
    if quantity < listing.min_quantity:
        raise Refused(Reason.BELOW_MINIMUM, quantity=_text(quantity), minimum=_text(listing.min_quantity))
    largest = listing.max_market_quantity if kind is Kind.MARKET else listing.max_quantity
    if quantity > largest:
        raise Refused(Reason.ABOVE_MAXIMUM, quantity=_text(quantity), maximum=_text(largest))
    if quantity % listing.lot:
        raise Refused(Reason.BAD_LOT, quantity=_text(quantity), lot=_text(listing.lot))


def check_price(listing: Listing, price: Decimal, *, side: Side, mark: Decimal) -> None:
    """A buy may not be priced too far above the mark nor a sell too far below it; the other way round it just rests."""
    if price % listing.tick:
        raise Refused(Reason.BAD_TICK, price=_text(price), tick=_text(listing.tick))
    lowest, highest = listing.min_price, listing.max_price
    if side is Side.BUY:
        highest = min(highest, mark * (1 + listing.price_band))
    else:
        lowest = max(lowest, mark * (1 - listing.price_band))
    if not lowest <= price <= highest:
        raise Refused(Reason.PRICE_OUT_OF_BAND, price=_text(price), lowest=_text(lowest), highest=_text(highest))


def check_notional(listing: Listing, notional: Decimal) -> None:
    if notional < listing.min_notional:
        raise Refused(Reason.BELOW_NOTIONAL, notional=_text(notional), minimum=_text(listing.min_notional))


def _text(number: Decimal) -> str:
    return format(number, "f")
