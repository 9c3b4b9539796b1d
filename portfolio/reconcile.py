"""Find out what became of orders whose outcome is not known, and keep the list of resting orders true.

UNKNOWN is resolved by evidence alone: the venue shows the order; or, asked when it must refuse the request as too old and its own lag has
passed, it says in four complete look-ups, two seconds apart, that there is none. A failed look-up is no evidence.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import Future, as_completed
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from django.db import DatabaseError, transaction
from django.db.models import F, Q

from exchanges import accounts
from exchanges.domain import OrderResult
from exchanges.errors import ExchangeAPIError, WriteEffect
from exchanges.models import Credential, ExchangeAccount
from exchanges.protocol import IExchangeClient
from exchanges.runtime import runtime
from exchanges.vault import VaultError
from portfolio import ingest, publish, venue_clocks
from portfolio.execution import record
from portfolio.execution.identifiers import is_made_here
from portfolio.models import AccountState, Order, Origin, SubmitAttempt
from portfolio.polling import Answer, KnownOrder, OrderList
from portfolio.states import RESTING, OrderState, state_of

logger = logging.getLogger(__name__)

ANSWER_OVERDUE = timedelta(seconds=3)
LOOK_UP_SPACING = timedelta(seconds=2)
NOT_FOUNDS_NEEDED = 4  # the first and the last lie at least six seconds apart
LOOK_UPS_PER_VENUE = 10  # a tick
LOOK_UP_DEADLINE_S = 8.0
TICK_DEADLINE_S = 15.0
CANCEL_WATCHED = timedelta(minutes=10)

SOMEBODY_ELSES = "The exchange shows another order under this client order id; a person must look."


@dataclass(frozen=True, slots=True)
class LookUp:
    """A complete look-up: `asked_at` on the venue's clock, before the question; `lag` how long the venue may hide an order."""

    asked_at: datetime
    lag: timedelta
    found: OrderResult | None


def tick(now: datetime) -> int:
    """One round over everything unresolved; returns how many orders were looked up. Needs the database and the venues, no broker."""
    _give_up_waiting(now)
    asked = {_ask(order): order for order in _due(now) if _claim(order, now)}
    for answer in as_completed(asked, timeout=TICK_DEADLINE_S):
        _conclude(asked[answer], answer)
    return len(asked)


def apply_order_list(account: ExchangeAccount, answer: Answer[OrderList]) -> None:
    """Store the venue's resting orders, ours and those placed elsewhere, and what became of the ones that are gone."""
    if answer.content is None:
        logger.warning("the orders of %s could not be read: %s", account, answer.error)
        ingest.note_pause(account, answer)
        return
    with transaction.atomic():
        AccountState.objects.get_or_create(account=account)
        state = AccountState.objects.select_for_update().get(account=account)
        if state.orders_as_of is not None and answer.sent_at <= state.orders_as_of:
            return
        _store_all(account, [*answer.content.resting, *answer.content.settled])
        _note_asked(account, answer.content.asked, answer.sent_at)
        AccountState.objects.filter(account=account).update(orders_as_of=answer.sent_at)
        publish.book_changed([account.pk])


def known_resting(account_ids: Sequence[int]) -> dict[int, list[KnownOrder]]:
    """Per account, the orders that we believe to be resting and that the venue has shown us; first those not asked about for longest, so
    that one without an answer does not keep the others from being asked about."""
    known: dict[int, list[KnownOrder]] = {account_id: [] for account_id in account_ids}
    rows = Order.objects.filter(account_id__in=account_ids, state__in=RESTING).exclude(exchange_order_id="")
    for row in rows.order_by(F("looked_up_at").asc(nulls_first=True), "id"):
        known[row.account_id].append(KnownOrder(row.symbol, row.exchange_order_id))
    return known


def _give_up_waiting(now: datetime) -> None:
    """A sender that died, or waits too long, leaves its order SUBMITTING: say openly that the outcome is not known."""
    waiting = (OrderState.SUBMITTING,)
    for order in Order.objects.filter(state__in=waiting, updated_at__lt=now - ANSWER_OVERDUE):
        reason = "No answer yet; the exchange is being asked by client order id."
        record.record_state(order, OrderState.UNKNOWN, reason, replacing=waiting)


def _due(now: datetime) -> list[Order]:
    """What was looked up longest ago comes first, and no venue takes the turns of the others."""
    waiting = Q(state__in=(OrderState.UNKNOWN, OrderState.SUBMITTED))
    cancels = Q(state__in=RESTING, cancel_requested_at__gt=now - CANCEL_WATCHED)
    rested = Q(looked_up_at=None) | Q(looked_up_at__lte=now - LOOK_UP_SPACING)
    rows = Order.objects.filter(waiting | cancels, rested).select_related("account__credential")
    taken: Counter[tuple[str, str]] = Counter()
    due = []
    for order in rows.order_by(F("looked_up_at").asc(nulls_first=True), "id"):
        venue = (order.account.exchange, order.account.environment)
        taken[venue] += 1
        if taken[venue] <= LOOK_UPS_PER_VENUE:
            due.append(order)
    return due


def _claim(order: Order, now: datetime) -> bool:
    """Of two keepers one looks the order up, so that the look-ups that count are spaced."""
    return Order.objects.filter(pk=order.pk, looked_up_at=order.looked_up_at).update(looked_up_at=now) == 1


def _ask(order: Order) -> "Future[LookUp]":
    try:
        return runtime().submit(_look_up(accounts.client_for(order.account), order))
    except (VaultError, Credential.DoesNotExist, ValueError) as error:
        unasked: Future[LookUp] = Future()
        unasked.set_exception(error)
        return unasked


async def _look_up(client: IExchangeClient, order: Order) -> LookUp:
    async with asyncio.timeout(LOOK_UP_DEADLINE_S):
        await venue_clocks.keep(client)
        asked_at = datetime.fromtimestamp(client.clock.now_ms() / 1_000, UTC)
        lag = timedelta(seconds=client.capabilities.visibility_lag_s)
        if order.state in RESTING:
            return LookUp(asked_at, lag, await client.get_order_status(order.symbol, order.exchange_order_id))
        return LookUp(asked_at, lag, await client.find_order(order.symbol, order.client_order_id))


def _conclude(order: Order, answer: "Future[LookUp]") -> None:
    """One order that cannot be resolved, whatever the reason, must not keep the others from it."""
    try:
        error = answer.exception()
        if isinstance(error, ExchangeAPIError | TimeoutError | VaultError | Credential.DoesNotExist):
            logger.warning("order %s could not be looked up (%s): it stays %s", order.pk, error or "no answer in time", order.state)
        else:
            _apply(order, answer.result())
    except Exception:
        logger.exception("what became of order %s could not be found out: it stays %s", order.pk, order.state)


def _apply(order: Order, look_up: LookUp) -> None:
    if look_up.found is None:
        _count_not_found(order, look_up)
    elif _is_ours(order, look_up.found):
        record.record_result(order, look_up.found)
        record.end_abandoned_attempt(order, WriteEffect.APPLIED)
    else:
        _leave_to_a_person(order)


def _count_not_found(order: Order, look_up: LookUp) -> None:
    attempt = SubmitAttempt.objects.filter(order=order).order_by("-number").first()
    if attempt is None or look_up.asked_at < attempt.fence_at + look_up.lag:
        return
    count = order.not_found_count + 1
    Order.objects.filter(pk=order.pk).update(not_found_count=count)
    if count >= NOT_FOUNDS_NEEDED:
        evidence = (
            f"Not placed: after {attempt.fence_at:%H:%M:%S} UTC the exchange would refuse it, and {count} complete look-ups found nothing."
        )
        record.record_state(order, OrderState.NOT_PLACED, evidence)
        record.end_abandoned_attempt(order, WriteEffect.NONE)


def _is_ours(order: Order, found: OrderResult) -> bool:
    """The venue's own id decides where it is known. Somebody else may have used the same client order id: then only what says nothing else
    than was sent is taken for ours. Bybit and OKX cut a reduce-only order to the size of the position."""
    if order.exchange_order_id:
        return (found.symbol, found.order_id) == (order.symbol, order.exchange_order_id)
    is_cut = order.reduce_only and found.quantity is not None and 0 < found.quantity < order.quantity
    return (
        found.symbol == order.symbol
        and found.side in (None, order.side)
        and (found.quantity in (None, order.quantity) or is_cut)
        and (order.price is None or found.price in (None, order.price))
    )


def _leave_to_a_person(order: Order) -> None:
    if order.reason != SOMEBODY_ELSES:
        logger.critical("order %s: another order is at the venue under its client order id", order.pk)
    record.record_state(order, OrderState.UNKNOWN, SOMEBODY_ELSES)


def _store_all(account: ExchangeAccount, results: Sequence[OrderResult]) -> None:
    """Every result alone: one that cannot be stored must not cost the others. Rows are fetched at once, most of them need no change."""
    by_id = Q(exchange_order_id__in={result.order_id for result in results})
    by_client_id = Q(exchange_order_id="", client_order_id__in={result.client_order_id for result in results} - {""})
    rows = list(Order.objects.select_for_update().filter(by_id | by_client_id, account=account).order_by("id"))
    shown = {(row.symbol, row.exchange_order_id): row for row in rows if row.exchange_order_id}
    awaited = {row.client_order_id: row for row in rows if not row.exchange_order_id}
    for result in results:
        row = shown.get((result.symbol, result.order_id)) or awaited.get(result.client_order_id)
        try:
            with transaction.atomic():
                _store(account, row, result)
        except DatabaseError:
            logger.exception("order %s of %s could not be stored", result.order_id, account)


def _store(account: ExchangeAccount, row: Order | None, result: OrderResult) -> None:
    if row is not None and _is_ours(row, result):
        record.apply_result(row, result)
        return
    if row is not None and not row.exchange_order_id:
        _leave_to_a_person(row)
    if result.status.is_open and result.side is not None:
        _adopt(account, result)


def _note_asked(account: ExchangeAccount, asked: Sequence[KnownOrder], at: datetime) -> None:
    ids = [order.order_id for order in asked]
    Order.objects.filter(account=account, exchange_order_id__in=ids, state__in=RESTING).update(looked_up_at=at)


def _adopt(account: ExchangeAccount, result: OrderResult) -> None:
    """An order placed outside Crossbook: shown like any other. Its type is empty where the venue's kind has no name here."""
    if is_made_here(result.client_order_id):
        logger.critical("an order of %s bears an id of ours, %s, and was never recorded", account, result.client_order_id)
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
