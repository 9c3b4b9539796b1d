"""An answer that does not say what happened leaves the order UNKNOWN, sent once; only evidence resolves it (O1 to O4; F03 to F18)."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from urllib.parse import parse_qs

import pytest

from exchanges import accounts
from exchanges.domain import ExchangeType, OrderRequest
from exchanges.errors import WriteEffect
from exchanges.factory import get_exchange_client
from exchanges.models import ExchangeAccount
from exchanges.protocol import IExchangeClient
from exchanges.runtime import runtime
from exchanges.signing import SigningMoment
from exchanges.venue import VenueRegistry
from portfolio import rounds
from portfolio.execution import place as placing
from portfolio.execution.place import Intent
from portfolio.models import Order, Origin, SubmitAttempt
from portfolio.states import OrderState
from tests.conftest import Cast
from tests.exchanges.contract.wire import WIRES
from tests.portfolio.desk import (
    client_of,
    creates_sent,
    eventually,
    fault,
    in_thread,
    let_pass,
    market,
    orders_at,
    placed,
    resting,
    tick,
    ticked,
)
from tests.portfolio.recorder import Recorder, Write, recording
from tests.simulated import Sandbox

EXCHANGES = ["binance", "bybit", "okx"]
LOST = ["reset", "bad gateway", "truncated", "wrong types", "redirect", "html with status 200"]


def account_at(cast: Cast, exchange: str) -> ExchangeAccount:
    account = getattr(cast, exchange)
    assert isinstance(account, ExchangeAccount)
    return account


@pytest.mark.parametrize("exchange", EXCHANGES)
@pytest.mark.parametrize("kind", LOST)
def test_a_lost_answer_leaves_the_order_unknown_until_the_venue_shows_it(book: Cast, sandbox: Sandbox, exchange: str, kind: str) -> None:
    account = account_at(book, exchange)
    fault(sandbox, account, "create", kind, stage="after")
    order = placed(book, account, resting(account))
    assert order.state == OrderState.UNKNOWN
    assert "Do not repeat" in order.reason
    attempt = order.attempts.get()
    assert (attempt.write_effect, attempt.ended_at is not None) == (WriteEffect.UNKNOWN, True)
    order = ticked(order)
    assert (order.state, order.reason) == (OrderState.NEW, "")
    (at_venue,) = orders_at(sandbox, account, book.name)
    assert (at_venue["client_id"], at_venue["status"]) == (order.client_order_id, "new")
    assert order.exchange_order_id
    assert creates_sent(sandbox, account, book.name) == 1


@pytest.mark.parametrize("exchange", EXCHANGES)
def test_a_market_order_whose_answer_is_lost_is_found_filled(book: Cast, sandbox: Sandbox, exchange: str) -> None:
    """The Binance trap (F05): the id of a filled order is free again, a second send would buy twice."""
    account = account_at(book, exchange)
    fault(sandbox, account, "create", "reset", stage="after")
    order = ticked(placed(book, account, market("0.1")))
    assert (order.state, order.filled_quantity) == (OrderState.FILLED, order.quantity)
    assert order.average_price is not None
    assert [each["status"] for each in orders_at(sandbox, account, book.name)] == ["filled"]
    assert creates_sent(sandbox, account, book.name) == 1


@pytest.mark.parametrize("exchange", EXCHANGES)
@pytest.mark.parametrize("kind", ["reset", "bad gateway"])
def test_a_lost_request_is_not_placed_only_after_the_fence_and_four_look_ups(
    book: Cast, sandbox: Sandbox, exchange: str, kind: str
) -> None:
    account = account_at(book, exchange)
    fault(sandbox, account, "create", kind)
    order = placed(book, account, market())
    assert order.state == OrderState.UNKNOWN
    reconcile_now = ticked(order)
    assert (reconcile_now.state, reconcile_now.not_found_count) == (OrderState.UNKNOWN, 0)
    let_pass(order, 60)
    assert (ticked(order, 3).state, order.not_found_count) == (OrderState.UNKNOWN, 3)
    order = ticked(order)
    assert (order.state, order.not_found_count) == (OrderState.NOT_PLACED, 4)
    assert "4 complete look-ups found nothing" in order.reason
    assert orders_at(sandbox, account, book.name) == []
    assert creates_sent(sandbox, account, book.name) == 1


def test_the_intent_is_committed_when_the_first_byte_arrives(committed_book: Cast, sandbox: Sandbox, impatient: None) -> None:
    """O2: another process can read it while the venue has the request and says nothing."""
    book = committed_book
    for account in book.accounts:
        fault(sandbox, account, "create", "hang")
        with ThreadPoolExecutor(1) as sender:
            sending = sender.submit(in_thread, partial(placed, book, account, market()))
            eventually(partial(has_arrived, sandbox, account, book.name), "the request arrives")
            (order,) = Order.objects.filter(account=account)
            attempt = order.attempts.get()
            assert (order.state, order.actor, attempt.ended_at) == (OrderState.SUBMITTING, book.alice, None)
            assert sending.result(10).state == OrderState.UNKNOWN
        assert creates_sent(sandbox, account, book.name) == 1


def has_arrived(sandbox: Sandbox, account: ExchangeAccount, name: str) -> bool:
    return creates_sent(sandbox, account, name) == 1


@contextmanager
def on_the_way(sandbox: Sandbox, account: ExchangeAccount, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Recorder, IExchangeClient]]:
    """A client of the account whose requests pass the recorder."""
    with recording(sandbox.url) as recorder:
        monkeypatch.setenv("SANDBOX_URL", recorder.url)
        registry = VenueRegistry()
        yield recorder, get_exchange_client(accounts.config_for(account), registry)
        monkeypatch.setenv("SANDBOX_URL", sandbox.url)
        runtime().run(registry.aclose(), deadline_s=5)


def intended(cast: Cast, account: ExchangeAccount, request: OrderRequest) -> tuple[Order, SubmitAttempt, SigningMoment]:
    client = client_of(account)
    runtime().run(client.clock.measure(client.get_server_time_ms), deadline_s=5)
    return placing._commit_intent(Intent(cast.alice, account, request, Origin.API), client)


def signed_ms(exchange: str, write: Write) -> tuple[int, int]:
    """Time and window in milliseconds, as each venue's documentation says they travel."""
    if exchange == "binance":
        body = parse_qs(write.body)
        return int(body["timestamp"][0]), int(body["recvWindow"][0])
    if exchange == "bybit":
        return int(write.headers["x-bapi-timestamp"]), int(write.headers["x-bapi-recv-window"])
    signed = datetime.fromisoformat(write.headers["ok-access-timestamp"].replace("Z", "+00:00"))
    signed_at = round(signed.timestamp() * 1_000)
    return signed_at, int(write.headers["exptime"]) - signed_at


@pytest.mark.parametrize("exchange", EXCHANGES)
def test_what_is_signed_is_the_time_that_was_stored(book: Cast, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, exchange: str) -> None:
    """A sender that was held up for four seconds after the commit signs with the time of the commit (C12)."""
    account = account_at(book, exchange)
    order, attempt, moment = intended(book, account, market())
    held_up = SigningMoment(moment.timestamp_ms - 4_000, moment.window_ms)
    let_pass(order, 4)
    attempt.refresh_from_db()
    with on_the_way(sandbox, account, monkeypatch) as (recorder, client):
        request = market().model_copy(update={"client_order_id": order.client_order_id})
        row = placing._send(order, attempt, request, held_up, client)
    (write,) = recorder.writes
    at_ms, window_ms = signed_ms(exchange, write)
    stored_ms = round(attempt.signed_at.timestamp() * 1_000)
    assert (at_ms, window_ms) == (stored_ms, round((attempt.fence_at - attempt.signed_at) / timedelta(milliseconds=1)))
    assert row.state == OrderState.FILLED


@pytest.mark.parametrize("exchange", EXCHANGES)
def test_a_request_that_arrives_late_reopens_the_order_loudly(
    book: Cast, sandbox: Sandbox, impatient: None, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch, exchange: str
) -> None:
    """F08, F13: the order was already taken for absent when the network let its request through."""
    account = account_at(book, exchange)
    order, attempt, moment = intended(book, account, resting(account))
    with on_the_way(sandbox, account, monkeypatch) as (recorder, client):
        recorder.may_pass.clear()
        request = resting(account).model_copy(update={"client_order_id": order.client_order_id})
        assert placing._send(order, attempt, request, moment, client).state == OrderState.UNKNOWN
        let_pass(order, 60)
        assert ticked(order, 4).state == OrderState.NOT_PLACED
        recorder.may_pass.set()
        eventually(lambda: len(orders_at(sandbox, account, book.name)) == 1, "the late request reaches the venue")
    for _ in range(2):
        rounds.poll_orders([account.pk])
        order.refresh_from_db()
        assert order.state == OrderState.NEW
        assert "Was taken for NOT_PLACED (Not placed: after" in order.reason
    assert [record.levelname for record in caplog.records if f"order {order.pk} is at the venue" in record.message] == ["CRITICAL"]


@pytest.mark.parametrize("exchange", EXCHANGES)
def test_a_sender_that_wakes_up_after_the_fence_sends_nothing(book: Cast, sandbox: Sandbox, exchange: str) -> None:
    """SIGSTOP between commit and send (C12), and the keeper has taken the order for absent meanwhile."""
    account = account_at(book, exchange)
    order, attempt, moment = intended(book, account, market())
    let_pass(order, 60)
    assert ticked(order, 5).state == OrderState.NOT_PLACED
    late = SigningMoment(moment.timestamp_ms - 60_000, moment.window_ms)
    row = placing._send(order, attempt, market().model_copy(update={"client_order_id": order.client_order_id}), late, client_of(account))
    assert row.state == OrderState.NOT_PLACED
    assert creates_sent(sandbox, account, book.name) == 0
    assert order.attempts.get().error_class == "RequestExpired"


@pytest.mark.parametrize("exchange", EXCHANGES)
def test_the_venue_refuses_what_it_gets_after_the_fence(book: Cast, sandbox: Sandbox, exchange: str) -> None:
    """The request leaves in time and is held up on its way: signed with the stored time, it is refused, and the order was never placed."""
    account = account_at(book, exchange)
    order, attempt, _ = intended(book, account, market())
    method, path = WIRES[ExchangeType(exchange)].create
    sandbox.fault(exchange, {"kind": "delay", "ms": 900}, method=method, path=path)
    short = SigningMoment(client_of(account).clock.now_ms(), 400)
    row = placing._send(order, attempt, market().model_copy(update={"client_order_id": order.client_order_id}), short, client_of(account))
    assert row.state == OrderState.NOT_SENT
    assert orders_at(sandbox, account, book.name) == []
    assert order.attempts.get().error_class in ("ClockSkew", "RequestExpired")


@pytest.mark.parametrize("exchange", EXCHANGES)
def test_death_between_commit_and_send_ends_as_not_placed(book: Cast, sandbox: Sandbox, exchange: str) -> None:
    """C5."""
    account = account_at(book, exchange)
    order, _, _ = intended(book, account, market())
    assert ticked(order).state == OrderState.UNKNOWN
    let_pass(order, 60)
    order = ticked(order, 4)
    assert order.state == OrderState.NOT_PLACED
    attempt = order.attempts.get()
    assert (attempt.ended_at is not None, attempt.write_effect) == (True, WriteEffect.NONE)
    assert creates_sent(sandbox, account, book.name) == 0


@pytest.mark.parametrize("exchange", EXCHANGES)
def test_death_between_send_and_record_ends_as_the_venue_says(book: Cast, sandbox: Sandbox, exchange: str) -> None:
    """C7, C8: the venue filled it, nobody wrote that down."""
    account = account_at(book, exchange)
    order, _, moment = intended(book, account, market())
    request = market().model_copy(update={"client_order_id": order.client_order_id})
    runtime().run(placing._submit(client_of(account), request, moment), deadline_s=10)
    order = ticked(order)
    assert (order.state, order.filled_quantity) == (OrderState.FILLED, order.quantity)
    attempt = order.attempts.get()
    assert (attempt.ended_at is not None, attempt.write_effect) == (True, WriteEffect.APPLIED)
    assert creates_sent(sandbox, account, book.name) == 1


def test_a_sender_that_still_waits_is_left_alone(book: Cast) -> None:
    order, _, _ = intended(book, book.binance, market())
    tick(datetime.now(UTC))
    order.refresh_from_db()
    assert order.state == OrderState.SUBMITTING
