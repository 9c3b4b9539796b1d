"""What every start writes can be written again, whatever people have changed in between."""

import pytest
from django.conf import LazySettings
from django.contrib.auth.models import User
from django_celery_beat.models import CrontabSchedule, IntervalSchedule, PeriodicTask

from dashboard.celery import app
from exchanges.accounts import config_for
from exchanges.models import Credential, Environment, ExchangeAccount
from portfolio import schedule
from portfolio.first_start import create_missing
from portfolio.models import Membership, Portfolio, PortfolioAccount, Role

pytestmark = pytest.mark.django_db


def test_a_first_start_makes_an_admin_without_a_password_and_a_demo_book() -> None:
    admin = create_missing(has_sandbox=True)
    assert (admin.username, admin.is_superuser, admin.is_staff, admin.has_usable_password()) == ("admin", True, True, False)
    portfolio = Portfolio.objects.get()
    assert portfolio.environment == Environment.SANDBOX
    assert Membership.objects.get().role == Role.MANAGER
    links = PortfolioAccount.objects.order_by("account__exchange")
    assert [(link.account.exchange, link.is_default) for link in links] == [("binance", True), ("bybit", True), ("okx", True)]
    for account in ExchangeAccount.objects.all():
        assert account.is_trading_enabled
        assert config_for(account).api_key.get_secret_value() == "sandbox-demo"
        assert "sandbox-demo" not in account.credential.ciphertext


def test_a_second_start_changes_nothing() -> None:
    admin = create_missing(has_sandbox=True)
    admin.set_password("correct horse battery")
    admin.save()
    before = list(Credential.objects.values("version", "ciphertext"))
    assert create_missing(has_sandbox=True) == admin
    assert User.objects.get().check_password("correct horse battery")
    assert (Portfolio.objects.count(), ExchangeAccount.objects.count(), Membership.objects.count()) == (1, 3, 1)
    assert list(Credential.objects.values("version", "ciphertext")) == before


def test_where_there_is_a_book_no_demo_is_made() -> None:
    Portfolio.objects.create(name="Mine", environment=Environment.DEMO)
    create_missing(has_sandbox=True)
    assert not ExchangeAccount.objects.exists()


def test_where_there_are_no_simulated_exchanges_no_demo_is_made() -> None:
    """In a production its accounts would answer to nobody."""
    assert create_missing(has_sandbox=False).username == "admin"
    assert not Portfolio.objects.exists()


def test_a_start_after_the_demo_book_was_deleted_makes_it_again() -> None:
    """Deleting a portfolio leaves its accounts; the start must not stumble over them."""
    create_missing(has_sandbox=True)
    ids = set(ExchangeAccount.objects.values_list("pk", flat=True))
    Portfolio.objects.get().delete()
    ExchangeAccount.objects.update(is_enabled=False)
    create_missing(has_sandbox=True)
    assert set(Portfolio.objects.get().account_links.values_list("account_id", flat=True)) == ids
    assert ExchangeAccount.objects.active().count() == 3


def test_the_schedule_is_installed_once_and_follows_the_settings(settings: LazySettings) -> None:
    schedule.install()
    tasks = set(PeriodicTask.objects.values_list("name", "task"))
    schedule.install()
    assert set(PeriodicTask.objects.values_list("name", "task")) == tasks
    assert {name for name, _ in tasks} == set(schedule.entries())
    settings.POLL_PERIOD_S = 7
    schedule.install()
    task = PeriodicTask.objects.get(name="holdings of every account")
    assert (task.interval.every, task.interval.period, task.expire_seconds) == (7, "seconds", 7)
    assert PeriodicTask.objects.count() == len(tasks)


def test_every_task_that_is_scheduled_exists_and_expires_within_its_period() -> None:
    app.loader.import_default_modules()
    schedule.install()
    for task in PeriodicTask.objects.exclude(name="celery.backend_cleanup"):
        assert task.task in app.tasks
        assert task.expire_seconds <= task.interval.every


def test_what_people_changed_in_the_schedule_stays() -> None:
    schedule.install()
    PeriodicTask.objects.filter(name="mark prices").update(enabled=False)
    mine = PeriodicTask.objects.create(name="mine", task="portfolio.tasks.record_equity", interval=IntervalSchedule.objects.first())
    schedule.install()
    assert not PeriodicTask.objects.get(name="mark prices").enabled
    assert PeriodicTask.objects.filter(pk=mine.pk).exists()


def test_an_interval_that_people_made_twice_does_not_stop_the_start() -> None:
    for _ in range(2):
        IntervalSchedule.objects.create(every=60, period=IntervalSchedule.SECONDS)
    schedule.install()
    assert PeriodicTask.objects.get(name="equity of the minute").interval.every == 60


def test_a_task_that_somebody_gave_a_crontab_gets_its_interval_back() -> None:
    schedule.install()
    PeriodicTask.objects.filter(name="instruments").update(interval=None, crontab=CrontabSchedule.objects.create())
    schedule.install()
    task = PeriodicTask.objects.get(name="instruments")
    assert (task.crontab, task.interval.every) == (None, 3600)
