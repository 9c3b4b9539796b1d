"""What is kept for how long: equity by the minute for 30 days, then by the hour; idempotency keys for seven days; sessions
until they expire. Orders stay."""

from datetime import datetime, timedelta

from portfolio.models import EquityPoint, IdempotencyKey, UserSession

EQUITY_BY_THE_MINUTE = timedelta(days=30)
IDEMPOTENCY_KEYS = timedelta(days=7)


def tidy(now: datetime) -> None:
    """Safe to repeat and to miss: the next run does what this one would have done."""
    EquityPoint.objects.filter(minute__lt=now - EQUITY_BY_THE_MINUTE).exclude(minute__minute=0).delete()
    IdempotencyKey.objects.filter(created_at__lt=now - IDEMPOTENCY_KEYS).delete()
    UserSession.objects.filter(expire_date__lt=now).delete()
