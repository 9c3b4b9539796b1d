"""What the database says of the book at the moment it is asked, for monitoring: the same whichever process answers. Accounts are told by
their numbers; labels, names and amounts stay here."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from django.conf import settings
from django.db import DatabaseError
from django.db.models import Count, Q
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from exchanges.models import ExchangeAccount, VenuePause
from portfolio import states
from portfolio.models import AccountState, Order

ENDED_WITHIN = timedelta(hours=24)


class BookCollector(Collector):
    def collect(self) -> Iterator[Metric]:
        now = datetime.now(UTC)
        readable = GaugeMetricFamily("crossbook_database_readable", "1 while the figures of the book can be read.")
        try:
            families = [*_accounts(now), _orders(now), _pauses(now)]
        except DatabaseError:
            families = []
        readable.add_metric([], 1 if families else 0)
        yield readable
        yield from families


def _accounts(now: datetime) -> list[Metric]:
    ages = GaugeMetricFamily(
        "crossbook_oldest_figure_age_seconds", "Age of the oldest figure of an account.", labels=["account", "exchange", "environment"]
    )
    outcomes = GaugeMetricFamily(
        "crossbook_accounts", "Accounts by what came of their last poll.", labels=["exchange", "environment", "outcome"]
    )
    counts: dict[tuple[str, str, str], int] = {}
    for account in ExchangeAccount.objects.active().select_related("state").order_by("id"):
        state = getattr(account, "state", None)
        as_of = state.as_of if state is not None else None
        if as_of is not None:
            ages.add_metric([str(account.pk), account.exchange, account.environment], (now - as_of).total_seconds())
        key = (account.exchange, account.environment, _outcome(state, now))
        counts[key] = counts.get(key, 0) + 1
    for key, count in counts.items():
        outcomes.add_metric(key, count)
    return [ages, outcomes]


def _outcome(state: AccountState | None, now: datetime) -> str:
    if state is None or state.as_of is None:
        return "unread"
    if state.paused_until is not None and state.paused_until > now:
        return "paused"
    if state.error_at is not None and state.error_at > state.as_of:
        return "failed"
    return "late" if now - state.as_of > timedelta(seconds=settings.STALE_AFTER_S) else "read"


def _orders(now: datetime) -> Metric:
    family = GaugeMetricFamily(
        "crossbook_orders", "Orders that are open, and those of the last 24 hours that have ended.", labels=["exchange", "state"]
    )
    counted = Order.objects.filter(Q(state__in=states.OPEN) | Q(created_at__gte=now - ENDED_WITHIN))
    for exchange, state, count in counted.values_list("account__exchange", "state").annotate(Count("id")).order_by():
        family.add_metric([exchange, state], count)
    return family


def _pauses(now: datetime) -> Metric:
    family = GaugeMetricFamily(
        "crossbook_venue_pause_seconds", "For how long nothing is sent to a venue that limits us.", labels=["exchange", "environment"]
    )
    for pause in VenuePause.objects.filter(until__gt=now):
        family.add_metric([pause.exchange, pause.environment], (pause.until - now).total_seconds())
    return family
