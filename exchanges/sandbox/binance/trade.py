"""Placing, finding and canceling limit and market orders, one by one and in batches."""

from collections.abc import Callable, Sequence
from decimal import Decimal

from exchanges.sandbox.binance import errors, rules
from exchanges.sandbox.binance.endpoint import VENUE, Call, Json, Private
from exchanges.sandbox.binance.history import still_known
from exchanges.sandbox.binance.orders import SELF_TRADE_MODE, acknowledged, acted_on, numbered, queried
from exchanges.sandbox.binance.params import Params
from exchanges.sandbox.model import Account, Listing, Order, Refused

Row = dict[str, object]
MOST_PLACED_AT_ONCE = 5
_MOST_CANCELED_AT_ONCE = 10


def place(call: Call, account: Account) -> Json:
    return _place(call, account, call.params)


def place_test(call: Call, account: Account) -> Json:
    """Everything the venue checks before it looks at what the account has; what is shown has the number 0 and is placed nowhere."""
    ticket = rules.ticket(call.params, call.engine, account)
    untaken = Order(
        id=0,
        client_id=ticket.client_id,
        account=account.name,
        venue=VENUE,
        symbol=ticket.listing.symbol,
        side=ticket.side,
        kind=ticket.kind,
        lifetime=ticket.lifetime,
        quantity=ticket.quantity,
        limit_price=ticket.limit_price,
        reduce_only=ticket.reduce_only,
        created_ms=0,
        updated_ms=0,
        wire={SELF_TRADE_MODE: ticket.self_trade_mode},
        leg=ticket.leg,
    )
    return acknowledged(untaken, ticket.listing)


def place_batch(call: Call, account: Account) -> Json:
    batch = call.params.json_list("batchOrders")
    if batch is None:
        raise errors.missing("batchOrders")
    if not 1 <= len(batch) <= MOST_PLACED_AT_ONCE:
        raise errors.VenueError(-4082, "Invalid number of batch place orders")
    return answer_each(batch, lambda item: _place(call, account, item_params(item)))


def query(call: Call, account: Account) -> Json:
    listing, order = asked_order(call, account, call.params)
    if order is None or not still_known(order, call.engine.now_ms()):
        raise errors.unknown_order()
    return queried(order, listing)


def query_open(call: Call, account: Account) -> Json:
    listing, order = asked_order(call, account, call.params)
    if order is None or not order.status.is_open:
        raise errors.unknown_order()
    return queried(order, listing)


def open_orders(call: Call, account: Account) -> Json:
    listing = call.optional_listing()
    by_symbol = {each.symbol: each for each in call.engine.listings(VENUE)}
    orders = call.engine.open_orders(account, listing.symbol if listing else None)
    return [queried(order, by_symbol[order.symbol]) for order in orders]


def cancel(call: Call, account: Account) -> Json:
    listing = call.listing()
    order_id, client_id = _identity(call.params)
    return _cancel(call, account, listing, order_id, client_id)


def cancel_all(call: Call, account: Account) -> Json:
    listing = call.listing()
    call.engine.cancel_all(account, lambda order: order.symbol == listing.symbol)
    return {"code": 200, "msg": "The operation of cancel all open order is done."}


def cancel_batch(call: Call, account: Account) -> Json:
    """Libraries write the list's name in two ways, and the venue takes both."""
    listing = call.listing()
    order_ids = _first_list(call.params, ("orderIdList", "orderidlist"))
    client_ids = _first_list(call.params, ("origClientOrderIdList", "origclientorderidlist"))
    if not order_ids and not client_ids:
        raise errors.missing_both("orderIdList", "origClientOrderIdList")
    if len(order_ids or client_ids) > _MOST_CANCELED_AT_ONCE:
        raise errors.VenueError(-4032, "Exceed maximum cancel order size.")
    if order_ids:
        return answer_each(order_ids, lambda item: _cancel(call, account, listing, _order_id(item), None))
    return answer_each(client_ids, lambda item: _cancel(call, account, listing, None, str(item)))


def _place(call: Call, account: Account, params: Params) -> Row:
    ticket = rules.ticket(params, call.engine, account)
    order = call.engine.place(
        account,
        symbol=ticket.listing.symbol,
        side=ticket.side,
        kind=ticket.kind,
        lifetime=ticket.lifetime,
        quantity=ticket.quantity,
        limit_price=ticket.limit_price,
        reduce_only=ticket.reduce_only,
        client_id=ticket.client_id,
        wire={SELF_TRADE_MODE: ticket.self_trade_mode},
        leg=ticket.leg,
    )
    return acted_on(order, ticket.listing) if ticket.wants_result else acknowledged(order, ticket.listing)


def _cancel(call: Call, account: Account, listing: Listing, order_id: int | None, client_id: str | None) -> Row:
    return acted_on(call.engine.cancel(account, symbol=listing.symbol, order_id=order_id, client_id=client_id), listing)


def asked_order(call: Call, account: Account, params: Params) -> tuple[Listing, Order | None]:
    listing = call.engine.listing_by_venue_symbol(VENUE, params.required("symbol"))
    order_id, client_id = _identity(params)
    return listing, call.engine.order(account, symbol=listing.symbol, order_id=order_id, client_id=client_id)


def _identity(params: Params) -> tuple[int | None, str | None]:
    """The venue's id decides where both are sent."""
    order_id = params.integer("orderId")
    client_id = params.text("origClientOrderId")
    if order_id is None and client_id is None:
        raise errors.missing_both("orderId", "origClientOrderId")
    if order_id is None and client_id is not None:
        order_id = numbered(client_id)
    return order_id, client_id if order_id is None else None


def answer_each(items: Sequence[object], act: Callable[[object], Row]) -> list[object]:
    """One answer per item, refusals in their places."""
    answers: list[object] = []
    for item in items:
        try:
            answers.append(act(item))
        except errors.VenueError as error:
            answers.append(error.body)
        except Refused as refused:
            answers.append(errors.from_refusal(refused).body)
    return answers


def item_params(item: object) -> Params:
    if not isinstance(item, dict):
        raise errors.missing("batchOrders")
    return Params({str(name): _as_sent(value) for name, value in item.items() if value is not None})


def _as_sent(value: object) -> str:
    """A JSON value as it would stand in a form; numbers are taken as the decimals they were written as."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"{value:f}" if isinstance(value, Decimal) else str(value)


def _first_list(params: Params, names: tuple[str, ...]) -> list[object]:
    lists = (params.json_list(name) for name in names)
    return next((found for found in lists if found), [])


def _order_id(item: object) -> int:
    """As a number or as text."""
    return Params({"orderId": _as_sent(item)}).required_integer("orderId")


def batch_size(params: Params) -> int:
    return len(params.json_list("batchOrders") or ())


ENDPOINTS = (
    Private("POST", "/fapi/v1/order", place, orders=1),
    Private("POST", "/fapi/v1/order/test", place_test),
    Private("GET", "/fapi/v1/order", query),
    Private("DELETE", "/fapi/v1/order", cancel),
    Private("POST", "/fapi/v1/batchOrders", place_batch, weight=5, orders=batch_size),
    Private("DELETE", "/fapi/v1/batchOrders", cancel_batch),
    Private("GET", "/fapi/v1/openOrder", query_open),
    Private("GET", "/fapi/v1/openOrders", open_orders, weight=lambda params: 1 if params.has("symbol") else 40),
    Private("DELETE", "/fapi/v1/allOpenOrders", cancel_all),
)
