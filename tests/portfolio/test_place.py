"""Orders reach each exchange once and are kept; what is wrong with one is said before anything is stored or sent (O2, O9)."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import IntegrityError, connection, transaction

from exchanges.accounts import store_credential
from exchanges.domain import OrderRequest, OrderSide, OrderType, PositionSide, TimeInForce
from exchanges.errors import InvalidOrder, WriteEffect
from exchanges.models import Environment, ExchangeAccount, Instrument
from exchanges.protocol import IExchangeClient
from portfolio import venue_clocks
from portfolio.access import NotPermitted
from portfolio.execution.identifiers import is_made_here, new_client_order_id
from portfolio.execution.place import Intent, place
from portfolio.execution.refusals import Refused
from portfolio.models import AccountState, Membership, Order, Origin, Portfolio, PortfolioAccount, Role, SubmitAttempt
from portfolio.states import OrderState
from tests.conftest import Cast
from tests.portfolio.desk import SYMBOL, eventually, in_thread, market, orders_at, placed, requests_sent, resting, waits_for_a_lock
from tests.simulated import Sandbox

pytestmark = pytest.mark.postgresql

D = Decimal


def test_a_market_order_is_filled_and_kept_on_every_exchange(book: Cast, sandbox: Sandbox) -> None:
    for account in book.accounts:
        order, is_replay = place(Intent(book.alice, account, market("0.1"), Origin.API))
        assert (order.state, order.filled_quantity, is_replay) == (OrderState.FILLED, D("0.1"), False)
        assert (order.actor, order.origin, order.order_type, order.time_in_force) == (book.alice, Origin.API, "MARKET", "")
        (at_venue,) = orders_at(sandbox, account, book.name)
        assert at_venue["client_id"] == order.client_order_id
        assert order.exchange_order_id
        assert order.average_price == D(at_venue["filled_value"]) / D(at_venue["filled"])
        attempt = order.attempts.get()
        assert (attempt.number, attempt.write_effect, attempt.error_class) == (1, WriteEffect.APPLIED, "")
        assert attempt.ended_at is not None
        assert attempt.started_at < attempt.ended_at


def test_a_limit_order_rests_and_is_kept_on_every_exchange(book: Cast, sandbox: Sandbox) -> None:
    for account in book.accounts:
        request = resting(account, quantity="0.2")
        order = placed(book, account, request)
        assert (order.state, order.filled_quantity, order.average_price) == (OrderState.NEW, D(0), None)
        assert (order.price, order.quantity, order.time_in_force) == (request.price, D("0.2"), "GTC")
        (at_venue,) = orders_at(sandbox, account, book.name)
        assert (D(at_venue["limit_price"]), D(at_venue["quantity"]), at_venue["status"]) == (request.price, D("0.2"), "new")


def test_a_client_order_id_of_the_callers_own_is_sent(book: Cast, sandbox: Sandbox) -> None:
    for account in book.accounts:
        order = placed(book, account, resting(account, client_order_id="mine0001"))
        assert order.client_order_id == "mine0001"
        assert orders_at(sandbox, account, book.name)[0]["client_id"] == "mine0001"


def test_an_order_that_finds_nothing_to_take_ends_with_its_reason(book: Cast) -> None:
    for account in book.accounts:
        order = placed(book, account, resting(account, time_in_force=TimeInForce.IOC))
        assert order.state in (OrderState.EXPIRED, OrderState.CANCELED)


def test_an_order_too_large_for_the_margin_is_rejected_in_the_venues_words(book: Cast, sandbox: Sandbox) -> None:
    for account in book.accounts:
        order = placed(book, account, resting(account, quantity="4000"))
        assert (order.state, order.filled_quantity, order.exchange_order_id) == (OrderState.REJECTED, D(0), "")
        assert order.reason.startswith("Not enough margin.")
        assert orders_at(sandbox, account, book.name) == []
        attempt = order.attempts.get()
        assert (attempt.write_effect, attempt.error_class) == (WriteEffect.NONE, "InsufficientMargin")
        assert attempt.venue_code
        assert attempt.venue_message.lower() in order.reason.lower()


def test_a_venue_that_says_later_has_not_rejected(book: Cast, sandbox: Sandbox) -> None:
    """NOT_SENT, not REJECTED: the venue said nothing about the order (F09)."""
    sandbox.fault("binance", {"kind": "status", "status": 429, "headers": {"Retry-After": "7"}}, method="POST", path="/fapi/v1/order")
    order = placed(book, book.binance, market())
    assert order.state == OrderState.NOT_SENT
    assert order.attempts.get().error_class == "RateLimited"


REFUSED: list[tuple[OrderRequest, str]] = [
    (market("0.1", symbol="NOSUCHUSDT"), "symbol"),
    (market("0.00001"), "quantity"),
    (market("0.0000000001"), "quantity"),
    (market("100000000"), "quantity"),
    (OrderRequest(symbol=SYMBOL, side=OrderSide.BUY, order_type=OrderType.LIMIT, quantity=D("0.1"), price=D("1000.123456")), "price"),
    (OrderRequest(symbol=SYMBOL, side=OrderSide.BUY, order_type=OrderType.LIMIT, quantity=D("0.1"), price=D("0.5")), "quantity"),
    (
        OrderRequest(symbol=SYMBOL, side=OrderSide.SELL, order_type=OrderType.STOP_MARKET, quantity=D("0.1"), stop_price=D(1000)),
        "order_type",
    ),
    (
        OrderRequest(symbol=SYMBOL, side=OrderSide.BUY, order_type=OrderType.MARKET, quantity=D("0.1"), stop_loss_price=D(9)),
        "stop_loss_price",
    ),
]


@pytest.mark.parametrize(("request_", "field"), REFUSED, ids=lambda value: value if isinstance(value, str) else "")
def test_what_is_wrong_with_an_order_is_said_before_anything_happens(
    book: Cast, sandbox: Sandbox, request_: OrderRequest, field: str
) -> None:
    for account in book.accounts:
        # OKX states no smallest notional, so there nothing is wrong with a small one.
        if field == "quantity" and request_.price == D("0.5") and account == book.okx:
            continue
        before = requests_sent(sandbox, account, book.name)
        with pytest.raises((Refused, InvalidOrder)) as refusal:
            placed(book, account, request_)
        assert getattr(refusal.value, "field", None) == field
        assert requests_sent(sandbox, account, book.name) == before
    assert (Order.objects.count(), SubmitAttempt.objects.count()) == (0, 0)


def test_instruments_that_were_never_read_are_no_reason_to_call_a_symbol_unknown(book: Cast) -> None:
    Instrument.objects.filter(exchange="bybit").delete()
    with pytest.raises(Refused) as refusal:
        placed(book, book.bybit, market())
    assert refusal.value.code == "instruments_unknown"


def test_a_halted_symbol_is_refused(book: Cast) -> None:
    Instrument.objects.filter(exchange="okx", symbol=SYMBOL).update(status="halted")
    with pytest.raises(InvalidOrder, match="halted"):
        placed(book, book.okx, market())


@pytest.mark.parametrize(("field", "code"), [("is_trading_enabled", "trading_disabled"), ("is_enabled", "account_disabled")])
def test_an_account_that_may_not_trade_sends_nothing(book: Cast, sandbox: Sandbox, field: str, code: str) -> None:
    ExchangeAccount.objects.filter(pk=book.okx.pk).update(**{field: False})
    book.okx.refresh_from_db()
    before = requests_sent(sandbox, book.okx, book.name)
    with pytest.raises(Refused) as refusal:
        placed(book, book.okx, market())
    assert (refusal.value.code, refusal.value.field) == (code, "account")
    assert (Order.objects.count(), requests_sent(sandbox, book.okx, book.name)) == (0, before)


def test_a_live_account_is_read_only(book: Cast, sandbox: Sandbox) -> None:
    live = ExchangeAccount.objects.create(exchange="binance", environment=Environment.LIVE, label="Real money")
    store_credential(live, api_key="a-key-of-real-money", api_secret="its-secret")
    theirs = Portfolio.objects.create(name="Real money", environment=Environment.LIVE)
    Membership.objects.create(portfolio=theirs, user=book.alice, role=Role.MANAGER)
    PortfolioAccount.objects.create(portfolio=theirs, account=live)
    with pytest.raises(Refused) as refusal:
        placed(book, live, market())
    assert refusal.value.code == "trading_disabled"
    assert not Order.objects.exists()


def test_the_database_refuses_to_switch_trading_on_for_a_live_account(db: None) -> None:
    live = ExchangeAccount.objects.create(exchange="binance", environment=Environment.LIVE, label="Real money")
    live.is_trading_enabled = True
    with pytest.raises(IntegrityError), transaction.atomic():
        live.save()
    with pytest.raises(IntegrityError), transaction.atomic():
        ExchangeAccount.objects.filter(pk=live.pk).update(is_trading_enabled=True)


@pytest.mark.parametrize("who", ["victor", "stella"])
def test_only_a_trader_of_the_book_places_orders_in_it(book: Cast, sandbox: Sandbox, who: str) -> None:
    before = requests_sent(sandbox, book.binance, book.name)
    with pytest.raises(NotPermitted):
        placed(book, book.binance, market(), by=getattr(book, who))
    assert (Order.objects.count(), requests_sent(sandbox, book.binance, book.name)) == (0, before)


def test_a_manager_may_trade_and_who_lost_the_role_may_not(book: Cast) -> None:
    Membership.objects.filter(user=book.victor).update(role=Role.MANAGER)
    assert placed(book, book.bybit, market(), by=book.victor).state == OrderState.FILLED
    Membership.objects.filter(user=book.victor).delete()
    with pytest.raises(NotPermitted):
        placed(book, book.bybit, market(), by=book.victor)


def test_the_fence_lies_one_window_after_what_is_signed(book: Cast) -> None:
    attempt = placed(book, book.bybit, market()).attempts.get()
    assert attempt.fence_at - attempt.signed_at == timedelta(seconds=5)


def test_ids_are_new_short_and_recognised() -> None:
    made = {new_client_order_id() for _ in range(1000)}
    assert len(made) == 1000
    assert all(len(each) <= 32 and each.isalnum() and each[0].isalpha() and each == each.lower() for each in made)
    assert all(map(is_made_here, made))
    assert not any(map(is_made_here, ["", "cb", "cbx1", "web_abc", next(iter(made)) + "0", next(iter(made)).upper()]))


def test_two_orders_of_one_account_do_not_share_a_client_order_id(book: Cast, sandbox: Sandbox) -> None:
    placed(book, book.binance, resting(book.binance, client_order_id="twice1"))
    with pytest.raises(Refused) as refusal:
        placed(book, book.binance, market().model_copy(update={"client_order_id": "twice1"}))
    assert refusal.value.code == "duplicate_client_order_id"
    assert len(orders_at(sandbox, book.binance, book.name)) == 1
    assert placed(book, book.okx, market().model_copy(update={"client_order_id": "twice1"})).state == OrderState.FILLED


def test_an_order_inside_somebodys_transaction_is_not_sent(committed_book: Cast, sandbox: Sandbox) -> None:
    """Nothing would be committed before the first byte leaves: a crash would forget an order that the venue carried out."""
    with pytest.raises(RuntimeError, match="durable"), transaction.atomic():
        placed(committed_book, committed_book.binance, market())
    assert orders_at(sandbox, committed_book.binance, committed_book.name) == []
    assert Order.objects.count() == 0


@pytest.mark.parametrize(
    ("mode", "position_side", "says"),
    [
        ("one_way", "LONG", "position_side must be BOTH or left out, was LONG: {} is in one-way mode"),
        ("hedge", "BOTH", "position_side must be LONG or SHORT: {} is in hedge mode"),
    ],
)
def test_an_order_for_the_other_position_mode_is_refused(book: Cast, sandbox: Sandbox, mode: str, position_side: str, says: str) -> None:
    AccountState.objects.create(account=book.binance, position_mode=mode)
    before = requests_sent(sandbox, book.binance, book.name)
    order = market().model_copy(update={"position_side": PositionSide(position_side)})
    with pytest.raises(Refused) as refusal:
        place(Intent(book.alice, book.binance, order, Origin.API))
    assert (refusal.value.field, refusal.value.message) == ("position_side", says.format(book.binance))
    assert not Order.objects.exists()
    assert requests_sent(sandbox, book.binance, book.name) == before


@pytest.mark.parametrize("ends", ["membership", "role", "trading", "account"])
def test_who_may_not_trade_any_more_when_the_intent_is_kept_sends_nothing(
    committed_book: Cast, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, ends: str
) -> None:
    """Everything was in order when the order came in; it ends while the venue's clock is measured."""
    book, measure = committed_book, venue_clocks.keep_if_answered

    def end_it() -> None:
        try:
            members, accounts = Membership.objects.filter(user=book.alice), ExchangeAccount.objects.filter(pk=book.binance.pk)
            changes = {
                "membership": members.delete,
                "role": lambda: members.update(role=Role.VIEWER),
                "trading": lambda: accounts.update(is_trading_enabled=False),
                "account": lambda: accounts.update(is_enabled=False),
            }
            changes[ends]()
        finally:
            connection.close()

    async def measured_while_it_ends(client: IExchangeClient) -> None:
        await measure(client)
        await asyncio.to_thread(end_it)

    monkeypatch.setattr(venue_clocks, "keep_if_answered", measured_while_it_ends)
    with pytest.raises((NotPermitted, Refused)):
        place(Intent(book.alice, book.binance, market(), Origin.API))
    assert not Order.objects.exists()
    assert orders_at(sandbox, book.binance, book.name) == []


def test_an_order_waits_for_whoever_retires_its_account_and_is_refused(committed_book: Cast, sandbox: Sandbox) -> None:
    """Sent with the keys that this process still holds, it would be the order of an account that nobody looks after any more."""
    book = committed_book
    with ThreadPoolExecutor(1) as threads:
        with transaction.atomic():
            Portfolio.objects.select_for_update().get(pk=book.portfolio.pk)
            ExchangeAccount.objects.filter(pk=book.bybit.pk).update(is_enabled=False)
            sending = threads.submit(in_thread, lambda: place(Intent(book.alice, book.bybit, market("0.1"), Origin.API)))
            eventually(lambda: connection.vendor == "sqlite" or waits_for_a_lock(), "the order waits")
        with pytest.raises(Refused, check=lambda error: error.code == "account_disabled"):
            sending.result(10)
    assert not Order.objects.exists()
    assert orders_at(sandbox, book.bybit, book.name) == []
