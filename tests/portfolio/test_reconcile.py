"""The keeper: what became of orders whose outcome is not known is found out by evidence, for each order alone (O4, O6; F12, F21)."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from exchanges.domain import ExchangeType
from exchanges.models import Credential, ExchangeAccount, VenuePause
from portfolio import reconcile
from portfolio.execution import ownership
from portfolio.models import AccountState, Order, Origin, SubmitAttempt
from portfolio.states import OrderState
from tests.conftest import Cast
from tests.exchanges.contract.wire import rate_limit
from tests.portfolio.desk import (
    SYMBOL,
    asked,
    client_of,
    fault,
    in_thread,
    let_pass,
    market,
    now,
    placed,
    placed_elsewhere,
    requests_sent,
    resting,
    tick,
    ticked,
)
from tests.simulated import Sandbox

D = Decimal
EXCHANGES = ["binance", "bybit", "okx"]


def unknown(account: ExchangeAccount, client_order_id: str = "cbnowhere1", *, fence_s_ago: float = 60, **changed: Any) -> Order:
    """As if sent a while ago by somebody who died."""
    at = now() - timedelta(seconds=fence_s_ago + 5)
    usual: dict[str, Any] = {"symbol": SYMBOL, "side": "BUY", "order_type": "MARKET", "quantity": D("0.1"), "state": OrderState.UNKNOWN}
    order = Order.objects.create(
        account=account, client_order_id=client_order_id, origin=Origin.API, created_at=at, updated_at=at, **usual | changed
    )
    SubmitAttempt.objects.create(order=order, number=1, signed_at=at, fence_at=at + timedelta(seconds=5), started_at=at)
    return order


@pytest.mark.parametrize("exchange", EXCHANGES)
def test_a_failed_look_up_is_no_evidence(book: Cast, sandbox: Sandbox, exchange: str) -> None:
    account = getattr(book, exchange)
    order = unknown(account)
    client_of(account)
    asked(account, lambda client: client.get_instruments())
    for kind in ("reset", "bad gateway", "truncated", "wrong types", "empty"):
        fault(sandbox, account, "confirm", kind)
        order = ticked(order)
        assert (order.state, order.not_found_count) == (OrderState.UNKNOWN, 0), kind
    sandbox.control("POST", "venue", {"venue": exchange, "up": False})
    assert ticked(order, 5).not_found_count == 0
    sandbox.control("POST", "venue", {"venue": exchange, "up": True})
    assert ticked(order, 3).state == OrderState.UNKNOWN
    assert ticked(order).state == OrderState.NOT_PLACED


def test_a_look_up_before_the_fence_and_the_lag_counts_nothing(book: Cast) -> None:
    """The fence lies in the past, the time for which Bybit may hide an order does not."""
    order = unknown(book.bybit, fence_s_ago=3)
    for _ in range(6):
        Order.objects.update(looked_up_at=None)
        tick(now())
    order.refresh_from_db()
    assert (order.state, order.not_found_count) == (OrderState.UNKNOWN, 0)


def test_of_an_archived_account_nobody_is_asked(book: Cast, caplog: pytest.LogCaptureFixture) -> None:
    """Its keys are erased: each round would fail, and take the place of another's order."""
    unknown(book.bybit)
    ExchangeAccount.objects.filter(pk=book.bybit.pk).update(archived_at=now())
    Credential.objects.filter(account=book.bybit).delete()
    assert tick(now()) == 0
    assert "could not be looked up" not in caplog.text


def test_look_ups_are_spaced(book: Cast) -> None:
    order, at = unknown(book.binance), now()
    counted = []
    for second in (0, 0, 1, 1.9, 2, 3, 3.9, 4, 5, 6):
        tick(at + timedelta(seconds=second))
        order.refresh_from_db()
        counted.append(order.not_found_count)
    assert counted == [1, 1, 1, 1, 2, 2, 2, 3, 3, 4]
    assert order.state == OrderState.NOT_PLACED


def test_what_counts_is_when_the_venue_was_asked(book: Cast, sandbox: Sandbox) -> None:
    """An answer that takes until after the fence was given to a question from before it."""
    order = unknown(book.binance)
    asked(book.binance, lambda client: client.get_instruments())
    lag = client_of(book.binance).capabilities.visibility_lag_s
    SubmitAttempt.objects.filter(order=order).update(fence_at=now() - timedelta(seconds=lag - 0.4))
    sandbox.fault("binance", {"kind": "delay", "ms": 900}, method="GET", path="/fapi/v1/order")
    tick(now())
    order.refresh_from_db()
    assert order.not_found_count == 0
    assert ticked(order).not_found_count == 1


@pytest.mark.parametrize("exchange", EXCHANGES)
@pytest.mark.parametrize("changed", [{"side": "SELL"}, {"quantity": D("0.2")}, {"price": D("1234.5"), "order_type": "LIMIT"}], ids=str)
def test_somebody_elses_order_under_our_id_is_not_taken_for_ours(
    book: Cast, caplog: pytest.LogCaptureFixture, exchange: str, changed: dict[str, Any]
) -> None:
    """F21: an id collision, or two installations with the same keys."""
    account = getattr(book, exchange)
    request = resting(account).model_copy(update={"client_order_id": "cbtwice1"})
    placed_elsewhere(account, request)
    sent: dict[str, Any] = {"side": "BUY", "quantity": request.quantity, "price": request.price, "order_type": "LIMIT"} | changed
    order = unknown(account, "cbtwice1", fence_s_ago=60, **sent)
    order = ticked(order, 3)
    assert (order.state, order.exchange_order_id, order.reason) == (OrderState.UNKNOWN, "", ownership.SOMEBODY_ELSES)
    assert len([each for each in caplog.records if each.levelname == "CRITICAL"]) == 1


@pytest.mark.parametrize("exchange", EXCHANGES)
def test_the_same_order_under_our_id_is_ours(book: Cast, exchange: str) -> None:
    account = getattr(book, exchange)
    request = resting(account).model_copy(update={"client_order_id": "cbours1"})
    placed_elsewhere(account, request)
    order = ticked(unknown(account, "cbours1", quantity=request.quantity, price=request.price, order_type="LIMIT"))
    assert order.state == OrderState.NEW


@pytest.mark.parametrize("exchange", EXCHANGES)
def test_an_acknowledged_order_is_looked_up_until_its_state_is_known(book: Cast, sandbox: Sandbox, exchange: str) -> None:
    """Bybit and OKX acknowledge before they decide (F22); the query right after it fails."""
    account = getattr(book, exchange)
    fault(sandbox, account, "confirm", "bad gateway")
    order = placed(book, account, resting(account))
    assert order.state == (OrderState.NEW if exchange == "binance" else OrderState.SUBMITTED)
    order = ticked(order)
    assert (order.state, bool(order.exchange_order_id)) == (OrderState.NEW, True)


def test_a_silent_sender_makes_the_outcome_unknown_after_three_seconds(book: Cast) -> None:
    order = unknown(book.okx, state=OrderState.SUBMITTING)
    Order.objects.update(updated_at=now())
    tick(now() + timedelta(seconds=2.5))
    order.refresh_from_db()
    assert order.state == OrderState.SUBMITTING
    tick(now() + timedelta(seconds=3.5))
    order.refresh_from_db()
    assert (order.state, order.reason) == (OrderState.UNKNOWN, "No answer yet; the exchange is being asked by client order id.")


@pytest.mark.parametrize("broken", ["no keys", "keys of another vault", "a defect"])
def test_one_order_that_cannot_be_looked_up_does_not_keep_the_others(book: Cast, caplog: pytest.LogCaptureFixture, broken: str) -> None:
    stuck, order = unknown(book.binance), unknown(book.bybit, "cbnowhere2")
    if broken == "no keys":
        Credential.objects.filter(account=book.binance).delete()
    elif broken == "keys of another vault":
        Credential.objects.filter(account=book.binance).update(ciphertext="nonsense", version=999_999)
    else:
        ExchangeAccount.objects.filter(pk=book.binance.pk).update(region="atlantis")
        Credential.objects.filter(account=book.binance).update(version=999_998)
    assert tick(now()) == 2
    stuck.refresh_from_db()
    order.refresh_from_db()
    assert (stuck.not_found_count, stuck.state, order.not_found_count) == (0, OrderState.UNKNOWN, 1)
    assert f"order {stuck.pk} could not be looked up" in caplog.text or f"became of order {stuck.pk}" in caplog.text


def test_a_venue_that_hangs_does_not_keep_the_others_from_being_asked(
    book: Cast, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """I1: eleven orders at a silent venue, one at another."""
    monkeypatch.setattr(reconcile, "LOOK_UP_DEADLINE_S", 0.8)
    for number in range(11):
        unknown(book.binance, f"cbstuck{number}")
    other = unknown(book.okx, "cbother1")
    client_of(book.okx)
    sandbox.fault("binance", {"kind": "hang"}, times=None)
    started = now()
    assert tick(started) == 11
    assert now() - started < timedelta(seconds=4), "one after the other they would take nine seconds"
    other.refresh_from_db()
    assert other.not_found_count == 1
    assert Order.objects.filter(looked_up_at=None).count() == 1


@pytest.mark.parametrize("exchange", EXCHANGES)
def test_look_ups_wait_as_long_as_the_venue_says_and_those_at_others_do_not(book: Cast, sandbox: Sandbox, exchange: str) -> None:
    """L3: a limit that a look-up meets."""
    account = getattr(book, exchange)
    orders = [unknown(each) for each in book.accounts]
    for each in book.accounts:
        asked(each, lambda client: client.get_instruments())
    sandbox.fault(exchange, rate_limit(ExchangeType(exchange), 9), account=book.name)
    for turn in range(4):
        tick(now() + turn * reconcile.LOOK_UP_SPACING)
        if turn == 0:
            sent = requests_sent(sandbox, account, book.name)
    assert requests_sent(sandbox, account, book.name) == sent
    left = [Order.objects.get(pk=order.pk).state for order in orders if order.account_id == account.pk]
    assert left == [OrderState.UNKNOWN]
    assert Order.objects.filter(state=OrderState.NOT_PLACED).count() == 2
    VenuePause.objects.update(until=now())
    AccountState.objects.update(paused_until=now())
    assert ticked(next(order for order in orders if order.account_id == account.pk)).not_found_count == 1


@pytest.mark.parametrize("hanging", EXCHANGES)
def test_a_venue_that_hangs_does_not_delay_the_orders_of_the_others(book: Cast, sandbox: Sandbox, hanging: str) -> None:
    """I1: the others' orders are settled, round after round, while the first look-up at the silent venue is still under way."""
    accounts = {account.exchange: account for account in book.accounts}
    for account in book.accounts:
        asked(account, lambda client: client.get_instruments())
    stuck = [unknown(accounts[hanging], f"cbstuck{number}") for number in range(12)]
    others = [unknown(account, "cbother1") for exchange, account in accounts.items() if exchange != hanging]
    sandbox.fault(hanging, {"kind": "hang"}, times=None)
    keeper, started = reconcile.Keeper(), now()
    for turn in range(4):
        keeper.ask(started + 2 * turn * timedelta(seconds=1))
        keeper.conclude(within_s=0.7)
    assert now() - started < timedelta(seconds=reconcile.LOOK_UP_DEADLINE_S / 2)
    assert {Order.objects.get(pk=order.pk).state for order in others} == {OrderState.NOT_PLACED}
    assert Order.objects.filter(pk__in=[order.pk for order in stuck], looked_up_at=None).count() == 2, "ten are under way, not more"
    sandbox.clear()


def test_an_order_is_looked_up_by_one_keeper_at_a_time(committed_book: Cast, sandbox: Sandbox) -> None:
    """F48: two resolvers run at once."""
    order = unknown(committed_book.binance)
    at = now()
    with ThreadPoolExecutor(4) as threads:
        ticks = [threads.submit(in_thread, lambda: tick(at)) for _ in range(4)]
        assert sum(tick.result(20) for tick in ticks) == 1
    order.refresh_from_db()
    assert order.not_found_count == 1


def test_a_keeper_that_has_just_started_measures_the_venues_clock(book: Cast) -> None:
    """The fence lies on the venue's clock; a keeper whose own is ahead would declare an order absent that can still arrive."""
    clock = client_of(book.bybit).clock
    clock.measured_at_ms = None
    ticked(unknown(book.bybit))
    assert clock.measured_at_ms is not None


def test_nothing_unresolved_asks_nothing(book: Cast, sandbox: Sandbox) -> None:
    for account in book.accounts:
        placed(book, account, market())
    before = [requests_sent(sandbox, account, book.name) for account in book.accounts]
    assert tick(now() + timedelta(hours=1)) == 0
    assert [requests_sent(sandbox, account, book.name) for account in book.accounts] == before


def test_time_passes_for_all_of_an_order_at_once(book: Cast) -> None:
    order = unknown(book.binance)
    fence = order.attempts.get().fence_at
    let_pass(order, 7)
    assert fence - order.attempts.get().fence_at == timedelta(seconds=7)
