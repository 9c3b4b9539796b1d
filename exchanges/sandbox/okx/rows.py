"""Orders, fills and positions as the venue's rows. Pure: engine values in, JSON out. Fees are negative where they cost."""

from collections.abc import Sequence
from decimal import Decimal
from typing import NamedTuple

from exchanges.sandbox.model import Fill, Kind, Leg, Lifetime, Listing, MarginMode, Order, Side, Status
from exchanges.sandbox.okx.wire import bill_id, blank, contracts, order_id, plain, position_id, ratio
from exchanges.sandbox.views import PositionView, Ticker

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
    "liquidation": (
        "3",
        "Order canceled: Risk cancellation was triggered. Pending order was canceled due to insufficient maintenance margin ratio and "
        "forced-liquidation risk.",
    ),
    "reduce_only": ("17", "Order canceled: Close order was canceled, due to the position was already closed at market price."),
    "post_only": ("31", "The post-only order will take liquidity in taker orders"),
}
_BY_SYSTEM = ("0", "Order canceled by system")
_UNUSED_ORDER_FIELDS = blank(
    "algoClOrdId algoId attachAlgoClOrdId ccy pxType pxUsd pxVol quickMgnType slOrdPx slTriggerPx slTriggerPxType source stpId tgtCcy "
    "tpOrdPx tpTriggerPx tpTriggerPxType tradeQuoteCcy"
)
_UNUSED_FILL_FIELDS = blank("fillPxVol fillPxUsd fillFwdPx fillMarkVol fillIdxPx fillMarkPx tradeQuoteCcy")
_UNUSED_POSITION_FIELDS = blank(
    "availPos baseBal baseBorrowed baseInterest bizRefId bizRefType clSpotInUseAmt deltaBS deltaPA gammaBS gammaPA interest liab liabCcy "
    "maxSpotInUseAmt nonSettleAvgPx optVal pendingCloseOrdLiabVal posCcy quoteBal quoteBorrowed quoteInterest settledPnl "
    "spotInUseAmt spotInUseCcy thetaBS thetaPA usdPx vegaBS vegaPA"
)


def order_type(order: Order) -> str:
    return "market" if order.kind is Kind.MARKET else _ORDER_TYPES[order.lifetime]


_SUB_TYPES = {
    (Leg.NET, Side.BUY): "1",
    (Leg.NET, Side.SELL): "2",
    (Leg.LONG, Side.BUY): "3",
    (Leg.SHORT, Side.SELL): "4",
    (Leg.LONG, Side.SELL): "5",
    (Leg.SHORT, Side.BUY): "6",
}
_FORCED_SUB_TYPES = {(Leg.LONG, Side.SELL): "104", (Leg.SHORT, Side.BUY): "105", (Leg.NET, Side.BUY): "106", (Leg.NET, Side.SELL): "107"}


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
        "category": "full_liquidation" if order.liquidation else "normal",
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
        "posSide": order.leg.value,
        "px": "" if order.limit_price is None else plain(order.limit_price),
        "rebate": "0",
        "rebateCcy": "USDT",
        "reduceOnly": "true" if order.reduce_only else "false",
        "side": order.side.value,
        "state": STATES[order.status],
        "stpMode": "cancel_maker",
        "sz": contracts(listing, order.quantity),
        "tag": order.wire.get("tag", ""),
        "tdMode": order.margin_mode.value,
        "tradeId": ("0" if order.liquidation else str(last.id)) if last else "",
        "uTime": str(order.updated_ms),
    }


def fill_row(listing: Listing, fill: Fill, tag: str, *, forced: bool) -> Row:
    """`forced`: by a liquidation."""
    value = fill.price * fill.quantity
    return {
        **_UNUSED_FILL_FIELDS,
        "billId": bill_id(fill.id),
        "clOrdId": fill.client_id,
        "execType": exec_type(fill, forced=forced),
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
        "posSide": fill.leg.value,
        "side": fill.side.value,
        "subType": sub_type(fill, forced=forced),
        "tag": tag,
        "tradeId": trade_id(fill, forced=forced),
        "ts": str(fill.time_ms),
    }


def exec_type(fill: Fill, *, forced: bool) -> str:
    return "" if forced else "M" if fill.is_maker else "T"


def sub_type(fill: Fill, *, forced: bool) -> str:
    return (_FORCED_SUB_TYPES if forced else _SUB_TYPES)[fill.leg, fill.side]


def trade_id(fill: Fill, *, forced: bool) -> str:
    """Negative for a liquidation, to tell it from what was matched in the book."""
    return str(-fill.id if forced else fill.id)


class Held(NamedTuple):
    """A position with its newest fill (None where that is forgotten), the fees since it was opened (positive = cost) and the ratio of
    equity to maintenance margin that all cross positions share."""

    view: PositionView
    last_fill: Fill | None
    fees: Decimal
    cross_ratio: str


def position_row(listing: Listing, code: int, held: Held, quote: Ticker) -> Row:
    """`code` is the instrument's number. Legs have a positive size, net positions a signed one."""
    view, position, fees = held.view, held.view.position, held.fees
    at_last = (quote.last - position.entry_price) * position.quantity
    entry_margin = position.entry_price * abs(position.quantity) / view.leverage
    return {
        **_UNUSED_POSITION_FIELDS,
        **_margins(held),
        "adl": "1",
        "avgPx": ratio(position.entry_price),
        "bePx": ratio(_break_even(listing, position.entry_price, is_long=position.quantity > 0)),
        "cTime": str(position.opened_ms),
        "ccy": "USDT",
        "closeOrderAlgo": [],
        "fee": plain(-fees),
        "fundingFee": plain(position.funding),
        "idxPx": plain(quote.index),
        "instId": listing.venue_symbol,
        "instType": "SWAP",
        "last": plain(quote.last),
        "lever": str(view.leverage),
        "liqPenalty": "0",  # a liquidation here closes the whole position
        "liqPx": "" if view.liquidation_price is None else ratio(view.liquidation_price),
        "markPx": plain(view.mark),
        "mgnMode": position.margin_mode.value,
        "mmr": ratio(view.maintenance_margin),
        "notionalUsd": ratio(view.notional),
        "pTime": str(quote.time_ms),
        "pnl": plain(position.realized_pnl + fees),
        "pos": contracts(listing, position.quantity if position.leg is Leg.NET else abs(position.quantity)),
        "posId": position_id(code, position.key),
        "posSide": position.leg.value,
        "realizedPnl": plain(position.realized_pnl + position.funding),
        "tradeId": str(held.last_fill.id) if held.last_fill else "",
        "uTime": str(position.updated_ms),
        "upl": ratio(view.unrealized_pnl),
        "uplLastPx": ratio(at_last),
        "uplRatio": ratio(view.unrealized_pnl / entry_margin),
        "uplRatioLastPx": ratio(at_last / entry_margin),
    }


def margin_ratio(equity: Decimal, maintenance: Decimal) -> str:
    """Liquidation at 1; empty without a position."""
    return ratio(equity / maintenance) if maintenance else ""


def _margins(held: Held) -> Row:
    """`imr` is told of cross positions only, `margin` of isolated ones only."""
    view, position = held.view, held.view.position
    if position.margin_mode is MarginMode.CROSS:
        return {"imr": ratio(view.initial_margin), "margin": "", "mgnRatio": held.cross_ratio}
    own_ratio = margin_ratio(position.margin + view.unrealized_pnl, view.maintenance_margin)
    return {"imr": "", "margin": plain(position.margin), "mgnRatio": own_ratio}


def _break_even(listing: Listing, entry_price: Decimal, *, is_long: bool) -> Decimal:
    """Where closing by taker pays the fees of both ways."""
    fee = listing.taker_fee
    return entry_price * (1 + fee) / (1 - fee) if is_long else entry_price * (1 - fee) / (1 + fee)
