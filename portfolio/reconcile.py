"""Find out what became of orders: those whose outcome is not known, and those that rested and that the venue no longer lists.

Both are resolved by evidence alone: the venue shows the order; or it says in four complete look-ups, two seconds apart, that there is none,
asked when it must refuse the request as too old (or after its list did not hold the order) and its own lag has passed. A failed look-up is
no evidence. A venue that hangs keeps no other venue's orders waiting: what is under way is left under way.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import Future, as_completed
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.db import transaction
from django.db.models import BooleanField, ExpressionWrapper, F, Q

from exchanges import accounts, pauses
from exchanges.domain import OrderResult
from exchanges.errors import ExchangeAPIError, UnknownOrder, WriteEffect
from exchanges.models import Credential
from exchanges.protocol import IExchangeClient
from exchanges.runtime import runtime
from exchanges.vault import VaultError
from portfolio import rate_limits, venue_clocks
from portfolio.execution import ownership, record
from portfolio.models import Order, Origin, SubmitAttempt
from portfolio.states import RESTING, OrderState

logger = logging.getLogger(__name__)

ANSWER_OVERDUE = timedelta(seconds=3)
LOOK_UP_SPACING = timedelta(seconds=2)
NOT_FOUNDS_NEEDED = 4  # the first and the last lie at least six seconds apart
LOOK_UPS_PER_VENUE = 10  # a round
LOOK_UP_DEADLINE_S = 8.0
CANCEL_WATCHED = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class LookUp:
    """A complete look-up: `asked_at` on the venue's clock, before the question; `lag` how long the venue may hide an order."""

    asked_at: datetime
    lag: timedelta
    found: OrderResult | None


class Keeper:
    """Rounds over everything that must be looked up. Needs the database and the venues, no broker."""

    def __init__(self) -> None:
        self._under_way: dict[Future[LookUp], Order] = {}

    def ask(self, now: datetime) -> int:
        """Start to look up what is due, and return how many that are. Waits for no venue."""
        _give_up_waiting(now)
        asked = {_ask(order): order for order in _due(now, list(self._under_way.values())) if _claim(order, now)}
        self._under_way |= asked
        return len(asked)

    def conclude(self, *, within_s: float) -> None:
        """Record each answer as it comes. What is not answered within that time stays under way."""
        try:
            for answer in as_completed(list(self._under_way), timeout=within_s):
                _conclude(self._under_way.pop(answer), answer)
        except TimeoutError:
            return


def _give_up_waiting(now: datetime) -> None:
    """A sender that died, or waits too long, leaves its order SUBMITTING: say openly that the outcome is not known."""
    waiting = (OrderState.SUBMITTING,)
    for order in Order.objects.filter(state__in=waiting, updated_at__lt=now - ANSWER_OVERDUE):
        reason = "No answer yet; the exchange is being asked by client order id."
        record.record_state(order, OrderState.UNKNOWN, reason, replacing=waiting)


def _due(now: datetime, under_way: Sequence[Order]) -> list[Order]:
    """Unknown outcomes come before the others, then what was looked up longest ago; no venue takes the turns of the others, and what hangs
    takes its own venue's."""
    waiting = Q(state__in=(OrderState.UNKNOWN, OrderState.SUBMITTED))
    cancels = Q(state__in=RESTING, cancel_requested_at__gt=now - CANCEL_WATCHED)
    missing = Q(state__in=RESTING, missing_since__isnull=False)
    rested = Q(looked_up_at=None) | Q(looked_up_at__lte=now - LOOK_UP_SPACING)
    is_paused = pauses.of_venue(now, account="account__") | Q(account__state__paused_until__gt=now)
    # Of an archived account nobody can ask any more: its keys are erased.
    rows = Order.objects.filter(waiting | cancels | missing, rested, ~is_paused, account__archived_at=None)
    rows = rows.exclude(pk__in=[order.pk for order in under_way])
    is_waiting = ExpressionWrapper(waiting, output_field=BooleanField())
    taken = Counter(map(_venue_of, under_way))
    due = []
    for order in rows.select_related("account__credential").order_by(is_waiting.desc(), F("looked_up_at").asc(nulls_first=True), "id"):
        taken[_venue_of(order)] += 1
        if taken[_venue_of(order)] <= LOOK_UPS_PER_VENUE:
            due.append(order)
    return due


def _venue_of(order: Order) -> tuple[str, str]:
    return order.account.exchange, order.account.environment


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
            return LookUp(asked_at, lag, await _find_shown(client, order))
        return LookUp(asked_at, lag, await client.find_order(order.symbol, order.client_order_id))


async def _find_shown(client: IExchangeClient, order: Order) -> OrderResult | None:
    """An order that the venue has shown is asked for by the venue's own id. One of ours is then looked for in every other place; the client
    id of somebody else's may be anything."""
    try:
        return await client.get_order_status(order.symbol, order.exchange_order_id)
    except UnknownOrder:
        if order.origin == Origin.EXTERNAL:
            return None
        return await client.find_order(order.symbol, order.client_order_id)


def _conclude(order: Order, answer: "Future[LookUp]") -> None:
    """One order that cannot be resolved, whatever the reason, must not keep the others from it."""
    try:
        error = answer.exception()
        if isinstance(error, ExchangeAPIError | TimeoutError | VaultError | Credential.DoesNotExist):
            if isinstance(error, ExchangeAPIError):
                rate_limits.note_look_up(order.account, error, datetime.now(UTC))
            logger.warning("order %s could not be looked up (%s): it stays %s", order.pk, error or "no answer in time", order.state)
        else:
            _apply(order, answer.result())
    except Exception:
        logger.exception("what became of order %s could not be found out: it stays %s", order.pk, order.state)


def _apply(order: Order, look_up: LookUp) -> None:
    if look_up.found is not None and ownership.is_same(order, look_up.found):
        record.record_result(order, look_up.found)
        record.end_abandoned_attempt(order, WriteEffect.APPLIED)
    elif order.state in RESTING:
        _count_gone(order, look_up)
    elif look_up.found is None:
        _count_not_found(order, look_up)
    else:
        ownership.leave_to_a_person(order)


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


def _count_gone(order: Order, look_up: LookUp) -> None:
    """Only for an order that a complete list lacked: until then a look-up that finds nothing is contradicted by the list."""
    with transaction.atomic():
        row = Order.objects.select_for_update().get(pk=order.pk)
        if row.missing_since is None or look_up.asked_at < row.missing_since + look_up.lag:
            return
        row.not_found_count += 1
        row.save(update_fields=["not_found_count"])
        if row.not_found_count >= NOT_FOUNDS_NEEDED:
            evidence = (
                f"Not among the exchange's open orders since {row.missing_since:%H:%M:%S} UTC, and {row.not_found_count} complete look-ups "
                "found nothing: it is over, how it ended is not known."
            )
            record.record_state(row, OrderState.GONE, evidence, replacing=RESTING)
