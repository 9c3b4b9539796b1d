"""Orders: OrderRequest -> parameters of the SDK, OKX's order and algo-order rows -> OrderResult. Pure; sizes leave here in base units.

From OKX's API documentation of trading and algo trading, read November 2026.
"""

from collections.abc import Iterable, Mapping
from decimal import Decimal

from exchanges.adapters.okx.errors import EXCHANGE
from exchanges.adapters.okx.wire import (
    EXACT,
    LEGS,
    Row,
    to_base_units_or_none,
    to_identity,
    to_moment_or_none,
    to_price_or_none,
    to_text,
)
from exchanges.decimals import fixed, plain, to_decimals_or_none
from exchanges.domain import (
    CancelResult,
    Instrument,
    MarginMode,
    OrderRequest,
    OrderResult,
    OrderSide,
    OrderStatus,
    OrderType,
    PositionSide,
    TimeInForce,
)
from exchanges.errors import BadParameter, FilterViolation

_SIDES = {"buy": OrderSide.BUY, "sell": OrderSide.SELL}
_SIDE_NAMES = {side: name for name, side in _SIDES.items()}
_NOTHING = Decimal(0)
_LEG_NAMES = {leg: name for name, leg in LEGS.items()}
_BOOLEANS = {"true": True, "false": False, True: True, False: False, "": False}
_STATUSES = {
    "live": OrderStatus.NEW,
    "partially_filled": OrderStatus.PARTIALLY_FILLED,
    "filled": OrderStatus.FILLED,
    "canceled": OrderStatus.CANCELED,
    "mmp_canceled": OrderStatus.CANCELED,
}
_RESTING_ALGO_STATES = frozenset({"live", "pause", "partially_effective"})
# An ordType that is not listed here (elp, mmp) is shown without a type rather than not at all.
_ORDER_TYPES: dict[str, tuple[OrderType, TimeInForce | None]] = {
    "market": (OrderType.MARKET, None),
    "optimal_limit_ioc": (OrderType.MARKET, None),
    "limit": (OrderType.LIMIT, TimeInForce.GTC),
    "post_only": (OrderType.LIMIT, TimeInForce.GTX),
    "ioc": (OrderType.LIMIT, TimeInForce.IOC),
    "fok": (OrderType.LIMIT, TimeInForce.FOK),
}
_LIMIT_NAMES = {TimeInForce.GTC: "limit", TimeInForce.GTX: "post_only", TimeInForce.IOC: "ioc", TimeInForce.FOK: "fok"}
_CANCEL_SOURCES = {
    "0": "canceled by the exchange",
    "1": "canceled by the user",
    "2": "reduce-only order canceled: not enough margin",
    "3": "canceled: the position came close to liquidation",
    "6": "canceled by auto-deleveraging",
    "9": "canceled: not enough balance after funding",
    "13": "fill-or-kill order could not be filled at once",
    "14": "the rest of an immediate-or-cancel order was canceled",
    "15": "canceled: the price is beyond the limit",
    "17": "canceled: the position was already closed",
    "20": "canceled by the cancel-all timer",
    "22": "reduce-only order canceled: nothing left to reduce",
    "23": "reduce-only order canceled: nothing left to reduce",
    "31": "the post-only order would have taken liquidity",
    "32": "canceled by self-trade prevention",
    "33": "canceled: too many matches for one order",
}


def from_order_request(request: OrderRequest, instrument: Instrument) -> dict[str, str]:
    """Parameters of the SDK's place_order. Raises FilterViolation where the quantity is no whole number of lots. A leg takes no reduce-only
    flag: the venue ignores it there, and what closes a leg cannot turn it around."""
    is_market = request.order_type is OrderType.MARKET
    return {
        "instId": instrument.venue_symbol,
        "tdMode": request.margin_mode or MarginMode.CROSS,
        "side": _SIDE_NAMES[request.side],
        "ordType": "market" if is_market else _LIMIT_NAMES[request.time_in_force or TimeInForce.GTC],
        "sz": plain(to_contracts(request.quantity, instrument)),
        "px": "" if request.price is None else fixed(request.price),
        "posSide": _LEG_NAMES[request.position_side],
        "reduceOnly": "true" if request.reduce_only and request.position_side is PositionSide.BOTH else "false",
        "clOrdId": request.client_order_id or "",
    }


def to_contracts(quantity: Decimal, instrument: Instrument) -> Decimal:
    """Base units -> contracts, exactly. Raises FilterViolation where the quantity is no whole number of lots."""
    if EXACT.remainder(quantity, instrument.lot) != 0:
        raise FilterViolation(
            f"quantity must be a multiple of {plain(instrument.lot)}, was {plain(quantity)}", exchange=EXCHANGE, field="quantity"
        )
    return EXACT.divide(quantity, instrument.contract_size)


def to_wire_id(name: str, value: str) -> str:
    """An order id or client order id as it may stand in a signed query: 1 to 32 letters and digits. Raises BadParameter."""
    if not (value.isascii() and value.isalnum() and len(value) <= 32):
        raise BadParameter(f"{name} must be 1 to 32 letters and digits, was {value!r:.60}", exchange=EXCHANGE, field=name)
    return value


def to_orders(rows: Iterable[Row], instruments: Mapping[str, Instrument]) -> list[OrderResult]:
    """Orders of covered instruments, in the venue's order."""
    return [_order(row, instruments[row["instId"]]) for row in rows if row["instId"] in instruments]


def to_order(rows: list[Row], instrument: Instrument, order_id: str = "", client_order_id: str = "") -> OrderResult:
    """The one order asked for; an answer about another one is an error."""
    (row,) = rows
    asked = (instrument.venue_symbol, order_id or row["ordId"], client_order_id or row["clOrdId"])
    if (row["instId"], row["ordId"], row["clOrdId"]) != asked:
        raise ValueError("the answer is about another order")
    return _order(row, instrument)


def _order(row: Row, instrument: Instrument) -> OrderResult:
    order_type, time_in_force = _ORDER_TYPES.get(row["ordType"], (None, None))
    status = _STATUSES[row["state"]]
    source = row.get("cancelSource", "")
    reason = row.get("cancelSourceReason") or _CANCEL_SOURCES.get(source) or f"canceled, source {source or 'unknown'}"
    contracts, filled, price, average_price = to_decimals_or_none((row["sz"], row["accFillSz"], row["px"], row["avgPx"]))
    if contracts is None:
        raise ValueError("an order without a size")
    return OrderResult(
        symbol=instrument.symbol,
        order_id=to_identity(row["ordId"]),
        client_order_id=to_text(row["clOrdId"]),
        status=status,
        side=_SIDES[row["side"]],
        order_type=order_type,
        quantity=EXACT.multiply(contracts, instrument.contract_size),
        filled_quantity=EXACT.multiply(filled, instrument.contract_size) if filled else _NOTHING,
        price=_above_zero(price),
        average_price=_above_zero(average_price),
        time_in_force=time_in_force,
        reduce_only=_BOOLEANS[row["reduceOnly"]],
        position_side=LEGS[row["posSide"]],
        reason=to_text(reason) if status is OrderStatus.CANCELED else "",
        created_at=to_moment_or_none(row["cTime"]),
        updated_at=to_moment_or_none(row["uTime"]),
        raw_response=row,
    )


def _above_zero(price: Decimal | None) -> Decimal | None:
    """An absent price is an empty text, 0 or (at market) -1."""
    return price if price is not None and price > 0 else None


def to_algo_orders(rows: Iterable[Row], instruments: Mapping[str, Instrument]) -> list[OrderResult]:
    """Waiting conditional orders, by algoId. `quantity` is None for one that closes the whole position."""
    return [_algo_order(row, instruments[row["instId"]]) for row in rows if row["instId"] in instruments]


def _algo_order(row: Row, instrument: Instrument) -> OrderResult:
    if row["state"] not in _RESTING_ALGO_STATES:
        raise ValueError(f"a pending list with state {row['state']}")
    order_type, price = _algo_type_and_price(row)
    return OrderResult(
        symbol=instrument.symbol,
        order_id=to_identity(row["algoId"]),
        client_order_id=to_text(row.get("algoClOrdId", "")),
        status=OrderStatus.NEW,
        side=_SIDES[row["side"]],
        order_type=order_type,
        quantity=to_base_units_or_none(row["sz"], instrument.contract_size),
        price=price,
        reduce_only=_BOOLEANS[row.get("reduceOnly", "")],
        position_side=LEGS[row["posSide"]],
        created_at=to_moment_or_none(row["cTime"]),
        updated_at=to_moment_or_none(row.get("uTime")),
        raw_response=row,
    )


def _algo_type_and_price(row: Row) -> tuple[OrderType | None, Decimal | None]:
    """The type where it can be told. A trigger order may be a stop or a take-profit and a pair (oco) is both: None. -1 is "at market"."""
    if row["ordType"] == "move_order_stop":
        return OrderType.TRAILING_STOP_MARKET, None
    if row["ordType"] != "conditional" or bool(row.get("slTriggerPx")) == bool(row.get("tpTriggerPx")):
        return None, to_price_or_none(row.get("ordPx"))
    is_stop = bool(row.get("slTriggerPx"))
    price = to_price_or_none(row["slOrdPx" if is_stop else "tpOrdPx"])
    if is_stop:
        return OrderType.STOP_MARKET if price is None else OrderType.STOP_LIMIT, price
    return OrderType.TAKE_PROFIT_MARKET if price is None else OrderType.TAKE_PROFIT_LIMIT, price


def to_acknowledgement(rows: list[Row], request: OrderRequest) -> OrderResult:
    """OKX took the order; its state is not known yet. The answer must name an order id and the client order id that was sent."""
    (row,) = rows
    if request.client_order_id and row["clOrdId"] != request.client_order_id:
        raise ValueError("the answer is about another order")
    is_market = request.order_type is OrderType.MARKET
    return OrderResult(
        symbol=request.symbol,
        order_id=to_identity(row["ordId"]),
        client_order_id=to_text(row["clOrdId"]),
        status=OrderStatus.NEW,
        side=request.side,
        order_type=request.order_type,
        quantity=request.quantity,
        price=request.price,
        time_in_force=None if is_market else request.time_in_force or TimeInForce.GTC,
        reduce_only=request.reduce_only,
        position_side=request.position_side,
        confirmed=False,
        created_at=to_moment_or_none(row.get("ts")),
        raw_response=row,
    )


def to_cancel_result(rows: list[Row], symbol: str, order_id: str) -> CancelResult:
    (row,) = rows
    if row["ordId"] != order_id:
        raise ValueError("the answer is about another order")
    return CancelResult(symbol=symbol, order_id=order_id, client_order_id=to_text(row["clOrdId"]), confirmed=False)
