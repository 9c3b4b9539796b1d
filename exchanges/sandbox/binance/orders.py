"""An order on the wire, as it is answered when made or canceled and as it is answered when asked for.

A liquidation is an order of the venue's own, LIMIT and IOC, and not called reduce-only ("User's Force Orders", read November 2026).
"""

import re
from decimal import Decimal

from exchanges.sandbox.binance.legs import position_side
from exchanges.sandbox.binance.numbers import average_places, fixed, price, quantity
from exchanges.sandbox.model import ZERO, Kind, Lifetime, Listing, Order, Status

Row = dict[str, object]
SELF_TRADE_MODE = "self_trade_mode"
_GIVEN = "web_"
_GIVEN_ID = re.compile(rf"{_GIVEN}([0-9]{{1,19}})")
_TIMES_IN_FORCE = {Lifetime.GTC: "GTC", Lifetime.IOC: "IOC", Lifetime.FOK: "FOK", Lifetime.POST_ONLY: "GTX"}


def queried(order: Order, listing: Listing) -> Row:
    return {**_order(order, listing, status=order.status, filled=order.filled, value=order.filled_value), "time": order.created_ms}


def acted_on(order: Order, listing: Listing) -> Row:
    """The answer to placing (RESULT) and to canceling."""
    return _with_cumulative(_order(order, listing, status=order.status, filled=order.filled, value=order.filled_value))


def acknowledged(order: Order, listing: Listing) -> Row:
    """The answer to placing (ACK): the order as it was taken, before anything matched."""
    return _with_cumulative(_order(order, listing, status=Status.NEW, filled=ZERO, value=ZERO))


def shown_client_id(order: Order) -> str:
    return order.client_id or f"{_GIVEN}{order.id}"


def numbered(client_id: str) -> int | None:
    """The order's number where the client id is one that this venue gave to an order that came without."""
    given = _GIVEN_ID.fullmatch(client_id)
    return int(given.group(1)) if given else None


def _with_cumulative(row: Row) -> Row:
    return {**row, "cumQty": row["executedQty"]}


def _order(order: Order, listing: Listing, *, status: Status, filled: Decimal, value: Decimal) -> Row:
    average = value / filled if filled else ZERO
    kind, time_in_force = _terms(order)
    return {
        "orderId": order.id,
        "symbol": listing.venue_symbol,
        "status": status.name,
        "clientOrderId": shown_client_id(order),
        "price": price(average if order.liquidation else order.limit_price, listing),
        "avgPrice": fixed(average, average_places(listing)),
        "origQty": quantity(order.quantity, listing),
        "executedQty": quantity(filled, listing),
        "cumQuote": fixed(value, average_places(listing)),
        "timeInForce": time_in_force,
        "type": kind,
        "reduceOnly": order.reduce_only and not order.liquidation,
        "closePosition": False,
        "side": order.side.name,
        "positionSide": position_side(order.leg),
        "stopPrice": price(ZERO, listing),
        "workingType": "CONTRACT_PRICE",
        "priceProtect": False,
        "origType": kind,
        "priceMatch": "NONE",
        "selfTradePreventionMode": order.wire.get(SELF_TRADE_MODE, "NONE"),
        "goodTillDate": 0,
        "updateTime": order.updated_ms,
    }


def _terms(order: Order) -> tuple[str, str]:
    """Its type and its time in force."""
    if order.liquidation:
        return Kind.LIMIT.name, "IOC"
    return order.kind.name, "GTC" if order.kind is Kind.MARKET else _TIMES_IN_FORCE[order.lifetime]
