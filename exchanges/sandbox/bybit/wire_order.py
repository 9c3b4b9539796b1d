"""Orders, executions and closed PnL as the venue writes them. Pure."""

from collections.abc import Sequence
from decimal import Decimal

from exchanges.sandbox.bybit import ids
from exchanges.sandbox.bybit.closing import Effect
from exchanges.sandbox.bybit.legs import INDEX
from exchanges.sandbox.bybit.wire import QUOTE, money, plain, scaled, side
from exchanges.sandbox.model import ZERO, Kind, Lifetime, Listing, Order, Status

STATUSES = {
    Status.NEW: "New",
    Status.PARTIALLY_FILLED: "PartiallyFilled",
    Status.FILLED: "Filled",
    Status.CANCELED: "Cancelled",
    Status.EXPIRED: "Cancelled",
}
TIMES_IN_FORCE = {Lifetime.GTC: "GTC", Lifetime.IOC: "IOC", Lifetime.FOK: "FOK", Lifetime.POST_ONLY: "PostOnly"}
ORDER_TYPES = {Kind.MARKET: "Market", Kind.LIMIT: "Limit"}


def acknowledgement(order: Order) -> dict[str, object]:
    """Accepted, no more: whether it rests, filled or was canceled is asked for elsewhere."""
    return {"orderId": ids.order_id(order.id), "orderLinkId": order.client_id}


def from_order(order: Order, listing: Listing, *, liquidation_fee: Decimal = ZERO) -> dict[str, object]:
    """A row of order/realtime and order/history. `liquidation_fee` was paid beside the trading fees."""
    fees = order.fees + liquidation_fee
    tick, lot = listing.tick, listing.lot
    leaves = order.remaining if order.status.is_open else ZERO
    price = _price(order)
    cancel_type, reject_reason = _ending(order)
    return {
        "orderId": ids.order_id(order.id),
        "orderLinkId": order.client_id,
        "parentOrderLinkId": "",
        "blockTradeId": "",
        "symbol": listing.venue_symbol,
        "price": scaled(price, tick),
        "qty": scaled(order.quantity, lot),
        "side": side(order.side),
        "isLeverage": "",
        "positionIdx": INDEX[order.leg],
        "orderStatus": STATUSES[order.status],
        "createType": _create_type(order),
        "cancelType": cancel_type,
        "rejectReason": reject_reason,
        "avgPrice": "" if order.average_price is None else money(order.average_price),
        "leavesQty": scaled(leaves, lot),
        "leavesValue": plain(leaves * price),
        "cumExecQty": scaled(order.filled, lot),
        "cumExecValue": plain(order.filled_value),
        "cumExecFee": plain(fees),
        "timeInForce": TIMES_IN_FORCE[order.lifetime],
        "orderType": ORDER_TYPES[order.kind],
        "stopOrderType": "",
        "orderIv": "",
        "triggerPrice": "",
        "takeProfit": "",
        "stopLoss": "",
        "tpTriggerBy": "",
        "slTriggerBy": "",
        "triggerDirection": 0,
        "triggerBy": "",
        "lastPriceOnCreated": order.wire.get("last_price", ""),
        "reduceOnly": order.reduce_only,
        "closeOnTrigger": order.wire.get("close_on_trigger") == "true",
        "smpType": "None",
        "smpGroup": 0,
        "smpOrderId": "",
        "tpslMode": "",
        "tpLimitPrice": "",
        "slLimitPrice": "",
        "placeType": "",
        "slippageToleranceType": "UNKNOWN",
        "slippageTolerance": "",
        "createdTime": str(order.created_ms),
        "updatedTime": str(order.updated_ms),
        "extraFees": "",
        "cumFeeDetail": {QUOTE: plain(fees)} if order.filled else {},
        "rpiTakerAccess": False,
        "rpiMatchedQty": "0",
    }


def from_fill(effect: Effect, order: Order, listing: Listing, *, mark: Decimal, leaves: Decimal) -> dict[str, object]:
    """A row of execution/list; `leaves` is what the order had left behind this execution."""
    fill = effect.fill
    tick, lot = listing.tick, listing.lot
    price = _price(order)
    return {
        "symbol": listing.venue_symbol,
        "orderType": ORDER_TYPES[order.kind],
        "underlyingPrice": "",
        "orderLinkId": fill.client_id,
        "side": side(fill.side),
        "indexPrice": "",
        "orderId": ids.order_id(fill.order_id),
        "stopOrderType": "UNKNOWN",
        "leavesQty": scaled(leaves, lot),
        "execTime": str(fill.time_ms),
        "feeCurrency": "",
        "isMaker": fill.is_maker,
        "execFee": plain(effect.fee),
        "feeRate": plain(listing.maker_fee if fill.is_maker else listing.taker_fee),
        "execId": ids.execution_id(fill.id),
        "tradeIv": "",
        "blockTradeId": "",
        "markPrice": scaled(mark, tick),
        "execPrice": scaled(fill.price, tick),
        "markIv": "",
        "orderQty": scaled(order.quantity, lot),
        "orderPrice": scaled(price, tick),
        "execValue": plain(fill.price * fill.quantity),
        "execType": execution_type(order),
        "execQty": scaled(fill.quantity, lot),
        "closedSize": scaled(effect.closed, lot),
        "extraFees": "",
        "seq": fill.id,
        "createType": _create_type(order),
    }


def from_closing(order: Order, closings: Sequence[Effect], listing: Listing, *, leverage: int) -> dict[str, object]:
    """A row of position/closed-pnl: what one order closed. `side` is the closing order's; the PnL is net of the fees of both ends."""
    closed = sum((effect.closed for effect in closings), ZERO)
    entry_value = sum((effect.closed * effect.entry_price for effect in closings), ZERO)
    exit_value = sum((effect.closed * effect.fill.price for effect in closings), ZERO)
    open_fee = sum((effect.open_fee for effect in closings), ZERO)
    close_fee = sum((effect.close_fee for effect in closings), ZERO)
    realized = sum((effect.fill.realized_pnl for effect in closings), ZERO)
    price = _price(order)
    return {
        "symbol": listing.venue_symbol,
        "orderId": ids.order_id(order.id),
        "side": side(order.side),
        "qty": scaled(order.quantity, listing.lot),
        "orderPrice": scaled(price, listing.tick),
        "orderType": ORDER_TYPES[order.kind],
        "execType": execution_type(order),
        "closedSize": scaled(closed, listing.lot),
        "cumEntryValue": money(entry_value),
        "avgEntryPrice": money(entry_value / closed),
        "cumExitValue": money(exit_value),
        "avgExitPrice": money(exit_value / closed),
        "closedPnl": money(realized - open_fee - close_fee),
        "fillCount": str(len(closings)),
        "leverage": str(leverage),
        "openFee": money(open_fee),
        "closeFee": money(close_fee),
        "createdTime": str(closings[0].fill.time_ms),
        "updatedTime": str(closings[-1].fill.time_ms),
    }


def execution_type(order: Order) -> str:
    return "BustTrade" if order.liquidation else "Trade"


def _create_type(order: Order) -> str:
    return "CreateByLiq" if order.liquidation else "CreateByUser"


def _price(order: Order) -> Decimal:
    """A market order shows the worst price it would have taken; one that the engine placed itself, what it got."""
    if order.limit_price is not None:
        return order.limit_price
    return Decimal(order.wire["worst_price"]) if "worst_price" in order.wire else order.average_price or ZERO


def _ending(order: Order) -> tuple[str, str]:
    """cancelType and rejectReason. The venue gives a reason for its own cancellations and for the user's."""
    if order.status is not Status.CANCELED:
        return "UNKNOWN", "EC_NoError"
    return _ENDINGS.get(order.cancel_reason, ("CancelByUser", "EC_PerCancelRequest"))


_ENDINGS = {
    "post_only": ("UNKNOWN", "EC_PostOnlyWillTakeLiquidity"),
    "ioc": ("UNKNOWN", "EC_NoImmediateQtyToFill"),
    "no_liquidity": ("UNKNOWN", "EC_NoImmediateQtyToFill"),
    "fok": ("UNKNOWN", "EC_CancelForNoFullFill"),
    "reduce_only": ("CancelByReduceOnly", "EC_NoError"),
    "liquidation": ("CancelByPrepareLiq", "EC_NoError"),
}
