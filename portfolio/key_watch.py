"""Stored keys are asked about once a day: what each may do now is kept beside it, and one that may withdraw or is refused ends trading.
Accounts whose id at the venue is not known yet are asked for it."""

import logging
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import transaction

from exchanges import accounts, pauses
from exchanges.domain import KeyPermissions
from exchanges.models import Credential, ExchangeAccount
from exchanges.protocol import IExchangeClient
from exchanges.runtime import runtime
from exchanges.vault import VaultError
from portfolio import publish
from portfolio.key_check import is_rejection, unfitness_of
from portfolio.polling import Answer, ask_all

logger = logging.getLogger(__name__)

ROUND_DEADLINE_S = 30.0


def shards() -> list[list[int]]:
    """Ids of all accounts with stored keys, also of disabled ones: what is stored is watched."""
    ids = list(ExchangeAccount.objects.filter(archived_at=None, credential__isnull=False).order_by("id").values_list("id", flat=True))
    size = settings.POLL_SHARD_ACCOUNTS
    return [ids[start : start + size] for start in range(0, len(ids), size)]


def check_keys(account_ids: Iterable[int], now: datetime) -> None:
    """Ask what each of these keys may do. A venue that limits this server's address is left alone until the next day."""
    found = ExchangeAccount.objects.filter(pk__in=list(account_ids), archived_at=None).select_related("credential")
    rows = list(found.exclude(pauses.of_venue(now)))

    async def question(_account_id: int, client: IExchangeClient) -> KeyPermissions:
        return await client.get_key_permissions()

    clients = _clients(rows)
    answers = runtime().run(ask_all(clients, question), deadline_s=ROUND_DEADLINE_S)
    for row in rows:
        if row.pk not in answers:
            continue
        try:
            _judge(row, answers[row.pk])
        except Exception:
            # The others are not left unjudged for a day because of one.
            logger.exception("what was said of the key of account %s could not be kept", row.pk)
    nameless = [row for row in rows if not row.venue_account_id and row.pk in answers and answers[row.pk].content is not None]
    if nameless:
        _fill_in_ids(nameless, clients)


def keep(account: ExchangeAccount, permissions: KeyPermissions, checked_at: datetime, *, trouble: str = "") -> bool:
    """What the venue said of the key that `account` was read with; False where another one has taken its place since."""
    known = Credential.objects.filter(account=account, version=account.credential.version)
    return bool(
        known.update(
            can_trade=permissions.can_trade,
            can_withdraw=permissions.can_withdraw,
            is_ip_bound=permissions.is_ip_bound,
            expires_at=permissions.expires_at,
            checked_at=checked_at,
            trouble=trouble,
        )
    )


def _clients(rows: list[ExchangeAccount]) -> dict[int, IExchangeClient]:
    """Rows under an older wrapping key get the present one on the way. Of those that do not open, polls say so."""
    clients: dict[int, IExchangeClient] = {}
    for row in rows:
        try:
            accounts.seal_anew(row.pk)
            clients[row.pk] = accounts.client_for(row)
        except (VaultError, Credential.DoesNotExist, ValueError) as error:
            logger.warning("the key of account %s cannot be checked: %s", row.pk, error)
    return clients


def _fill_in_ids(rows: list[ExchangeAccount], clients: Mapping[int, IExchangeClient]) -> None:
    """Asked for apart: what a key may do is judged also where no id can be read."""

    async def question(_account_id: int, client: IExchangeClient) -> str:
        return await client.get_account_id()

    answers = runtime().run(ask_all({row.pk: clients[row.pk] for row in rows}, question), deadline_s=ROUND_DEADLINE_S)
    for row in rows:
        found = answers[row.pk].content
        if not found:
            logger.warning("account %s has no id of its venue yet: %s", row.pk, answers[row.pk].error)
            continue
        try:
            _fill_in(row, found)
        except Exception:
            logger.exception("the id of account %s at its venue could not be kept", row.pk)


@transaction.atomic
def _fill_in(row: ExchangeAccount, venue_account_id: str) -> None:
    """Nothing where the keys that were asked with are not those of the account any more, or the id became known since."""
    publish.book_changed([row.pk])  # holds the portfolio: nobody connects the same account meanwhile
    nameless = ExchangeAccount.objects.filter(pk=row.pk, venue_account_id="", archived_at=None, credential__version=row.credential.version)
    if not nameless.update(venue_account_id=venue_account_id):
        return
    same = ExchangeAccount.objects.filter(
        portfolio_link__portfolio__account_links__account=row, exchange=row.exchange, environment=row.environment, archived_at=None
    )
    for twin in same.filter(venue_account_id=venue_account_id).exclude(pk=row.pk):
        logger.warning("accounts %s and %s are one at the exchange and count twice: archive one of them", row.pk, twin.pk)


def _judge(row: ExchangeAccount, answer: Answer[KeyPermissions]) -> None:
    with transaction.atomic():
        publish.book_changed([row.pk])  # first: it holds the portfolio, as whoever renews the key does before they touch it
        if answer.content is not None:
            trouble = unfitness_of(answer.content) or _loss_of_trading(row, answer.content)
            is_about_it = keep(row, answer.content, answer.received_at, trouble=trouble)
        elif answer.error is not None and is_rejection(answer.error):
            trouble = f"The exchange refused the key. {answer.error.user_message}"
            known: dict[str, Any] = {"account": row, "version": row.credential.version}
            is_about_it = bool(Credential.objects.filter(**known).update(trouble=trouble[:600], checked_at=answer.received_at))
        else:
            logger.warning("the key of account %s was not checked: %s", row.pk, answer.error)
            return
        if not is_about_it:
            return
        if trouble:
            ended = ExchangeAccount.objects.filter(pk=row.pk, is_trading_enabled=True).update(is_trading_enabled=False)
            logger.warning("account %s: %s%s", row.pk, trouble, " Trading is switched off." if ended else "")


def _loss_of_trading(row: ExchangeAccount, permissions: KeyPermissions) -> str:
    return "The key may not trade any more." if row.is_trading_enabled and not permissions.can_trade else ""
