"""The account's orders and fills as the venue lists them: newest first, a page at a time, for as long as it keeps them."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

from exchanges.sandbox.market import HOUR_MS
from exchanges.sandbox.model import Fill, Listing, Order, Status, Venue
from exchanges.sandbox.okx import rows
from exchanges.sandbox.okx.endpoint import PrivateCall, PrivateHandler, Row
from exchanges.sandbox.okx.errors import NO_ORDER_NAMED, NO_SUCH_ORDER, Rejected, missing
from exchanges.sandbox.okx.instruments import selected
from exchanges.sandbox.okx.liquidations import liquidations
from exchanges.sandbox.okx.wire import bill_id, engine_order_id, order_id
from exchanges.sandbox.path import DAY_MS

PAGE = 100
ORDERS_KEPT_MS = 7 * DAY_MS
ARCHIVE_KEPT_MS = 90 * DAY_MS
FILLS_KEPT_MS = 3 * DAY_MS
UNFILLED_KEPT_MS = 2 * HOUR_MS  # an order that was canceled without a fill is forgotten so soon
_ORDER_TYPES = ("market", "limit", "post_only", "fok", "ioc", "optimal_limit_ioc", "mmp", "mmp_and_post_only")
_CATEGORIES = ("twap", "adl", "full_liquidation", "partial_liquidation", "delivery", "ddh")

T = TypeVar("T")


def order(call: PrivateCall) -> list[Row]:
    listing = call.listing
    found = named_order(call, listing)
    if found is None or not _is_kept(found, call.engine.now_ms(), ARCHIVE_KEPT_MS):
        raise Rejected(NO_SUCH_ORDER)
    return _order_rows(call, [found])


def named_order(call: PrivateCall, listing: Listing) -> Order | None:
    """The order that ordId names, or else clOrdId."""
    return find_order(call, listing, call.parameters.integer("ordId"), call.parameters.text("clOrdId"))


def find_order(call: PrivateCall, listing: Listing, venue_id: int | None, client_id: str) -> Order | None:
    if venue_id is not None:
        return call.engine.order(call.account, symbol=listing.symbol, order_id=engine_order_id(venue_id))
    if not client_id:
        raise Rejected(NO_ORDER_NAMED)
    return call.engine.order(call.account, symbol=listing.symbol, client_id=client_id)


def orders_pending(call: PrivateCall) -> list[Row]:
    symbols = {listing.symbol for listing in selected(call, type_required=False)}
    pending = [order for order in call.engine.open_orders(call.account) if order.symbol in symbols]
    return _order_rows(call, page(call, _chosen(call, pending, ("live", "partially_filled")), _order_number, _order_time))


def orders_history(kept_ms: int) -> PrivateHandler:
    """Completed orders of the last `kept_ms`."""

    def answer(call: PrivateCall) -> list[Row]:
        symbols = {listing.symbol for listing in selected(call)}
        now_ms = call.engine.now_ms()
        completed = [
            order
            for order in call.engine.order_history(call.account)
            if order.symbol in symbols and not order.status.is_open and _is_kept(order, now_ms, kept_ms)
        ]
        wanted = call.parameters.choice("category", (*_CATEGORIES, ""), default="")
        if wanted:
            completed = [order for order in completed if order.liquidation and wanted == "full_liquidation"]
        return _order_rows(call, page(call, _chosen(call, completed, ("filled", "canceled")), _order_number, _order_time))

    return answer


def fills(kept_ms: int) -> PrivateHandler:
    """Executions of the last `kept_ms`."""

    def answer(call: PrivateCall) -> list[Row]:
        wanted, sub_type = call.parameters.integer("ordId"), call.parameters.text("subType")
        tags, forced = tags_of_orders(call), liquidations(call)
        found = [
            fill
            for fill in _own_fills(call, kept_ms)
            if wanted in (None, int(order_id(fill.order_id))) and sub_type in ("", rows.sub_type(fill, forced=fill.order_id in forced))
        ]
        return [
            rows.fill_row(_listing(call, fill.symbol), fill, tags.get(fill.order_id, ""), forced=fill.order_id in forced)
            for fill in page(call, found, _fill_number, _fill_time)
        ]

    return answer


def no_algo_orders(call: PrivateCall) -> list[Row]:
    """Conditional orders are refused on this account, so none is ever pending or past; the kind asked for is mandatory all the same."""
    call.parameters.required("ordType")
    return []


def algo_history(call: PrivateCall) -> list[Row]:
    if not (call.parameters.text("state") or call.parameters.text("algoId")):
        raise missing("state")
    return no_algo_orders(call)


def no_such_algo_order(call: PrivateCall) -> list[Row]:
    if not (call.parameters.text("algoId") or call.parameters.text("algoClOrdId")):
        raise Rejected(NO_ORDER_NAMED)
    raise Rejected(NO_SUCH_ORDER)


def _order_rows(call: PrivateCall, orders: Iterable[Order]) -> list[Row]:
    by_order: defaultdict[int, list[Fill]] = defaultdict(list)
    for fill in call.engine.fills(call.account):
        by_order[fill.order_id].append(fill)
    leverage = call.engine.leverage
    return [
        rows.order_row(
            _listing(call, order.symbol),
            order,
            by_order.get(order.id, []),
            leverage(call.account, order.symbol, order.margin_mode, order.leg),
        )
        for order in orders
    ]


def _own_fills(call: PrivateCall, kept_ms: int) -> list[Fill]:
    symbols = {listing.symbol for listing in selected(call, type_required=False)}
    oldest_ms = call.engine.now_ms() - kept_ms
    return [fill for fill in call.engine.fills(call.account) if fill.symbol in symbols and fill.time_ms >= oldest_ms]


def tags_of_orders(call: PrivateCall) -> dict[int, str]:
    return {order.id: order.wire.get("tag", "") for order in call.engine.order_history(call.account)}


def _listing(call: PrivateCall, symbol: str) -> Listing:
    return call.engine.listing(Venue.OKX, symbol)


def _chosen(call: PrivateCall, orders: list[Order], states: tuple[str, ...]) -> list[Order]:
    """Those of the wanted ordType (several, separated by commas) and state."""
    kinds = set(call.parameters.text("ordType").split(",")) - {""}
    if kinds - set(_ORDER_TYPES):
        call.parameters.choice("ordType", _ORDER_TYPES)
    state = call.parameters.choice("state", (*states, "mmp_canceled", ""), default="")
    return [
        order for order in orders if (not kinds or rows.order_type(order) in kinds) and (not state or rows.STATES[order.status] == state)
    ]


def _is_kept(order: Order, now_ms: int, kept_ms: int) -> bool:
    if order.status.is_open:
        return True
    unfilled = order.status is not Status.FILLED and not order.filled
    return now_ms - order.updated_ms <= (UNFILLED_KEPT_MS if unfilled else kept_ms)


def page(call: PrivateCall, items: Sequence[T], number: Callable[[T], int], time_ms: Callable[[T], int]) -> list[T]:
    """Within begin and end (inclusive), then older than the id `after` and newer than the id `before`, the newest `limit` of them."""
    parameters = call.parameters
    begin, end = parameters.integer("begin"), parameters.integer("end")
    after, before = parameters.integer("after"), parameters.integer("before")
    chosen = [
        item
        for item in items
        if (begin is None or time_ms(item) >= begin)
        and (end is None or time_ms(item) <= end)
        and (after is None or number(item) < after)
        and (before is None or number(item) > before)
    ]
    return sorted(chosen, key=number, reverse=True)[: parameters.limit(default=PAGE, maximum=PAGE)]


def _order_number(order: Order) -> int:
    return int(order_id(order.id))


def _order_time(order: Order) -> int:
    return order.created_ms


def _fill_number(fill: Fill) -> int:
    return int(bill_id(fill.id))


def _fill_time(fill: Fill) -> int:
    return fill.time_ms
