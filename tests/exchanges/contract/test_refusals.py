"""What a venue refuses: the class says what it means, nothing was placed, and nothing else is disturbed.

Orders go to the adapter directly, past the checks of exchanges.order_rules: it is the venue that must say no.
"""

from collections.abc import Awaitable, Callable
from decimal import Decimal
from functools import partial

import pytest

from exchanges.decimals import round_down
from exchanges.domain import ExchangeType, OrderRequest, OrderSide, OrderType
from exchanges.errors import (
    AuthenticationError,
    BadApiKey,
    BadParameter,
    BadSignature,
    ClockSkew,
    DuplicateClientOrderId,
    ExchangeAPIError,
    FilterViolation,
    InsufficientMargin,
    InvalidOrder,
    PermissionDenied,
    PriceOutOfBand,
    ReduceOnlyRejected,
    RiskLimitExceeded,
    TooManyOpenOrders,
    UnknownOrder,
    UnknownSymbol,
    WriteEffect,
)
from exchanges.protocol import IExchangeClient
from exchanges.signing import SigningMoment, signing_at
from tests.exchanges.contract.desk import BTC, Desk, new_client_id


async def refusal_of(desk: Desk, request: OrderRequest, *classes: type[ExchangeAPIError]) -> ExchangeAPIError:
    """The error of an order that must be refused with nothing placed."""
    before = len(desk.orders_in_ledger())
    with pytest.raises(classes) as refusal:
        await desk.client.place_order(request)
    error = refusal.value
    assert error.write_effect is WriteEffect.NONE, repr(error)
    assert error.exchange in (desk.exchange, "")
    assert error.message
    assert len(desk.orders_in_ledger()) == before
    return error


async def test_a_price_off_the_tick_is_refused(desk: Desk) -> None:
    instrument = await desk.instrument("BTCUSDT")
    good = await desk.resting_request("BTCUSDT")
    bad = good.model_copy(update={"price": (good.price or 0) + instrument.tick / 10})
    error = await refusal_of(desk, bad, FilterViolation, BadParameter)
    assert isinstance(error, FilterViolation), error


async def test_a_quantity_off_the_lot_is_refused(desk: Desk) -> None:
    """On OKX by the adapter itself: it is no whole number of the smallest part of a contract, and is not rounded to one."""
    instrument = await desk.instrument("BTCUSDT")
    await refusal_of(desk, await desk.resting_request("BTCUSDT", quantity=BTC + instrument.lot / 10), FilterViolation)


async def test_a_quantity_below_the_minimum_is_refused(desk: Desk) -> None:
    instrument = await desk.instrument("ETHUSDT")
    await refusal_of(desk, await desk.resting_request("ETHUSDT", quantity=instrument.min_quantity / 10), FilterViolation)


@pytest.mark.parametrize("exchange", [ExchangeType.BINANCE, ExchangeType.BYBIT])
async def test_an_order_below_the_smallest_notional_is_refused(desks: dict[ExchangeType, Desk], exchange: ExchangeType) -> None:
    """OKX has none."""
    desk = desks[exchange]
    instrument = await desk.instrument("XRPUSDT")
    request = await desk.resting_request("XRPUSDT", quantity=instrument.min_quantity)
    error = await refusal_of(desk, request, FilterViolation)
    assert error.field == "quantity"


async def test_a_quantity_above_the_maximum_is_refused(desk: Desk) -> None:
    """Some venues look at the margin first; either way it is no order."""
    instrument = await desk.instrument("DOGEUSDT")
    quantity = (instrument.max_quantity or 0) + instrument.lot
    await refusal_of(
        desk, await desk.resting_request("DOGEUSDT", quantity=quantity), FilterViolation, InsufficientMargin, RiskLimitExceeded
    )


async def test_a_price_outside_the_band_is_refused(desk: Desk) -> None:
    instrument, mark = await desk.instrument("BTCUSDT"), await desk.mark("BTCUSDT")
    high = round_down(mark * Decimal("1.5"), instrument.tick)
    error = await refusal_of(desk, await desk.resting_request("BTCUSDT", OrderSide.BUY, price=high), PriceOutOfBand)
    assert error.field == "price"


async def test_an_order_that_the_margin_does_not_cover_is_refused(desk: Desk) -> None:
    """Forty BTC at tenfold leverage want more than 100,000 USDT."""
    request = OrderRequest(symbol="BTCUSDT", side=OrderSide.BUY, order_type=OrderType.MARKET, quantity=Decimal(40))
    await refusal_of(desk, request, InsufficientMargin)
    await refusal_of(desk, await desk.resting_request("BTCUSDT", quantity=Decimal(40)), InsufficientMargin)


async def test_an_unlisted_symbol_is_refused(desk: Desk) -> None:
    request = OrderRequest(symbol="NOSUCHUSDT", side=OrderSide.BUY, order_type=OrderType.MARKET, quantity=BTC)
    error = await refusal_of(desk, request, UnknownSymbol)
    assert error.field == "symbol"


async def test_a_reduce_only_order_without_a_position_is_refused(desk: Desk) -> None:
    request = OrderRequest(symbol="BTCUSDT", side=OrderSide.SELL, order_type=OrderType.MARKET, quantity=BTC, reduce_only=True)
    await refusal_of(desk, request, ReduceOnlyRejected)


async def test_a_reduce_only_order_that_would_add_is_refused(desk: Desk) -> None:
    await desk.market("BTCUSDT", OrderSide.BUY, quantity=BTC)
    request = OrderRequest(symbol="BTCUSDT", side=OrderSide.BUY, order_type=OrderType.MARKET, quantity=BTC, reduce_only=True)
    await refusal_of(desk, request, ReduceOnlyRejected)


async def test_a_client_id_that_is_on_an_open_order_is_a_duplicate(desk: Desk) -> None:
    """Not a refusal like others: something of ours is there, so it says "look it up"."""
    order = await desk.rest()
    again = await desk.resting_request("BTCUSDT", OrderSide.SELL, client_order_id=order.client_order_id)
    with pytest.raises(DuplicateClientOrderId) as refusal:
        await desk.client.place_order(again)
    assert (refusal.value.write_effect, refusal.value.field) == (WriteEffect.UNKNOWN, "client_order_id")
    assert desk.ledger()["creates"] == {order.client_order_id: 1}
    found = await desk.client.find_order("BTCUSDT", order.client_order_id)
    assert found is not None
    assert (found.order_id, found.side) == (order.order_id, OrderSide.BUY)


async def test_whether_the_id_of_a_final_order_is_free_is_as_the_capabilities_say(desk: Desk) -> None:
    client_id = new_client_id()
    await desk.market("BTCUSDT", quantity=BTC, client_order_id=client_id)
    if desk.client.capabilities.client_ids_always_unique:
        with pytest.raises(DuplicateClientOrderId):
            await desk.market("BTCUSDT", quantity=BTC, client_order_id=client_id)
        assert desk.ledger()["creates"] == {client_id: 1}
        return
    second = await desk.market("BTCUSDT", quantity=2 * BTC, client_order_id=client_id)
    found = await desk.client.find_order("BTCUSDT", client_id)
    assert found is not None
    assert (found.order_id, found.quantity) == (second.order_id, 2 * BTC)


async def test_leverage_above_the_maximum_is_refused_and_changes_nothing(desk: Desk) -> None:
    await desk.client.set_leverage("SOLUSDT", 4)
    with pytest.raises((InvalidOrder, RiskLimitExceeded)) as refusal:
        await desk.client.set_leverage("SOLUSDT", 101)
    assert refusal.value.write_effect is WriteEffect.NONE
    assert refusal.value.field == "leverage"
    await desk.market("SOLUSDT", quantity=Decimal(2))
    [position] = await desk.client.get_open_positions("SOLUSDT")
    assert position.leverage == 4


@pytest.mark.parametrize("leverage", [0, -3])
async def test_leverage_below_one_is_refused(client: IExchangeClient, leverage: int) -> None:
    with pytest.raises((InvalidOrder, RiskLimitExceeded)):
        await client.set_leverage("SOLUSDT", leverage)


async def test_an_order_that_never_was_is_unknown(desk: Desk) -> None:
    order = await desk.rest()
    missing = _other_id(order.order_id)
    for call in (desk.client.get_order_status, desk.client.cancel_order):
        with pytest.raises(UnknownOrder) as refusal:
            await call("BTCUSDT", missing)
        assert refusal.value.write_effect is WriteEffect.NONE


def _other_id(order_id: str) -> str:
    """One of the same form: the last digit changed."""
    return order_id[:-1] + ("1" if order_id[-1] != "1" else "2")


@pytest.mark.parametrize("order_id", ["", "1&symbol=ETHUSDT", "../1", "a b", "é", "1" * 200])
async def test_a_text_that_is_no_order_id_is_refused_without_harm(desk: Desk, order_id: str) -> None:
    resting = await desk.rest()
    for call in (desk.client.get_order_status, desk.client.cancel_order):
        with pytest.raises((BadParameter, UnknownOrder)):
            await call("BTCUSDT", order_id)
    assert [each.order_id for each in await desk.client.get_open_orders()] == [resting.order_id]


async def test_the_two_hundred_and_first_order_of_a_symbol_is_refused(desk: Desk) -> None:
    request = await desk.resting_request("DOGEUSDT")
    for _ in range(10):
        await _place_twenty(desk, request)
    await refusal_of(desk, request.model_copy(update={"client_order_id": new_client_id()}), TooManyOpenOrders)


async def _place_twenty(desk: Desk, request: OrderRequest) -> None:
    for _ in range(20):
        await desk.client.place_order(request.model_copy(update={"client_order_id": new_client_id()}))


KEYS: dict[str, tuple[dict[str, str], tuple[type[ExchangeAPIError], ...]]] = {
    "a key that nobody has": ({"api_key": "never-issued-to-anybody"}, (BadApiKey, PermissionDenied)),
    "the secret of another key": ({"api_secret": "not-the-secret"}, (BadSignature,)),
    "an empty key": ({"api_key": ""}, (AuthenticationError,)),
}


@pytest.mark.parametrize("case", KEYS)
async def test_wrong_keys_neither_read_nor_trade_and_public_data_stays(desk: Desk, case: str) -> None:
    changed, classes = KEYS[case]
    stranger = desk.another_client(**changed)
    await _assert_locked_out(desk, stranger, *classes)


async def test_a_wrong_passphrase_neither_reads_nor_trades(desks: dict[ExchangeType, Desk]) -> None:
    """Only OKX has one."""
    desk = desks[ExchangeType.OKX]
    await _assert_locked_out(desk, desk.another_client(passphrase="guessed"), BadApiKey)


async def _assert_locked_out(desk: Desk, stranger: IExchangeClient, *classes: type[ExchangeAPIError]) -> None:
    request = await desk.resting_request("BTCUSDT")
    calls: list[Callable[[], Awaitable[object]]] = [stranger.get_account, stranger.get_open_positions, stranger.get_open_orders]
    calls += [stranger.get_balances, partial(stranger.place_order, request)]
    for call in calls:
        with pytest.raises(classes) as refusal:
            await call()
        assert isinstance(refusal.value, AuthenticationError)
        assert refusal.value.write_effect is WriteEffect.NONE
        assert "-secret" not in str(refusal.value)
        assert desk.name not in str(refusal.value)
    assert len(await stranger.get_instruments()) == 12
    assert desk.orders_in_ledger() == []


@pytest.mark.parametrize("late_ms", [6_000, 40_000, 3_600_000])
async def test_an_order_signed_too_long_ago_is_refused_as_expired(desk: Desk, late_ms: int) -> None:
    """ORDERS.md 0.3: paused between claim and send, an order must not arrive fresh."""
    request = await desk.resting_request("BTCUSDT")
    moment = SigningMoment(timestamp_ms=desk.client.clock.now_ms() - late_ms, window_ms=5_000)
    with signing_at(moment):
        error = await refusal_of(desk, request, ClockSkew)
    assert error.is_transient
    assert await desk.client.find_order("BTCUSDT", request.client_order_id or "") is None


async def test_an_order_within_its_window_is_taken(desk: Desk) -> None:
    with signing_at(SigningMoment(timestamp_ms=desk.client.clock.now_ms() - 2_000, window_ms=5_000)):
        order = await desk.rest()
    assert [row["client_id"] for row in desk.orders_in_ledger()] == [order.client_order_id]


async def test_a_clock_that_is_far_ahead_is_refused(desk: Desk) -> None:
    request = await desk.resting_request("BTCUSDT")
    with signing_at(SigningMoment(timestamp_ms=desk.client.clock.now_ms() + 60_000, window_ms=5_000)):
        await refusal_of(desk, request, ClockSkew)
