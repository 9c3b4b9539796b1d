"""Orders on Bybit's wire: an OrderRequest -> parameters; rows, acknowledgements and executions -> OrderResult. Pure.

Bybit acknowledges before it decides: an acknowledgement says nothing of the order's state.
"""

import re
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from exchanges.adapters.bybit.errors import EXCHANGE
from exchanges.adapters.bybit.wire import LEGS, Row, to_client_order_id, to_moment, to_moment_or_none, to_price_or_none, to_rows, to_text
from exchanges.decimals import fixed, to_decimal, to_decimals_or_none
from exchanges.domain import (
    CancelResult,
    Instrument,
    OrderRequest,
    OrderResult,
    OrderSide,
    OrderStatus,
    OrderType,
    Position,
    PositionSide,
    TimeInForce,
)
from exchanges.errors import BadParameter

LINEAR = "linear"

_SIDE_TO_WIRE = {OrderSide.BUY: "Buy", OrderSide.SELL: "Sell"}
_SIDES = {wire: side for side, wire in _SIDE_TO_WIRE.items()}
_TIME_IN_FORCE_TO_WIRE = {
    TimeInForce.GTC: "GTC",
    TimeInForce.IOC: "IOC",
    TimeInForce.FOK: "FOK",
    TimeInForce.GTX: "PostOnly",
}
# RPI (retail price improvement) orders of market makers are post-only by definition.
_TIMES_IN_FORCE = {wire: tif for tif, wire in _TIME_IN_FORCE_TO_WIRE.items()} | {"RPI": TimeInForce.GTX}
_POSITION_IDX = {side: idx for idx, side in LEGS.items()}
_STATUSES = {
    "New": OrderStatus.NEW,
    "Untriggered": OrderStatus.NEW,
    "Triggered": OrderStatus.NEW,
    "PartiallyFilled": OrderStatus.PARTIALLY_FILLED,
    "Filled": OrderStatus.FILLED,
    "Cancelled": OrderStatus.CANCELED,
    "PartiallyFilledCanceled": OrderStatus.CANCELED,
    "Deactivated": OrderStatus.CANCELED,
    "Rejected": OrderStatus.REJECTED,
}
_STOP = {"Market": OrderType.STOP_MARKET, "Limit": OrderType.STOP_LIMIT}
_TAKE_PROFIT = {"Market": OrderType.TAKE_PROFIT_MARKET, "Limit": OrderType.TAKE_PROFIT_LIMIT}
_TYPES_BY_TRIGGER = {
    "": {"Market": OrderType.MARKET, "Limit": OrderType.LIMIT},
    "UNKNOWN": {"Market": OrderType.MARKET, "Limit": OrderType.LIMIT},
    "TakeProfit": _TAKE_PROFIT,
    "PartialTakeProfit": _TAKE_PROFIT,
    "StopLoss": _STOP,
    "PartialStopLoss": _STOP,
    "TrailingStop": {"Market": OrderType.TRAILING_STOP_MARKET},
}
# A plain conditional order is a stop where it follows the price away from a better one, a take-profit where it waits for a better one.
_TYPES_BY_DIRECTION: dict[tuple[str, object], dict[str, OrderType]] = {
    ("Buy", 1): _STOP,
    ("Sell", 2): _STOP,
    ("Buy", 2): _TAKE_PROFIT,
    ("Sell", 1): _TAKE_PROFIT,
}
_IDENTITY = re.compile(r"[A-Za-z0-9_-]{1,64}")
_NO_REASON = ("", "EC_NoError", "UNKNOWN", None)


def from_order_request(request: OrderRequest, instrument: Instrument) -> Row:
    """Parameters of order/create. Absent ones are None and are not sent; Bybit makes every market order IOC by itself."""
    is_limit = request.order_type is OrderType.LIMIT
    return {
        "category": LINEAR,
        "symbol": instrument.venue_symbol,
        "side": _SIDE_TO_WIRE[request.side],
        "orderType": "Limit" if is_limit else "Market",
        "qty": fixed(request.quantity),
        "price": None if request.price is None else fixed(request.price),
        "timeInForce": _TIME_IN_FORCE_TO_WIRE[request.time_in_force or TimeInForce.GTC] if is_limit else None,
        "positionIdx": _POSITION_IDX[request.position_side],
        "orderLinkId": request.client_order_id,
        "reduceOnly": True if request.reduce_only else None,
    }


def from_position(position: Position, client_order_id: str) -> Row:
    """Parameters of the order that closes the whole position: quantity 0 with both flags is the venue's word for all that is held."""
    return {
        "category": LINEAR,
        "symbol": position.venue_symbol,
        "side": "Sell" if position.side is PositionSide.LONG else "Buy",
        "orderType": "Market",
        "qty": "0",
        "reduceOnly": True,
        "closeOnTrigger": True,
        "positionIdx": _POSITION_IDX[position.position_side],
        "orderLinkId": client_order_id,
    }


def refuse_malformed_id(field: str, value: str) -> None:
    """Raises BadParameter for what cannot be an order id or a client order id."""
    if not _IDENTITY.fullmatch(value):
        raise BadParameter(f"{field} must be 1 to 64 letters, digits, - or _, was {value[:80]!r}", exchange=EXCHANGE, field=field)


def to_acknowledged_ids(envelope: Row, sent: Row) -> tuple[str, str]:
    """Order id and client order id of the answer to order/create. ValueError where it is about another order than was sent."""
    answer = envelope["result"]
    received = to_client_order_id(answer.get("orderLinkId"))
    if sent["orderLinkId"] not in (None, received):
        raise ValueError("the answer is about another client order id")
    return to_text(answer["orderId"]), received


def to_acknowledgement(envelope: Row, sent: Row, instrument: Instrument, quantity: Decimal) -> OrderResult:
    """The answer to order/create: an id, and whose order it is. What was sent fills the rest; the state is not known yet."""
    order_id, client_order_id = to_acknowledged_ids(envelope, sent)
    price = sent.get("price")
    return OrderResult(
        symbol=instrument.symbol,
        order_id=order_id,
        client_order_id=client_order_id,
        status=OrderStatus.NEW,
        side=_SIDES[sent["side"]],
        order_type=_TYPES_BY_TRIGGER[""][sent["orderType"]],
        quantity=quantity,
        price=None if price is None else to_decimal(price),
        time_in_force=_TIMES_IN_FORCE.get(sent.get("timeInForce") or ""),
        reduce_only=bool(sent.get("reduceOnly")),
        position_side=LEGS[sent["positionIdx"]],
        confirmed=False,
        created_at=to_moment(envelope["time"]),
        raw_response=envelope["result"],
    )


def to_cancel_result(envelope: Row, symbol: str, order_id: str) -> CancelResult:
    answer = envelope["result"]
    if to_text(answer["orderId"]) != order_id:
        raise ValueError("the answer is about another order")
    return CancelResult(symbol=symbol, order_id=order_id, client_order_id=to_client_order_id(answer.get("orderLinkId")), confirmed=False)


def to_open_orders(envelopes: Iterable[Row], instruments: Mapping[str, Instrument]) -> list[OrderResult]:
    """Open rows of order/realtime over all pages; an order that moved to another page in between counts once, as last seen. An order in
    something that is not covered keeps the venue's name for it."""
    rows = {to_text(row["orderId"]): row for envelope in envelopes for row in to_rows(envelope)}
    found = [_to_order(row, instruments.get(row["symbol"])) for row in rows.values()]
    return [order for order in found if order.status.is_open]


def to_order(envelope: Row, key: str, wanted: str, instrument: Instrument) -> OrderResult | None:
    """The order whose `key` (orderId or orderLinkId) is `wanted`; None where the venue has none. A foreign row is no answer."""
    rows = to_rows(envelope)
    _refuse_foreign(rows, key, wanted, instrument)
    return _to_order(rows[0], instrument) if rows else None


def to_order_from_executions(envelopes: Iterable[Row], client_order_id: str, instrument: Instrument) -> OrderResult | None:
    """What the fills alone tell of an order that the order lists do not show. Its end is known only when all of it is filled."""
    rows = [row for envelope in envelopes for row in to_rows(envelope)]
    _refuse_foreign(rows, "orderLinkId", client_order_id, instrument)
    fills = list({to_text(row["execId"]): row for row in rows if row["execType"] == "Trade"}.values())
    if not fills:
        return None
    row = fills[0]
    quantities = [to_decimal(fill["execQty"]) for fill in fills]
    quantity, filled = to_decimal(row["orderQty"]), sum(quantities, Decimal(0))
    value = sum((to_decimal(fill["execPrice"]) * part for fill, part in zip(fills, quantities, strict=True)), Decimal(0))
    return OrderResult(
        symbol=instrument.symbol,
        order_id=to_text(row["orderId"]),
        client_order_id=client_order_id,
        status=OrderStatus.FILLED if filled >= quantity else OrderStatus.PARTIALLY_FILLED,
        side=_SIDES[row["side"]],
        order_type=_order_type(row),
        quantity=quantity,
        filled_quantity=filled,
        price=None if row["orderType"] == "Market" else to_price_or_none(row.get("orderPrice")),
        average_price=value / filled,
        confirmed=filled >= quantity,
        updated_at=max(to_moment(fill["execTime"]) for fill in fills),
        raw_response={"list": fills},
    )


def _to_order(row: Row, instrument: Instrument | None) -> OrderResult:
    # A market order's price is the limit that the venue made of it, no price that anybody asked for.
    asked_price = "" if row["orderType"] == "Market" else row["price"]
    quantity, filled, price, average_price = to_decimals_or_none((row["qty"], row["cumExecQty"], asked_price, row.get("avgPrice", "")))
    if quantity is None or filled is None:
        raise ValueError("an order without a quantity")
    return OrderResult(
        symbol=to_text(row["symbol"]) if instrument is None else instrument.symbol,
        order_id=to_text(row["orderId"]),
        client_order_id=to_client_order_id(row["orderLinkId"]),
        status=_STATUSES[row["orderStatus"]],
        side=_SIDES[row["side"]],
        order_type=_order_type(row),
        quantity=quantity,
        filled_quantity=filled,
        price=price or None,
        average_price=average_price or None,
        time_in_force=_TIMES_IN_FORCE.get(row["timeInForce"]),
        reduce_only=_to_flag(row["reduceOnly"]),
        position_side=LEGS[int(to_decimal(row["positionIdx"]))],
        reason=_reason(row),
        created_at=to_moment(row["createdTime"]),
        updated_at=to_moment_or_none(row["updatedTime"]),
        raw_response=row,
    )


def _order_type(row: Row) -> OrderType | None:
    """None for what has no counterpart here (a block trade, a margin-ratio close): the order is shown without a type, not hidden."""
    trigger = row.get("stopOrderType") or ""
    if trigger == "Stop":
        types = _TYPES_BY_DIRECTION.get((row["side"], row.get("triggerDirection")), {})
    else:
        types = _TYPES_BY_TRIGGER.get(trigger, {})
    return types.get(row["orderType"])


def _reason(row: Row) -> str:
    """Why it ended, in the venue's words: the refusal, else what canceled it."""
    for name in ("rejectReason", "cancelType"):
        if row.get(name) not in _NO_REASON:
            return to_text(row[name])[:100]
    return ""


def _to_flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise TypeError(f"not a flag: {value!r:.40}")
    return value


def _refuse_foreign(rows: list[Row], key: str, wanted: str, instrument: Instrument) -> None:
    if any(row[key] != wanted or row["symbol"] != instrument.venue_symbol for row in rows):
        raise ValueError(f"the answer holds an order with another {key} or symbol")
