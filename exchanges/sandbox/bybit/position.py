"""Positions and what closing them earned."""

from itertools import groupby

from exchanges.sandbox.bybit import history, legs, rows, wire
from exchanges.sandbox.bybit.errors import VenueError, unsupported_order
from exchanges.sandbox.bybit.paging import by_name, newest_first
from exchanges.sandbox.bybit.serving import Call, Reply
from exchanges.sandbox.bybit.wire_order import from_closing
from exchanges.sandbox.model import Venue
from exchanges.sandbox.views import PositionView


def positions(call: Call) -> Reply:
    """By symbol: its row, or the two of hedge mode, with or without a position. By settle coin: open positions only, page by page."""
    category, params = call.category(), call.params
    symbol, settle = params.text("symbol"), params.text("settleCoin")
    limit = params.limit(default=20, most=200)
    if category != "linear":
        return Reply({"list": [], "nextPageCursor": "", "category": category})
    if not symbol and not settle:
        raise VenueError(10001, "params error: Missing some parameters that must be filled in, symbol or settleCoin")
    if symbol:
        listing = call.engine.listing_by_venue_symbol(Venue.BYBIT, symbol)
        return Reply({"list": rows.of_symbol(call, listing), "nextPageCursor": "", "category": category})
    views = sorted(call.engine.view(call.account).positions, key=_name) if settle == wire.QUOTE else []
    page, cursor = by_name(views, params, limit=limit, name=_name, is_endless=True)
    return Reply({"list": rows.opened(call, page), "nextPageCursor": cursor, "category": category})


def closed_pnl(call: Call) -> Reply:
    """One row per order that reduced a position, newest first."""
    category, params, engine = call.category(), call.params, call.engine
    window = history.time_window(call)
    limit = params.limit(default=50, most=100)
    symbol = engine.listing_by_venue_symbol(Venue.BYBIT, params.text("symbol")).symbol if params.text("symbol") else ""
    closing = [effect for effect in history.past_of(call).effects.values() if effect.closed and symbol in ("", effect.fill.symbol)]
    closing.sort(key=lambda effect: (effect.fill.order_id, effect.fill.id))
    found: list[tuple[int, rows.Row]] = []
    for order_id, group in groupby(closing, key=lambda effect: effect.fill.order_id):
        effects = list(group)
        order = engine.order(call.account, order_id=order_id)
        if category == "linear" and order is not None and effects[-1].fill.time_ms in window:
            listing = engine.listing(Venue.BYBIT, order.symbol)
            leverage = engine.leverage(call.account, order.symbol, order.margin_mode, order.leg)
            found.append((effects[-1].fill.id, from_closing(order, effects, listing, leverage=leverage)))
    found.sort(key=lambda row: row[0], reverse=True)
    page, cursor = newest_first(found, params, limit=limit, number=lambda row: row[0])
    return Reply({"category": category, "nextPageCursor": cursor, "list": [row for _, row in page]})


def trading_stop(call: Call) -> Reply:
    """Take-profit, stop-loss and trailing stops of a position: refused, first for want of a position, then for themselves."""
    listing = rows.linear_listing(call)
    if not history.held(call, legs.chosen(call.account, listing.symbol, call.params)):
        raise VenueError(10001, "can not set tp/sl/ts for zero position")
    raise unsupported_order()


def _name(view: PositionView) -> str:
    """In the order of the list; one per position."""
    return f"{view.position.symbol}/{legs.INDEX[view.position.leg]}"
