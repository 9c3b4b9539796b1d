"""How much the account could still trade or take out: what its free margin opens, and what its positions let it reduce."""

from decimal import Decimal

from exchanges.sandbox.model import AccountView, Listing, Venue
from exchanges.sandbox.okx.endpoint import PrivateCall, Row
from exchanges.sandbox.okx.errors import UNSUPPORTED_MODE, Rejected
from exchanges.sandbox.okx.wire import contracts, ratio, whole_lots


def max_size(call: PrivateCall) -> list[Row]:
    """The largest order each way: what the free margin opens, and on the reducing side the position on top."""
    names = call.parameters.required("instId").split(",")
    if call.parameters.choice("tdMode", ("cross", "isolated", "cash")) == "isolated":
        raise Rejected(UNSUPPORTED_MODE)
    price = call.parameters.positive_decimal("px") if call.parameters.text("px") and len(names) == 1 else None
    view = call.engine.view(call.account)
    return [_max_size_row(call, view, call.engine.listing_by_venue_symbol(Venue.OKX, name), price) for name in names]


def max_available_size(call: PrivateCall) -> list[Row]:
    """What each side may use in contracts: reduce-only orders the position, others what the free margin opens."""
    names = call.parameters.required("instId").split(",")
    if call.parameters.choice("tdMode", ("cross", "isolated", "cash")) == "isolated":
        raise Rejected(UNSUPPORTED_MODE)
    reduces = call.parameters.choice("reduceOnly", ("true", "false"), default="false") == "true"
    view = call.engine.view(call.account)
    rows = []
    for name in names:
        listing = call.engine.listing_by_venue_symbol(Venue.OKX, name)
        size = _max_size_row(call, view, listing, None)
        held = next((each.position.quantity for each in view.positions if each.position.symbol == listing.symbol), Decimal(0))
        buy, sell = (contracts(listing, max(side * held, Decimal(0))) for side in (-1, 1)) if reduces else (size["maxBuy"], size["maxSell"])
        rows.append({"availBuy": buy, "availSell": sell, "instId": listing.venue_symbol})
    return rows


def max_withdrawal(call: PrivateCall) -> list[Row]:
    wanted = call.parameters.text("ccy")
    if wanted and "USDT" not in wanted.split(","):
        return []
    view = call.engine.view(call.account)
    free = ratio(max(Decimal(0), min(view.available, view.available - view.unrealized_pnl)))
    return [{"ccy": "USDT", "maxWd": free, "maxWdEx": free, "spotOffsetMaxWd": "", "spotOffsetMaxWdEx": ""}]


def _max_size_row(call: PrivateCall, view: AccountView, listing: Listing, price: Decimal | None) -> Row:
    leverage = call.engine.leverage(call.account, listing.symbol)
    at = price or call.engine.mark(Venue.OKX, listing.symbol)
    opening = view.available / (at * (Decimal(1) / leverage + listing.taker_fee))
    held = next((each.position.quantity for each in view.positions if each.position.symbol == listing.symbol), Decimal(0))
    buy, sell = (min(opening + max(side * held, Decimal(0)), listing.max_quantity) for side in (-1, 1))
    return {
        "ccy": "USDT",
        "instId": listing.venue_symbol,
        "maxBuy": contracts(listing, whole_lots(listing, buy)),
        "maxSell": contracts(listing, whole_lots(listing, sell)),
    }
