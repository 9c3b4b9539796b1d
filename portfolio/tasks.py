"""The periodic work, by name. No logic here: fetch ids, call one function."""

from datetime import UTC, datetime

from celery import shared_task
from django.conf import settings

from portfolio import housekeeping, key_watch, rounds


@shared_task(acks_late=True)
def poll_all_holdings() -> None:
    for ids in rounds.shards(datetime.now(UTC)):
        poll_holdings.apply_async((ids,), expires=settings.POLL_PERIOD_S)


@shared_task(acks_late=True)
def poll_all_orders() -> None:
    for ids in rounds.shards(datetime.now(UTC)):
        poll_orders.apply_async((ids,), expires=settings.ORDER_POLL_PERIOD_S)


@shared_task(acks_late=True)
def poll_holdings(account_ids: list[int]) -> None:
    rounds.poll_holdings(account_ids)


@shared_task(acks_late=True)
def poll_orders(account_ids: list[int]) -> None:
    rounds.poll_orders(account_ids)


@shared_task(acks_late=True)
def refresh_account(account_id: int) -> None:
    rounds.poll_holdings([account_id])
    rounds.poll_orders([account_id])


@shared_task(acks_late=True)
def record_equity() -> None:
    rounds.record_equity(datetime.now(UTC))


@shared_task(acks_late=True)
def tidy() -> None:
    housekeeping.tidy(datetime.now(UTC))


@shared_task(acks_late=True)
def check_all_keys() -> None:
    for ids in key_watch.shards():
        check_keys.apply_async((ids,), expires=3_600)


@shared_task(acks_late=True)
def check_keys(account_ids: list[int]) -> None:
    key_watch.check_keys(account_ids, datetime.now(UTC))
