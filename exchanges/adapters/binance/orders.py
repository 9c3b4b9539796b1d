"""Orders of Binance USD-M, domain to wire and wire to domain. Pure.

Plain and conditional (algo) orders live at separate endpoints with separate ids; here both become OrderResult. A price of zero means none.
Source: Binance USD-M futures REST documentation, New Order, Query Order and the Algo Order pages.
"""

from collections.abc import Mapping
from decimal import Decimal

from exchanges.adapters.binance.errors import EXCHANGE
from exchanges.adapters.binance.mapping import Row, rows_of, to_text, to_time
from exchanges.decimals import fixed, to_decimal, to_decimal_or_none, to_decimals
from exchanges.domain import OrderRequest, OrderResult, OrderSide, OrderStatus, OrderType, Position, PositionSide, TimeInForce
from exchanges.errors import BadParameter

CONDITIONAL_PREFIX = "algo-"
"""Conditional orders count their ids apart: the prefix keeps one from being read or canceled as a plain order of the same number."""

_STATUSES = {status.value: status for status in OrderStatus} | {"EXPIRED_IN_MATCH": OrderStatus.EXPIRED}
_CONDITIONAL_STATUSES = {
    "NEW": OrderStatus.NEW,
    "TRIGGERING": OrderStatus.NEW,
    "TRIGGERED": OrderStatus.NEW,
    "CANCELED": OrderStatus.CANCELED,
    "REJECTED": OrderStatus.REJECTED,
    "EXPIRED": OrderStatus.EXPIRED,
}
_ORDER_TYPES = {
    "MARKET": OrderType.MARKET,
    "LIMIT": OrderType.LIMIT,
    "STOP": OrderType.STOP_LIMIT,
    "STOP_MARKET": OrderType.STOP_MARKET,
    "TAKE_PROFIT": OrderType.TAKE_PROFIT_LIMIT,
    "TAKE_PROFIT_MARKET": OrderType.TAKE_PROFIT_MARKET,
    "TRAILING_STOP_MARKET": OrderType.TRAILING_STOP_MARKET,
}
_POSITION_SIDES = {side.value: side for side in PositionSide}
_FLAGS = {True: True, False: False, "true": True, "false": False}
_SIDES = {side.value: side for side in OrderSide}
_TIMES_IN_FORCE = {time.value: time for time in TimeInForce}


def from_order_request(request: OrderRequest) -> dict[str, str | None]:
    """Parameters of a MARKET or LIMIT order. A client order id of None leaves it to the venue; the key must be there all the same, or the
    SDK puts in an id with a prefix of its own. An order that names a leg carries no reduce-only flag, which the venue refuses there: what
    closes a leg cannot turn it around."""
    params: dict[str, str | None] = {
        "symbol": request.symbol,
        "side": request.side,
        "type": request.order_type,
        "quantity": fixed(request.quantity),
        "newClientOrderId": request.client_order_id,
        "newOrderRespType": "RESULT",
    }
    if request.price is not None:
        params["price"] = fixed(request.price)
        params["timeInForce"] = request.time_in_force or TimeInForce.GTC
    if request.position_side is not PositionSide.BOTH:
        params["positionSide"] = request.position_side
    elif request.reduce_only:
        params["reduceOnly"] = "true"
    return params


def from_position(position: Position) -> dict[str, str | None]:
    """Parameters of the market order that closes a position."""
    is_leg = position.position_side is not PositionSide.BOTH
    return {
        "symbol": position.venue_symbol,
        "side": "SELL" if position.side is PositionSide.LONG else "BUY",
        "type": "MARKET",
        "quantity": fixed(position.quantity),
        **({"positionSide": position.position_side} if is_leg else {"reduceOnly": "true"}),
        "newClientOrderId": None,
        "newOrderRespType": "RESULT",
    }


def from_order_id(symbol: str, order_id: str) -> dict[str, str]:
    """Parameters that name one order. Raises BadParameter for a text that is no order id here."""
    number = order_id.removeprefix(CONDITIONAL_PREFIX)
    if not (number.isascii() and number.isdigit()):
        raise BadParameter(f"order_id must be a number, was {order_id:.40}", exchange=EXCHANGE, field="order_id")
    return {"algoId": number} if is_conditional(order_id) else {"symbol": symbol, "orderId": number}


def is_conditional(order_id: str) -> bool:
    return order_id.startswith(CONDITIONAL_PREFIX)


def to_order(row: Row, *, symbol: str, order_id: str | None = None, client_order_id: str | None = None) -> OrderResult:
    """One plain order. ValueError where it is not the one that was asked about."""
    return _same(_order(row), symbol, order_id, client_order_id)


def to_conditional_order(row: Row, *, symbol: str, order_id: str | None = None, client_order_id: str | None = None) -> OrderResult:
    """One conditional order; its trigger is in `raw_response`. ValueError where it is not the one that was asked about."""
    return _same(_conditional_order(row), symbol, order_id, client_order_id)


def to_orders(answer: object) -> list[OrderResult]:
    return [_order(row) for row in rows_of(answer)]


def to_conditional_orders(answer: object) -> list[OrderResult]:
    return [_conditional_order(row) for row in rows_of(answer)]


def to_child_order_id(row: Row) -> str | None:
    """The plain order that a triggered conditional order became, None before that."""
    child = row.get("actualOrderId")
    return None if child in (None, "", 0, "0") else _order_id(child)


def to_canceled_client_id(row: Row, *, order_id: str) -> str:
    """The client id in the answer to the cancel of a conditional order. ValueError where it is about another one."""
    if CONDITIONAL_PREFIX + _order_id(row["algoId"]) != order_id:
        raise ValueError("another order than was asked about")
    return str(row["clientAlgoId"])


def _order(row: Row) -> OrderResult:
    quantity, filled, price = to_decimals((row["origQty"], row["executedQty"], row["price"]))
    if quantity < 0 or filled < 0 or price < 0:
        raise ValueError("a negative price or quantity")
    return OrderResult(
        symbol=to_text(row["symbol"]),
        order_id=_order_id(row["orderId"]),
        client_order_id=to_text(row["clientOrderId"]),
        status=_status(row["status"], _STATUSES),
        side=_SIDES[row["side"]],
        order_type=_ORDER_TYPES.get(row["type"]),
        quantity=quantity or None,
        filled_quantity=filled,
        price=price or None,
        average_price=_average_price(row, filled) if filled else None,
        time_in_force=_TIMES_IN_FORCE.get(row.get("timeInForce", "")),
        reduce_only=row.get("closePosition") is True or _FLAGS[row.get("reduceOnly", False)],
        position_side=_POSITION_SIDES[row.get("positionSide", "BOTH")],
        reason="self-trade prevention" if row["status"] == "EXPIRED_IN_MATCH" else "",
        created_at=to_time(row.get("time")),
        updated_at=to_time(row.get("updateTime")),
        raw_response=dict(row),
    )


def _conditional_order(row: Row) -> OrderResult:
    return OrderResult(
        symbol=to_text(row["symbol"]),
        order_id=CONDITIONAL_PREFIX + _order_id(row["algoId"]),
        client_order_id=to_text(row["clientAlgoId"]),
        status=_status(row["algoStatus"], _CONDITIONAL_STATUSES),
        side=_SIDES[row["side"]],
        # The venue's pages say orderType, some recorded answers type.
        order_type=_ORDER_TYPES.get(row.get("orderType") or row.get("type") or ""),
        quantity=to_decimal_or_none(row.get("quantity")) or None,
        price=to_decimal_or_none(row.get("price")) or None,
        time_in_force=_TIMES_IN_FORCE.get(row.get("timeInForce", "")),
        reduce_only=row.get("closePosition") is True or _FLAGS[row.get("reduceOnly", False)],
        position_side=_POSITION_SIDES[row.get("positionSide", "BOTH")],
        created_at=to_time(row.get("createTime")),
        updated_at=to_time(row.get("updateTime")),
        raw_response=dict(row),
    )


def _same(order: OrderResult, symbol: str, order_id: str | None, client_order_id: str | None) -> OrderResult:
    if order.symbol != symbol or order_id not in (None, order.order_id) or client_order_id not in (None, order.client_order_id):
        raise ValueError("another order than was asked about")
    return order


def _status(word: str, known: Mapping[str, OrderStatus]) -> OrderStatus:
    """KeyError for a word that we do not know: an order in an unknown state must not pass for one in a known state."""
    return known[word]


def _order_id(value: object) -> str:
    """Ids are 64-bit integers on the wire."""
    number = value if type(value) is int else to_decimal(value)
    if not 0 < number < 2**64 or number % 1:
        raise ValueError("not an order id")
    return str(int(number))


def _average_price(row: Row, filled: Decimal) -> Decimal | None:
    """The answer to a cancel has no avgPrice: what was paid over what was filled says the same."""
    if "avgPrice" in row:
        return to_decimal(row["avgPrice"]) or None
    return to_decimal(row["cumQuote"]) / filled
