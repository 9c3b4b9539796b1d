"""Write what the venue said about an order into its row: late, repeated and reordered answers included, never backwards."""

import logging
from collections.abc import Collection
from datetime import UTC, datetime, timedelta

from django.db import transaction

from exchanges.domain import OrderResult
from exchanges.errors import ExchangeAPIError, WriteEffect
from portfolio import publish
from portfolio.models import Order, SubmitAttempt
from portfolio.states import FINAL, PRESUMED, RESTING, UNRESOLVED, OrderState, may_follow, state_of

logger = logging.getLogger(__name__)

CANCEL_IN_DOUBT = "Cancel sent, its outcome is not known yet; the exchange is being asked."
# No cancel arrives later: it waits 15 s here at most and is signed for 5 s. What is recorded was asked up to 12 s before, and venues lag.
CANCEL_ARRIVES_WITHIN = timedelta(minutes=1)


def record_result(order: Order, result: OrderResult) -> Order:
    """Apply the venue's report. A report that lies behind what is known changes nothing. Returns the row as it is now."""
    with transaction.atomic():
        row = Order.objects.select_for_update().get(pk=order.pk)
        if apply_result(row, result):
            publish.book_changed([row.account_id])
    return row


def apply_result(row: Order, result: OrderResult) -> bool:
    """As record_result, for a locked row; publishes nothing. True where the report told something new."""
    state = state_of(result.status, confirmed=result.confirmed)
    if result.filled_quantity < row.filled_quantity or not may_follow(OrderState(row.state), state):
        return False
    report = {
        "state": state,
        "reason": _reason(row, state, result.reason),
        "exchange_order_id": result.order_id or row.exchange_order_id,
        "filled_quantity": result.filled_quantity,
        "average_price": result.average_price if result.average_price is not None else row.average_price,
        "missing_since": None,
        "not_found_count": 0,
        **_terms(row, result),
    }
    if all(getattr(row, name) == value for name, value in report.items()):
        return False
    if row.state in PRESUMED and state not in PRESUMED:
        # How a gone order ended is news that agrees with what was said; anything else contradicts it.
        level = logging.WARNING if row.state == OrderState.GONE and state in FINAL else logging.CRITICAL
        logger.log(level, "order %s is at the venue as %s after it was taken for %s: %s", row.pk, state, row.state, row.reason)
    report |= {"raw_response": result.raw_response, "updated_at": datetime.now(UTC)}
    for name, value in report.items():
        setattr(row, name, value)
    row.save(update_fields=list(report))
    return True


def _terms(row: Order, result: OrderResult) -> dict[str, object]:
    """Price and quantity as they stand at the venue, where an order may be amended by other programs. A bare acknowledgement repeats only
    what was sent, and a report that lies behind the one applied last would undo an amendment."""
    is_behind = result.updated_at is not None and row.venue_updated_at is not None and result.updated_at < row.venue_updated_at
    if is_behind or not result.confirmed:
        return {}
    told = {"price": result.price, "quantity": result.quantity, "venue_updated_at": result.updated_at}
    return {name: value for name, value in told.items() if value is not None}


def record_failure(order: Order, error: ExchangeAPIError) -> Order:
    """Apply a failed submission: UNKNOWN where it may be live, NOT_SENT where trying later may work, REJECTED where the venue said no."""
    if error.write_effect is not WriteEffect.NONE:
        state = OrderState.UNKNOWN
    else:
        state = OrderState.NOT_SENT if error.is_transient else OrderState.REJECTED
    return record_state(order, state, error.user_message)


def record_state(order: Order, state: OrderState, reason: str, *, replacing: Collection[OrderState] = UNRESOLVED) -> Order:
    """Set a state of our own finding, unless the venue has already said more: only one of `replacing` gives way."""
    with transaction.atomic():
        row = Order.objects.select_for_update().get(pk=order.pk)
        if row.state in replacing and (row.state, row.reason) != (state, reason[:600]):
            row.state, row.reason, row.updated_at = state, reason[:600], datetime.now(UTC)
            row.save(update_fields=["state", "reason", "updated_at"])
            publish.book_changed([row.account_id])
    return row


def note_cancel_in_doubt(order: Order) -> Order:
    """Say at the order that a cancel was sent and that the venue has not shown what came of it. apply_result takes it back. Not where
    more is known meanwhile, or where something else is to be said of the order."""
    with transaction.atomic():
        row = Order.objects.select_for_update().get(pk=order.pk)
        if row.state in RESTING | {OrderState.SUBMITTED} and row.reason != CANCEL_IN_DOUBT:
            row.reason = CANCEL_IN_DOUBT
            row.save(update_fields=["reason"])
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


def end_abandoned_attempt(order: Order, effect: WriteEffect) -> None:
    """The sender died with its attempt open; what a look-up found out is its end. A sender that lives overwrites it with its own."""
    SubmitAttempt.objects.filter(order=order, ended_at=None).update(ended_at=datetime.now(UTC), write_effect=effect)


def _reason(row: Order, state: OrderState, said: str) -> str:
    """The venue's words; both facts where it contradicts what was presumed, kept for as long as the state stays."""
    if row.state in PRESUMED and state not in PRESUMED:
        return f"Was taken for {row.state} ({row.reason}), but the exchange shows it. {said}".strip()[:600]
    if row.reason == CANCEL_IN_DOUBT:
        return CANCEL_IN_DOUBT if state not in FINAL and _cancel_may_arrive(row) else said[:600]
    return said[:600] or (row.reason if row.state == state else "")


def _cancel_may_arrive(row: Order) -> bool:
    return row.cancel_requested_at is not None and datetime.now(UTC) < row.cancel_requested_at + CANCEL_ARRIVES_WITHIN
