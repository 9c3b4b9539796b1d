"""Find out what became of orders whose outcome is not known, and keep the list of resting orders true.

UNKNOWN is resolved by evidence alone: the venue shows the order; or, once the venue must refuse the request as too old and its own lag has
passed, at least three complete look-ups, two seconds apart, say that there is none. A failed look-up is no evidence.
"""

import logging
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from django.db import transaction
from django.db.models import F

from exchanges import accounts
from exchanges.domain import OrderResult
from exchanges.errors import ExchangeAPIError
from exchanges.models import ExchangeAccount
from exchanges.runtime import runtime
from exchanges.vault import VaultError
from portfolio import publish
from portfolio.execution import record
from portfolio.models import AccountState, Order, Origin, SubmitAttempt
from portfolio.polling import Answer, KnownOrder, OrderList
from portfolio.states import RESTING, OrderState, state_of

logger = logging.getLogger(__name__)

ANSWER_OVERDUE = timedelta(seconds=3)
LOOK_UP_SPACING = timedelta(seconds=2)
NOT_FOUNDS_NEEDED = 4  # the first and the last lie at least six seconds apart
ORDERS_PER_TICK = 10
LOOK_UP_DEADLINE_S = 8.0


def tick(now: datetime) -> int:
    """One round over everything unresolved; returns how many orders were looked up. Needs the database and the venues, no broker."""
    _give_up_waiting(now)
    due = list(_due(now))
    for order in due:
        _look_up(order)
    return len(due)


def apply_order_list(account: ExchangeAccount, answer: Answer[OrderList]) -> None:
    """Store the venue's resting orders, ours and those placed elsewhere, and what became of the ones that are gone."""
    if answer.content is None:
        return
    with transaction.atomic():
        AccountState.objects.get_or_create(account=account)
        state = AccountState.objects.select_for_update().get(account=account)
        if state.orders_as_of is not None and answer.sent_at <= state.orders_as_of:
            return
        for result in [*answer.content.resting, *answer.content.settled]:
            _store(account, result)
        AccountState.objects.filter(account=account).update(orders_as_of=answer.sent_at)
        publish.book_changed([account.pk])


def known_resting(account_ids: Sequence[int]) -> dict[int, list[KnownOrder]]:
    """Per account, the orders that we believe to be resting and that the venue has shown us."""
    known: dict[int, list[KnownOrder]] = {account_id: [] for account_id in account_ids}
    rows = Order.objects.filter(account_id__in=account_ids, state__in=RESTING).exclude(exchange_order_id="").order_by("venue_updated_at")
    for row in rows:
        known[row.account_id].append(KnownOrder(row.symbol, row.exchange_order_id))
    return known


def _give_up_waiting(now: datetime) -> None:
    """A sender that died, or waits too long, leaves its order SUBMITTING: say openly that the outcome is not known."""
    overdue = Order.objects.filter(state=OrderState.SUBMITTING, updated_at__lt=now - ANSWER_OVERDUE)
    for order in overdue:
        record.record_state(order, OrderState.UNKNOWN, "No answer yet; the exchange is being asked by client order id.")


def _due(now: datetime) -> Sequence[Order]:
    waiting = Order.objects.filter(state__in=(OrderState.UNKNOWN, OrderState.SUBMITTED)).exclude(looked_up_at__gt=now - LOOK_UP_SPACING)
    cancels = Order.objects.filter(state__in=RESTING, cancel_requested_at__gt=now - timedelta(minutes=10)).exclude(
        looked_up_at__gt=now - LOOK_UP_SPACING
    )
    rows = (waiting | cancels).select_related("account__credential").order_by(F("looked_up_at").asc(nulls_first=True))
    return list(rows[:ORDERS_PER_TICK])


def _look_up(order: Order) -> None:
    asked_at = datetime.now(UTC)
    Order.objects.filter(pk=order.pk).update(looked_up_at=asked_at)
    try:
        client = accounts.client_for(order.account)
        found = runtime().run(client.find_order(order.symbol, order.client_order_id), deadline_s=LOOK_UP_DEADLINE_S)
        venue_now = datetime.fromtimestamp(client.clock.now_ms() / 1_000, UTC)
        lag = timedelta(seconds=client.capabilities.visibility_lag_s)
    except (ExchangeAPIError, TimeoutError, VaultError) as error:
        logger.warning("order %s could not be looked up (%s): it stays %s", order.pk, error, order.state)
        return
    if found is None:
        _count_not_found(order, venue_now=venue_now, lag=lag)
    elif _is_ours(order, found):
        record.record_result(order, found)
    else:
        record.record_state(order, OrderState.UNKNOWN, "The exchange shows another order under this client order id; a person must look.")


def _count_not_found(order: Order, *, venue_now: datetime, lag: timedelta) -> None:
    attempt = SubmitAttempt.objects.filter(order=order).order_by("-number").first()
    if attempt is None or venue_now < attempt.fence_at + lag:
        return
    count = order.not_found_count + 1
    Order.objects.filter(pk=order.pk).update(not_found_count=count)
    if count >= NOT_FOUNDS_NEEDED:
        evidence = (
            f"Not placed: after {attempt.fence_at:%H:%M:%S} UTC the exchange would refuse it, and {count} complete look-ups found nothing."
        )
        record.record_state(order, OrderState.NOT_PLACED, evidence)


def _is_ours(order: Order, found: OrderResult) -> bool:
    """The same client order id may have been used by somebody else: only an order of the same side and quantity is taken for ours."""
    same_side = found.side is None or found.side.value == order.side
    return same_side and (found.quantity is None or found.quantity == order.quantity)


def _store(account: ExchangeAccount, result: OrderResult) -> None:
    rows = Order.objects.filter(account=account)
    row = rows.filter(exchange_order_id=result.order_id).first()
    if row is None and result.client_order_id:
        row = rows.filter(client_order_id=result.client_order_id, exchange_order_id="").first()
    if row is not None:
        record.record_result(row, result)
    elif result.status.is_open and result.side is not None:
        _adopt(account, result)


def _adopt(account: ExchangeAccount, result: OrderResult) -> None:
    """An order placed outside Crossbook: shown like any other. Its type is empty where the venue's kind has no name here."""
    now = datetime.now(UTC)
    Order.objects.create(
        account=account,
        client_order_id=result.client_order_id[:40],
        exchange_order_id=result.order_id,
        symbol=result.symbol,
        side=result.side.value if result.side else "",
        order_type=result.order_type.value if result.order_type else "",
        quantity=result.quantity if result.quantity is not None else Decimal(0),
        price=result.price,
        time_in_force=result.time_in_force.value if result.time_in_force else "",
        reduce_only=result.reduce_only,
        position_side=result.position_side.value,
        filled_quantity=result.filled_quantity,
        average_price=result.average_price,
        state=state_of(result.status, confirmed=True),
        origin=Origin.EXTERNAL,
        created_at=result.created_at or now,
        updated_at=now,
        venue_updated_at=result.updated_at,
        raw_response=result.raw_response,
    )
