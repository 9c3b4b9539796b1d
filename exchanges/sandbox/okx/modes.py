"""Position and margin modes as the venue words them: posMode of the account, posSide and mgnMode or tdMode of everything else.

Source: docs-v5, "Set position mode", "Place order" and "Close positions" (read November 2026): posSide may be left out in net mode only.
"""

from exchanges.sandbox.model import Leg, Listing, MarginMode, PositionKey, Reason, Refused
from exchanges.sandbox.okx.endpoint import PrivateCall, Row
from exchanges.sandbox.okx.errors import invalid
from exchanges.sandbox.okx.parameters import Parameters

MARGIN_MODES = tuple(mode.value for mode in MarginMode)
NET_MODE, LONG_SHORT_MODE = "net_mode", "long_short_mode"
_HEDGE_LEGS = (Leg.LONG, Leg.SHORT)


def position_mode(call: PrivateCall) -> str:
    return LONG_SHORT_MODE if call.engine.position_mode(call.account) else NET_MODE


def set_position_mode(call: PrivateCall) -> list[Row]:
    """The mode that is set already is accepted again; another one only without positions and orders."""
    mode = call.parameters.choice("posMode", (NET_MODE, LONG_SHORT_MODE))
    try:
        call.engine.set_position_mode(call.account, mode == LONG_SHORT_MODE)
    except Refused as refused:
        if refused.reason is not Reason.UNCHANGED:
            raise
    return [{"posMode": mode}]


def legs(call: PrivateCall) -> tuple[Leg, ...]:
    """Those that the account's position mode knows."""
    return _HEDGE_LEGS if call.engine.position_mode(call.account) else (Leg.NET,)


def leg_of(call: PrivateCall, item: Parameters) -> Leg:
    """The leg that posSide names. Raises Rejected where the account's mode has no such leg, or where it must be named and is not."""
    known, named = legs(call), item.text("posSide")
    if not named and known == (Leg.NET,):
        return Leg.NET
    if named not in known:
        raise invalid("posSide")
    return Leg(named)


def margin_mode_of(item: Parameters, name: str) -> MarginMode:
    return MarginMode(item.choice(name, MARGIN_MODES))


def key_of(call: PrivateCall, item: Parameters, listing: Listing, mode_name: str) -> PositionKey:
    """The position that posSide and the margin mode named `mode_name` mean."""
    mode = margin_mode_of(item, mode_name)
    return PositionKey(listing.symbol, leg_of(call, item), mode)
