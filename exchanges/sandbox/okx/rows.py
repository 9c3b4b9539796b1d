"""Orders, fills, bills and positions as the venue's rows. Pure: engine values in, JSON out. Fees are negative where they cost."""

from collections.abc import Sequence
from decimal import Decimal

from exchanges.sandbox.model import ZERO, Fill, Kind, Lifetime, Listing, Order, PositionView, Side, Status, Ticker
from exchanges.sandbox.okx.wire import bill_id, blank, contracts, order_id, plain, position_id, ratio

Row = dict[str, object]

STATES = {
    Status.NEW: "live",
    Status.PARTIALLY_FILLED: "partially_filled",
    Status.FILLED: "filled",
    Status.CANCELED: "canceled",
    Status.EXPIRED: "canceled",
}
_ORDER_TYPES = {Lifetime.GTC: "limit", Lifetime.POST_ONLY: "post_only", Lifetime.IOC: "ioc", Lifetime.FOK: "fok"}
# The venue's number and words for why an order ended unfilled, by the engine's reason.
_CANCEL_SOURCES = {
    "user": ("1", "Order canceled by user"),
    "fok": ("13", "Order canceled: FOK order was canceled due to incompletely filled."),
    "ioc": ("14", "Order canceled: IOC order was partially canceled due to incompletely filled."),
    "reduce_only": ("17", "Order canceled: Close order was canceled, due to the position was already closed at market price."),
    "post_only": ("31", "The post-only order will take liquidity in taker orders"),
}
_BY_SYSTEM = ("0", "Order canceled by system")
_UNUSED_ORDER_FIELDS = blank(
    "algoClOrdId algoId attachAlgoClOrdId ccy pxType pxUsd pxVol quickMgnType slOrdPx slTriggerPx slTriggerPxType source stpId tgtCcy "
    "tpOrdPx tpTriggerPx tpTriggerPxType tradeQuoteCcy"
)
_UNUSED_FILL_FIELDS = blank("fillPxVol fillPxUsd fillFwdPx fillMarkVol fillIdxPx fillMarkPx tradeQuoteCcy")
_UNUSED_BILL_FIELDS = blank("earnAmt earnApr fillFwdPx fillIdxPx fillMarkPx fillMarkVol fillPxUsd fillPxVol from notes to")
_UNUSED_POSITION_FIELDS = blank(
    "availPos baseBal baseBorrowed baseInterest bizRefId bizRefType clSpotInUseAmt deltaBS deltaPA gammaBS gammaPA interest liab liabCcy "
    "margin maxSpotInUseAmt nonSettleAvgPx optVal pendingCloseOrdLiabVal posCcy quoteBal quoteBorrowed quoteInterest settledPnl "
    "spotInUseAmt spotInUseCcy thetaBS thetaPA usdPx vegaBS vegaPA"
)


def order_type(order: Order) -> str:
    return "market" if order.kind is Kind.MARKET else _ORDER_TYPES[order.lifetime]


def order_row(listing: Listing, order: Order, fills: Sequence[Fill], leverage: int) -> Row:
    """`fills` are the order's own, newest first."""
    last = fills[0] if fills else None
    source, reason = _CANCEL_SOURCES.get(order.cancel_reason, _BY_SYSTEM) if STATES[order.status] == "canceled" else ("", "")
    return {
        **_UNUSED_ORDER_FIELDS,
        "accFillSz": contracts(listing, order.filled),
        "attachAlgoOrds": [],
        "avgPx": "" if order.average_price is None else ratio(order.average_price),
        "cTime": str(order.created_ms),
        "cancelSource": source,
        "cancelSourceReason": reason,
        "category": "normal",
        "clOrdId": order.client_id,
        "fee": plain(-order.fees),
        "feeCcy": "USDT",
        "fillPx": plain(last.price) if last else "",
        "fillSz": contracts(listing, last.quantity) if last else "0",
        "fillTime": str(last.time_ms) if last else "",
        "instId": listing.venue_symbol,
        "instType": "SWAP",
        "isTpLimit": "false",
        "lever": order.wire.get("lever") or str(leverage),
        "linkedAlgoOrd": {"algoId": ""},
        "ordId": order_id(order.id),
        "ordType": order_type(order),
        "pnl": plain(order.realized_pnl),
        "posSide": "net",
        "px": "" if order.limit_price is None else plain(order.limit_price),
        "rebate": "0",
        "rebateCcy": "USDT",
        "reduceOnly": "true" if order.reduce_only else "false",
        "side": order.side.value,
        "state": STATES[order.status],
        "stpMode": "cancel_maker",
        "sz": contracts(listing, order.quantity),
        "tag": order.wire.get("tag", ""),
        "tdMode": "cross",
        "tradeId": str(last.id) if last else "",
        "uTime": str(order.updated_ms),
    }


def fill_row(listing: Listing, fill: Fill, tag: str) -> Row:
    value = fill.price * fill.quantity
    return {
        **_UNUSED_FILL_FIELDS,
        "billId": bill_id(fill.id),
        "clOrdId": fill.client_id,
        "execType": "M" if fill.is_maker else "T",
        "fee": plain(-fill.fee),
        "feeCcy": "USDT",
        "feeRate": ratio(-fill.fee / value),
        "fillPnl": plain(fill.realized_pnl),
        "fillPx": plain(fill.price),
        "fillSz": contracts(listing, fill.quantity),
        "fillTime": str(fill.time_ms),
        "instId": listing.venue_symbol,
        "instType": "SWAP",
        "ordId": order_id(fill.order_id),
        "posSide": "net",
        "side": fill.side.value,
        "subType": _sub_type(fill),
        "tag": tag,
        "tradeId": str(fill.id),
        "ts": str(fill.time_ms),
    }


def bill_row(listing: Listing, fill: Fill, balance: Decimal, tag: str) -> Row:
    """The change of cash that a fill brought; `balance` is the cash after it."""
    return {
        **_UNUSED_BILL_FIELDS,
        "bal": plain(balance),
        "balChg": plain(fill.realized_pnl - fill.fee),
        "billId": bill_id(fill.id),
        "ccy": "USDT",
        "clOrdId": fill.client_id,
        "execType": "M" if fill.is_maker else "T",
        "fee": plain(-fill.fee),
        "fillTime": str(fill.time_ms),
        "instId": listing.venue_symbol,
        "instType": "SWAP",
        "interest": "0",
        "mgnMode": "cross",
        "ordId": order_id(fill.order_id),
        "pnl": plain(fill.realized_pnl),
        "posBal": "0",
        "posBalChg": "0",
        "px": plain(fill.price),
        "subType": _sub_type(fill),
        "sz": contracts(listing, fill.quantity),
        "tag": tag,
        "tradeId": str(fill.id),
        "ts": str(fill.time_ms),
        "type": "2",
    }


def position_row(listing: Listing, code: int, view: PositionView, quote: Ticker, fills: Sequence[Fill], margin_ratio: str) -> Row:
    """`code` is the instrument's number, `fills` those since the position was opened (newest first), `margin_ratio` the account's."""
    position = view.position
    fees = sum((fill.fee for fill in fills), ZERO)
    at_last = (quote.last - position.entry_price) * position.quantity
    entry_margin = position.entry_price * abs(position.quantity) / view.leverage
    return {
        **_UNUSED_POSITION_FIELDS,
        "adl": "1",
        "avgPx": ratio(position.entry_price),
        "bePx": ratio(_break_even(listing, position.entry_price, is_long=position.quantity > 0)),
        "cTime": str(position.opened_ms),
        "ccy": "USDT",
        "closeOrderAlgo": [],
        "fee": plain(-fees),
        "fundingFee": "0",
        "idxPx": plain(quote.index),
        "imr": ratio(view.initial_margin),
        "instId": listing.venue_symbol,
        "instType": "SWAP",
        "last": plain(quote.last),
        "lever": str(view.leverage),
        "liqPenalty": "0",
        "liqPx": "" if view.liquidation_price is None else ratio(view.liquidation_price),
        "markPx": plain(view.mark),
        "mgnMode": "cross",
        "mgnRatio": margin_ratio,
        "mmr": ratio(view.maintenance_margin),
        "notionalUsd": ratio(view.notional),
        "pTime": str(quote.time_ms),
        "pnl": plain(position.realized_pnl + fees),
        "pos": contracts(listing, position.quantity),
        "posId": position_id(code),
        "posSide": "net",
        "realizedPnl": plain(position.realized_pnl),
        "tradeId": str(fills[0].id) if fills else "",
        "uTime": str(position.updated_ms),
        "upl": ratio(view.unrealized_pnl),
        "uplLastPx": ratio(at_last),
        "uplRatio": ratio(view.unrealized_pnl / entry_margin),
        "uplRatioLastPx": ratio(at_last / entry_margin),
    }


def _break_even(listing: Listing, entry_price: Decimal, *, is_long: bool) -> Decimal:
    """Where closing by taker pays the fees of both ways."""
    fee = listing.taker_fee
    return entry_price * (1 + fee) / (1 - fee) if is_long else entry_price * (1 - fee) / (1 + fee)


def _sub_type(fill: Fill) -> str:
    return "1" if fill.side is Side.BUY else "2"
