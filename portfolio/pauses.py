"""When an account or a whole venue is to be asked again: what a venue named, or a wait of our own where it names no time.

A limit counted by address is met by all accounts of a venue at once. Its end is kept in the database, for all processes and beyond a
restart, and only time ends it: an answer that was on its way when it began does not.
"""

from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, Q

from exchanges.errors import AuthenticationError, ExchangeAPIError, RateLimited, Scope
from exchanges.models import ExchangeAccount
from portfolio import publish
from portfolio.models import AccountState, VenuePause

WITHOUT_RETRY_AFTER = timedelta(seconds=10)
ON_REFUSED_KEY = timedelta(seconds=60)


def until(error: ExchangeAPIError, at: datetime) -> datetime | None:
    """When to ask again; None means at the next poll."""
    if isinstance(error, RateLimited):
        return at + (timedelta(seconds=error.retry_after_s) if error.retry_after_s else WITHOUT_RETRY_AFTER)
    return at + ON_REFUSED_KEY if isinstance(error, AuthenticationError) else None


def of_venue(now: datetime, *, account: str = "") -> Exists:
    """Whether the venue of a row is paused; `account` leads from the row to its account ("account__" for an order)."""
    venue = {"exchange": OuterRef(f"{account}exchange"), "environment": OuterRef(f"{account}environment")}
    return Exists(VenuePause.objects.filter(**venue, until__gt=now))


def note_venue(account: ExchangeAccount, error: ExchangeAPIError | None, at: datetime) -> None:
    """Of an error that concerns this server's address: every account of that exchange and environment waits."""
    end = until(error, at) if error is not None and error.scope is Scope.ADDRESS else None
    if error is None or end is None:
        return
    venue = {"exchange": account.exchange, "environment": account.environment}
    with transaction.atomic():
        VenuePause.objects.get_or_create(**venue, defaults={"until": end})
        VenuePause.objects.filter(**venue, until__lt=end).update(until=end)
    if end - at > timedelta(seconds=settings.POLL_PERIOD_S):
        _tell_others(account, error, at, end)


def note_look_up(account: ExchangeAccount, error: ExchangeAPIError, at: datetime) -> None:
    """Of an error that a look-up met: its venue waits, or the account alone where the venue counts by account."""
    note_venue(account, error, at)
    end = until(error, at)
    if isinstance(error, RateLimited) and error.scope is Scope.ACCOUNT and end is not None:
        AccountState.objects.get_or_create(account=account)
        never_or_shorter = Q(paused_until=None) | Q(paused_until__lt=end)
        AccountState.objects.filter(never_or_shorter, account=account).update(paused_until=end)


def _tell_others(account: ExchangeAccount, error: ExchangeAPIError, at: datetime, end: datetime) -> None:
    """The figures of the others will be seen to age: say why."""
    others = AccountState.objects.filter(account__exchange=account.exchange, account__environment=account.environment)
    others = others.exclude(account=account).filter(error_message="")
    ids = list(others.values_list("account_id", flat=True))
    reason = f"The exchange's rate limit was met by another account; all wait until {end:%H:%M:%S} UTC."
    with transaction.atomic():
        # In one order: several accounts may meet the limit together.
        list(AccountState.objects.filter(account_id__in=ids).order_by("pk").select_for_update())
        told = {"error_class": type(error).__name__, "error_message": reason, "error_at": at}
        AccountState.objects.filter(account_id__in=ids, error_message="").update(**told)
        publish.book_changed(ids)
