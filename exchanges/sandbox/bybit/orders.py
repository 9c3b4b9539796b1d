"""Lists of orders and executions: the open ones with the latest closed, the history, the fills. Newest first, page by page."""

from collections.abc import Iterable
from decimal import Decimal

from exchanges.sandbox.bybit import history, ids, wire
from exchanges.sandbox.bybit.closing import Effect
from exchanges.sandbox.bybit.errors import VenueError, bad_parameter
from exchanges.sandbox.bybit.paging import newest_first
from exchanges.sandbox.bybit.serving import Call, Reply
from exchanges.sandbox.bybit.statement import payment_of
from exchanges.sandbox.bybit.wire_order import STATUSES, execution_type, from_fill, from_order
from exchanges.sandbox.bybit.wire_statement import from_funding
from exchanges.sandbox.model import ZERO, Entry, EntryKind, Order, Venue

RECENT_CLOSED = 500

_FILTERS = ("", "Order", "StopOrder", "tpslOrder", "OcoOrder", "BidirectionalTpslOrder")
_EXECUTION_TYPES = (
    "Trade",
    "Funding",
    "BustTrade",
    "AdlTrade",
    "Delivery",
    "Settle",
    "BlockTrade",
    "MovePosition",
    "FutureSpread",
    "CorporateAction",
)
_PLAIN_FILTERS = ("", "Order")  # the other kinds exist on this venue only as empty lists


def realtime(call: Call) -> Reply:
    """Open orders; by id also any of the latest closed ones; with openOnly=1 the latest closed ones alone."""
    category, params = call.category(), call.params
    if category == "linear" and not any(params.text(name) for name in ("symbol", "baseCoin", "settleCoin")):
        raise VenueError(10001, "params error: Missing some parameters that must be filled in, symbol, baseCoin or settleCoin")
    open_only = params.integer("openOnly") or 0
    if open_only not in (0, 1, 2):
        raise bad_parameter("openOnly")
    orders = call.engine.order_history(call.account)
    closed = [order for order in orders if not order.status.is_open][:RECENT_CLOSED]
    opened = [order for order in orders if order.status.is_open]
    by_id = bool(params.text("orderId") or params.text("orderLinkId"))
    found = sorted(opened + closed, key=lambda order: order.id, reverse=True) if by_id else closed if open_only else opened
    return _order_page(call, _wanted(call, found))


def order_history(call: Call) -> Reply:
    """Closed orders of the last seven days, or of the range asked for; by id, whenever they were."""
    window = history.time_window(call)
    by_id = bool(call.params.text("orderId") or call.params.text("orderLinkId"))
    status = call.params.text("orderStatus")
    closed = [
        order
        for order in call.engine.order_history(call.account)
        if not order.status.is_open and (by_id or order.created_ms in window) and status in ("", STATUSES[order.status])
    ]
    return _order_page(call, _wanted(call, closed))


def executions(call: Call) -> Reply:
    """Fills, and funding among them, as the venue lists it; a liquidation's are of a type of their own."""
    category, params, engine = call.category(), call.params, call.engine
    window = history.time_window(call)
    limit = params.limit(default=50, most=100)
    kind = params.choice("execType", ("", *_EXECUTION_TYPES))
    by_id = bool(params.text("orderId") or params.text("orderLinkId"))
    orders = {order.id: order for order in _wanted(call, engine.order_history(call.account))}
    past = history.past_of(call)
    found: list[Effect | Entry] = [
        effect
        for effect in past.effects.values()
        if (order := orders.get(effect.fill.order_id)) and kind in ("", execution_type(order)) and (by_id or effect.fill.time_ms in window)
    ]
    if kind in ("", "Funding") and not by_id and call.is_listed():
        symbols, paid = _symbols(call), engine.statement(call.account, {EntryKind.FUNDING})
        found += [entry for entry in paid if entry.symbol in symbols and entry.time_ms in window]
    found.sort(key=_number, reverse=True)
    page, cursor = newest_first(found, params, limit=limit, number=_number)
    rows = [
        from_funding(payment_of(call, past, each)) if isinstance(each, Entry) else _execution(call, orders[each.fill.order_id], each)
        for each in page
    ]
    return Reply({"nextPageCursor": cursor, "category": category, "list": rows})


def _execution(call: Call, order: Order, effect: Effect) -> dict[str, object]:
    listing = call.engine.listing(Venue.BYBIT, effect.fill.symbol)
    mark = call.engine.mark(Venue.BYBIT, listing.symbol, effect.fill.time_ms)
    return from_fill(effect, order, listing, mark=mark, leaves=_left_behind(call, order, effect.fill.id))


def _number(each: Effect | Entry) -> int:
    return each.id if isinstance(each, Entry) else each.fill.id


def _wanted(call: Call, orders: Iterable[Order]) -> list[Order]:
    """The first of orderId, orderLinkId, symbol, baseCoin and settleCoin that is given decides, as the venue documents."""
    params = call.params
    if params.choice("orderFilter", _FILTERS) not in _PLAIN_FILTERS or not call.is_listed():
        return []
    if order_id := params.text("orderId"):
        number = ids.order_number(order_id)
        return [order for order in orders if order.id == number]
    if link_id := params.text("orderLinkId"):
        return [order for order in orders if order.client_id == link_id]
    symbols = _symbols(call)
    return [order for order in orders if order.symbol in symbols]


def _symbols(call: Call) -> set[str]:
    """Those of symbol, baseCoin or settleCoin, else all."""
    params, engine = call.params, call.engine
    if symbol := params.text("symbol"):
        return {engine.listing_by_venue_symbol(Venue.BYBIT, symbol).symbol}
    base = params.text("baseCoin")
    if not base and params.text("settleCoin", wire.QUOTE) != wire.QUOTE:
        return set()
    return {listing.symbol for listing in engine.listings(Venue.BYBIT) if base in ("", listing.base)}


def _order_page(call: Call, orders: list[Order]) -> Reply:
    limit = call.params.limit(default=20, most=50)
    page, cursor = newest_first(orders, call.params, limit=limit, number=lambda order: order.id)
    fees = history.liquidation_fees(call) if any(order.liquidation for order in page) else {}
    rows = [from_order(order, call.engine.listing(Venue.BYBIT, order.symbol), liquidation_fee=fees.get(order.id, ZERO)) for order in page]
    return Reply({"list": rows, "nextPageCursor": cursor, "category": call.category()})


def _left_behind(call: Call, order: Order, fill_id: int) -> Decimal:
    """What the order had left after one of its fills."""
    filled = [fill.quantity for fill in call.engine.fills(call.account, order.symbol, order.id) if fill.id <= fill_id]
    return order.quantity - sum(filled, ZERO)
