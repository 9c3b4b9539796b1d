"""What a venue's limit means for accounts: who waits besides the one that met it, and what the others are told."""

from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Q

from exchanges import pauses
from exchanges.errors import ExchangeAPIError, RateLimited, Scope
from exchanges.models import ExchangeAccount
from portfolio import publish
from portfolio.models import AccountState


def note_venue(account: ExchangeAccount, error: ExchangeAPIError | None, at: datetime) -> None:
    """Of an error that concerns this server's address: every account of that exchange and environment waits."""
    end = pauses.note(account.exchange, account.environment, error, at) if error is not None else None
    if error is not None and end is not None and end - at > timedelta(seconds=settings.POLL_PERIOD_S):
        _tell_others(account, error, at, end)


def note_look_up(account: ExchangeAccount, error: ExchangeAPIError, at: datetime) -> None:
    """Of an error that a look-up met: its venue waits, or the account alone where the venue counts by account."""
    note_venue(account, error, at)
    end = pauses.until(error, at)
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
