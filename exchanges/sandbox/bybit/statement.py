"""The transaction log: everything that changed the wallet, each with the balance behind it. Moves into and out of the wallets of isolated
positions change no cash, and are not in it."""

from collections.abc import Iterator

from exchanges.sandbox.bybit import history, wire
from exchanges.sandbox.bybit.account import user_id
from exchanges.sandbox.bybit.paging import newest_first
from exchanges.sandbox.bybit.serving import Call, Reply
from exchanges.sandbox.bybit.wire_statement import Payment, from_entries, of_fill, of_funding
from exchanges.sandbox.model import Entry, EntryKind, Venue

_OF_FILLS = frozenset({EntryKind.REALIZED, EntryKind.FEE, EntryKind.LIQUIDATION_FEE})
_ALONE = {EntryKind.DEPOSIT: "TRANSFER_IN", EntryKind.FUNDING: "SETTLEMENT", EntryKind.INSURANCE: "LIQUIDATION"}


def transaction_log(call: Call) -> Reply:
    """Newest first. What the venue puts in where a liquidation would leave less than nothing is a row of its own."""
    params = call.params
    window = history.time_window(call, days=1, most_days=7)
    limit = params.limit(default=20, most=50)
    is_ours = (
        params.text("accountType", "UNIFIED") == "UNIFIED"
        and params.text("category", "linear") == "linear"
        and params.text("currency", wire.QUOTE) == wire.QUOTE
        and not params.text("transSubType")
    )
    base, kind = params.text("baseCoin"), params.text("type")
    found = [
        (each, entries)
        for each, entries in (_lines(call, window) if is_ours else ())
        if kind in ("", each) and (not base or _base(call, entries[-1]) == base)
    ]
    page, cursor = newest_first(found, params, limit=limit, number=lambda line: line[1][-1].id)
    past, number = history.past_of(call), user_id(call)
    rows = [_row(call, past, from_entries(each, entries, user_id=number), entries[-1]) for each, entries in page]
    return Reply({"nextPageCursor": cursor, "list": rows})


def payment_of(call: Call, past: history.Past, entry: Entry) -> Payment:
    """A line of funding, with what it was paid for."""
    engine = call.engine
    listing = engine.listing(Venue.BYBIT, entry.symbol)
    rates = engine.funding_history(Venue.BYBIT, entry.symbol, entry.time_ms, entry.time_ms, 1)
    size, mark = past.size_before(history.key_of(entry), entry.id), engine.mark(Venue.BYBIT, entry.symbol, entry.time_ms)
    return Payment(entry, listing, size, mark, rates[0][1])


def _lines(call: Call, window: history.TimeWindow) -> Iterator[tuple[str, list[Entry]]]:
    """Newest first, with the venue's type: what one execution brought is one line, its entries oldest first."""
    lines: dict[int, list[Entry]] = {}
    for entry in call.engine.statement(call.account, start_ms=window.start_ms, end_ms=window.end_ms):
        if entry.kind in _OF_FILLS and entry.fill_id:
            lines.setdefault(entry.fill_id, []).insert(0, entry)
        elif entry.kind in _OF_FILLS or entry.kind in _ALONE:
            lines[entry.id] = [entry]
    for entries in sorted(lines.values(), key=lambda line: line[-1].id, reverse=True):
        yield _type(call, entries), entries


def _type(call: Call, entries: list[Entry]) -> str:
    last = entries[-1]
    if last.kind in _ALONE:
        return _ALONE[last.kind]
    order = call.engine.order(call.account, order_id=last.order_id)
    return "LIQUIDATION" if order is not None and order.liquidation else "TRADE"


def _row(call: Call, past: history.Past, row: dict[str, object], last: Entry) -> dict[str, object]:
    if last.kind is EntryKind.FUNDING:
        return of_funding(row, payment_of(call, past, last))
    effect = past.effects.get(last.fill_id) if last.kind in _OF_FILLS else None
    return row if effect is None else of_fill(row, effect, call.engine.listing(Venue.BYBIT, last.symbol))


def _base(call: Call, entry: Entry) -> str:
    return call.engine.listing(Venue.BYBIT, entry.symbol).base if entry.symbol else ""
