"""A cancel is safe to repeat, and "unknown order" makes it look instead of believe (O11; F25)."""

from decimal import Decimal

import pytest

from exchanges.domain import OrderResult, OrderStatus
from exchanges.errors import ExchangeAPIError, UnknownOrder
from exchanges.models import ExchangeAccount
from portfolio import reconcile
from portfolio.access import NotPermitted
from portfolio.execution import record
from portfolio.execution.cancel import cancel, order_for
from portfolio.execution.refusals import NotFound, Refused
from portfolio.models import Order
from portfolio.states import OrderState
from tests.conftest import Cast
from tests.portfolio.desk import asked, fault, let_pass, market, now, orders_at, placed, requests_sent, resting, tick, ticked
from tests.simulated import Sandbox

pytestmark = pytest.mark.postgresql

IN_DOUBT = "Cancel sent, its outcome is not known yet; the exchange is being asked."
EXCHANGES = ["binance", "bybit", "okx"]


def rested(book: Cast, exchange: str) -> tuple[ExchangeAccount, Order]:
    account: ExchangeAccount = getattr(book, exchange)
    order = placed(book, account, resting(account))
    assert order.state == OrderState.NEW
    return account, order


def status_at(sandbox: Sandbox, account: ExchangeAccount, name: str) -> str:
    return str(orders_at(sandbox, account, name)[-1]["status"])


@pytest.mark.parametrize("exchange", EXCHANGES)
def test_a_resting_order_is_canceled(book: Cast, sandbox: Sandbox, exchange: str) -> None:
    account, order = rested(book, exchange)
    row = cancel(book.alice, order_for(book.alice, order.pk))
    assert (row.state, row.filled_quantity) == (OrderState.CANCELED, Decimal(0))
    assert row.cancel_requested_at is not None
    assert status_at(sandbox, account, book.name) == "canceled"


@pytest.mark.parametrize("exchange", EXCHANGES)
def test_an_order_that_was_canceled_elsewhere_meanwhile_is_seen_so(book: Cast, exchange: str) -> None:
    """The venue answers that there is nothing to cancel; the look says why."""
    account, order = rested(book, exchange)
    asked(account, lambda client: client.cancel_order(order.symbol, order.exchange_order_id))
    assert cancel(book.alice, order).state == OrderState.CANCELED


@pytest.mark.parametrize("exchange", EXCHANGES)
def test_an_order_that_was_filled_meanwhile_is_seen_filled(book: Cast, exchange: str) -> None:
    account: ExchangeAccount = getattr(book, exchange)
    order = placed(book, account, market())
    assert order.state == OrderState.FILLED
    # As if its fill had not been heard of yet.
    Order.objects.filter(pk=order.pk).update(state=OrderState.NEW, filled_quantity="0")
    row = cancel(book.alice, order_for(book.alice, order.pk))
    assert (row.state, row.filled_quantity) == (OrderState.FILLED, order.quantity)


@pytest.mark.parametrize("exchange", EXCHANGES)
@pytest.mark.parametrize("kind", ["reset", "bad gateway", "truncated", "redirect"])
def test_a_cancel_whose_answer_is_lost_is_looked_up(book: Cast, sandbox: Sandbox, exchange: str, kind: str) -> None:
    account, order = rested(book, exchange)
    fault(sandbox, account, "cancel", kind, stage="after")
    row = cancel(book.alice, order)
    assert (row.state, row.reason) == (OrderState.NEW, IN_DOUBT)
    assert row.cancel_requested_at is not None
    found = ticked(row)
    assert found.state == OrderState.CANCELED
    assert found.reason != IN_DOUBT


@pytest.mark.parametrize("exchange", EXCHANGES)
def test_a_cancel_that_never_arrived_may_be_repeated(book: Cast, sandbox: Sandbox, exchange: str) -> None:
    account, order = rested(book, exchange)
    fault(sandbox, account, "cancel", "reset")
    row = cancel(book.alice, order)
    assert ticked(row).state == OrderState.NEW
    assert cancel(book.alice, row).state == OrderState.CANCELED
    assert status_at(sandbox, account, book.name) == "canceled"


def test_a_cancel_stays_in_doubt_for_as_long_as_it_may_still_arrive(book: Cast, sandbox: Sandbox) -> None:
    """That the venue shows the order open says nothing about a cancel that is still on its way; a minute later it does."""
    account, order = rested(book, "bybit")
    fault(sandbox, account, "cancel", "reset")
    row = ticked(cancel(book.alice, order))
    assert (row.state, row.reason) == (OrderState.NEW, IN_DOUBT)
    Order.objects.filter(pk=row.pk).update(cancel_requested_at=now() - record.CANCEL_ARRIVES_WITHIN)
    row = ticked(row)
    assert (row.state, row.reason) == (OrderState.NEW, "")


def test_a_part_that_is_filled_meanwhile_does_not_end_the_doubt(book: Cast, sandbox: Sandbox) -> None:
    account, order = rested(book, "okx")
    fault(sandbox, account, "cancel", "reset")
    row = cancel(book.alice, order)
    ids = (row.symbol, row.exchange_order_id, row.client_order_id)
    row = record.record_result(row, OrderResult(*ids, OrderStatus.PARTIALLY_FILLED, filled_quantity=Decimal("0.01")))
    assert (row.state, row.reason) == (OrderState.PARTIALLY_FILLED, IN_DOUBT)


@pytest.mark.parametrize("state", [OrderState.CANCELED, OrderState.UNKNOWN])
def test_a_doubt_takes_the_place_of_nothing_that_is_known_meanwhile(book: Cast, state: OrderState) -> None:
    _, order = rested(book, "binance")
    Order.objects.filter(pk=order.pk).update(state=state, reason="What is known.")
    row = record.note_cancel_in_doubt(order)
    assert (row.state, row.reason) == (state, "What is known.")


@pytest.mark.parametrize("exchange", EXCHANGES)
def test_an_order_the_venue_does_not_know_stays_as_it_was(book: Cast, exchange: str) -> None:
    """Neither look nor cancel finds it: that is said, and nothing is concluded from it."""
    _, order = rested(book, exchange)
    Order.objects.filter(pk=order.pk).update(exchange_order_id="987654321987654321")
    with pytest.raises(UnknownOrder):
        cancel(book.alice, order_for(book.alice, order.pk))
    order.refresh_from_db()
    assert order.state == OrderState.NEW


def test_a_cancel_in_doubt_is_watched_for_ten_minutes(book: Cast, sandbox: Sandbox) -> None:
    _, order = rested(book, "bybit")
    fault(sandbox, book.bybit, "cancel", "reset")
    cancel(book.alice, order)
    Order.objects.filter(pk=order.pk).update(cancel_requested_at=now() - reconcile.CANCEL_WATCHED)
    order.refresh_from_db()
    let_pass(order, 3)
    assert tick(now()) == 0


def test_an_order_placed_elsewhere_without_a_client_id_is_looked_up_by_the_venues(book: Cast, sandbox: Sandbox) -> None:
    _, order = rested(book, "okx")
    Order.objects.filter(pk=order.pk).update(client_order_id="", origin="external")
    order.refresh_from_db()
    fault(sandbox, book.okx, "cancel", "reset", stage="after")
    assert cancel(book.alice, order).state == OrderState.NEW
    assert ticked(order).state == OrderState.CANCELED


def test_what_is_over_is_not_canceled(book: Cast, sandbox: Sandbox) -> None:
    order = placed(book, book.binance, market())
    before = requests_sent(sandbox, book.binance, book.name)
    with pytest.raises(Refused) as refusal:
        cancel(book.alice, order)
    assert refusal.value.code == "order_final"
    assert requests_sent(sandbox, book.binance, book.name) == before


def test_an_order_of_unknown_outcome_cannot_be_canceled_yet(book: Cast, sandbox: Sandbox) -> None:
    fault(sandbox, book.binance, "create", "reset", stage="after")
    order = placed(book, book.binance, resting(book.binance))
    with pytest.raises(Refused) as refusal:
        cancel(book.alice, order)
    assert refusal.value.code == "order_outcome_unknown"
    assert cancel(book.alice, ticked(order)).state == OrderState.CANCELED


def test_only_traders_of_the_book_cancel_in_it(book: Cast, sandbox: Sandbox) -> None:
    account, order = rested(book, "binance")
    with pytest.raises(NotPermitted):
        cancel(book.victor, order_for(book.victor, order.pk))
    with pytest.raises(NotFound):
        order_for(book.stella, order.pk)
    assert status_at(sandbox, account, book.name) == "new"


def test_an_account_without_trading_cancels_nothing(book: Cast, sandbox: Sandbox) -> None:
    account, order = rested(book, "okx")
    ExchangeAccount.objects.filter(pk=account.pk).update(is_trading_enabled=False)
    with pytest.raises(Refused) as refusal:
        cancel(book.alice, order_for(book.alice, order.pk))
    assert refusal.value.code == "trading_disabled"
    assert status_at(sandbox, account, book.name) == "new"


def test_a_refusal_of_the_venue_is_told(book: Cast, sandbox: Sandbox) -> None:
    account, order = rested(book, "binance")
    body = {"code": -2015, "msg": "Invalid API-key, IP, or permissions for action."}
    sandbox.fault("binance", {"kind": "status", "status": 401, "body": body}, method="DELETE", path="/fapi/v1/order")
    with pytest.raises(ExchangeAPIError, match="permissions"):
        cancel(book.alice, order)
    order.refresh_from_db()
    assert order.state == OrderState.NEW
    assert status_at(sandbox, account, book.name) == "new"


def test_the_clock_is_measured_before_a_first_cancel(book: Cast, sandbox: Sandbox) -> None:
    """A process that has just started knows no venue's clock, and a cancel signed with the wrong time is refused."""
    account, order = rested(book, "bybit")
    clock = asked(account, _clock)
    clock.measured_at_ms = None
    assert cancel(book.alice, order).state == OrderState.CANCELED
    assert clock.measured_at_ms is not None


async def _clock(client: object) -> object:
    return client.clock  # type: ignore[attr-defined]
