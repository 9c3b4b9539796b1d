"""Closing a fraction: of what the venue holds now, rounded down, reduce-only, once."""

from datetime import timedelta
from decimal import Decimal

import pytest

from exchanges.domain import MarginMode, OrderSide, PositionSide
from exchanges.errors import ExchangeAPIError, ReduceOnlyRejected
from exchanges.models import ExchangeAccount, Instrument
from portfolio import rounds
from portfolio.access import NotPermitted
from portfolio.execution.close import Agreed, close, close_request, position_for
from portfolio.execution.place import Idempotency
from portfolio.execution.refusals import NotFound, Refused
from portfolio.models import AccountState, Order, Origin, Position
from portfolio.states import OrderState
from tests.conftest import Cast
from tests.portfolio.desk import (
    SYMBOL,
    asked,
    creates_sent,
    fault,
    let_pass,
    market,
    now,
    orders_at,
    placed,
    placed_elsewhere,
    requests_sent,
    ticked,
)
from tests.simulated import Sandbox

D = Decimal
EXCHANGES = ["binance", "bybit", "okx"]


def held(book: Cast, exchange: str, quantity: str = "0.5", side: OrderSide = OrderSide.BUY) -> Position:
    account: ExchangeAccount = getattr(book, exchange)
    placed_elsewhere(account, market(quantity, side))
    rounds.poll_holdings([account.pk])
    return position_for(book.alice, Position.objects.get(account=account).pk)


def at_venue(account: ExchangeAccount) -> Decimal:
    """Signed, in base units."""
    positions = asked(account, lambda client: client.get_open_positions(SYMBOL))
    return sum((each.quantity if each.side is PositionSide.LONG else -each.quantity for each in positions), D(0))


@pytest.mark.parametrize("exchange", EXCHANGES)
@pytest.mark.parametrize(("side", "left"), [(OrderSide.BUY, "0.25"), (OrderSide.SELL, "-0.25")])
def test_a_half_is_closed_reduce_only(book: Cast, exchange: str, side: OrderSide, left: str) -> None:
    position = held(book, exchange, "0.5", side)
    order, is_replay = close(book.alice, position, D("0.5"), origin=Origin.PAGE)
    assert (order.state, order.filled_quantity, order.reduce_only, is_replay) == (OrderState.FILLED, D("0.25"), True, False)
    assert (order.side, order.order_type, order.origin) == (side.opposite.value, "MARKET", Origin.PAGE)
    assert at_venue(position.account) == D(left)


@pytest.mark.parametrize("exchange", EXCHANGES)
def test_all_of_it_is_closed(book: Cast, exchange: str) -> None:
    position = held(book, exchange)
    assert close(book.alice, position, D(1), origin=Origin.API)[0].state == OrderState.FILLED
    assert at_venue(position.account) == 0


@pytest.mark.parametrize("exchange", EXCHANGES)
def test_the_fraction_is_of_what_is_held_now(book: Cast, exchange: str) -> None:
    position = held(book, exchange, "0.5")
    placed_elsewhere(position.account, market("0.3", OrderSide.SELL))
    order, _ = close(book.alice, position, D("0.5"), origin=Origin.API)
    assert order.quantity == D("0.1")
    assert at_venue(position.account) == D("0.1")


@pytest.mark.parametrize("exchange", EXCHANGES)
def test_a_position_that_turned_around_meanwhile_is_not_made_larger(book: Cast, exchange: str) -> None:
    position = held(book, exchange, "0.5")
    placed_elsewhere(position.account, market("0.8", OrderSide.SELL))
    order, _ = close(book.alice, position, D(1), origin=Origin.API)
    assert (order.side, order.filled_quantity) == ("BUY", D("0.3"))
    assert at_venue(position.account) == 0


@pytest.mark.parametrize("exchange", EXCHANGES)
def test_who_agreed_to_a_sale_never_buys(book: Cast, exchange: str) -> None:
    """What was confirmed spoke of another position; the book shows the present one at once."""
    position = held(book, exchange, "0.5")
    placed_elsewhere(position.account, market("0.9", OrderSide.SELL))
    with pytest.raises(Refused, match=r"turned around: the account now holds SHORT 0\.4 in cross margin\. Nothing") as refusal:
        close(book.alice, position, D(1), origin=Origin.PAGE, agreed=Agreed(OrderSide.SELL, D("0.5")))
    assert refusal.value.code == "position_changed"
    assert (at_venue(position.account), Order.objects.count()) == (D("-0.4"), 0)
    assert Position.objects.get(account=position.account).side == PositionSide.SHORT


@pytest.mark.parametrize("exchange", EXCHANGES)
@pytest.mark.parametrize(("meanwhile", "side", "sent"), [("0.7", OrderSide.BUY, "0.5"), ("0.3", OrderSide.SELL, "0.2")])
def test_no_more_is_closed_than_was_agreed_to_and_no_more_than_is_held(
    book: Cast, exchange: str, meanwhile: str, side: OrderSide, sent: str
) -> None:
    position = held(book, exchange, "0.5")
    placed_elsewhere(position.account, market(meanwhile, side))
    order, _ = close(book.alice, position, D(1), origin=Origin.PAGE, agreed=Agreed(OrderSide.SELL, D("0.5")))
    assert (order.side, order.quantity, order.state) == ("SELL", D(sent), OrderState.FILLED)


@pytest.mark.parametrize("exchange", EXCHANGES)
def test_a_position_that_is_flat_meanwhile_is_said_to_be(book: Cast, sandbox: Sandbox, exchange: str) -> None:
    position = held(book, exchange)
    placed_elsewhere(position.account, market("0.5", OrderSide.SELL))
    before = creates_sent(sandbox, position.account, book.name)
    with pytest.raises(ReduceOnlyRejected, match="already flat"):
        close(book.alice, position, D(1), origin=Origin.API)
    assert creates_sent(sandbox, position.account, book.name) == before
    assert not Order.objects.exists()


@pytest.mark.parametrize("exchange", EXCHANGES)
def test_the_book_no_longer_shows_what_is_said_to_be_flat(book: Cast, exchange: str) -> None:
    position = held(book, exchange)
    placed_elsewhere(position.account, market("0.5", OrderSide.SELL))
    with pytest.raises(ReduceOnlyRejected, match="already flat"):
        close(book.alice, position, D(1), origin=Origin.API)
    assert not Position.objects.exists()


@pytest.mark.parametrize("exchange", EXCHANGES)
def test_a_position_held_in_the_other_margin_mode_is_not_said_to_be_flat(book: Cast, sandbox: Sandbox, exchange: str) -> None:
    position = held(book, exchange)
    Position.objects.update(margin_mode="isolated")
    before = creates_sent(sandbox, position.account, book.name)
    with pytest.raises(Refused) as refusal:
        close(book.alice, position_for(book.alice, position.pk), D(1), origin=Origin.API)
    assert (refusal.value.code, refusal.value.field) == ("position_changed", "id")
    assert "is not held in isolated margin" in refusal.value.message
    assert "holds LONG 0.5 in cross margin" in refusal.value.message
    assert creates_sent(sandbox, position.account, book.name) == before
    now_held = Position.objects.get()
    assert (now_held.margin_mode, now_held.quantity) == ("cross", D("0.5"))
    assert close(book.alice, position_for(book.alice, now_held.pk), D(1), origin=Origin.API)[0].state == OrderState.FILLED


def test_a_position_that_another_leg_holds_is_not_said_to_be_flat(book: Cast) -> None:
    position = held(book, "okx", side=OrderSide.SELL)
    Position.objects.update(position_side="LONG")
    with pytest.raises(Refused) as refusal:
        close(book.alice, position_for(book.alice, position.pk), D(1), origin=Origin.API)
    assert "is not held as LONG leg in cross margin" in refusal.value.message
    assert "holds SHORT 0.5 in cross margin" in refusal.value.message


@pytest.mark.parametrize("exchange", EXCHANGES)
def test_nothing_is_called_flat_while_the_book_shows_it(book: Cast, sandbox: Sandbox, exchange: str) -> None:
    """The exchange shows no position, and the book cannot be read again (here: every poll of the account waits)."""
    position = held(book, exchange)
    placed_elsewhere(position.account, market("0.5", OrderSide.SELL))
    AccountState.objects.update(paused_until=now() + timedelta(seconds=30))
    with pytest.raises(Refused) as refusal:
        close(book.alice, position, D(1), origin=Origin.API)
    assert refusal.value.code == "position_not_confirmed"
    assert "flat" not in refusal.value.message
    assert "0.5" in refusal.value.message
    assert Position.objects.get().quantity == D("0.5")
    assert not Order.objects.exists()


@pytest.mark.parametrize("exchange", EXCHANGES)
def test_a_position_that_cannot_be_read_is_not_taken_for_flat(book: Cast, sandbox: Sandbox, exchange: str) -> None:
    """F39."""
    position = held(book, exchange)
    fault(sandbox, position.account, "positions", "bad gateway")
    with pytest.raises(ExchangeAPIError) as failure:
        close(book.alice, position, D(1), origin=Origin.API)
    assert not isinstance(failure.value, ReduceOnlyRejected)
    assert not Order.objects.exists()


@pytest.mark.parametrize("exchange", ["bybit", "okx"])
def test_a_close_cut_to_what_was_left_is_found_as_ours(book: Cast, sandbox: Sandbox, exchange: str) -> None:
    """Bybit and OKX cut a reduce-only order to the position; with its answer lost it is still the order that was sent."""
    position = held(book, exchange, "0.5")
    request = close_request(position, D(1), D("0.5"), PositionSide.LONG)
    placed_elsewhere(position.account, market("0.3", OrderSide.SELL))
    fault(sandbox, position.account, "create", "reset", stage="after")
    order = placed(book, position.account, request)
    assert order.state == OrderState.UNKNOWN
    order = ticked(order)
    assert (order.state, order.filled_quantity) == (OrderState.FILLED, D("0.2"))
    assert at_venue(position.account) == 0


@pytest.mark.parametrize("mode", MarginMode)
@pytest.mark.parametrize("exchange", EXCHANGES)
def test_a_position_is_closed_in_its_own_margin_mode_where_an_order_names_one(book: Cast, exchange: str, mode: MarginMode) -> None:
    """On OKX an order that names none is a cross order, which cannot close an isolated position."""
    position = held(book, exchange, "0.5")
    position.margin_mode = mode
    request = close_request(position, D(1), D("0.5"), PositionSide.LONG)
    assert request.margin_mode == (mode if exchange == "okx" else None)


@pytest.mark.parametrize("exchange", EXCHANGES)
@pytest.mark.parametrize(("leg", "side"), [(PositionSide.LONG, OrderSide.SELL), (PositionSide.SHORT, OrderSide.BUY)])
def test_a_leg_is_closed_as_a_leg(book: Cast, exchange: str, leg: PositionSide, side: OrderSide) -> None:
    position = held(book, exchange, "0.5")
    position.position_side = leg
    request = close_request(position, D("0.5"), D("0.5"), leg)
    assert (request.side, request.position_side, request.quantity, request.reduce_only) == (side, leg, D("0.25"), True)


def test_a_fraction_is_rounded_down_to_the_lot(book: Cast) -> None:
    position = held(book, "bybit", "0.5")
    Instrument.objects.filter(exchange="bybit", symbol=SYMBOL).update(lot="0.01", market_lot=None, min_quantity="0.01")
    for fraction, quantity in (("0.33", "0.16"), ("0.999999", "0.49"), ("0.02", "0.01"), ("1", "0.50")):
        assert close_request(position, D(fraction), D("0.5"), PositionSide.LONG).quantity == D(quantity)


def test_a_market_lot_counts_where_there_is_one(book: Cast) -> None:
    position = held(book, "binance", "0.5")
    Instrument.objects.filter(exchange="binance", symbol=SYMBOL).update(lot="0.001", market_lot="0.1", min_quantity="0.001")
    assert close_request(position, D("0.5"), D("0.5"), PositionSide.SHORT).quantity == D("0.2")


@pytest.mark.parametrize(
    ("fraction", "code"),
    [("0.000001", "fraction_too_small"), ("0", "invalid_fraction"), ("-1", "invalid_fraction"), ("1.01", "invalid_fraction")],
)
def test_a_fraction_that_closes_nothing_is_refused(book: Cast, sandbox: Sandbox, fraction: str, code: str) -> None:
    position = held(book, "okx")
    with pytest.raises(Refused) as refusal:
        close(book.alice, position, D(fraction), origin=Origin.API)
    assert (refusal.value.code, refusal.value.field) == (code, "fraction")
    assert not Order.objects.exists()


def test_the_same_click_twice_closes_once(book: Cast, sandbox: Sandbox) -> None:
    """By the second one the position is flat; it is answered with the order, not with a refusal (O13)."""
    position = held(book, "binance")
    before = creates_sent(sandbox, book.binance, book.name)
    key = Idempotency.of("click", {"position": position.pk, "fraction": "1"})
    first, _ = close(book.alice, position, D(1), origin=Origin.PAGE, idempotency=key)
    again, is_replay = close(book.alice, position, D(1), origin=Origin.PAGE, idempotency=key)
    assert (again, is_replay) == (first, True)
    assert creates_sent(sandbox, book.binance, book.name) == before + 1


def test_a_close_whose_answer_is_lost_closes_once(book: Cast, sandbox: Sandbox) -> None:
    position = held(book, "binance")
    fault(sandbox, book.binance, "create", "reset", stage="after")
    order, _ = close(book.alice, position, D(1), origin=Origin.API)
    assert order.state == OrderState.UNKNOWN
    let_pass(order, 60)
    order = ticked(order)
    assert (order.state, order.filled_quantity) == (OrderState.FILLED, D("0.5"))
    assert [each["side"] for each in orders_at(sandbox, book.binance, book.name)] == ["buy", "sell"]


def test_without_trading_the_venue_is_not_even_asked(book: Cast, sandbox: Sandbox) -> None:
    position = held(book, "bybit")
    ExchangeAccount.objects.filter(pk=book.bybit.pk).update(is_trading_enabled=False)
    before = requests_sent(sandbox, book.bybit, book.name)
    with pytest.raises(Refused) as refusal:
        close(book.alice, position_for(book.alice, position.pk), D(1), origin=Origin.API)
    assert refusal.value.code == "trading_disabled"
    assert requests_sent(sandbox, book.bybit, book.name) == before


def test_only_traders_of_the_book_close_in_it(book: Cast) -> None:
    position = held(book, "okx")
    with pytest.raises(NotPermitted):
        close(book.victor, position_for(book.victor, position.pk), D(1), origin=Origin.API)
    with pytest.raises(NotFound):
        position_for(book.stella, position.pk)
    assert at_venue(book.okx) == D("0.5")
