"""Which task runs how often, written to the database at every start so that code and schedule agree; what people add there stays."""

from datetime import UTC, datetime, timedelta

from django.conf import settings
from django_celery_beat.models import IntervalSchedule, PeriodicTask

HOUR_S = 3_600
DAY_S = 24 * HOUR_S


def entries() -> dict[str, tuple[str, int]]:
    """name -> (task, period in seconds)."""
    return {
        "holdings of every account": ("portfolio.tasks.poll_all_holdings", settings.POLL_PERIOD_S),
        "orders of every account": ("portfolio.tasks.poll_all_orders", settings.ORDER_POLL_PERIOD_S),
        "equity of the minute": ("portfolio.tasks.record_equity", 60),
        "mark prices": ("exchanges.tasks.read_all_marks", settings.POLL_PERIOD_S),
        "keys of every account": ("portfolio.tasks.check_all_keys", DAY_S),
        "housekeeping": ("portfolio.tasks.tidy", HOUR_S),
        "instruments": ("exchanges.tasks.read_all_instruments", HOUR_S),
    }


def install() -> None:
    """A task that has never run, as far as beat knows, waits a whole period first; dated back, it runs at once."""
    long_ago = datetime.now(UTC) - timedelta(days=1)
    for name, (task, period) in entries().items():
        no_other = dict.fromkeys(("crontab", "solar", "clocked"))
        defaults = {"task": task, "interval": _every(period), "expire_seconds": period, "last_run_at": long_ago, **no_other}
        PeriodicTask.objects.update_or_create(name=name, defaults=defaults)


def _every(period_s: int) -> IntervalSchedule:
    """The admin lets people make the same interval twice: any of them serves."""
    interval = {"every": period_s, "period": IntervalSchedule.SECONDS}
    return IntervalSchedule.objects.filter(**interval).order_by("id").first() or IntervalSchedule.objects.create(**interval)
