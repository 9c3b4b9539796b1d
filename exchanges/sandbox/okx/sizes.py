"""How much the account could still trade or take out: what its free margin opens, and what its positions let it reduce."""

from decimal import Decimal

from exchanges.sandbox.brackets import largest_notional
from exchanges.sandbox.model import ZERO, Leg, Listing, MarginMode, PositionKey, Side, Venue
from exchanges.sandbox.okx.endpoint import PrivateCall, Row
from exchanges.sandbox.okx.modes import legs, margin_mode_of
from exchanges.sandbox.okx.wire import contracts, ratio, whole_lots


def max_size(call: PrivateCall) -> list[Row]:
    """The largest order each way: what the free margin opens, and in net mode on the reducing side the position on top."""
    names, mode = call.parameters.required("instId").split(","), margin_mode_of(call.parameters, "tdMode")
    price = call.parameters.positive_decimal("px") if call.parameters.text("px") and len(names) == 1 else None
    return [_max_size_row(call, call.engine.listing_by_venue_symbol(Venue.OKX, name), mode, price) for name in names]


def max_available_size(call: PrivateCall) -> list[Row]:
    """What each side may use in contracts: reduce-only orders the position, others what the free margin opens."""
    names, mode = call.parameters.required("instId").split(","), margin_mode_of(call.parameters, "tdMode")
    reduces = call.parameters.choice("reduceOnly", ("true", "false"), default="false") == "true"
    rows = []
    for name in names:
        listing = call.engine.listing_by_venue_symbol(Venue.OKX, name)
        size = _max_size_row(call, listing, mode, None)
        closable = {side: contracts(listing, _closable(call, listing, mode, side)) for side in Side}
        buy, sell = (closable[Side.BUY], closable[Side.SELL]) if reduces else (size["maxBuy"], size["maxSell"])
        rows.append({"availBuy": buy, "availSell": sell, "instId": listing.venue_symbol})
    return rows


def max_withdrawal(call: PrivateCall) -> list[Row]:
    wanted = call.parameters.text("ccy")
    if wanted and "USDT" not in wanted.split(","):
        return []
    view = call.engine.view(call.account)
    free = ratio(max(ZERO, min(view.available, view.available - view.cross_unrealized_pnl)))
    return [{"ccy": "USDT", "maxWd": free, "maxWdEx": free, "spotOffsetMaxWd": "", "spotOffsetMaxWdEx": ""}]


def _max_size_row(call: PrivateCall, listing: Listing, mode: MarginMode, price: Decimal | None) -> Row:
    sizes = {side: _largest(call, listing, mode, side, price) for side in Side}
    return {
        "ccy": "USDT",
        "instId": listing.venue_symbol,
        "maxBuy": contracts(listing, whole_lots(listing, sizes[Side.BUY])),
        "maxSell": contracts(listing, whole_lots(listing, sizes[Side.SELL])),
    }


def _largest(call: PrivateCall, listing: Listing, mode: MarginMode, side: Side, price: Decimal | None) -> Decimal:
    """By the free margin, by the tier that the leverage allows, and by the instrument's own limit."""
    leg = Leg.NET if legs(call) == (Leg.NET,) else Leg.LONG if side is Side.BUY else Leg.SHORT
    leverage = call.engine.leverage(call.account, listing.symbol, mode, leg)
    mark, available = call.engine.mark(Venue.OKX, listing.symbol), call.engine.view(call.account).available
    affordable = available / ((price or mark) * (Decimal(1) / leverage + listing.taker_fee))
    held = side.sign * _quantity(call, PositionKey(listing.symbol, leg, mode))
    within_tier = largest_notional(listing.brackets, leverage) / mark - held
    return max(ZERO, min(affordable + max(ZERO, -held), within_tier, listing.max_quantity))


def _closable(call: PrivateCall, listing: Listing, mode: MarginMode, side: Side) -> Decimal:
    return sum((max(ZERO, -side.sign * _quantity(call, PositionKey(listing.symbol, leg, mode))) for leg in legs(call)), ZERO)


def _quantity(call: PrivateCall, key: PositionKey) -> Decimal:
    position = call.account.positions.get(key)
    return position.quantity if position else ZERO
