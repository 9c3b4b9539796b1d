"""One poll round: which accounts are due, ask them all, store each answer. Synchronous; called by tasks, by the keeper and by commands."""

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from django.conf import settings
from django.db.models import Q
from prometheus_client import Counter

from exchanges import accounts, pauses
from exchanges.models import Credential, ExchangeAccount, ExchangeAccountQuerySet
from exchanges.protocol import IExchangeClient
from exchanges.runtime import runtime
from exchanges.vault import VaultError
from portfolio import ingest, order_lists, polling
from portfolio.models import AccountState, EquityPoint
from portfolio.polling import Answer, Holdings, OrderList

logger = logging.getLogger(__name__)

ROUND_DEADLINE_S = 30.0

T = TypeVar("T")

POLLS = Counter("crossbook_polls", "Accounts asked, by what of them was read and what came of it.", ["exchange", "kind", "outcome"])


def shards(now: datetime) -> list[list[int]]:
    """Ids of the accounts that are due, at most POLL_SHARD_ACCOUNTS of one exchange together; paused accounts are left out."""
    by_venue: dict[tuple[str, str], list[int]] = {}
    for account_id, exchange, environment in _due(now).order_by("id").values_list("id", "exchange", "environment"):
        by_venue.setdefault((exchange, environment), []).append(account_id)
    size = settings.POLL_SHARD_ACCOUNTS
    return [ids[start : start + size] for ids in by_venue.values() for start in range(0, len(ids), size)]


def poll_holdings(account_ids: Iterable[int]) -> None:
    """Positions, balances and equity of these accounts."""

    async def question(_account_id: int, client: IExchangeClient) -> Holdings:
        return await polling.fetch_holdings(client)

    rows = _rows(account_ids)
    clients = _clients(rows)
    answers = runtime().run(polling.ask_all(clients, question), deadline_s=ROUND_DEADLINE_S)
    _store_each("holdings", rows, answers, ingest.apply_holdings)


def poll_orders(account_ids: Iterable[int]) -> None:
    """Resting orders of these accounts, and what became of those that are gone."""
    rows = _rows(account_ids)
    known = order_lists.known_resting([row.pk for row in rows])

    async def question(account_id: int, client: IExchangeClient) -> OrderList:
        return await polling.fetch_orders(client, known[account_id])

    answers = runtime().run(polling.ask_all(_clients(rows), question), deadline_s=ROUND_DEADLINE_S)
    _store_each("orders", rows, answers, order_lists.apply_order_list)


def record_equity(now: datetime) -> None:
    """Keep every account's equity once a minute; what is older than the completeness limit is kept as stale."""
    minute = now.replace(second=0, microsecond=0)
    limit = timedelta(seconds=settings.STALE_AFTER_S)
    states = AccountState.objects.filter(account__in=ExchangeAccount.objects.active())
    EquityPoint.objects.bulk_create(
        [
            EquityPoint(
                account_id=state.account_id,
                minute=minute,
                equity_usd=state.equity_usd,
                is_stale=state.balances_as_of is None or now - state.balances_as_of > limit,
            )
            for state in states
            if state.equity_usd is not None
        ],
        ignore_conflicts=True,
    )


def _due(now: datetime) -> ExchangeAccountQuerySet:
    never_paused = Q(state=None) | Q(state__paused_until=None)
    return ExchangeAccount.objects.active().filter(never_paused | Q(state__paused_until__lte=now), ~pauses.of_venue(now))


def _rows(account_ids: Iterable[int]) -> list[ExchangeAccount]:
    """Those of the accounts that are still due: a pause may have begun since the round was planned, or the venue may have been asked
    out of turn."""
    return list(_due(datetime.now(UTC)).filter(pk__in=list(account_ids)).select_related("credential"))


def _clients(rows: Sequence[ExchangeAccount]) -> dict[int, IExchangeClient]:
    """A client for each account whose keys open; the others are marked with the reason."""
    clients: dict[int, IExchangeClient] = {}
    for row in rows:
        try:
            clients[row.pk] = accounts.client_for(row)
        except (VaultError, Credential.DoesNotExist, ValueError) as error:
            ingest.note_failure(row, error, datetime.now(UTC))
    return clients


def _store_each(
    kind: str, rows: Sequence[ExchangeAccount], answers: Mapping[int, Answer[T]], store: Callable[[ExchangeAccount, Answer[T]], object]
) -> None:
    """One account whose answer cannot be stored must not keep the others from being stored."""
    for row in rows:
        if row.pk not in answers:
            continue
        POLLS.labels(row.exchange, kind, "read" if answers[row.pk].error is None else "failed").inc()
        try:
            store(row, answers[row.pk])
        except Exception:
            logger.exception("the answer of account %s could not be stored", row.pk)
