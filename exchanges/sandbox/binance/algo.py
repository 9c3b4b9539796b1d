"""The separate family of conditional orders. None can be placed here, so the lists are empty and nothing is ever found."""

from exchanges.sandbox.binance import errors
from exchanges.sandbox.binance.endpoint import Call, Json, Private
from exchanges.sandbox.model import Account


def place(call: Call, _: Account) -> Json:
    """Refused as an order type that the symbol does not offer, once the parameters every such order needs are there."""
    call.params.required("algoType")
    call.listing()
    for name in ("side", "type"):
        call.params.required(name)
    raise errors.VenueError(-1116, "Invalid orderType.")


def query(call: Call, _: Account) -> Json:
    _check_identity(call)
    raise errors.unknown_order()


def cancel(call: Call, _: Account) -> Json:
    _check_identity(call)
    raise errors.unknown_cancel()


def open_orders(call: Call, _: Account) -> Json:
    call.optional_listing()
    return []


def all_orders(call: Call, _: Account) -> Json:
    call.listing()
    return []


def cancel_all(call: Call, _: Account) -> Json:
    call.listing()
    return {"code": 200, "msg": "The operation of cancel all open order is done."}


def _check_identity(call: Call) -> None:
    if call.params.integer("algoId") is None and call.params.text("clientAlgoId") is None:
        raise errors.missing_both("algoId", "clientAlgoId")


ENDPOINTS = (
    Private("POST", "/fapi/v1/algoOrder", place, orders=1),
    Private("GET", "/fapi/v1/algoOrder", query),
    Private("DELETE", "/fapi/v1/algoOrder", cancel),
    Private("GET", "/fapi/v1/openAlgoOrders", open_orders, weight=lambda params: 1 if params.has("symbol") else 40),
    Private("GET", "/fapi/v1/allAlgoOrders", all_orders, weight=5),
    Private("DELETE", "/fapi/v1/algoOpenOrders", cancel_all),
)
