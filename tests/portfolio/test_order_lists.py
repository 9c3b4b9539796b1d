"""The list of resting orders: orders placed elsewhere appear and end, ours are kept true, one failure costs nothing else (O12, D5)."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from exchanges.domain import ExchangeType, OrderResult, OrderSide, OrderStatus, OrderType, TimeInForce
from exchanges.errors import ExchangeUnavailable, RateLimited
from exchanges.models import ExchangeAccount
from portfolio import order_lists, rounds
from portfolio.execution import ownership, record
from portfolio.models import AccountState, Order, Origin, Portfolio
from portfolio.polling import Answer, KnownOrder, OrderList
from portfolio.states import OrderState
from tests.conftest import Cast
from tests.exchanges.contract.wire import no_answer
from tests.portfolio.desk import SYMBOL, asked, fault, now, placed, placed_elsewhere, resting, too_large_to_fill
from tests.simulated import Sandbox

pytestmark = pytest.mark.postgresql

D = Decimal
EXCHANGES = ["binance", "bybit", "okx"]
OPEN_ORDERS = {"binance": "/fapi/v1/openOrders", "bybit": "/v5/order/realtime", "okx": "/api/v5/trade/orders-pending"}


def answer(*resting_orders: OrderResult, settled: tuple[OrderResult, ...] = (), followed: tuple[KnownOrder, ...] = ()) -> Answer[OrderList]:
    return Answer(now(), now(), content=OrderList(list(resting_orders), list(settled), list(followed)))


def shown(order_id: str = "1", status: OrderStatus = OrderStatus.NEW, **changed: Any) -> OrderResult:
    usual: dict[str, Any] = {
        "symbol": "BTCUSDT",
        "client_order_id": f"web{order_id}",
        "side": OrderSide.BUY,
        "order_type": OrderType.LIMIT,
        "quantity": D("0.1"),
        "price": D("90000"),
    }
    return OrderResult(order_id=order_id, status=status, **usual | changed)


@pytest.mark.parametrize("exchange", EXCHANGES)
def test_an_order_placed_elsewhere_appears_and_ends(book: Cast, exchange: str) -> None:
    account: ExchangeAccount = getattr(book, exchange)
    theirs = placed_elsewhere(account, resting(account, quantity="0.3"))
    rounds.poll_orders([account.pk])
    order = Order.objects.get()
    assert (order.origin, order.state, order.exchange_order_id) == (Origin.EXTERNAL, OrderState.NEW, theirs.order_id)
    assert (order.quantity, order.price, order.actor, order.attempts.count()) == (D("0.3"), theirs.price, None, 0)
    rounds.poll_orders([account.pk])
    assert Order.objects.get().pk == order.pk
    asked(account, lambda client: client.cancel_order(SYMBOL, theirs.order_id))
    rounds.poll_orders([account.pk])
    order.refresh_from_db()
    assert order.state == OrderState.CANCELED


@pytest.mark.parametrize("exchange", EXCHANGES)
def test_our_own_order_is_not_taken_for_another(book: Cast, sandbox: Sandbox, exchange: str) -> None:
    """The list shows it before anybody has read the answer to its submission."""
    account: ExchangeAccount = getattr(book, exchange)
    fault(sandbox, account, "create", "reset", stage="after")
    order = placed(book, account, resting(account))
    assert order.state == OrderState.UNKNOWN
    rounds.poll_orders([account.pk])
    assert [(each.pk, each.origin, each.state) for each in Order.objects.all()] == [(order.pk, Origin.API, OrderState.NEW)]


@pytest.mark.parametrize("exchange", EXCHANGES)
def test_a_partial_fill_is_seen(book: Cast, exchange: str) -> None:
    """A limit order for more than stands at its price takes what is there and rests with the remainder."""
    account: ExchangeAccount = getattr(book, exchange)
    order = placed(book, account, too_large_to_fill(account))
    assert order.state == OrderState.PARTIALLY_FILLED
    assert 0 < order.filled_quantity < order.quantity
    assert order.average_price is not None
    asked(account, lambda client: client.cancel_order(order.symbol, order.exchange_order_id))
    rounds.poll_orders([account.pk])
    row = Order.objects.get()
    assert (row.pk, row.state) == (order.pk, OrderState.CANCELED)
    assert row.filled_quantity >= order.filled_quantity


def test_the_same_number_in_two_symbols_is_two_orders(book: Cast) -> None:
    """Binance counts the orders of each symbol apart."""
    order_lists.apply_order_list(book.binance, answer(shown("77"), shown("77", symbol="ETHUSDT", client_order_id="web78", quantity=D(2))))
    order_lists.apply_order_list(book.binance, answer(shown("77"), settled=(shown("77", OrderStatus.CANCELED, symbol="ETHUSDT"),)))
    assert dict(Order.objects.values_list("symbol", "state")) == {"BTCUSDT": "NEW", "ETHUSDT": "CANCELED"}


def test_somebody_elses_order_under_the_id_of_an_unknown_one_is_shown_as_theirs(book: Cast, caplog: pytest.LogCaptureFixture) -> None:
    ours = Order.objects.create(
        account=book.okx,
        client_order_id="cbtwice1",
        symbol="BTCUSDT",
        side="SELL",
        order_type="LIMIT",
        quantity=D("0.1"),
        price=D("90000"),
        state=OrderState.UNKNOWN,
        origin=Origin.API,
        created_at=now(),
        updated_at=now(),
    )
    for _ in range(2):
        order_lists.apply_order_list(book.okx, answer(shown("5", client_order_id="cbtwice1")))
    ours.refresh_from_db()
    assert (ours.state, ours.exchange_order_id, ours.reason) == (OrderState.UNKNOWN, "", ownership.SOMEBODY_ELSES)
    theirs = Order.objects.get(origin=Origin.EXTERNAL)
    assert (theirs.exchange_order_id, theirs.side) == ("5", "BUY")
    assert [each.levelname for each in caplog.records] == ["CRITICAL"]


@pytest.mark.parametrize("exchange", EXCHANGES)
def test_what_was_amended_at_the_venue_is_shown_as_it_is_there(book: Cast, exchange: str) -> None:
    account: ExchangeAccount = getattr(book, exchange)
    order = placed(book, account, resting(account, quantity="0.2"))
    price, before = order.price, Portfolio.objects.get().version
    Order.objects.update(price=D("1000"), quantity=D("0.5"))  # as it was entered, before it was amended in the venue's own app
    rounds.poll_orders([account.pk])
    order.refresh_from_db()
    assert (order.state, order.price, order.quantity) == (OrderState.NEW, price, D("0.2"))
    amended = Portfolio.objects.get().version
    rounds.poll_orders([account.pk])
    assert (amended > before, Order.objects.get().updated_at) == (True, order.updated_at)


def test_an_amendment_is_not_undone_by_an_older_report(book: Cast) -> None:
    """Answers overtake each other: a look-up from before the amendment arrives after it."""
    at = now()
    old, new = shown("5", updated_at=at), shown("5", updated_at=at + timedelta(seconds=1), price=D("91000"), quantity=D("0.3"))
    order_lists.apply_order_list(book.bybit, answer(new))
    record.record_result(Order.objects.get(), old)
    assert (Order.objects.get().price, Order.objects.get().quantity) == (D("91000"), D("0.3"))


def test_an_order_amended_and_filled_between_two_lists_is_filled_in_whole(book: Cast) -> None:
    order_lists.apply_order_list(book.okx, answer(shown("5", quantity=D("0.1"))))
    order_lists.apply_order_list(book.okx, answer(settled=(shown("5", OrderStatus.FILLED, quantity=D("0.3"), filled_quantity=D("0.3")),)))
    order = Order.objects.get()
    assert (order.state, order.quantity, order.filled_quantity) == (OrderState.FILLED, D("0.3"), D("0.3"))


def test_what_a_report_does_not_tell_stays_as_it_was(book: Cast) -> None:
    order_lists.apply_order_list(book.okx, answer(shown("5")))
    order_lists.apply_order_list(book.okx, answer(shown("5", price=None, quantity=None)))
    assert (Order.objects.get().price, Order.objects.get().quantity) == (D("90000"), D("0.1"))


def test_an_amended_order_is_still_the_same(book: Cast) -> None:
    order_lists.apply_order_list(book.bybit, answer(shown("5", quantity=D("0.1"))))
    order_lists.apply_order_list(book.bybit, answer(shown("5", OrderStatus.PARTIALLY_FILLED, quantity=D("0.2"), filled_quantity=D("0.15"))))
    assert (Order.objects.get().state, Order.objects.get().filled_quantity) == ("PARTIALLY_FILLED", D("0.15"))


def test_an_order_with_an_id_of_ours_and_no_row_is_alarmed(book: Cast, caplog: pytest.LogCaptureFixture) -> None:
    """After a loss of power the venue may know more than the database."""
    lost = f"cb{'a' * 26}00"
    order_lists.apply_order_list(book.binance, answer(shown("1", client_order_id=lost), shown("2", client_order_id="web")))
    assert Order.objects.filter(origin=Origin.EXTERNAL).count() == 2
    assert [(each.levelname, lost in each.message) for each in caplog.records] == [("CRITICAL", True)]


def test_an_older_list_changes_nothing(book: Cast) -> None:
    early, late = answer(shown("1")), answer(settled=(shown("1", OrderStatus.CANCELED),))
    order_lists.apply_order_list(book.okx, late)
    order_lists.apply_order_list(book.okx, early)
    assert not Order.objects.exists()
    assert AccountState.objects.get(account=book.okx).orders_as_of == late.sent_at


def test_a_list_that_repeats_what_is_known_writes_no_order(book: Cast) -> None:
    many = [shown(str(number), symbol="ETHUSDT") for number in range(1, 41)]
    order_lists.apply_order_list(book.binance, answer(*many))
    of_binance = Order.objects.filter(account=book.binance).order_by("id")
    updated = list(of_binance.values_list("updated_at", flat=True))
    order_lists.apply_order_list(book.okx, answer(*many[:1]))
    with CaptureQueriesContext(connection) as once:
        order_lists.apply_order_list(book.okx, answer(*many[:1]))
    with CaptureQueriesContext(connection) as often:
        order_lists.apply_order_list(book.binance, answer(*many))
    assert list(of_binance.values_list("updated_at", flat=True)) == updated
    statements = [each["sql"] for each in often.captured_queries if "SAVEPOINT" not in each["sql"]]
    assert len(statements) == len([each for each in once.captured_queries if "SAVEPOINT" not in each["sql"]])


def test_many_changes_are_one_version(book: Cast) -> None:
    before = Portfolio.objects.get().version
    order_lists.apply_order_list(book.binance, answer(*(shown(str(number)) for number in range(1, 21))))
    order_lists.apply_order_list(
        book.binance, answer(*(shown(str(number), OrderStatus.PARTIALLY_FILLED, filled_quantity=D("0.01")) for number in range(1, 21)))
    )
    assert Portfolio.objects.get().version == before + 2


def test_orders_that_were_not_asked_about_for_longest_are_followed_up_first(book: Cast) -> None:
    """Ten orders that the venue answers nothing about must not keep the eleventh from being asked about."""
    order_lists.apply_order_list(book.binance, answer(*(shown(str(number)) for number in range(1, 16))))
    first = order_lists.known_resting([book.binance.pk])[book.binance.pk]
    assert [order.order_id for order in first] == [str(number) for number in range(1, 16)]
    order_lists.apply_order_list(book.binance, answer(followed=tuple(first[:10])))
    second = order_lists.known_resting([book.binance.pk])[book.binance.pk]
    assert [order.order_id for order in second[:5]] == [str(number) for number in range(11, 16)]


def test_an_error_leaves_the_orders_and_pauses_where_the_venue_says_so(book: Cast, caplog: pytest.LogCaptureFixture) -> None:
    order_lists.apply_order_list(book.binance, answer(shown("1")))
    as_of = AccountState.objects.get(account=book.binance).orders_as_of
    order_lists.apply_order_list(book.binance, Answer(now(), now(), error=ExchangeUnavailable("down")))
    assert "could not be read" in caplog.text
    state = AccountState.objects.get(account=book.binance)
    assert (state.orders_as_of, state.paused_until, state.error_class) == (as_of, None, "")
    assert state.orders_error == "The exchange is unavailable. Down"
    order_lists.apply_order_list(book.binance, Answer(now(), now(), error=RateLimited("slow down", retry_after_s=30)))
    state = AccountState.objects.get(account=book.binance)
    assert (state.orders_as_of, state.error_class) == (as_of, "RateLimited")
    assert state.paused_until is not None
    assert Order.objects.get().state == OrderState.NEW


@pytest.mark.parametrize("exchange", EXCHANGES)
@pytest.mark.parametrize("kind", ["bad gateway", "truncated", "reset"])
def test_a_list_that_cannot_be_read_is_told_until_one_can(book: Cast, sandbox: Sandbox, exchange: str, kind: str) -> None:
    """D2: the orders shown are old, and why is said; that positions are read meanwhile takes nothing of it back."""
    account: ExchangeAccount = getattr(book, exchange)
    placed(book, account, resting(account))
    rounds.poll_orders([account.pk])
    first, version = AccountState.objects.get(account=account), Portfolio.objects.get().version
    sandbox.fault(exchange, no_answer(kind, ExchangeType(exchange)), method="GET", path=OPEN_ORDERS[exchange])
    rounds.poll_orders([account.pk])
    assert Portfolio.objects.get().version > version
    rounds.poll_holdings([account.pk])
    state = AccountState.objects.get(account=account)
    assert (state.orders_as_of, state.error_message) == (first.orders_as_of, "")
    assert state.orders_error
    assert "Do not repeat" not in state.orders_error
    assert first.orders_as_of is not None
    assert state.orders_error_at is not None
    assert state.orders_error_at > first.orders_as_of
    rounds.poll_orders([account.pk])
    state = AccountState.objects.get(account=account)
    assert (state.orders_error, state.orders_error_at) == ("", None)


def test_an_error_that_comes_after_a_newer_list_is_not_told(book: Cast) -> None:
    early: Answer[OrderList] = Answer(now(), now(), error=ExchangeUnavailable("down"))
    order_lists.apply_order_list(book.okx, answer())
    order_lists.apply_order_list(book.okx, early)
    assert AccountState.objects.get(account=book.okx).orders_error == ""


def test_an_order_of_a_kind_without_a_name_here_is_shown_all_the_same(book: Cast) -> None:
    order_lists.apply_order_list(book.okx, answer(shown("9", order_type=None, quantity=None, price=None, time_in_force=TimeInForce.GTC)))
    order = Order.objects.get()
    assert (order.order_type, order.time_in_force, order.price) == ("", "GTC", None)


def test_an_order_that_is_over_when_first_seen_is_not_adopted(book: Cast) -> None:
    order_lists.apply_order_list(book.okx, answer(settled=(shown("9", OrderStatus.FILLED, filled_quantity=D("0.1")),)))
    assert not Order.objects.exists()
