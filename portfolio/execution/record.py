"""Write what the venue said about an order into its row: late, repeated and reordered answers included, never backwards."""

import logging
from datetime import UTC, datetime
from decimal import Decimal

from django.db import transaction

from exchanges.domain import OrderResult
from exchanges.errors import ExchangeAPIError, WriteEffect
from portfolio import publish
from portfolio.models import Order, SubmitAttempt
from portfolio.states import OrderState, may_follow, state_of

logger = logging.getLogger(__name__)

_REPORTED = ("state", "reason", "exchange_order_id", "filled_quantity", "average_price", "venue_updated_at", "raw_response", "updated_at")


def record_result(order: Order, result: OrderResult) -> Order:
    """Apply the venue's report. A report that lies behind what is known changes nothing. Returns the row as it is now."""
    with transaction.atomic():
        row = Order.objects.select_for_update().get(pk=order.pk)
        _apply(row, result)
        row.save(update_fields=[*_REPORTED])
        publish.book_changed([row.account_id])
    return row


def record_failure(order: Order, error: ExchangeAPIError) -> Order:
    """Apply a failed submission: UNKNOWN where it may be live, NOT_SENT where trying later may work, REJECTED where the venue said no."""
    if error.write_effect is WriteEffect.UNKNOWN:
        state = OrderState.UNKNOWN
    else:
        state = OrderState.NOT_SENT if error.is_transient else OrderState.REJECTED
    return record_state(order, state, error.user_message)


def record_state(order: Order, state: OrderState, reason: str) -> Order:
    """Set a state of our own finding, unless the venue has already said more."""
    with transaction.atomic():
        row = Order.objects.select_for_update().get(pk=order.pk)
        if row.is_unresolved:
            row.state, row.reason, row.updated_at = state, reason[:600], datetime.now(UTC)
            row.save(update_fields=["state", "reason", "updated_at"])
            publish.book_changed([row.account_id])
    return row


def end_attempt(attempt: SubmitAttempt, error: ExchangeAPIError | None = None) -> None:
    attempt.ended_at = datetime.now(UTC)
    if error is None:
        attempt.write_effect = WriteEffect.APPLIED
    else:
        attempt.write_effect, attempt.error_class = error.write_effect, type(error).__name__
        attempt.venue_code, attempt.venue_message, attempt.http_status = error.code[:40], error.message[:600], error.http_status
    attempt.save(update_fields=["ended_at", "write_effect", "error_class", "venue_code", "venue_message", "http_status"])


def _apply(row: Order, result: OrderResult) -> None:
    state = state_of(result.status, confirmed=result.confirmed)
    if row.state == OrderState.NOT_PLACED and state != OrderState.REJECTED:
        logger.critical("order %s appeared at the venue after it was taken for not placed", row.pk)
    if result.filled_quantity < row.filled_quantity or not may_follow(OrderState(row.state), state):
        return
    row.state, row.reason = state, result.reason[:600]
    row.exchange_order_id = result.order_id or row.exchange_order_id
    row.filled_quantity = Decimal(result.filled_quantity)
    row.average_price = result.average_price if result.average_price is not None else row.average_price
    row.venue_updated_at = result.updated_at or row.venue_updated_at
    row.raw_response = result.raw_response
    row.updated_at = datetime.now(UTC)
