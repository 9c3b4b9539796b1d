"""Cancel a resting order. Safe to repeat; "unknown order" is a reason to look, never an answer."""

import logging
from datetime import UTC, datetime

from django.contrib.auth.models import User

from exchanges import accounts, pauses
from exchanges.domain import OrderResult
from exchanges.errors import ExchangeAPIError, OutcomeUnknown, UnknownOrder
from exchanges.protocol import IExchangeClient
from exchanges.runtime import runtime
from portfolio import access, rate_limits, refresh, venue_clocks
from portfolio.execution import record
from portfolio.execution.refusals import NotFound, Refused
from portfolio.models import Order

logger = logging.getLogger(__name__)

CANCEL_DEADLINE_S = 15.0


def order_for(user: User, order_id: int) -> Order:
    """Raises NotFound for a missing order and for one that `user` may not see."""
    order = access.orders_for(user).select_related("account__credential", "account__portfolio_link").filter(pk=order_id).first()
    if order is None:
        raise NotFound("order")
    return order


def cancel(user: User, order: Order) -> Order:
    """Returns the order as the venue shows it after the cancel. Where the outcome is not known it is still open and its reason says so,
    until portfolio.reconcile has found out.

    Raises access.NotPermitted, Refused where there is nothing to cancel yet or any more, ExchangeAPIError where the venue refused.
    """
    access.require_trading_role(user, order.account)
    if not order.account.is_trading_enabled:
        raise Refused("trading_disabled", f"account must have trading switched on, {order.account} is read-only", "account")
    if not order.is_open:
        raise Refused("order_final", f"order must be open to be canceled, it is {order.state}", "id")
    if not order.exchange_order_id:
        raise Refused("order_outcome_unknown", "the exchange has not shown this order yet; it can be canceled once it has", "id")
    pauses.refuse_while_paused(order.account.exchange, order.account.environment, datetime.now(UTC))
    order.cancel_requested_at = datetime.now(UTC)
    order.save(update_fields=["cancel_requested_at"])
    client = accounts.client_for(order.account)
    try:
        result = runtime().run(_cancel_and_look(client, order.symbol, order.exchange_order_id), deadline_s=CANCEL_DEADLINE_S)
    except (OutcomeUnknown, TimeoutError) as error:
        logger.warning("order %s: the outcome of the cancel is not known yet: %s", order.pk, error)
        row = order
    except ExchangeAPIError as error:
        rate_limits.note_venue(order.account, error, datetime.now(UTC))
        raise
    else:
        row = record.record_result(order, result)
    refresh.soon(order.account_id)
    return record.note_cancel_in_doubt(row) if row.is_open else row


async def _cancel_and_look(client: IExchangeClient, symbol: str, order_id: str) -> OrderResult:
    await venue_clocks.keep_if_answered(client)
    try:
        answer = await client.cancel_order(symbol, order_id)
    except UnknownOrder:
        return await client.get_order_status(symbol, order_id)
    if answer.order is not None and answer.confirmed:
        return answer.order
    try:
        return await client.get_order_status(symbol, order_id)
    except ExchangeAPIError as error:
        raise OutcomeUnknown(
            "the cancel was taken, its effect is not visible yet", exchange=client.get_exchange_name(), original_error=error
        ) from error
