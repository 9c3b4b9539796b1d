"""Leverage by instrument and margin mode, and the margin of isolated positions.

Source: docs-v5, "Set leverage", "Get leverage" and "Increase/decrease margin" (read November 2026): leverage belongs to a contract, to each
of its legs where these are isolated; both legs are listed in long/short mode.
"""

from exchanges.sandbox.model import Leg, Listing, MarginMode, PositionKey, Reason, Refused, Venue
from exchanges.sandbox.okx import errors
from exchanges.sandbox.okx.endpoint import PrivateCall, Row
from exchanges.sandbox.okx.errors import Refusal, Rejected, invalid
from exchanges.sandbox.okx.modes import leg_of, legs, margin_mode_of
from exchanges.sandbox.okx.wire import plain, ratio

_LEVERAGE_REFUSALS = {
    Reason.INSUFFICIENT_MARGIN: errors.LEVERAGE_TOO_LOW,
    Reason.WOULD_LIQUIDATE: errors.EQUITY_TOO_LOW,
    Reason.ABOVE_BRACKET: errors.LEVERAGE_TOO_HIGH,
}
_MARGIN_REFUSALS = {
    Reason.NO_POSITION: errors.NO_POSITION_TO_MARGIN,
    Reason.INSUFFICIENT_MARGIN: errors.MARGIN_BEYOND_LIMIT,
    Reason.BELOW_INITIAL_MARGIN: errors.MARGIN_BEYOND_LIMIT,
}


def leverage_info(call: PrivateCall) -> list[Row]:
    mode = margin_mode_of(call.parameters, "mgnMode")
    listings = [call.engine.listing_by_venue_symbol(Venue.OKX, name) for name in call.parameters.required("instId").split(",")]
    return [
        {
            "ccy": "",
            "instId": listing.venue_symbol,
            "lever": str(call.engine.leverage(call.account, listing.symbol, mode, leg)),
            "mgnMode": mode.value,
            "posSide": leg.value,
        }
        for listing in listings
        for leg in legs(call)
    ]


def set_leverage(call: PrivateCall) -> list[Row]:
    """posSide is asked for and told where legs have leverages of their own; elsewhere it is left out, also of the answer."""
    call.parameters.required("lever")
    mode, listing = margin_mode_of(call.parameters, "mgnMode"), call.listing
    named, leverage = _leg_of_leverage(call, mode), _whole_leverage(call)
    if mode is MarginMode.ISOLATED and _isolated_orders(call, listing, named):
        raise Rejected(errors.ISOLATED_ORDERS_PENDING)
    try:
        call.engine.set_leverage(call.account, listing.symbol, leverage, mode=mode, leg=named)
    except Refused as refused:
        raise Rejected(_refusal(_LEVERAGE_REFUSALS, refused)) from refused
    return [
        {"instId": listing.venue_symbol, "lever": str(leverage), "mgnMode": mode.value, "posSide": call.parameters.text("posSide")},
    ]


def change_margin(call: PrivateCall) -> list[Row]:
    """Into an isolated position's margin (add) or out of it (reduce)."""
    parameters, listing = call.parameters, call.listing
    key = PositionKey(listing.symbol, leg_of(call, parameters), MarginMode.ISOLATED)
    adds = parameters.choice("type", ("add", "reduce")) == "add"
    amount = parameters.positive_decimal("amt")
    try:
        position = call.engine.add_margin(call.account, key, amount if adds else -amount)
    except Refused as refused:
        if refused.reason is Reason.BELOW_MINIMUM:
            raise invalid("amt") from refused
        raise Rejected(_refusal(_MARGIN_REFUSALS, refused)) from refused
    notional = abs(position.quantity) * call.engine.mark(Venue.OKX, listing.symbol)
    return [
        {
            "amt": plain(amount),
            "ccy": "USDT",
            "instId": listing.venue_symbol,
            "leverage": ratio(notional / position.margin),
            "posSide": key.leg.value,
            "type": "add" if adds else "reduce",
        }
    ]


def _leg_of_leverage(call: PrivateCall, mode: MarginMode) -> Leg | None:
    """None: all legs of the contract, which share theirs under cross margin."""
    if mode is MarginMode.ISOLATED or call.parameters.text("posSide"):
        named = leg_of(call, call.parameters)
        return named if mode is MarginMode.ISOLATED else None
    return None


def _whole_leverage(call: PrivateCall) -> int:
    lever = call.parameters.positive_decimal("lever")
    if lever < 1:
        raise Rejected(errors.LEVERAGE_BELOW_ONE)
    if lever != lever.to_integral_value():
        raise invalid("lever")
    return int(lever)


def _isolated_orders(call: PrivateCall, listing: Listing, leg: Leg | None) -> bool:
    pending = call.engine.open_orders(call.account, listing.symbol)
    return any(order.margin_mode is MarginMode.ISOLATED and order.leg is leg for order in pending)


def _refusal(known: dict[Reason, Refusal], refused: Refused) -> Refusal:
    return known.get(refused.reason) or errors.of_reason(refused)
