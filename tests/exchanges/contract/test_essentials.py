"""The four things every adapter must do before all else: place, cancel, tell what is held, and say what went wrong."""

from decimal import Decimal

import pytest

from exchanges.domain import OrderSide, OrderStatus, OrderType
from exchanges.errors import (
    AuthenticationError,
    BadVenueResponse,
    ExchangeAPIError,
    InsufficientMargin,
    OrderAlreadyFinal,
    OutcomeUnknown,
    RateLimited,
    UnknownOrder,
    UnknownSymbol,
    WriteEffect,
)
from tests.exchanges.contract.desk import BTC, ZERO, Desk, new_client_id
from tests.exchanges.contract.wire import NO_ANSWERS, rate_limit


async def test_place_order_success(desk: Desk) -> None:
    client_id = new_client_id()
    order = await desk.market("BTCUSDT", OrderSide.BUY, quantity=BTC, client_order_id=client_id)
    assert (order.symbol, order.side, order.order_type) == ("BTCUSDT", OrderSide.BUY, OrderType.MARKET)
    assert (order.status, order.filled_quantity, order.client_order_id) == (OrderStatus.FILLED, BTC, client_id)
    assert desk.ledger()["creates"] == {client_id: 1}


async def test_get_positions_filters_zero(desk: Desk) -> None:
    """Bybit lists a flat symbol with a size of 0 when it is asked for by name; no venue's zero reads as a position."""
    await desk.market("BTCUSDT", OrderSide.BUY, quantity=BTC)
    await desk.market("ETHUSDT", OrderSide.BUY, quantity=Decimal("0.1"))
    await desk.settled(await desk.client.close_position("ETHUSDT"))
    assert [(each.symbol, each.quantity) for each in await desk.client.get_open_positions()] == [("BTCUSDT", BTC)]
    for flat in ("ETHUSDT", "SOLUSDT"):
        assert await desk.client.get_open_positions(flat) == []


async def test_cancel_order_success(desk: Desk) -> None:
    order = await desk.rest("BTCUSDT")
    result = await desk.client.cancel_order("BTCUSDT", order.order_id)
    assert (result.symbol, result.order_id, result.client_order_id) == ("BTCUSDT", order.order_id, order.client_order_id)
    canceled = await desk.client.get_order_status("BTCUSDT", order.order_id)
    assert (canceled.status, canceled.filled_quantity) == (OrderStatus.CANCELED, ZERO)
    assert await desk.client.get_open_orders() == []
    with pytest.raises((UnknownOrder, OrderAlreadyFinal)):
        await desk.client.cancel_order("BTCUSDT", order.order_id)


async def provoke(desk: Desk, kind: str) -> None:
    if kind == "key":
        await desk.another_client(api_key="never-issued-to-anybody").get_balances()
    elif kind == "symbol":
        await desk.market("NOSUCHUSDT", quantity=BTC)
    elif kind == "margin":
        await desk.market("BTCUSDT", quantity=Decimal(40))
    else:
        request = await desk.resting_request("BTCUSDT")
        desk.fault(rate_limit(desk.exchange, 3) if kind == "limit" else NO_ANSWERS[kind], desk.wire.create)
        await desk.client.place_order(request)


@pytest.mark.parametrize(
    ("kind", "error_class", "effect"),
    [
        ("key", AuthenticationError, WriteEffect.NONE),
        ("symbol", UnknownSymbol, WriteEffect.NONE),
        ("margin", InsufficientMargin, WriteEffect.NONE),
        ("limit", RateLimited, WriteEffect.NONE),
        ("reset", OutcomeUnknown, WriteEffect.UNKNOWN),
        ("bad gateway", OutcomeUnknown, WriteEffect.UNKNOWN),
        ("html with status 200", BadVenueResponse, WriteEffect.UNKNOWN),
    ],
)
async def test_error_handling(desk: Desk, kind: str, error_class: type[ExchangeAPIError], effect: WriteEffect) -> None:
    """One tree of errors for all venues; each says what it means for a write, where it comes from, and no secret."""
    with pytest.raises(error_class) as caught:
        await provoke(desk, kind)
    error = caught.value
    assert error.write_effect is effect
    assert error.exchange in (desk.exchange, "")
    assert error.user_message
    assert desk.name not in str(error)
