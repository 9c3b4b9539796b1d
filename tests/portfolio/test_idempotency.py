"""One key, one order: the same key and body answers the first order again, another body is refused (O13; F50 to F53)."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from exchanges.domain import OrderRequest
from exchanges.models import ExchangeAccount
from portfolio.execution.place import Idempotency, Intent, earlier_order, place
from portfolio.execution.refusals import Refused
from portfolio.models import IdempotencyKey, Membership, Order, Origin, Role
from portfolio.states import OrderState
from tests.conftest import Cast
from tests.portfolio.desk import creates_sent, fault, in_thread, market, resting
from tests.simulated import Sandbox

pytestmark = pytest.mark.postgresql


def send(cast: Cast, account: ExchangeAccount, request: OrderRequest, key: str, *, by: str = "alice") -> tuple[Order, bool]:
    idempotency = Idempotency.of(key, {"account": account.pk, "order": request.model_dump(mode="json")})
    return place(Intent(getattr(cast, by), account, request, Origin.API, idempotency))


def test_the_same_key_and_body_answers_the_first_order(book: Cast, sandbox: Sandbox) -> None:
    for account in book.accounts:
        request = resting(account)
        first, is_replay = send(book, account, request, f"key {account.pk}")
        again, is_again_replay = send(book, account, request, f"key {account.pk}")
        assert (again, is_replay, is_again_replay) == (first, False, True)
        assert creates_sent(sandbox, account, book.name) == 1


def test_a_replay_shows_the_order_as_it_is_by_now(book: Cast) -> None:
    request = resting(book.binance)
    first, _ = send(book, book.binance, request, "key")
    Order.objects.filter(pk=first.pk).update(state=OrderState.CANCELED)
    again, _ = send(book, book.binance, request, "key")
    assert again.state == OrderState.CANCELED


@pytest.mark.parametrize("changed", [market("0.2"), market("0.1", symbol="BTCUSDT"), market("0.10")], ids=["quantity", "symbol", "zeros"])
def test_the_same_key_with_another_body_is_refused(book: Cast, sandbox: Sandbox, changed: OrderRequest) -> None:
    first, _ = send(book, book.bybit, market("0.1"), "key")
    with pytest.raises(Refused) as refusal:
        send(book, book.bybit, changed, "key")
    assert refusal.value.code == "idempotency_key_reused"
    assert [order.pk for order in Order.objects.all()] == [first.pk]
    assert creates_sent(sandbox, book.bybit, book.name) == 1


def test_the_same_key_for_another_account_is_refused(book: Cast) -> None:
    send(book, book.binance, market(), "key")
    with pytest.raises(Refused, match="used with another body"):
        send(book, book.okx, market(), "key")


def test_somebody_elses_key_is_another_key(book: Cast, sandbox: Sandbox) -> None:
    Membership.objects.filter(user=book.victor).update(role=Role.TRADER)
    mine, _ = send(book, book.okx, market(), "key")
    theirs, is_replay = send(book, book.okx, market(), "key", by="victor")
    assert (theirs != mine, is_replay) == (True, False)
    assert creates_sent(sandbox, book.okx, book.name) == 2


def test_an_unknown_outcome_is_answered_again_and_never_resent(book: Cast, sandbox: Sandbox) -> None:
    for account in book.accounts:
        fault(sandbox, account, "create", "reset")
        first, _ = send(book, account, market(), f"key {account.pk}")
        again, is_replay = send(book, account, market(), f"key {account.pk}")
        assert (again, again.state, is_replay) == (first, OrderState.UNKNOWN, True)
        assert creates_sent(sandbox, account, book.name) == 1


def test_a_key_of_an_order_that_was_refused_here_is_free(book: Cast) -> None:
    with pytest.raises(Exception, match="multiple"):
        send(book, book.binance, market("0.00001"), "key")
    assert not IdempotencyKey.objects.exists()
    assert send(book, book.binance, market("0.1"), "key")[0].state == OrderState.FILLED


def test_without_a_key_every_request_is_an_order(book: Cast, sandbox: Sandbox) -> None:
    assert Idempotency.of("", {"order": 1}) is None
    assert earlier_order(book.alice, None) is None
    first, second = send(book, book.bybit, market(), ""), send(book, book.bybit, market(), "")
    assert first[0] != second[0]
    assert creates_sent(sandbox, book.bybit, book.name) == 2


def test_the_order_of_the_fields_does_not_make_another_body() -> None:
    assert Idempotency.of("k", {"a": 1, "b": "2"}) == Idempotency.of("k", {"b": "2", "a": 1})
    assert Idempotency.of("k", {"a": 1}) != Idempotency.of("k", {"a": "1"})


def test_twenty_at_once_are_one_order(committed_book: Cast, sandbox: Sandbox) -> None:
    """F52."""
    book, start = committed_book, Barrier(20)
    request = resting(book.binance)

    def work() -> tuple[Order, bool]:
        start.wait()
        return send(book, book.binance, request, "one click")

    with ThreadPoolExecutor(20) as threads:
        results = [each.result(30) for each in [threads.submit(in_thread, work) for _ in range(20)]]
    assert {order.pk for order, _ in results} == {Order.objects.get().pk}
    assert sorted(is_replay for _, is_replay in results) == [False] + [True] * 19
    assert creates_sent(sandbox, book.binance, book.name) == 1
    assert Order.objects.get().state == OrderState.NEW
