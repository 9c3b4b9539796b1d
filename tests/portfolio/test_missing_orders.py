"""A resting order that the venue no longer lists is asked about until the venue says what became of it, or knows it no more (O6, D5)."""

import itertools
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from exchanges.domain import OrderResult, OrderStatus
from exchanges.models import ExchangeAccount
from portfolio import rounds
from portfolio.execution import record
from portfolio.models import Order, Origin, Portfolio
from portfolio.polling import FOLLOW_UP_ORDERS
from portfolio.states import OrderState
from tests.conftest import Cast
from tests.portfolio.desk import SYMBOL, canceled_elsewhere, fault, let_pass, now, placed, placed_elsewhere, resting, tick, ticked
from tests.simulated import Sandbox

D = Decimal
EXCHANGES = ["binance", "bybit", "okx"]
_numbers = itertools.count(880_000_001)


def forgotten(account: ExchangeAccount, *, origin: Origin = Origin.API, **changed: Any) -> Order:
    """An order that rested half an hour ago and that the venue knows no more: unfilled and canceled ones are dropped after a while."""
    at, number = now() - timedelta(minutes=30), next(_numbers)
    usual: dict[str, Any] = {
        "updated_at": at,
        "symbol": SYMBOL,
        "side": "BUY",
        "order_type": "LIMIT",
        "quantity": D("0.1"),
        "price": D(1000),
    }
    ours = {"client_order_id": f"cbforgotten{number}", "exchange_order_id": str(number), "state": OrderState.NEW}
    return Order.objects.create(account=account, origin=origin, created_at=at, **usual | ours | changed)


def polled(order: Order) -> Order:
    rounds.poll_orders([order.account_id])
    order.refresh_from_db()
    return order


@pytest.mark.parametrize("exchange", EXCHANGES)
@pytest.mark.parametrize("origin", [Origin.API, Origin.EXTERNAL])
def test_an_order_that_the_venue_knows_no_more_does_not_read_as_live(book: Cast, exchange: str, origin: Origin) -> None:
    account: ExchangeAccount = getattr(book, exchange)
    order = polled(forgotten(account, origin=origin))
    Order.objects.update(looked_up_at=None)
    tick(now())
    order.refresh_from_db()
    assert (order.state, order.not_found_count) == (OrderState.NEW, 0), "the venue's own lag has not passed yet"
    let_pass(order, 60)
    assert (ticked(order, 3).state, order.not_found_count) == (OrderState.NEW, 3)
    version = Portfolio.objects.get().version
    order = ticked(order)
    assert order.state == OrderState.GONE
    assert "4 complete look-ups" in order.reason
    assert "how it ended is not known" in order.reason
    assert not order.is_open
    assert Portfolio.objects.get().version > version


@pytest.mark.parametrize("exchange", EXCHANGES)
def test_a_look_up_that_fails_says_nothing_about_a_missing_order(book: Cast, sandbox: Sandbox, exchange: str) -> None:
    account: ExchangeAccount = getattr(book, exchange)
    order = polled(forgotten(account))
    let_pass(order, 60)
    before = ticked(order).not_found_count
    assert before == 1
    for kind in ("reset", "bad gateway", "truncated", "wrong types", "empty"):
        fault(sandbox, account, "confirm", kind)
        order = ticked(order)
        assert (order.state, order.not_found_count) == (OrderState.NEW, before), kind


@pytest.mark.parametrize("exchange", EXCHANGES)
def test_all_that_is_missing_is_asked_about_soon_however_many(book: Cast, exchange: str) -> None:
    """The poll asks about ten; the keeper does not wait for the next poll to ask about the others."""
    account: ExchangeAccount = getattr(book, exchange)
    orders = [placed(book, account, resting(account, quantity="0.02")) for _ in range(FOLLOW_UP_ORDERS + 2)]
    for order in orders:
        canceled_elsewhere(order)
    rounds.poll_orders([account.pk])
    assert Order.objects.open().count() == 2
    ticked(Order.objects.open()[0])
    assert set(Order.objects.values_list("state", flat=True)) == {OrderState.CANCELED}


def test_orders_whose_outcome_is_unknown_are_asked_about_before_missing_ones(book: Cast) -> None:
    for _ in range(FOLLOW_UP_ORDERS + 1):
        missing = forgotten(book.binance)
    polled(missing)
    order = placed(book, book.binance, resting(book.binance))
    Order.objects.filter(pk=order.pk).update(state=OrderState.UNKNOWN, looked_up_at=now() - timedelta(seconds=4))
    Order.objects.exclude(pk=order.pk).update(looked_up_at=now() - timedelta(minutes=1))
    assert ticked(order).state == OrderState.NEW


@pytest.mark.parametrize("exchange", EXCHANGES)
def test_a_list_that_lacks_a_live_order_costs_one_look_up(book: Cast, exchange: str) -> None:
    account: ExchangeAccount = getattr(book, exchange)
    order = placed(book, account, resting(account))
    Order.objects.update(missing_since=now() - timedelta(minutes=1), not_found_count=3)
    order = ticked(order)
    assert (order.state, order.missing_since, order.not_found_count) == (OrderState.NEW, None, 0)


def test_a_look_up_that_finds_nothing_does_not_outweigh_the_list(book: Cast) -> None:
    """OKX tells of a waiting conditional order in its lists alone; somebody tried to cancel one."""
    order = ticked(forgotten(book.okx, origin=Origin.EXTERNAL, cancel_requested_at=now()), 5)
    assert (order.state, order.not_found_count) == (OrderState.NEW, 0)


def test_a_list_asked_for_before_the_order_was_shown_says_nothing(book: Cast) -> None:
    order = forgotten(book.okx, updated_at=now() + timedelta(seconds=20))
    assert polled(order).missing_since is None


def test_another_order_under_the_same_client_id_is_not_the_missing_one(book: Cast, caplog: pytest.LogCaptureFixture) -> None:
    """Binance lets an id be used again once its order is over."""
    theirs = placed_elsewhere(book.binance, resting(book.binance, client_order_id="cbagain1"))
    order = polled(forgotten(book.binance, client_order_id="cbagain1"))
    let_pass(order, 60)
    order = ticked(order, 4)
    assert (order.state, order.exchange_order_id != theirs.order_id) == (OrderState.GONE, True)
    assert [each.levelname for each in caplog.records if each.levelname == "CRITICAL"] == []


@pytest.mark.parametrize("exchange", EXCHANGES)
def test_an_order_that_was_taken_for_gone_and_is_listed_is_open_again_loudly(
    book: Cast, caplog: pytest.LogCaptureFixture, exchange: str
) -> None:
    account: ExchangeAccount = getattr(book, exchange)
    order = placed(book, account, resting(account))
    Order.objects.update(state=OrderState.GONE, reason="four look-ups found nothing")
    order = polled(order)
    assert (order.state, order.reason) == (
        OrderState.NEW,
        "Was taken for GONE (four look-ups found nothing), but the exchange shows it.",
    )
    assert [each.levelname for each in caplog.records if each.levelname == "CRITICAL"] == ["CRITICAL"]


def test_how_a_gone_order_ended_is_kept_when_it_is_learned_later(book: Cast, caplog: pytest.LogCaptureFixture) -> None:
    order = forgotten(book.bybit, state=OrderState.GONE, reason="four look-ups found nothing")
    late = OrderResult(SYMBOL, order.exchange_order_id, order.client_order_id, OrderStatus.FILLED, filled_quantity=D("0.1"))
    row = record.record_result(order, late)
    assert (row.state, row.filled_quantity) == (OrderState.FILLED, D("0.1"))
    assert "Was taken for GONE" in row.reason
    assert [each.levelname for each in caplog.records] == ["WARNING"]
