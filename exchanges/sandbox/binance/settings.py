"""Settings of an account: leverage, and the modes of margin, positions and assets.

One-way mode, cross margin and single-asset margin are all there is. A change to another mode is refused by what stands in its way
(open orders, a position) in the venue's own words, else as not supported.
"""

from exchanges.sandbox.binance import errors
from exchanges.sandbox.binance.brackets import LARGEST_NOTIONAL
from exchanges.sandbox.binance.endpoint import Call, Json, Private
from exchanges.sandbox.model import Account, Reason, Refused


def set_leverage(call: Call, account: Account) -> Json:
    listing = call.listing()
    leverage = call.params.required_integer("leverage")
    if not 1 <= leverage <= listing.max_leverage:
        raise errors.VenueError(-4028, f"Leverage {leverage} is not valid")
    try:
        call.engine.set_leverage(account, listing.symbol, leverage)
    except Refused as refused:
        if refused.reason is Reason.INSUFFICIENT_MARGIN:
            raise errors.VenueError(-2028, "Leverage is smaller than permitted: insufficient margin balance.") from refused
        raise
    return {"leverage": leverage, "maxNotionalValue": str(LARGEST_NOTIONAL), "symbol": listing.venue_symbol}


def set_margin_type(call: Call, account: Account) -> Json:
    """Cross margin is what there is; isolated is refused by what stands in its way, else as not supported."""
    listing = call.listing()
    margin_type = call.params.required("marginType")
    if margin_type not in ("CROSSED", "ISOLATED"):
        raise errors.missing("marginType")
    if margin_type == "CROSSED":
        raise errors.VenueError(-4046, "No need to change margin type.")
    if call.engine.open_orders(account, listing.symbol):
        raise errors.VenueError(-4047, "Margin type cannot be changed if there exists open orders.")
    if _has_position(call, account, listing.symbol):
        raise errors.VenueError(-4048, "Margin type cannot be changed if there exists position.")
    raise errors.unsupported()


def position_mode(_: Call, __: Account) -> Json:
    return {"dualSidePosition": False}


def set_position_mode(call: Call, account: Account) -> Json:
    call.params.required("dualSidePosition")
    if not call.params.flag("dualSidePosition"):
        raise errors.VenueError(-4059, "No need to change position side.")
    if call.engine.open_orders(account):
        raise errors.VenueError(-4067, "Position side cannot be changed if there exists open orders.")
    if _has_position(call, account):
        raise errors.VenueError(-4068, "Position side cannot be changed if there exists position.")
    raise errors.unsupported()


def assets_mode(_: Call, __: Account) -> Json:
    return {"multiAssetsMargin": False}


def set_assets_mode(call: Call, account: Account) -> Json:
    call.params.required("multiAssetsMargin")
    if not call.params.flag("multiAssetsMargin"):
        raise errors.VenueError(-4171, "Adjusted asset mode is currently set and does not need to be adjusted repeatedly.")
    if call.engine.open_orders(account):
        raise errors.VenueError(-4170, "Unable to adjust Multi-Assets Mode with open orders in USDⓈ-M Futures.")
    raise errors.unsupported()


def change_isolated_margin(call: Call, account: Account) -> Json:
    """Only an isolated position has margin of its own, and there is none."""
    listing = call.listing()
    call.params.required("amount")
    if call.params.required_integer("type") not in (1, 2):
        raise errors.invalid_data("type")
    if not _has_position(call, account, listing.symbol):
        raise errors.VenueError(-4054, "Cannot add position margin: position is 0.")
    raise errors.VenueError(-4049, "Add margin only support for isolated position.")


def isolated_margin_changes(call: Call, _: Account) -> Json:
    call.listing()
    return []


def fee_burn(_: Call, __: Account) -> Json:
    """Whether fees are paid in BNB, which nobody holds here."""
    return {"feeBurn": False}


def _has_position(call: Call, account: Account, symbol: str | None = None) -> bool:
    views = call.engine.view(account).positions
    return any(view.position.quantity and symbol in (None, view.position.symbol) for view in views)


ENDPOINTS = (
    Private("POST", "/fapi/v1/leverage", set_leverage),
    Private("POST", "/fapi/v1/marginType", set_margin_type),
    Private("GET", "/fapi/v1/positionSide/dual", position_mode, weight=30),
    Private("POST", "/fapi/v1/positionSide/dual", set_position_mode),
    Private("GET", "/fapi/v1/multiAssetsMargin", assets_mode, weight=30),
    Private("POST", "/fapi/v1/multiAssetsMargin", set_assets_mode),
    Private("POST", "/fapi/v1/positionMargin", change_isolated_margin),
    Private("GET", "/fapi/v1/positionMargin/history", isolated_margin_changes),
    Private("GET", "/fapi/v1/feeBurn", fee_burn, weight=30),
)
