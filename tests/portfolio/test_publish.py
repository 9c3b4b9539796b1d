"""What changed is told after the commit, with a higher version, to those alone whose book it is in."""

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

import pytest
from channels.layers import get_channel_layer
from django.db import transaction

from exchanges.models import Environment, Exchange, ExchangeAccount
from exchanges.runtime import runtime
from portfolio import publish
from portfolio.models import Portfolio, PortfolioAccount

pytestmark = pytest.mark.postgresql


def book_with_account(name: str) -> tuple[Portfolio, ExchangeAccount]:
    portfolio = Portfolio.objects.create(name=name, environment=Environment.SANDBOX)
    account = ExchangeAccount.objects.create(exchange=Exchange.BYBIT, environment=Environment.SANDBOX, label=name)
    PortfolioAccount.objects.create(portfolio=portfolio, account=account)
    return portfolio, account


@pytest.fixture
def listen() -> Iterator[Callable[..., Callable[[], Any]]]:
    """listen(portfolio, ...) returns what waits for the next notice about one of them."""
    layer = get_channel_layer()

    def run(work: Coroutine[Any, Any, Any]) -> Any:
        return runtime().run(work, deadline_s=6)

    async def join(portfolios: tuple[Portfolio, ...]) -> str:
        channel = await layer.new_channel()
        for portfolio in portfolios:
            await layer.group_add(publish.group_of(portfolio.pk), channel)
        return str(channel)

    def listen(*portfolios: Portfolio) -> Callable[[], Any]:
        channel = run(join(portfolios))
        return lambda: run(asyncio.wait_for(layer.receive(channel), 5))

    yield listen
    run(layer.flush())


@pytest.mark.django_db(transaction=True)
def test_nothing_is_told_before_the_commit_or_after_a_rollback(listen: Callable[..., Callable[[], Any]]) -> None:
    (first, first_account), (second, second_account) = book_with_account("first"), book_with_account("second")
    next_notice = listen(first, second)
    with transaction.atomic():
        publish.book_changed([first_account.pk])
        transaction.set_rollback(True)
    with transaction.atomic():
        publish.book_changed([first_account.pk])
        publish.book_changed([second_account.pk])
    heard = [next_notice()["portfolio_id"], next_notice()["portfolio_id"]]
    assert sorted(heard) == sorted([first.pk, second.pk])
    first.refresh_from_db()
    assert first.version == 2
    publish.book_changed([second_account.pk])
    assert next_notice() == {"type": "book.changed", "portfolio_id": second.pk}


@pytest.mark.django_db
def test_only_the_books_that_hold_the_account_get_a_version() -> None:
    (first, account), (second, _) = book_with_account("first"), book_with_account("second")
    publish.book_changed([account.pk, account.pk])
    publish.book_changed([10**6])
    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.version, second.version) == (2, 1)
