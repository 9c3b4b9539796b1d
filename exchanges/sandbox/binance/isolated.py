"""The wallets of isolated positions: what the user puts in and takes out, and the history of every change.

Sources: "Modify Isolated Position Margin" and "Get Position Margin Change History" (read November 2026). A change that a trade brought
is a TRADE, one that the user asked for a USER_ADJUST.
"""

from exchanges.sandbox.binance import errors
from exchanges.sandbox.binance.endpoint import Call, Json, Private
from exchanges.sandbox.binance.legs import check_leg, position_side, sent_leg
from exchanges.sandbox.binance.numbers import bare, money
from exchanges.sandbox.binance.periods import page, window
from exchanges.sandbox.model import Account, Entry, EntryKind, Listing, PositionKey, Reason, Refused

Row = dict[str, object]
_ADD, _REDUCE = 1, 2
_KINDS = {EntryKind.MARGIN_IN: _ADD, EntryKind.MARGIN_OUT: _REDUCE}
_MOST_DAYS = 30
_MOST_ROWS = 500
_REFUSALS: errors.Refusals = {
    Reason.INSUFFICIENT_MARGIN: (-4050, "Cross balance insufficient."),
    Reason.BELOW_MINIMUM: (-4055, "Amount must be positive."),
}


def change_margin(call: Call, account: Account) -> Json:
    listing = call.listing()
    call.params.required("amount")
    amount, kind = call.params.number("amount"), call.params.required_integer("type")
    if kind not in (_ADD, _REDUCE):
        raise errors.invalid_data("type")
    if amount is None or amount <= 0:
        raise errors.VenueError(*_REFUSALS[Reason.BELOW_MINIMUM])
    leg = sent_leg(call.params)
    check_leg(leg, account)
    key = PositionKey(listing.symbol, leg, call.engine.margin_mode(account, listing.symbol))
    try:
        call.engine.add_margin(account, key, amount if kind == _ADD else -amount)
    except Refused as refused:
        raise errors.from_refusal(refused, _REFUSALS) from refused
    return {"amount": bare(amount), "code": 200, "msg": "Successfully modify position margin.", "type": kind}


def margin_changes(call: Call, account: Account) -> Json:
    """Oldest first, of the last thirty days or of those asked for."""
    listing = call.listing()
    kind = call.params.integer("type")
    if kind not in (None, _ADD, _REDUCE):
        raise errors.invalid_data("type")
    limit = call.params.limit(default=_MOST_ROWS, most=_MOST_ROWS)
    start_ms, end_ms = window(call.params, now_ms=call.engine.now_ms(), days=_MOST_DAYS)
    kinds = [each for each, wanted in _KINDS.items() if kind in (None, wanted)]
    entries = call.engine.statement(account, kinds, listing.symbol, start_ms, end_ms)[::-1]
    return [_row(entry, listing) for entry in page(entries, limit, is_from_start=call.params.has("startTime"))]


def _row(entry: Entry, listing: Listing) -> Row:
    return {
        "symbol": listing.venue_symbol,
        "type": _KINDS[entry.kind],
        "deltaType": "TRADE" if entry.order_id else "USER_ADJUST",
        "amount": money(abs(entry.moved)),
        "asset": "USDT",
        "time": entry.time_ms,
        "positionSide": position_side(entry.leg),
        "clientTranId": "",
    }


ENDPOINTS = (
    Private("POST", "/fapi/v1/positionMargin", change_margin),
    Private("GET", "/fapi/v1/positionMargin/history", margin_changes),
)
