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
    its first point on: before it was connected it lacks in no sum."""
    ids = [account.pk for account in accounts]
    minutes = _minutes(ids, start=start, end=end, limit=limit)
    if not minutes:
        return []
    points: dict[datetime, list[EquityPoint]] = {minute: [] for minute in minutes}
    for point in EquityPoint.objects.filter(account__in=ids, minute__gte=minutes[0], minute__lte=minutes[-1]):
        points[point.minute].append(point)
    begun = _first_minutes(ids)
    return [
        _sum_of(minute, found, expected={key for key in ids if key in begun and begun[key] <= minute}) for minute, found in points.items()
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


def _first_minutes(ids: list[int]) -> dict[int, datetime]:
    first: dict[int, datetime] = {}
    for key in ids:
        minute = EquityPoint.objects.filter(account=key).order_by("minute").values_list("minute", flat=True).first()
        if minute is not None:
            first[key] = minute
    return first


def _sum_of(minute: datetime, points: list[EquityPoint], *, expected: set[int]) -> PortfolioEquity:
    fresh = {point.account_id for point in points if not point.is_stale}
    return PortfolioEquity(
        minute=minute,
        equity_usd=sum((point.equity_usd for point in points), Decimal(0)),
        accounts=len(points),
        is_complete=expected <= fresh,
    )
