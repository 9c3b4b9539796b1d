"""An order on the wire, as it is answered when made or canceled and as it is answered when asked for."""

from decimal import Decimal

from exchanges.sandbox.binance.numbers import average_places, fixed, price, quantity
from exchanges.sandbox.model import ZERO, Kind, Lifetime, Listing, Order, Status

Row = dict[str, object]
SELF_TRADE_MODE = "self_trade_mode"
_GIVEN = "web_"
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
    number = client_id.removeprefix(_GIVEN)
    return int(number) if number != client_id and number.isdecimal() else None


def _with_cumulative(row: Row) -> Row:
    return {**row, "cumQty": row["executedQty"]}


def _order(order: Order, listing: Listing, *, status: Status, filled: Decimal, value: Decimal) -> Row:
    kind = order.kind.name
    return {
        "orderId": order.id,
        "symbol": listing.venue_symbol,
        "status": status.name,
        "clientOrderId": shown_client_id(order),
        "price": price(order.limit_price, listing),
        "avgPrice": fixed(value / filled if filled else ZERO, average_places(listing)),
        "origQty": quantity(order.quantity, listing),
        "executedQty": quantity(filled, listing),
        "cumQuote": fixed(value, average_places(listing)),
        "timeInForce": "GTC" if order.kind is Kind.MARKET else _TIMES_IN_FORCE[order.lifetime],
        "type": kind,
        "reduceOnly": order.reduce_only,
        "closePosition": False,
        "side": order.side.name,
        "positionSide": "BOTH",
        "stopPrice": price(ZERO, listing),
        "workingType": "CONTRACT_PRICE",
        "priceProtect": False,
        "origType": kind,
        "priceMatch": "NONE",
        "selfTradePreventionMode": order.wire.get(SELF_TRADE_MODE, "NONE"),
        "goodTillDate": 0,
        "updateTime": order.updated_ms,
    }
