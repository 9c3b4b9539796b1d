"""What happened on an account: past orders, fills, and the income that fills brought. Oldest first."""

from collections.abc import Sequence
from decimal import Decimal
from typing import TypeVar

from exchanges.sandbox.binance import errors
from exchanges.sandbox.binance.endpoint import VENUE, Call, Json, Private
from exchanges.sandbox.binance.numbers import average_places, fixed, money, price, quantity
from exchanges.sandbox.binance.orders import queried
from exchanges.sandbox.binance.periods import asked_range
from exchanges.sandbox.model import Account, Fill, Listing, Order, Side, Status

Row = dict[str, object]
T = TypeVar("T")
_DAY_MS = 86_400_000
_WINDOW_MS = 7 * _DAY_MS
_UNFILLED_KEPT_MS = 3 * _DAY_MS
_ORDERS_KEPT_MS = 90 * _DAY_MS
_INCOME_TYPES = (
    *("TRANSFER", "WELCOME_BONUS", "REALIZED_PNL", "FUNDING_FEE", "COMMISSION", "INSURANCE_CLEAR", "REFERRAL_KICKBACK"),
    *("COMMISSION_REBATE", "API_REBATE", "CONTEST_REWARD", "CROSS_COLLATERAL_TRANSFER", "OPTIONS_PREMIUM_FEE", "OPTIONS_SETTLE_PROFIT"),
    *("INTERNAL_TRANSFER", "AUTO_EXCHANGE", "DELIVERED_SETTELMENT", "COIN_SWAP_DEPOSIT", "COIN_SWAP_WITHDRAW"),
    *("POSITION_LIMIT_INCREASE_FEE", "STRATEGY_UMFUTURES_TRANSFER", "FEE_RETURN", "BFUSD_REWARD"),
)


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
    return [queried(order, listing) for order in _page(call, known, limit, is_from_start=from_id is not None)]


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
    return [_trade(fill, listing) for fill in _page(call, fills, limit, is_from_start=from_id is not None)]


def income(call: Call, account: Account) -> Json:
    """Commission of every fill, and what it realised where it closed something."""
    listing = call.optional_listing()
    limit = call.params.limit(default=100, most=1000)
    wanted = call.params.choice("incomeType", _INCOME_TYPES, errors.invalid_data("incomeType"))
    start_ms, end_ms = _window(call)
    venue_symbols = {each.symbol: each.venue_symbol for each in call.engine.listings(VENUE)}
    rows = [
        _income(fill, venue_symbols[fill.symbol], kind, amount)
        for fill in reversed(call.engine.fills(account, listing.symbol if listing else None))
        if start_ms <= fill.time_ms <= end_ms
        for kind, amount in (("COMMISSION", -fill.fee), ("REALIZED_PNL", fill.realized_pnl))
        if amount and wanted in (None, kind)
    ]
    return list(_page(call, rows, limit, is_from_start=False))


def liquidations(call: Call, _: Account) -> Json:
    """Orders by which the venue liquidated or deleveraged the account: it never does here."""
    call.optional_listing()
    call.params.choice("autoCloseType", ("LIQUIDATION", "ADL"), errors.invalid_data("autoCloseType"))
    asked_range(call.params)
    call.params.limit(default=50, most=100)
    return []


def _window(call: Call) -> tuple[int, int]:
    start_ms, end_ms = asked_range(call.params)
    if start_ms is None:
        end_ms = call.engine.now_ms() if end_ms is None else end_ms
        return end_ms - _WINDOW_MS, end_ms
    if end_ms is None:
        return start_ms, start_ms + _WINDOW_MS
    if end_ms - start_ms > _WINDOW_MS:
        raise errors.VenueError(-4165, "Maximum time interval is 7 days")
    return start_ms, end_ms


def _page(call: Call, rows: Sequence[T], limit: int, *, is_from_start: bool) -> Sequence[T]:
    """The first rows where the client named a beginning, else the newest."""
    return rows[:limit] if is_from_start or call.params.has("startTime") else rows[-limit:]


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
        "positionSide": "BOTH",
        "buyer": fill.side is Side.BUY,
        "maker": fill.is_maker,
        "marginAsset": "USDT",
    }


def _income(fill: Fill, venue_symbol: str, kind: str, amount: Decimal) -> Row:
    return {
        "symbol": venue_symbol,
        "incomeType": kind,
        "income": money(amount),
        "asset": "USDT",
        "info": kind,
        "time": fill.time_ms,
        "tranId": fill.id,
        "tradeId": str(fill.id),
    }


ENDPOINTS = (
    Private("GET", "/fapi/v1/allOrders", all_orders, weight=5),
    Private("GET", "/fapi/v1/forceOrders", liquidations, weight=lambda params: 20 if params.has("symbol") else 50),
    Private("GET", "/fapi/v1/userTrades", user_trades, weight=5),
    Private("GET", "/fapi/v1/income", income, weight=30),
)
