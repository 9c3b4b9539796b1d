"""Equity of a portfolio over time, from the points that each account leaves every minute. A minute that lacks an account, or has an old
figure of one, says so: its sum is not the whole."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from exchanges.models import ExchangeAccount
from portfolio.models import EquityPoint


@dataclass(frozen=True, slots=True)
class PortfolioEquity:
    """`equity_usd` sums what the accounts had; `is_complete` where every account had a figure that was not stale."""

    minute: datetime
    equity_usd: Decimal
    accounts: int
    is_complete: bool


def series(accounts: Iterable[ExchangeAccount], *, start: datetime | None, end: datetime | None, limit: int) -> list[PortfolioEquity]:
    """Oldest first: of the minutes in [start, end] the newest `limit`, or the oldest where only `start` is given. An account counts from
    its first point on, and one that is disabled or archived to its last: before and after it lacks in no sum."""
    accounts = list(accounts)
    ids = [account.pk for account in accounts]
    minutes = _minutes(ids, start=start, end=end, limit=limit)
    if not minutes:
        return []
    points: dict[datetime, list[EquityPoint]] = {minute: [] for minute in minutes}
    for point in EquityPoint.objects.filter(account__in=ids, minute__gte=minutes[0], minute__lte=minutes[-1]):
        points[point.minute].append(point)
    counted = _counted(accounts)
    return [
        _sum_of(
            minute, found, expected={key for key, (first, last) in counted.items() if first <= minute and (last is None or minute <= last)}
        )
        for minute, found in points.items()
    ]


def _minutes(ids: list[int], *, start: datetime | None, end: datetime | None, limit: int) -> list[datetime]:
    found = EquityPoint.objects.filter(account__in=ids)
    if start is not None:
        found = found.filter(minute__gte=start)
    if end is not None:
        found = found.filter(minute__lte=end)
    minutes = found.values_list("minute", flat=True).distinct()
    if start is not None and end is None:
        return list(minutes.order_by("minute")[:limit])
    return sorted(minutes.order_by("-minute")[:limit])


def _counted(accounts: Iterable[ExchangeAccount]) -> dict[int, tuple[datetime, datetime | None]]:
    """By account id, the first and the last minute in which it counts, None while it goes on; without those that have left no point."""
    counted: dict[int, tuple[datetime, datetime | None]] = {}
    for account in accounts:
        minutes = EquityPoint.objects.filter(account=account).values_list("minute", flat=True)
        first = minutes.order_by("minute").first()
        if first is not None:
            is_read = account.is_enabled and account.archived_at is None
            counted[account.pk] = first, None if is_read else minutes.order_by("-minute").first()
    return counted


def _sum_of(minute: datetime, points: list[EquityPoint], *, expected: set[int]) -> PortfolioEquity:
    fresh = {point.account_id for point in points if not point.is_stale}
    return PortfolioEquity(
        minute=minute,
        equity_usd=sum((point.equity_usd for point in points), Decimal(0)),
        accounts=len(points),
        is_complete=expected <= fresh,
    )
