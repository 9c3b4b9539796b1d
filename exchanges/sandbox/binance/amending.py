"""Changing open limit orders in place, one by one and in batches, and the record of what was changed.

Source: "Modify Order" (read November 2026): quantity and price are both sent; an order that has filled its new quantity already, and a
GTX order that would take, is canceled; the self-trade prevention mode falls back to NONE.
"""

from decimal import Decimal

from exchanges.sandbox.binance import errors, rules
from exchanges.sandbox.binance.endpoint import Call, Json, Private
from exchanges.sandbox.binance.numbers import price, quantity
from exchanges.sandbox.binance.orders import SELF_TRADE_MODE, acted_on, shown_client_id
from exchanges.sandbox.binance.params import Params
from exchanges.sandbox.binance.periods import asked_range
from exchanges.sandbox.binance.trade import MOST_PLACED_AT_ONCE, answer_each, asked_order, batch_size, item_params
from exchanges.sandbox.model import ZERO, Account, Listing, Order

Row = dict[str, object]
_RECORD = "amendments"  # of an order: number, time, price and quantity before and after, one change per line
_RECORDED = 100  # the latest changes, which is as many as can be asked for


def amend(call: Call, account: Account) -> Json:
    return _amend(call, account, call.params)


def amend_batch(call: Call, account: Account) -> Json:
    batch = call.params.json_list("batchOrders")
    if batch is None:
        raise errors.missing("batchOrders")
    if not 1 <= len(batch) <= MOST_PLACED_AT_ONCE:
        raise errors.VenueError(-4082, "Invalid number of batch place orders")
    return answer_each(batch, lambda item: _amend(call, account, item_params(item)))


def history(call: Call, account: Account) -> Json:
    """What was changed of an order, newest first."""
    limit = call.params.limit(default=50, most=100)
    start_ms, end_ms = asked_range(call.params)
    listing, order = asked_order(call, account, call.params)
    if order is None:
        raise errors.unknown_order()
    changes = [line.split() for line in order.wire.get(_RECORD, "").splitlines()]
    asked = [change for change in changes if _is_within(int(change[1]), start_ms, end_ms)]
    return [_row(listing, order, change) for change in asked[::-1][:limit]]


def _is_within(time_ms: int, start_ms: int | None, end_ms: int | None) -> bool:
    return (start_ms is None or time_ms >= start_ms) and (end_ms is None or time_ms <= end_ms)


def _amend(call: Call, account: Account, params: Params) -> Row:
    listing, order = asked_order(call, account, params)
    if order is None or not order.status.is_open:
        raise errors.unknown_order()
    new_quantity, new_price = rules.amended_terms(params, call.engine, order, listing)
    if (new_quantity, new_price) == (order.quantity, order.limit_price):
        raise errors.VenueError(-5027, "No need to modify the order.")
    wire = {SELF_TRADE_MODE: "NONE", _RECORD: _recorded(call, order, new_quantity, new_price)}
    return acted_on(call.engine.amend(account, order, quantity=new_quantity, limit_price=new_price, wire=wire), listing)


def _recorded(call: Call, order: Order, new_quantity: Decimal, new_price: Decimal) -> str:
    lines = order.wire.get(_RECORD, "").splitlines()
    number = int(lines[-1].split()[0]) + 1 if lines else 1
    terms = (order.limit_price or ZERO, new_price, order.quantity, new_quantity)
    line = " ".join([str(number), str(call.engine.now_ms()), *(f"{term:f}" for term in terms)])
    return "\n".join([*lines, line][-_RECORDED:])


def _row(listing: Listing, order: Order, change: list[str]) -> Row:
    number, time, old_price, new_price, old_quantity, new_quantity = change
    return {
        "amendmentId": order.id + int(number),
        "symbol": listing.venue_symbol,
        "pair": listing.venue_symbol,
        "orderId": order.id,
        "clientOrderId": shown_client_id(order),
        "time": int(time),
        "amendment": {
            "price": {"before": price(Decimal(old_price), listing), "after": price(Decimal(new_price), listing)},
            "origQty": {"before": quantity(Decimal(old_quantity), listing), "after": quantity(Decimal(new_quantity), listing)},
            "count": int(number),
        },
        "priceMatch": "NONE",
    }


ENDPOINTS = (
    Private("PUT", "/fapi/v1/order", amend, orders=1),
    Private("PUT", "/fapi/v1/batchOrders", amend_batch, weight=5, orders=batch_size),
    Private("GET", "/fapi/v1/orderAmendment", history),
)
