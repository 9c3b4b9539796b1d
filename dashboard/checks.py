"""System checks of our own: what must not be so where real accounts are connected. Those that need the database are asked with it, by
`manage.py check --database default` and by each web process when it starts."""

import logging
from typing import Any

from django.conf import settings
from django.core import checks
from django.core.checks import CheckMessage, Error, Tags, register
from django.db import DatabaseError

from exchanges.models import Credential, Environment, ExchangeAccount
from exchanges.vault import VaultError
from exchanges.wrapping_keys import vault

logger = logging.getLogger(__name__)


@register(Tags.security, deploy=True)
def vault_has_a_key(**_: Any) -> list[CheckMessage]:
    """Before anything is stored `prepare` makes one; a production is given it, or every machine would make one of its own."""
    return _vault_trouble()


@register(Tags.security)
def hosts_are_named(**_: Any) -> list[CheckMessage]:
    """With a host that may be any, a page of somebody else's can open the live socket and read the book (DNS rebinding)."""
    messages: list[CheckMessage] = []
    if "*" in settings.ALLOWED_HOSTS:
        hint = "Name the hosts that people open, separated by commas."
        messages.append(checks.Warning("ALLOWED_HOSTS is *: the site answers under any name.", hint=hint, id="crossbook.W001"))
    if any("*" in origin for origin in settings.CSRF_TRUSTED_ORIGINS):
        hint = "Name each origin whole: https://book.example.com."
        messages.append(checks.Warning("CSRF_TRUSTED_ORIGINS holds a *: pages of others may send forms.", hint=hint, id="crossbook.W002"))
    return messages


@register(Tags.database)
def live_accounts_are_safe(databases: Any = None, **_: Any) -> list[CheckMessage]:
    """Asks the database, so it runs where `databases` are named; one that has no tables yet holds no accounts."""
    if not databases:
        return []
    try:
        messages = _vault_trouble() if Credential.objects.exists() else []
        has_live = ExchangeAccount.objects.active().filter(environment=Environment.LIVE).exists()
    except DatabaseError:
        return []
    if has_live and settings.DEBUG:
        hint = "Leave DEBUG out: an error page of Django shows what it should not."
        messages.append(Error("DEBUG is on while live accounts are connected.", hint=hint, id="crossbook.E002"))
    if has_live and settings.DATABASES["default"]["ENGINE"].endswith("sqlite3"):
        hint = "That holds for one web process and one worker, as ./run up starts them; for several set DATABASE_URL to a PostgreSQL."
        messages.append(checks.Warning("Live accounts are kept in SQLite.", hint=hint, id="crossbook.W003"))
    return messages


def say_at_start() -> None:
    """Into the log of the process that starts."""
    for message in (*hosts_are_named(), *live_accounts_are_safe(databases=["default"])):
        logger.log(message.level, "%s %s (%s)", message.msg, message.hint, message.id)


def _vault_trouble() -> list[CheckMessage]:
    try:
        vault()
    except VaultError as error:
        hint = "Restore the key from your backup, or set VAULT_KEYS."
        return [Error(f"The vault has no usable key: {error}", hint=hint, id="crossbook.E001")]
    return []
