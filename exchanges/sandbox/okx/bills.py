"""The account's bills as rows: `bal` and `balChg` are its cash, `posBal` and `posBalChg` the margin of an isolated position. What goes into
that margin leaves the cash; a fill is one bill with its PnL, its fee and the margin that it moved.

Types and sub types: docs-v5, "Get bills details" (read November 2026). The signs of a move of margin are those of a recorded bill (in
ccxt's parse_margin_modification).
"""

from collections.abc import Callable

from exchanges.sandbox.model import ZERO, EntryKind, Fill, Listing, MarginMode, Venue
from exchanges.sandbox.okx.endpoint import PrivateCall, PrivateHandler, Row
from exchanges.sandbox.okx.history import page, tags_of_orders
from exchanges.sandbox.okx.instruments import SWAP, TYPES, selected
from exchanges.sandbox.okx.liquidations import liquidations
from exchanges.sandbox.okx.modes import MARGIN_MODES
from exchanges.sandbox.okx.rows import exec_type, sub_type, trade_id
from exchanges.sandbox.okx.statement import Bill, statement
from exchanges.sandbox.okx.wire import blank, contracts, order_id, plain
from exchanges.sandbox.path import DAY_MS

RECENT_KEPT_MS = 7 * DAY_MS
ARCHIVE_KEPT_MS = 90 * DAY_MS
_TRADE, _LIQUIDATION, _FUNDING = "2", "5", "8"
_TYPES = {
    EntryKind.DEPOSIT: ("1", "11"),
    EntryKind.REALIZED: (_TRADE, "1"),  # only where an old ledger sums up fills that it forgot
    EntryKind.MARGIN_IN: ("6", "160"),
    EntryKind.MARGIN_OUT: ("6", "161"),
    EntryKind.INSURANCE: ("10", "108"),
}
_PNL = (EntryKind.REALIZED, EntryKind.LIQUIDATION_FEE, EntryKind.FUNDING)
_FUNDING_ACCOUNT, _TRADING_ACCOUNT = "6", "18"
_UNUSED = blank(
    "clOrdId earnAmt earnApr execType fillFwdPx fillIdxPx fillMarkPx fillMarkVol fillPxUsd fillPxVol from notes ordId px tag to"
)


def bills(kept_ms: int) -> PrivateHandler:
    """Those of the last `kept_ms`, newest first."""

    def answer(call: PrivateCall) -> list[Row]:
        is_wanted, oldest_ms = _filter(call), call.engine.now_ms() - kept_ms
        forced, tags = liquidations(call), tags_of_orders(call)
        told = [(bill, _row(call, bill, forced, tags)) for bill in statement(call) if bill.time_ms >= oldest_ms]
        found = [each for each in told if is_wanted(each[1])]
        return [row for _, row in page(call, found, lambda each: each[0].number, lambda each: each[0].time_ms)]

    return answer


def _filter(call: PrivateCall) -> Callable[[Row], bool]:
    parameters = call.parameters
    kind, mode = parameters.choice("instType", (*TYPES, ""), default=""), parameters.choice("mgnMode", (*MARGIN_MODES, ""), default="")
    contract_type = parameters.choice("ctType", ("linear", "inverse", ""), default="")
    instruments = {listing.venue_symbol for listing in selected(call, type_required=False)} if parameters.text("instId") else None
    asked = {"instType": kind, "mgnMode": mode, **{name: parameters.text(name) for name in ("ccy", "type", "subType")}}

    def is_wanted(row: Row) -> bool:
        if contract_type == "inverse" or (contract_type and row["instType"] != SWAP):
            return False
        return (instruments is None or row["instId"] in instruments) and all(not text or row[name] == text for name, text in asked.items())

    return is_wanted


def _row(call: PrivateCall, bill: Bill, forced: frozenset[int], tags: dict[int, str]) -> Row:
    is_isolated = bill.key.margin_mode is MarginMode.ISOLATED
    return {
        **_UNUSED,
        "bal": plain(bill.cash),
        "balChg": plain(bill.amount() - bill.moved),
        "billId": str(bill.number),
        "ccy": "USDT",
        "fee": plain(bill.amount(EntryKind.FEE)),
        "fillTime": str(bill.time_ms),
        "instId": "",
        "instType": "",
        "interest": "0",
        "mgnMode": bill.key.margin_mode.value if bill.key.symbol else "",
        "pnl": plain(bill.amount(*_PNL)),
        "posBal": plain(bill.margin if is_isolated else ZERO),
        "posBalChg": plain(bill.moved),
        "tradeId": "0",
        "ts": str(bill.time_ms),
        **_occasion(call, bill, forced, tags),
    }


def _occasion(call: PrivateCall, bill: Bill, forced: frozenset[int], tags: dict[int, str]) -> Row:
    """What kind of bill it is and what it refers to."""
    if not bill.key.symbol:
        kind, sub_kind = _TYPES[bill.kind]
        return {"from": _FUNDING_ACCOUNT, "sz": plain(bill.amount()), "to": _TRADING_ACCOUNT, "type": kind, "subType": sub_kind}
    listing = call.engine.listing(Venue.OKX, bill.key.symbol)
    instrument: Row = {"instId": listing.venue_symbol, "instType": SWAP}
    if bill.fill:
        return instrument | _of_fill(bill.fill, listing, tags, forced=bill.fill.order_id in forced)
    if bill.kind is EntryKind.FUNDING:
        return instrument | _of_funding(call, bill, listing)
    kind, sub_kind = _TYPES[bill.kind]
    return instrument | {"sz": plain(abs(bill.moved or bill.amount())), "type": kind, "subType": sub_kind}


def _of_fill(fill: Fill, listing: Listing, tags: dict[int, str], *, forced: bool) -> Row:
    return {
        "clOrdId": fill.client_id,
        "execType": exec_type(fill, forced=forced),
        "ordId": order_id(fill.order_id),
        "px": plain(fill.price),
        "subType": sub_type(fill, forced=forced),
        "sz": contracts(listing, fill.quantity),
        "tag": tags.get(fill.order_id, ""),
        "tradeId": trade_id(fill, forced=forced),
        "type": _LIQUIDATION if forced else _TRADE,
    }


def _of_funding(call: PrivateCall, bill: Bill, listing: Listing) -> Row:
    """At the mark of the moment, for what was held then."""
    return {
        "px": plain(call.engine.mark(Venue.OKX, listing.symbol, bill.time_ms)),
        "subType": "174" if bill.amount() > 0 else "173",
        "sz": contracts(listing, abs(bill.held)),
        "type": _FUNDING,
    }
