"""When a venue is to be asked again: what it named, or a wait of our own where it names no time.

A limit counted by address is met by all accounts of a venue at once. Its end is kept in the database, for all processes and beyond a
restart, and only time ends it: an answer that was on its way when it began does not.
"""

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Exists, OuterRef

from exchanges.errors import AuthenticationError, Banned, ExchangeAPIError, RateLimited, Scope
from exchanges.models import VenuePause

WITHOUT_RETRY_AFTER = timedelta(seconds=10)
BANNED_WITHOUT_END = timedelta(minutes=10)
# The longest ban that a venue tells of (Binance). More than that is no time that anybody meant.
LONGEST = timedelta(days=3)
ON_REFUSED_KEY = timedelta(seconds=60)


def until(error: ExchangeAPIError, at: datetime) -> datetime | None:
    """When to ask again; None means at the next poll."""
    if isinstance(error, RateLimited):
        if error.retry_after_s:
            return at + timedelta(seconds=min(error.retry_after_s, LONGEST.total_seconds()))
        return at + (BANNED_WITHOUT_END if isinstance(error, Banned) else WITHOUT_RETRY_AFTER)
    return at + ON_REFUSED_KEY if isinstance(error, AuthenticationError) else None


def of_venue(now: datetime, *, account: str = "") -> Exists:
    """Whether the venue of a row is paused; `account` leads from the row to its account ("account__" for an order)."""
    venue = {"exchange": OuterRef(f"{account}exchange"), "environment": OuterRef(f"{account}environment")}
    return Exists(VenuePause.objects.filter(**venue, until__gt=now))


def end_of(exchange: str, environment: str, now: datetime) -> datetime | None:
    """Until when nothing is sent to this venue; None where it may be asked."""
    found = VenuePause.objects.filter(exchange=exchange, environment=environment, until__gt=now)
    return found.values_list("until", flat=True).first()


def refuse_while_paused(exchange: str, environment: str, now: datetime) -> None:
    """Raises RateLimited: what a person wants waits as polls do, since one more request makes a ban longer."""
    end = end_of(exchange, environment, now)
    if end is not None:
        raise RateLimited(
            f"nothing was sent: everything waits until {end:%H:%M:%S} UTC, as the exchange asked of this server",
            exchange=exchange,
            retry_after_s=(end - now).total_seconds(),
        )


def note(exchange: str, environment: str, error: ExchangeAPIError, at: datetime) -> datetime | None:
    """Of an error that concerns this server's address, which every account of that venue meets: until when all of them wait."""
    end = until(error, at) if error.scope is Scope.ADDRESS else None
    if end is None:
        return None
    venue = {"exchange": exchange, "environment": environment}
    with transaction.atomic():
        VenuePause.objects.get_or_create(**venue, defaults={"until": end})
        VenuePause.objects.filter(**venue, until__lt=end).update(until=end)
    return end
