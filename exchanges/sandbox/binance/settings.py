"""Settings of an account: leverage, and the modes of margin, positions and assets.

Position mode is the account's, margin mode and leverage are a symbol's, both legs alike ("Change Position Mode", "Change Margin Type",
"Change Initial Leverage", read November 2026). Single-asset margin is all there is; multi-assets mode is refused by what stands in its
way in the venue's own words, else as not supported.
"""

from collections.abc import Callable

from exchanges.sandbox.binance import errors
from exchanges.sandbox.binance.brackets import most_notional
from exchanges.sandbox.binance.endpoint import VENUE, Call, Json, Private
from exchanges.sandbox.model import Account, MarginMode, Reason, Refused

_MARGIN_MODES = {"CROSSED": MarginMode.CROSS, "ISOLATED": MarginMode.ISOLATED}
_LEVERAGE_REFUSALS: errors.Refusals = {
    Reason.INSUFFICIENT_MARGIN: (-2028, "Leverage is smaller than permitted: insufficient margin balance."),
}
_MARGIN_TYPE_REFUSALS: errors.Refusals = {
    Reason.UNCHANGED: (-4046, "No need to change margin type."),
    Reason.OPEN_ORDERS: (-4047, "Margin type cannot be changed if there exists open orders."),
    Reason.OPEN_POSITIONS: (-4048, "Margin type cannot be changed if there exists position."),
}
_POSITION_MODE_REFUSALS: errors.Refusals = {
    Reason.UNCHANGED: (-4059, "No need to change position side."),
    Reason.OPEN_ORDERS: (-4067, "Position side cannot be changed if there exists open orders."),
    Reason.OPEN_POSITIONS: (-4068, "Position side cannot be changed if there exists position."),
}


def set_leverage(call: Call, account: Account) -> Json:
    listing = call.listing()
    leverage = call.params.required_integer("leverage")
    if not 1 <= leverage <= listing.max_leverage:
        raise errors.VenueError(-4028, f"Leverage {leverage} is not valid")
    _apply(lambda: call.engine.set_leverage(account, listing.symbol, leverage), _LEVERAGE_REFUSALS)
    return {"leverage": leverage, "maxNotionalValue": most_notional(listing, leverage), "symbol": listing.venue_symbol}


def set_margin_type(call: Call, account: Account) -> Json:
    listing = call.listing()
    mode = _MARGIN_MODES.get(call.params.required("marginType"))
    if mode is None:
        raise errors.missing("marginType")
    return _apply(lambda: call.engine.set_margin_mode(account, listing.symbol, mode), _MARGIN_TYPE_REFUSALS)


def position_mode(call: Call, account: Account) -> Json:
    return {"dualSidePosition": call.engine.position_mode(account)}


def set_position_mode(call: Call, account: Account) -> Json:
    call.params.required("dualSidePosition")
    hedge = bool(call.params.flag("dualSidePosition"))
    return _apply(lambda: call.engine.set_position_mode(account, hedge), _POSITION_MODE_REFUSALS)


def assets_mode(_: Call, __: Account) -> Json:
    return {"multiAssetsMargin": False}


def set_assets_mode(call: Call, account: Account) -> Json:
    call.params.required("multiAssetsMargin")
    if not call.params.flag("multiAssetsMargin"):
        raise errors.VenueError(-4171, "Adjusted asset mode is currently set and does not need to be adjusted repeatedly.")
    if any(call.engine.margin_mode(account, listing.symbol) is MarginMode.ISOLATED for listing in call.engine.listings(VENUE)):
        raise errors.VenueError(-4167, "Unable to adjust to Multi-Assets mode with symbols of USDⓈ-M Futures under isolated-margin mode.")
    if call.engine.open_orders(account):
        raise errors.VenueError(-4170, "Unable to adjust Multi-Assets Mode with open orders in USDⓈ-M Futures.")
    raise errors.unsupported()


def fee_burn(_: Call, __: Account) -> Json:
    """Whether fees are paid in BNB, which nobody holds here."""
    return {"feeBurn": False}


def _apply(change: Callable[[], None], refusals: errors.Refusals) -> Json:
    try:
        change()
    except Refused as refused:
        raise errors.from_refusal(refused, refusals) from refused
    return {"code": 200, "msg": "success"}


ENDPOINTS = (
    Private("POST", "/fapi/v1/leverage", set_leverage),
    Private("POST", "/fapi/v1/marginType", set_margin_type),
    Private("GET", "/fapi/v1/positionSide/dual", position_mode, weight=30),
    Private("POST", "/fapi/v1/positionSide/dual", set_position_mode),
    Private("GET", "/fapi/v1/multiAssetsMargin", assets_mode, weight=30),
    Private("POST", "/fapi/v1/multiAssetsMargin", set_assets_mode),
    Private("GET", "/fapi/v1/feeBurn", fee_burn, weight=30),
)
