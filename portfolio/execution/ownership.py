"""Whether an order that a venue shows is the one of a row. Ids alone do not tell: somebody else may have used the same client order id."""

import logging

from exchanges.domain import OrderResult
from portfolio.execution import record
from portfolio.models import Order
from portfolio.states import OrderState

logger = logging.getLogger(__name__)

SOMEBODY_ELSES = "The exchange shows another order under this client order id; a person must look."


def is_same(order: Order, found: OrderResult) -> bool:
    """The venue's own id decides where it is known; else only what says nothing else than was sent is taken for ours. Bybit and OKX cut a
    reduce-only order to the size of the position."""
    if order.exchange_order_id:
        return (found.symbol, found.order_id) == (order.symbol, order.exchange_order_id)
    is_cut = order.reduce_only and found.quantity is not None and 0 < found.quantity < order.quantity
    return (
        found.symbol == order.symbol
        and found.side in (None, order.side)
        and (found.quantity in (None, order.quantity) or is_cut)
        and (order.price is None or found.price in (None, order.price))
    )


def leave_to_a_person(order: Order) -> None:
    if order.reason != SOMEBODY_ELSES:
        logger.critical("order %s: another order is at the venue under its client order id", order.pk)
    record.record_state(order, OrderState.UNKNOWN, SOMEBODY_ELSES)
