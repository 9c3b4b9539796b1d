"""Lists of orders and executions: the open ones with the latest closed, the history, the fills. Newest first, page by page."""

from collections.abc import Iterable
from decimal import Decimal

from exchanges.sandbox.bybit import history, ids, wire
from exchanges.sandbox.bybit.errors import VenueError, bad_parameter
from exchanges.sandbox.bybit.paging import newest_first
from exchanges.sandbox.bybit.serving import Call, Reply
from exchanges.sandbox.bybit.wire_order import STATUSES, from_fill, from_order
from exchanges.sandbox.model import Order, Venue

RECENT_CLOSED = 500

_FILTERS = ("", "Order", "StopOrder", "tpslOrder", "OcoOrder", "BidirectionalTpslOrder")
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
    category, params, engine = call.category(), call.params, call.engine
    window = history.time_window(call)
    limit = params.limit(default=50, most=100)
    orders = {order.id: order for order in _wanted(call, engine.order_history(call.account))}
    by_id = bool(params.text("orderId") or params.text("orderLinkId"))
    trades_only = params.text("execType", "Trade") == "Trade"
    found = [
        effect
        for effect in history.effects_newest_first(call)
        if trades_only and effect.fill.order_id in orders and (by_id or effect.fill.time_ms in window)
    ]
    page, cursor = newest_first(found, params, limit=limit, number=lambda effect: effect.fill.id)
    rows = []
    for effect in page:
        order, listing = orders[effect.fill.order_id], engine.listing(Venue.BYBIT, effect.fill.symbol)
        mark = engine.mark(Venue.BYBIT, listing.symbol, effect.fill.time_ms)
        rows.append(from_fill(effect, order, listing, mark=mark, leaves=_left_behind(call, order, effect.fill.id)))
    return Reply({"nextPageCursor": cursor, "category": category, "list": rows})


def _wanted(call: Call, orders: Iterable[Order]) -> list[Order]:
    """The first of orderId, orderLinkId, symbol, baseCoin and settleCoin that is given decides, as the venue documents."""
    params, engine = call.params, call.engine
    if params.choice("orderFilter", _FILTERS) not in _PLAIN_FILTERS or not call.is_listed():
        return []
    if order_id := params.text("orderId"):
        number = ids.order_number(order_id)
        return [order for order in orders if order.id == number]
    if link_id := params.text("orderLinkId"):
        return [order for order in orders if order.client_id == link_id]
    if symbol := params.text("symbol"):
        wanted = engine.listing_by_venue_symbol(Venue.BYBIT, symbol).symbol
        return [order for order in orders if order.symbol == wanted]
    if base := params.text("baseCoin"):
        return [order for order in orders if engine.listing(Venue.BYBIT, order.symbol).base == base]
    return list(orders) if params.text("settleCoin", wire.QUOTE) == wire.QUOTE else []


def _order_page(call: Call, orders: list[Order]) -> Reply:
    limit = call.params.limit(default=20, most=50)
    page, cursor = newest_first(orders, call.params, limit=limit, number=lambda order: order.id)
    rows = [from_order(order, call.engine.listing(Venue.BYBIT, order.symbol)) for order in page]
    return Reply({"list": rows, "nextPageCursor": cursor, "category": call.category()})


def _left_behind(call: Call, order: Order, fill_id: int) -> Decimal:
    """What the order had left after one of its fills."""
    filled = [fill.quantity for fill in call.engine.fills(call.account, order.symbol, order.id) if fill.id <= fill_id]
    return order.quantity - sum(filled, Decimal(0))
