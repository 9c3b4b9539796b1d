"""Keep the list of resting orders true: store what a venue lists, orders placed elsewhere among them, and mark what it no longer lists.

A list counts only if it was asked for after the one stored last, and an order is missing from it only if the list was asked for after what
was last learned of the order. Missing is no end: portfolio.reconcile asks what became of it.
"""

import logging
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal

from django.db import DatabaseError, transaction
from django.db.models import F, Q

from exchanges.domain import OrderResult
from exchanges.models import ExchangeAccount
from portfolio import ingest, publish
from portfolio.execution import ownership, record
from portfolio.execution.identifiers import is_made_here
from portfolio.models import AccountState, Order, Origin
from portfolio.polling import Answer, KnownOrder, OrderList
from portfolio.states import RESTING, state_of

logger = logging.getLogger(__name__)


def apply_order_list(account: ExchangeAccount, answer: Answer[OrderList]) -> None:
    """Store the venue's resting orders, ours and those placed elsewhere, and what became of the ones that are gone."""
    if answer.content is None:
        logger.warning("the orders of %s could not be read: %s", account, answer.error)
        ingest.note_pause(account, answer)
        ingest.note_orders_error(account, answer)
        return
    with transaction.atomic():
        AccountState.objects.get_or_create(account=account)
        state = AccountState.objects.select_for_update().get(account=account)
        if state.orders_as_of is not None and answer.sent_at <= state.orders_as_of:
            return
        _store_all(account, [*answer.content.resting, *answer.content.settled])
        _note_asked(account, answer.content.asked, answer.sent_at)
        _note_missing(account, answer.content, answer.sent_at)
        state.orders_as_of = answer.sent_at
        if state.orders_error_at is None or answer.sent_at > state.orders_error_at:
            state.orders_error, state.orders_error_at = "", None
        state.save(update_fields=["orders_as_of", "orders_error", "orders_error_at"])
        publish.book_changed([account.pk])


def known_resting(account_ids: Sequence[int]) -> dict[int, list[KnownOrder]]:
    """Per account, the orders that we believe to be resting and that the venue has shown us; first those not asked about for longest, so
    that one without an answer does not keep the others from being asked about."""
    known: dict[int, list[KnownOrder]] = {account_id: [] for account_id in account_ids}
    rows = Order.objects.filter(account_id__in=account_ids, state__in=RESTING).exclude(exchange_order_id="")
    for row in rows.order_by(F("looked_up_at").asc(nulls_first=True), "id"):
        known[row.account_id].append(KnownOrder(row.symbol, row.exchange_order_id))
    return known


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
    if row is not None and ownership.is_same(row, result):
        record.apply_result(row, result)
        return
    if row is not None and not row.exchange_order_id:
        ownership.leave_to_a_person(row)
    if result.status.is_open and result.side is not None:
        _adopt(account, result)


def _note_asked(account: ExchangeAccount, asked: Sequence[KnownOrder], at: datetime) -> None:
    ids = [order.order_id for order in asked]
    before = Q(looked_up_at=None) | Q(looked_up_at__lt=at)
    Order.objects.filter(before, account=account, exchange_order_id__in=ids, state__in=RESTING).update(looked_up_at=at)


def _note_missing(account: ExchangeAccount, content: OrderList, sent_at: datetime) -> None:
    """Resting orders that this list should hold and does not, but for those that a look-up has shown meanwhile."""
    shown = {(result.symbol, result.order_id) for result in (*content.resting, *content.settled)}
    expected = Order.objects.filter(account=account, state__in=RESTING, missing_since=None, updated_at__lt=sent_at)
    rows = expected.exclude(exchange_order_id="").values_list("id", "symbol", "exchange_order_id")
    missing = [row_id for row_id, *ids in rows if tuple(ids) not in shown]
    Order.objects.filter(pk__in=missing).update(missing_since=sent_at)


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
