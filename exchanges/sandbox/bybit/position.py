"""Positions, what closing them earned, and their settings. One-way mode and cross margin; requests for anything else are refused."""

from itertools import groupby

from exchanges.sandbox.bybit import history, wire, wire_account
from exchanges.sandbox.bybit.errors import VenueError, bad_parameter, unsupported_order
from exchanges.sandbox.bybit.paging import by_name, newest_first
from exchanges.sandbox.bybit.serving import Call, Reply
from exchanges.sandbox.bybit.wire_order import from_closing
from exchanges.sandbox.model import ZERO, Listing, PositionView, Reason, Refused, Venue

_ONE_WAY, _HEDGE = 0, 3


def positions(call: Call) -> Reply:
    """By symbol: its row, with or without a position. By settle coin: open positions only, page by page."""
    category, params = call.category(), call.params
    symbol, settle = params.text("symbol"), params.text("settleCoin")
    limit = params.limit(default=20, most=200)
    if category != "linear":
        return Reply({"list": [], "nextPageCursor": "", "category": category})
    if not symbol and not settle:
        raise VenueError(10001, "params error: Missing some parameters that must be filled in, symbol or settleCoin")
    views = {view.position.symbol: view for view in call.engine.view(call.account).positions}
    if symbol:
        listing = call.engine.listing_by_venue_symbol(Venue.BYBIT, symbol)
        return Reply({"list": [_row(call, listing, views.get(listing.symbol))], "nextPageCursor": "", "category": category})
    opened = sorted(views.values(), key=lambda view: view.position.symbol) if settle == wire.QUOTE else []
    page, cursor = by_name(opened, params, limit=limit, name=lambda view: view.position.symbol, is_endless=True)
    rows = [_row(call, call.engine.listing(Venue.BYBIT, view.position.symbol), view) for view in page]
    return Reply({"list": rows, "nextPageCursor": cursor, "category": category})


def closed_pnl(call: Call) -> Reply:
    """One row per order that reduced a position, newest first."""
    category, params, engine = call.category(), call.params, call.engine
    window = history.time_window(call)
    limit = params.limit(default=50, most=100)
    symbol = engine.listing_by_venue_symbol(Venue.BYBIT, params.text("symbol")).symbol if params.text("symbol") else ""
    closing = [effect for effect in history.effects_newest_first(call) if effect.closed and symbol in ("", effect.fill.symbol)]
    closing.sort(key=lambda effect: (effect.fill.order_id, effect.fill.id))
    rows: list[tuple[int, dict[str, object]]] = []
    for order_id, group in groupby(closing, key=lambda effect: effect.fill.order_id):
        effects = list(group)
        order = engine.order(call.account, order_id=order_id)
        if category == "linear" and order is not None and effects[-1].fill.time_ms in window:
            listing = engine.listing(Venue.BYBIT, order.symbol)
            leverage = engine.leverage(call.account, order.symbol)
            rows.append((effects[-1].fill.id, from_closing(order, effects, listing, leverage=leverage)))
    rows.sort(key=lambda row: row[0], reverse=True)
    page, cursor = newest_first(rows, params, limit=limit, number=lambda row: row[0])
    return Reply({"category": category, "nextPageCursor": cursor, "list": [row for _, row in page]})


def set_leverage(call: Call) -> Reply:
    listing = _linear_listing(call)
    buy, sell = (call.params.decimal(name, bad_parameter(name)) for name in ("buyLeverage", "sellLeverage"))
    if buy is None or sell is None:
        raise bad_parameter("buyLeverage" if buy is None else "sellLeverage")
    if buy != sell:
        raise VenueError(10001, "buy leverage must equal sell leverage under cross margin")
    if buy != int(buy) or buy < 1:
        raise VenueError(10001, "leverage invalid")
    if buy > listing.max_leverage:
        raise VenueError(110013, f"cannot set leverage [{wire.plain(buy)}] gt maxLeverage [{listing.max_leverage}] by risk limit")
    if int(buy) == call.engine.leverage(call.account, listing.symbol):
        raise VenueError(110043, "leverage not modified")
    try:
        call.engine.set_leverage(call.account, listing.symbol, int(buy))
    except Refused as refused:
        if refused.reason is Reason.INSUFFICIENT_MARGIN:
            raise VenueError(110044, "Available margin is insufficient.") from refused
        raise
    return Reply({})


def switch_mode(call: Call) -> Reply:
    """One-way is what the account has: to ask for it again is refused for a symbol and accepted for a coin, whose symbols are switched
    where they have to be (clients ask so at every start). What forbids the other mode is said in the venue's order: position, orders,
    symbol."""
    if not call.is_listed():
        raise bad_parameter("category")
    symbol, coin = call.params.text("symbol"), call.params.text("coin")
    if not symbol and not coin:
        raise bad_parameter("symbol")
    wanted = call.engine.listing_by_venue_symbol(Venue.BYBIT, symbol).symbol if symbol else None
    mode = call.params.integer("mode")
    if mode == _ONE_WAY and wanted is None:
        return Reply({})
    if mode == _ONE_WAY:
        raise VenueError(110025, "Position mode is not modified")
    if mode != _HEDGE:
        raise bad_parameter("mode")
    account = call.account
    if account.positions and wanted in (None, *account.positions):
        raise VenueError(110024, "You have an existing position, so the position mode cannot be switched.")
    if call.engine.open_orders(account, wanted):
        raise VenueError(110028, "You have existing open orders, so the position mode cannot be switched.")
    raise VenueError(110029, "Hedge mode is not supported for this symbol.")


def switch_isolated(call: Call) -> Reply:
    call.category()
    raise VenueError(100028, "unified account is forbidden")


def trading_stop(call: Call) -> Reply:
    """Take-profit, stop-loss and trailing stops of a position: refused, first for want of a position, then for themselves."""
    listing = _linear_listing(call)
    if call.params.integer("positionIdx") not in (None, 0):
        raise VenueError(10001, "position idx not match position mode")
    if not history.held(call, listing.symbol):
        raise VenueError(10001, "can not set tp/sl/ts for zero position")
    raise unsupported_order()


def _row(call: Call, listing: Listing, view: PositionView | None) -> dict[str, object]:
    account, engine = call.account, call.engine
    fills = engine.fills(account, listing.symbol)
    all_time_pnl = sum((fill.realized_pnl - fill.fee for fill in fills), ZERO)
    sequence = fills[0].id if fills else -1
    if view is not None:
        return wire_account.from_position(view, listing, all_time_pnl=all_time_pnl, sequence=sequence)
    leverage = engine.leverage(account, listing.symbol)
    mark = engine.mark(Venue.BYBIT, listing.symbol)
    return wire_account.flat_position(listing, leverage=leverage, mark=mark, all_time_pnl=all_time_pnl, sequence=sequence)


def _linear_listing(call: Call) -> Listing:
    if not call.is_listed():
        raise bad_parameter("category")
    return call.engine.listing_by_venue_symbol(Venue.BYBIT, call.params.required("symbol"))
