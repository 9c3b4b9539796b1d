"""Every field of an order is carried to the venue or refused by its name: none is ignored, none is rounded."""

from decimal import Decimal
from typing import Any

import pytest

from exchanges.decimals import round_down
from exchanges.domain import ExchangeType, MarginMode, OrderRequest, OrderSide, OrderType, TimeInForce
from exchanges.errors import UnsupportedField, WriteEffect
from tests.exchanges.contract.desk import BTC, Desk, new_client_id

# Field of the order -> (its value, what the venue's ledger then says, under which name).
CARRIED: dict[str, tuple[Any, str, Any]] = {
    "symbol": ("ETHUSDT", "symbol", "ETHUSDT"),
    "side": (OrderSide.SELL, "side", "sell"),
    "order_type": (OrderType.LIMIT, "kind", "limit"),
    "quantity": (Decimal("0.3"), "quantity", Decimal("0.3")),
    "price": (None, "limit_price", None),  # depends on the mark, see below
    "time_in_force": (TimeInForce.GTX, "lifetime", "post_only"),
    "reduce_only": (True, "reduce_only", True),
    "client_order_id": ("cthisidalone", "client_id", "cthisidalone"),
}
# Carried as a setting, a leg or a mode, each with tests of its own.
CARRIED_OTHERWISE = {"position_side", "leverage", "margin_mode"}
REFUSED: dict[str, Any] = {
    "stop_price": Decimal(90_000),
    "take_profit_price": Decimal(120_000),
    "stop_loss_price": Decimal(80_000),
    "trailing_stop_pct": Decimal("1.5"),
}
LIFETIMES = {TimeInForce.GTC: "gtc", TimeInForce.IOC: "ioc", TimeInForce.FOK: "fok", TimeInForce.GTX: "post_only"}
UNSUPPORTED_TYPES = sorted(set(OrderType) - {OrderType.MARKET, OrderType.LIMIT})


def test_the_tables_name_every_field_of_an_order() -> None:
    assert sorted([*CARRIED, *CARRIED_OTHERWISE, *REFUSED]) == sorted(OrderRequest.model_fields)


def test_the_adapter_claims_to_carry_exactly_what_it_carries(desk: Desk) -> None:
    """Only on OKX is the margin mode a field of an order; on the others it is a setting."""
    settings = {"margin_mode"} if desk.exchange is not ExchangeType.OKX else set()
    assert desk.client.capabilities.order_fields == {*CARRIED, *CARRIED_OTHERWISE} - settings
    assert desk.client.capabilities.supports_hedge_mode


@pytest.mark.parametrize("field", [name for name in CARRIED if name not in ("price", "reduce_only")])
async def test_a_carried_field_arrives_at_the_venue(desk: Desk, field: str) -> None:
    value, name, expected = CARRIED[field]
    values: dict[str, Any] = {"symbol": "ETHUSDT", "side": OrderSide.SELL, field: value}
    await desk.client.place_order(await desk.resting_request(**values))
    [row] = desk.orders_in_ledger()
    assert (Decimal(row[name]) if isinstance(expected, Decimal) else row[name]) == expected


async def test_a_price_arrives_to_the_tick(desk: Desk) -> None:
    tick = (await desk.instrument("ETHUSDT")).tick
    price = round_down(await desk.mark("ETHUSDT") * Decimal("0.8"), tick) + tick
    await desk.client.place_order(await desk.resting_request("ETHUSDT", price=price))
    [row] = desk.orders_in_ledger()
    assert Decimal(row["limit_price"]) == price


async def test_reduce_only_arrives_for_limit_and_market_orders(desk: Desk) -> None:
    await desk.market("ETHUSDT", OrderSide.BUY, quantity=Decimal("0.3"))
    await desk.rest("ETHUSDT", OrderSide.SELL, quantity=Decimal("0.1"), reduce_only=True)
    await desk.market("ETHUSDT", OrderSide.SELL, quantity=Decimal("0.1"), reduce_only=True)
    assert [row["reduce_only"] for row in desk.orders_in_ledger()] == [False, True, True]


@pytest.mark.parametrize("time_in_force", LIFETIMES)
async def test_every_time_in_force_arrives_as_itself(desk: Desk, time_in_force: TimeInForce) -> None:
    order = await desk.rest("BTCUSDT", time_in_force=time_in_force)
    [row] = desk.orders_in_ledger()
    assert row["lifetime"] == LIFETIMES[time_in_force]
    assert (await desk.client.get_order_status("BTCUSDT", order.order_id)).time_in_force is time_in_force


@pytest.mark.parametrize("side", OrderSide)
@pytest.mark.parametrize("order_type", [OrderType.MARKET, OrderType.LIMIT])
async def test_side_and_type_arrive_together(desk: Desk, side: OrderSide, order_type: OrderType) -> None:
    if order_type is OrderType.MARKET:
        await desk.market("BTCUSDT", side, quantity=BTC)
    else:
        await desk.rest("BTCUSDT", side)
    [row] = desk.orders_in_ledger()
    assert (row["side"], row["kind"]) == (side.value.lower(), order_type.value.lower())


@pytest.mark.parametrize("field", REFUSED)
async def test_a_field_that_is_not_carried_is_refused_by_name_and_nothing_is_sent(desk: Desk, field: str) -> None:
    request = await desk.resting_request("BTCUSDT", **{field: REFUSED[field]})
    with pytest.raises(UnsupportedField, match=field) as refusal:
        await desk.client.place_order(request)
    assert (refusal.value.field, refusal.value.exchange) == (field, desk.exchange)
    assert refusal.value.write_effect is WriteEffect.NONE
    assert desk.requests() == []


@pytest.mark.parametrize("exchange", [ExchangeType.BINANCE, ExchangeType.BYBIT])
async def test_a_margin_mode_is_refused_where_it_is_a_setting(desks: dict[ExchangeType, Desk], exchange: ExchangeType) -> None:
    desk = desks[exchange]
    request = await desk.resting_request("BTCUSDT", margin_mode=MarginMode.CROSS)
    with pytest.raises(UnsupportedField, match="margin_mode") as refusal:
        await desk.client.place_order(request)
    assert refusal.value.field == "margin_mode"
    assert desk.requests() == []


@pytest.mark.parametrize("order_type", UNSUPPORTED_TYPES)
async def test_an_order_type_that_is_not_carried_is_refused_and_nothing_is_sent(desk: Desk, order_type: OrderType) -> None:
    request = OrderRequest(
        symbol="BTCUSDT", side=OrderSide.BUY, order_type=order_type, quantity=BTC, client_order_id=new_client_id(), stop_price=Decimal(1)
    )
    with pytest.raises(UnsupportedField, match="LIMIT, MARKET") as refusal:
        await desk.client.place_order(request)
    assert refusal.value.field == "order_type"
    assert desk.requests() == []
