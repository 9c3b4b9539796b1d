"""What happened on an account: past orders, those that the venue made itself, and fills. Oldest first."""

from exchanges.sandbox.binance import errors
from exchanges.sandbox.binance.endpoint import VENUE, Call, Json, Private
from exchanges.sandbox.binance.legs import position_side
from exchanges.sandbox.binance.numbers import average_places, fixed, money, price, quantity
from exchanges.sandbox.binance.orders import queried
from exchanges.sandbox.binance.periods import asked_range, page, window
from exchanges.sandbox.model import Account, Fill, Listing, Order, Side, Status

Row = dict[str, object]
_DAY_MS = 86_400_000
_WINDOW_DAYS = 7
_UNFILLED_KEPT_MS = 3 * _DAY_MS
_ORDERS_KEPT_MS = 90 * _DAY_MS
_LIQUIDATION, _DELEVERAGING = "LIQUIDATION", "ADL"


def still_known(order: Order, now_ms: int) -> bool:
    """The venue forgets orders that ended without a fill after three days, and every order after ninety."""
    if order.status.is_open:
        return True
    age_ms = now_ms - order.created_ms
    ended_unfilled = order.status in (Status.CANCELED, Status.EXPIRED) and not order.filled
    return age_ms <= (_UNFILLED_KEPT_MS if ended_unfilled else _ORDERS_KEPT_MS)


def all_orders(call: Call, account: Account) -> Json:
    """From `orderId` on where it was sent, else within the window asked for (the last seven days if none)."""
    listing = call.listing()
    limit = call.params.limit(default=500, most=1000)
    from_id = call.params.integer("orderId")
    now_ms = call.engine.now_ms()
    known = [order for order in reversed(call.engine.order_history(account, listing.symbol)) if still_known(order, now_ms)]
    if from_id is not None:
        known = [order for order in known if order.id >= from_id]
    else:
        start_ms, end_ms = _window(call)
        known = [order for order in known if start_ms <= order.created_ms <= end_ms]
    return [queried(order, listing) for order in page(known, limit, is_from_start=_names_beginning(call, from_id))]


def user_trades(call: Call, account: Account) -> Json:
    listing = call.listing()
    limit = call.params.limit(default=500, most=1000)
    from_id, order_id = call.params.integer("fromId"), call.params.integer("orderId")
    fills = list(reversed(call.engine.fills(account, listing.symbol, order_id)))
    if from_id is not None:
        if asked_range(call.params) != (None, None):
            raise errors.VenueError(-1128, "Combination of optional parameters invalid.")
        fills = [fill for fill in fills if fill.id >= from_id]
    else:
        start_ms, end_ms = _window(call)
        fills = [fill for fill in fills if start_ms <= fill.time_ms <= end_ms]
    return [_trade(fill, listing) for fill in page(fills, limit, is_from_start=_names_beginning(call, from_id))]


def force_orders(call: Call, account: Account) -> Json:
    """Orders by which the venue liquidated the account; it never deleverages one here."""
    listing = call.optional_listing()
    kind = call.params.choice("autoCloseType", (_LIQUIDATION, _DELEVERAGING), errors.invalid_data("autoCloseType"))
    limit = call.params.limit(default=50, most=100)
    start_ms, end_ms = _window(call)
    listings = {each.symbol: each for each in call.engine.listings(VENUE)}
    orders = [
        order
        for order in reversed(call.engine.order_history(account, listing.symbol if listing else None))
        if order.liquidation and kind != _DELEVERAGING and start_ms <= order.created_ms <= end_ms
    ]
    return [queried(order, listings[order.symbol]) for order in page(orders, limit, is_from_start=_names_beginning(call, None))]


def _window(call: Call) -> tuple[int, int]:
    return window(call.params, now_ms=call.engine.now_ms(), days=_WINDOW_DAYS)


def _names_beginning(call: Call, from_id: int | None) -> bool:
    return from_id is not None or call.params.has("startTime")


def _trade(fill: Fill, listing: Listing) -> Row:
    return {
        "symbol": listing.venue_symbol,
        "id": fill.id,
        "orderId": fill.order_id,
        "side": fill.side.name,
        "price": price(fill.price, listing),
        "qty": quantity(fill.quantity, listing),
        "realizedPnl": money(fill.realized_pnl),
        "quoteQty": fixed(fill.quantity * fill.price, average_places(listing)),
        "commission": money(fill.fee),
        "commissionAsset": "USDT",
        "time": fill.time_ms,
        "positionSide": position_side(fill.leg),
        "buyer": fill.side is Side.BUY,
        "maker": fill.is_maker,
        "marginAsset": "USDT",
    }


ENDPOINTS = (
    Private("GET", "/fapi/v1/allOrders", all_orders, weight=5),
    Private("GET", "/fapi/v1/forceOrders", force_orders, weight=lambda params: 20 if params.has("symbol") else 50),
    Private("GET", "/fapi/v1/userTrades", user_trades, weight=5),
)
