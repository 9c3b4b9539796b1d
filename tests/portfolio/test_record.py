"""A venue's reports about one order: repeated, late and in any order they end as the venue ended (O6, O8; F31, F32)."""

import logging
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import permutations
from typing import Any

import pytest

from exchanges import errors
from exchanges.domain import OrderResult, OrderStatus
from exchanges.models import Environment, Exchange, ExchangeAccount
from portfolio.execution import record
from portfolio.models import Order, Origin, Portfolio, PortfolioAccount
from portfolio.states import FINAL, OrderState

pytestmark = pytest.mark.postgresql

D = Decimal
START = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
N = OrderStatus


@pytest.fixture
def account(db: None) -> ExchangeAccount:
    portfolio = Portfolio.objects.create(name="Book", environment=Environment.SANDBOX)
    account = ExchangeAccount.objects.create(exchange=Exchange.BYBIT, environment=Environment.SANDBOX, label="Main")
    PortfolioAccount.objects.create(portfolio=portfolio, account=account)
    return account


def order_of(account: ExchangeAccount, state: OrderState = OrderState.SUBMITTING, **changed: Any) -> Order:
    usual: dict[str, Any] = {"client_order_id": "cb1", "symbol": "BTCUSDT", "side": "BUY", "order_type": "LIMIT", "quantity": D("0.1")}
    return Order.objects.create(account=account, state=state, origin=Origin.API, created_at=START, updated_at=START, **usual | changed)


def report(status: OrderStatus, filled: str = "0", second: int = 0, **changed: Any) -> OrderResult:
    usual: dict[str, Any] = {
        "symbol": "BTCUSDT",
        "order_id": "77",
        "client_order_id": "cb1",
        "average_price": D("90000.5") if D(filled) else None,
        "updated_at": START + timedelta(seconds=second),
    }
    return OrderResult(status=status, filled_quantity=D(filled), **usual | changed)


def version(account: ExchangeAccount) -> int:
    return Portfolio.objects.get(account_links__account=account).version


LIVES = [
    [report(N.NEW, second=1, confirmed=False), report(N.NEW, second=2), report(N.PARTIALLY_FILLED, "0.04", 3), report(N.FILLED, "0.1", 4)],
    [report(N.NEW, second=1), report(N.PARTIALLY_FILLED, "0.04", 2), report(N.PARTIALLY_FILLED, "0.07", 3), report(N.CANCELED, "0.07", 4)],
    [report(N.NEW, second=1, confirmed=False), report(N.REJECTED, second=2, reason="EC_PostOnlyWillTakeLiquidity")],
    [report(N.NEW, second=1, confirmed=False), report(N.EXPIRED, second=2)],
]


@pytest.mark.parametrize("life", LIVES, ids=lambda life: life[-1].status)
@pytest.mark.parametrize("start", [OrderState.SUBMITTING, OrderState.UNKNOWN, OrderState.NOT_PLACED])
def test_reports_in_any_order_end_as_the_last(account: ExchangeAccount, life: list[OrderResult], start: OrderState) -> None:
    for number, reports in enumerate(permutations(life)):
        order = order_of(account, start, client_order_id=f"cb{number}", symbol=f"S{number}USDT")
        seen: list[OrderState] = []
        for each in [*reports, reports[0]]:
            row = record.record_result(order, each)
            seen.append(OrderState(row.state))
        last = life[-1]
        assert (row.state, row.filled_quantity, row.average_price) == (last.status.value, last.filled_quantity, last.average_price)
        if OrderState.FILLED in seen:
            assert set(seen[seen.index(OrderState.FILLED) :]) == {OrderState.FILLED}


def test_a_report_is_kept_with_its_figures(account: ExchangeAccount) -> None:
    partial = report(N.PARTIALLY_FILLED, "0.04", 3, raw_response={"orderStatus": "PartiallyFilled"})
    row = Order.objects.get(pk=record.record_result(order_of(account), partial).pk)
    assert (row.state, row.exchange_order_id, row.filled_quantity, row.average_price) == ("PARTIALLY_FILLED", "77", D("0.04"), D("90000.5"))
    assert (row.venue_updated_at, row.raw_response) == (START + timedelta(seconds=3), {"orderStatus": "PartiallyFilled"})


def test_a_repeated_report_writes_and_tells_nothing(account: ExchangeAccount) -> None:
    order = order_of(account)
    first = record.record_result(order, report(N.NEW, second=1))
    seen = version(account)
    again = record.record_result(order, report(N.NEW, second=1))
    assert (again.updated_at, version(account)) == (first.updated_at, seen)


def test_a_report_with_less_filled_than_known_is_behind(account: ExchangeAccount) -> None:
    order = order_of(account)
    record.record_result(order, report(N.PARTIALLY_FILLED, "0.07"))
    assert record.record_result(order, report(N.PARTIALLY_FILLED, "0.04")).filled_quantity == D("0.07")
    assert record.record_result(order, report(N.CANCELED, "0.04")).state == OrderState.PARTIALLY_FILLED


def test_more_fills_after_a_cancel_are_counted(account: ExchangeAccount) -> None:
    """A cancel races a fill: the venue's later word has more of it (F25)."""
    order = order_of(account)
    record.record_result(order, report(N.CANCELED, "0.04"))
    row = record.record_result(order, report(N.FILLED, "0.1"))
    assert (row.state, row.filled_quantity) == (OrderState.FILLED, D("0.1"))


@pytest.mark.parametrize("presumed", [OrderState.NOT_PLACED, OrderState.NOT_SENT, OrderState.REJECTED])
def test_evidence_after_a_wrong_end_reopens_loudly_and_keeps_both_facts(
    account: ExchangeAccount, caplog: pytest.LogCaptureFixture, presumed: OrderState
) -> None:
    order = order_of(account, presumed, reason="four look-ups found nothing")
    row = record.record_result(order, report(N.FILLED, "0.1", reason="taken"))
    assert (row.state, row.filled_quantity) == (OrderState.FILLED, D("0.1"))
    assert row.reason == f"Was taken for {presumed} (four look-ups found nothing), but the exchange shows it. taken"
    assert [each.levelno for each in caplog.records] == [logging.CRITICAL]


def test_a_rejection_that_is_only_confirmed_is_no_alarm(account: ExchangeAccount, caplog: pytest.LogCaptureFixture) -> None:
    row = record.record_result(order_of(account, OrderState.NOT_SENT), report(N.REJECTED, reason="too late"))
    assert (row.state, row.reason) == (OrderState.REJECTED, "too late")
    assert not caplog.records


def test_a_late_acknowledgement_does_not_undo_a_rejection(account: ExchangeAccount) -> None:
    order = order_of(account, OrderState.UNKNOWN)
    record.record_result(order, report(N.REJECTED, reason="no margin"))
    row = record.record_result(order, report(N.NEW, confirmed=False))
    assert (row.state, row.reason) == (OrderState.REJECTED, "no margin")


@pytest.mark.parametrize(
    ("error", "state"),
    [
        (errors.OutcomeUnknown("reset"), OrderState.UNKNOWN),
        (errors.BadVenueResponse("html"), OrderState.UNKNOWN),
        (errors.DuplicateClientOrderId("known"), OrderState.UNKNOWN),
        (errors.UnmappedVenueError("code 4711"), OrderState.UNKNOWN),
        (errors.OverloadedOutcomeUnknown("busy"), OrderState.UNKNOWN),
        (errors.NoChange("it already is so"), OrderState.UNKNOWN),
        (errors.NotSent("no route"), OrderState.NOT_SENT),
        (errors.RateLimited("slow"), OrderState.NOT_SENT),
        (errors.RequestExpired("late"), OrderState.NOT_SENT),
        (errors.InsufficientMargin("need 5"), OrderState.REJECTED),
        (errors.BadApiKey("wrong"), OrderState.REJECTED),
        (errors.PostOnlyWouldTake("would take"), OrderState.REJECTED),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
def test_a_failed_submission_is_what_its_error_says(account: ExchangeAccount, error: errors.ExchangeAPIError, state: OrderState) -> None:
    row = record.record_failure(order_of(account), error)
    assert (row.state, row.reason) == (state, error.user_message)


@pytest.mark.parametrize("state", sorted(FINAL | {OrderState.NEW, OrderState.PARTIALLY_FILLED}))
def test_no_finding_of_ours_replaces_what_the_venue_said(account: ExchangeAccount, state: OrderState) -> None:
    order = order_of(account, state)
    for ours in (OrderState.UNKNOWN, OrderState.NOT_PLACED, OrderState.REJECTED):
        assert record.record_state(order, ours, "a guess").state == state


def test_only_the_states_named_give_way(account: ExchangeAccount) -> None:
    """The keeper gives up waiting for a sender that acknowledged the order a moment ago."""
    order = order_of(account, OrderState.SUBMITTED)
    assert record.record_state(order, OrderState.UNKNOWN, "no answer", replacing=(OrderState.SUBMITTING,)).state == OrderState.SUBMITTED


def test_the_same_finding_twice_is_told_once(account: ExchangeAccount) -> None:
    order = order_of(account)
    record.record_state(order, OrderState.UNKNOWN, "x" * 700)
    seen = version(account)
    row = record.record_state(order, OrderState.UNKNOWN, "x" * 700)
    assert (len(row.reason), version(account)) == (600, seen)
