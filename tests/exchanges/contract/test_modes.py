"""Hedge and one-way mode, cross and isolated margin: the same behaviour at every venue, whichever way it keeps these modes."""

from contextlib import suppress
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from exchanges.domain import ExchangeType, MarginMode, OrderResult, OrderSide, OrderStatus, Position, PositionMode, PositionSide
from exchanges.errors import (
    InvalidOrder,
    OpenOrdersInTheWay,
    PositionInTheWay,
    PositionModeMismatch,
    ReduceOnlyRejected,
    SettingRefused,
    UnsupportedField,
    WriteEffect,
)
from tests.exchanges.contract.desk import BTC, Desk

BUY, SELL = OrderSide.BUY, OrderSide.SELL
LONG, SHORT, BOTH = PositionSide.LONG, PositionSide.SHORT, PositionSide.BOTH
CROSS, ISOLATED = MarginMode.CROSS, MarginMode.ISOLATED
KEEPS_MODE_IN_ORDERS = ExchangeType.OKX
LEGS = [(LONG, BUY, SELL), (SHORT, SELL, BUY)]


@pytest.fixture
async def hedged(desk: Desk) -> Desk:
    assert await desk.client.set_position_mode(PositionMode.HEDGE) is True
    return desk


async def isolated_market(desk: Desk, side: OrderSide, **fields: Any) -> OrderResult:
    """An order in isolated margin: named by the order where that is a field, set before it elsewhere."""
    if "margin_mode" in desk.client.capabilities.order_fields:
        return await desk.market("BTCUSDT", side, margin_mode=ISOLATED, **fields)
    await desk.client.set_margin_mode("BTCUSDT", ISOLATED)
    return await desk.market("BTCUSDT", side, **fields)


async def legs_of(desk: Desk, symbol: str = "BTCUSDT") -> dict[PositionSide, Position]:
    return {each.position_side: each for each in await desk.client.get_open_positions(symbol)}


async def both_legs(desk: Desk) -> None:
    await desk.market("BTCUSDT", BUY, quantity=2 * BTC, position_side=LONG)
    await desk.market("BTCUSDT", SELL, quantity=BTC, position_side=SHORT)


# Hedge mode


async def test_hedge_mode_is_set_and_seen(hedged: Desk) -> None:
    assert (await hedged.client.get_account()).position_mode is PositionMode.HEDGE
    assert (await hedged.client.get_wallet()).account.position_mode is PositionMode.HEDGE
    assert await hedged.client.set_position_mode(PositionMode.HEDGE) is True
    assert await hedged.client.set_position_mode(PositionMode.ONE_WAY) is True
    assert (await hedged.client.get_account()).position_mode is PositionMode.ONE_WAY


async def test_a_symbol_is_held_long_and_short_at_once(hedged: Desk) -> None:
    await both_legs(hedged)
    legs = await legs_of(hedged)
    assert {leg: (each.side, each.quantity) for leg, each in legs.items()} == {LONG: (LONG, 2 * BTC), SHORT: (SHORT, BTC)}
    assert {each.margin_mode for each in legs.values()} == {CROSS}
    book = await hedged.client.get_position_book()
    assert {(each.position_side, each.quantity) for each in book.positions} == {(LONG, 2 * BTC), (SHORT, BTC)}
    assert (await hedged.client.get_account()).position_mode is PositionMode.HEDGE


@pytest.mark.parametrize(("leg", "opens", "closes"), LEGS)
async def test_an_order_of_a_leg_opens_and_closes_that_leg(hedged: Desk, leg: PositionSide, opens: OrderSide, closes: OrderSide) -> None:
    opened = await hedged.market("BTCUSDT", opens, quantity=2 * BTC, position_side=leg)
    assert (opened.position_side, opened.status) == (leg, OrderStatus.FILLED)
    reduced = await hedged.market("BTCUSDT", closes, quantity=BTC, position_side=leg)
    assert (reduced.position_side, reduced.side) == (leg, closes)
    assert {each: position.quantity for each, position in (await legs_of(hedged)).items()} == {leg: BTC}


@pytest.mark.parametrize(("leg", "opens", "closes"), LEGS)
async def test_a_reduce_only_order_closes_its_leg(hedged: Desk, leg: PositionSide, opens: OrderSide, closes: OrderSide) -> None:
    await hedged.market("BTCUSDT", opens, quantity=BTC, position_side=leg)
    order = await hedged.market("BTCUSDT", closes, quantity=BTC, position_side=leg, reduce_only=True)
    assert order.filled_quantity == BTC
    assert await legs_of(hedged) == {}


@pytest.mark.parametrize(("leg", "opens", "closes"), LEGS)
async def test_a_reduce_only_order_that_would_open_is_not_even_sent(
    hedged: Desk, leg: PositionSide, opens: OrderSide, closes: OrderSide
) -> None:
    """OKX ignores the flag there and Binance refuses it."""
    with pytest.raises(ReduceOnlyRejected):
        await hedged.market("BTCUSDT", opens, quantity=BTC, position_side=leg, reduce_only=True)
    assert hedged.requests(hedged.wire.create) == []


@pytest.mark.parametrize(("leg", "opens", "closes"), LEGS)
@pytest.mark.parametrize("is_reduce_only", [True, False])
async def test_closing_more_than_a_leg_holds_never_opens_the_other(
    hedged: Desk, leg: PositionSide, opens: OrderSide, closes: OrderSide, is_reduce_only: bool
) -> None:
    """Refused or cut, as the venue likes."""
    await hedged.market("BTCUSDT", opens, quantity=BTC, position_side=leg)
    with suppress(InvalidOrder):
        await hedged.market("BTCUSDT", closes, quantity=3 * BTC, position_side=leg, reduce_only=is_reduce_only)
    assert set(await legs_of(hedged)) <= {leg}


@pytest.mark.parametrize(("leg", "opens", "closes"), LEGS)
async def test_a_leg_that_is_not_held_cannot_be_closed(hedged: Desk, leg: PositionSide, opens: OrderSide, closes: OrderSide) -> None:
    with pytest.raises((ReduceOnlyRejected, InvalidOrder)) as refusal:
        await hedged.market("BTCUSDT", closes, quantity=BTC, position_side=leg, reduce_only=True)
    assert refusal.value.write_effect is WriteEffect.NONE
    assert await legs_of(hedged) == {}


async def test_an_order_without_a_leg_is_refused_in_hedge_mode(hedged: Desk) -> None:
    with pytest.raises(PositionModeMismatch) as refusal:
        await hedged.market("BTCUSDT", BUY, quantity=BTC)
    assert (refusal.value.write_effect, refusal.value.field) == (WriteEffect.NONE, "position_side")
    assert await hedged.client.get_open_positions() == []


async def test_an_order_of_a_leg_is_refused_in_one_way_mode(desk: Desk) -> None:
    with pytest.raises(PositionModeMismatch) as refusal:
        await desk.market("BTCUSDT", BUY, quantity=BTC, position_side=LONG)
    assert refusal.value.write_effect is WriteEffect.NONE
    assert await desk.client.get_open_positions() == []


async def test_a_resting_order_tells_its_leg(hedged: Desk) -> None:
    order = await hedged.rest("BTCUSDT", SELL, position_side=SHORT)
    assert order.position_side is SHORT
    [listed] = await hedged.client.get_open_orders()
    looked_up = await hedged.client.get_order_status("BTCUSDT", order.order_id)
    found = await hedged.client.find_order("BTCUSDT", order.client_order_id)
    assert found is not None
    assert [each.position_side for each in (listed, looked_up, found)] == [SHORT] * 3


@pytest.mark.parametrize(("leg", "left"), [(LONG, SHORT), (SHORT, LONG)])
async def test_one_leg_is_closed_and_the_other_stays(hedged: Desk, leg: PositionSide, left: PositionSide) -> None:
    await both_legs(hedged)
    before = await legs_of(hedged)
    order = await hedged.settled(await hedged.client.close_position("BTCUSDT", leg))
    assert (order.position_side, order.filled_quantity) == (leg, before[leg].quantity)
    assert {each: position.quantity for each, position in (await legs_of(hedged)).items()} == {left: before[left].quantity}


async def test_with_two_legs_a_close_must_say_which(hedged: Desk) -> None:
    await both_legs(hedged)
    sent = len(hedged.requests(hedged.wire.create))
    with pytest.raises(PositionModeMismatch) as refusal:
        await hedged.client.close_position("BTCUSDT")
    assert refusal.value.field == "position_side"
    assert len(hedged.requests(hedged.wire.create)) == sent


async def test_the_only_leg_is_closed_without_its_name(hedged: Desk) -> None:
    await hedged.market("BTCUSDT", SELL, quantity=BTC, position_side=SHORT)
    with pytest.raises(ReduceOnlyRejected):
        await hedged.client.close_position("BTCUSDT", LONG)
    await hedged.settled(await hedged.client.close_position("BTCUSDT"))
    assert await hedged.client.get_open_positions() == []


async def test_legs_keep_the_position_mode(hedged: Desk) -> None:
    await hedged.market("BTCUSDT", BUY, quantity=BTC, position_side=LONG)
    with pytest.raises(SettingRefused) as refusal:
        await hedged.client.set_position_mode(PositionMode.ONE_WAY)
    assert isinstance(refusal.value, PositionInTheWay) is (hedged.exchange is not ExchangeType.OKX)
    await hedged.settled(await hedged.client.close_position("BTCUSDT"))
    assert await hedged.client.set_position_mode(PositionMode.ONE_WAY) is True
    order = await hedged.market("BTCUSDT", BUY, quantity=BTC)
    assert order.position_side is BOTH


# Isolated margin


@pytest.mark.parametrize(("side", "direction"), [(BUY, LONG), (SELL, SHORT)])
async def test_an_isolated_position_is_held_and_closed_as_such(desk: Desk, side: OrderSide, direction: PositionSide) -> None:
    await isolated_market(desk, side, quantity=10 * BTC, leverage=20)
    [position] = await desk.client.get_open_positions("BTCUSDT")
    assert (position.margin_mode, position.side, position.position_side) == (ISOLATED, direction, BOTH)
    assert position.leverage == 20
    notional = position.quantity * position.mark_price
    assert position.margin is not None
    assert abs(position.margin / (notional / 20) - 1) < Decimal("0.05")
    assert position.liquidation_price is not None
    assert (position.liquidation_price < position.mark_price) is (direction is LONG)
    order = await desk.settled(await desk.client.close_position("BTCUSDT"))
    assert order.filled_quantity == 10 * BTC
    assert await desk.client.get_open_positions() == []


async def test_an_isolated_position_is_nearer_to_its_liquidation_than_a_cross_one(desk: Desk) -> None:
    await desk.market("BTCUSDT", BUY, quantity=10 * BTC)
    [cross] = await desk.client.get_open_positions("BTCUSDT")
    await desk.settled(await desk.client.close_position("BTCUSDT"))
    await isolated_market(desk, BUY, quantity=10 * BTC)
    [isolated] = await desk.client.get_open_positions("BTCUSDT")
    assert isolated.liquidation_price is not None
    assert (cross.liquidation_price or Decimal(0)) < isolated.liquidation_price < isolated.mark_price


async def test_both_legs_of_a_symbol_are_isolated_apart(hedged: Desk) -> None:
    await isolated_market(hedged, BUY, quantity=2 * BTC, position_side=LONG)
    await isolated_market(hedged, SELL, quantity=BTC, position_side=SHORT)
    legs = await legs_of(hedged)
    assert {leg: (each.margin_mode, each.quantity) for leg, each in legs.items()} == {LONG: (ISOLATED, 2 * BTC), SHORT: (ISOLATED, BTC)}
    await hedged.settled(await hedged.client.close_position("BTCUSDT", LONG))
    assert set(await legs_of(hedged)) == {SHORT}


async def test_a_margin_mode_is_set_and_seen_before_anything_is_held(desk: Desk) -> None:
    if desk.exchange is KEEPS_MODE_IN_ORDERS:
        with pytest.raises(UnsupportedField):
            await desk.client.set_margin_mode("BTCUSDT", ISOLATED)
        return
    for mode in (ISOLATED, ISOLATED, CROSS):
        assert await desk.client.set_margin_mode("BTCUSDT", mode) is True
        assert (await desk.client.get_symbol_settings("BTCUSDT")).margin_mode is mode


async def test_a_position_keeps_the_margin_mode(desk: Desk) -> None:
    if desk.exchange is KEEPS_MODE_IN_ORDERS:
        return
    await desk.market("BTCUSDT", BUY, quantity=BTC)
    with pytest.raises(PositionInTheWay):
        await desk.client.set_margin_mode("BTCUSDT", ISOLATED)
    assert (await desk.client.get_symbol_settings("BTCUSDT")).margin_mode is CROSS


async def test_an_open_order_keeps_the_margin_mode(desk: Desk) -> None:
    if desk.exchange is KEEPS_MODE_IN_ORDERS:
        return
    await desk.rest("BTCUSDT")
    with pytest.raises(OpenOrdersInTheWay):
        await desk.client.set_margin_mode("BTCUSDT", ISOLATED)


@pytest.mark.parametrize("mode", MarginMode)
async def test_an_order_in_either_mode_by_name_where_orders_name_it(desks: dict[ExchangeType, Desk], mode: MarginMode) -> None:
    desk = desks[KEEPS_MODE_IN_ORDERS]
    await desk.market("BTCUSDT", BUY, quantity=BTC, margin_mode=mode)
    assert [each.margin_mode for each in await desk.client.get_open_positions()] == [mode]


async def test_a_symbol_held_in_both_modes_cannot_be_closed_by_its_name(desks: dict[ExchangeType, Desk]) -> None:
    desk = desks[KEEPS_MODE_IN_ORDERS]
    for mode in MarginMode:
        await desk.market("BTCUSDT", BUY, quantity=BTC, margin_mode=mode)
    held = await desk.client.get_open_positions("BTCUSDT")
    assert {(each.margin_mode, each.quantity) for each in held} == {(CROSS, BTC), (ISOLATED, BTC)}
    with pytest.raises(PositionModeMismatch):
        await desk.client.close_position("BTCUSDT", LONG)
    await desk.market("BTCUSDT", SELL, quantity=BTC, margin_mode=ISOLATED, reduce_only=True)
    assert [each.margin_mode for each in await desk.client.get_open_positions()] == [CROSS]


@pytest.mark.parametrize("exchange", [ExchangeType.BYBIT, ExchangeType.OKX])
async def test_isolated_legs_have_a_leverage_each(desks: dict[ExchangeType, Desk], exchange: ExchangeType) -> None:
    desk = desks[exchange]
    await desk.client.set_position_mode(PositionMode.HEDGE)
    await isolated_market(desk, BUY, quantity=BTC, position_side=LONG, leverage=8)
    await isolated_market(desk, SELL, quantity=BTC, position_side=SHORT, leverage=3)
    assert {leg: each.leverage for leg, each in (await legs_of(desk)).items()} == {LONG: 8, SHORT: 3}


async def test_a_wallet_pays_for_isolated_positions_too(desk: Desk) -> None:
    before = (await desk.client.get_wallet()).account
    await isolated_market(desk, BUY, quantity=10 * BTC)
    after = (await desk.client.get_wallet()).account
    assert before.equity_usd is not None
    assert after.equity_usd is not None
    assert after.available_usd is None or after.available_usd < before.equity_usd
    assert abs(after.equity_usd - before.equity_usd) < 10
    assert replace(after, updated_at=None) != replace(before, updated_at=None)
