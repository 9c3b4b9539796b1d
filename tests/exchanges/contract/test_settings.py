"""Leverage, its brackets and the modes of an account in one-way mode and cross margin: read, set, refused for what is in the way."""

from decimal import Decimal

import pytest

from exchanges.domain import ExchangeType, MarginMode, OrderSide, PositionMode, PositionSide
from exchanges.errors import (
    ExchangeAPIError,
    InsufficientMargin,
    InvalidOrder,
    LeverageUnconfirmed,
    OpenOrdersInTheWay,
    PositionInTheWay,
    RiskLimitExceeded,
    SettingRefused,
    UnknownSymbol,
    UnsupportedField,
    WriteEffect,
)
from exchanges.protocol import IExchangeClient
from tests.exchanges.contract.desk import BTC, Desk

CROSS, ISOLATED = MarginMode.CROSS, MarginMode.ISOLATED


async def test_brackets_start_at_nothing_and_join_without_gaps(desk: Desk) -> None:
    brackets = await desk.client.get_leverage_brackets("BTCUSDT")
    assert brackets[0].floor_usd == 0
    assert [each.floor_usd for each in brackets[1:]] == [each.cap_usd for each in brackets[:-1]]
    assert all(each.cap_usd is None or each.cap_usd > each.floor_usd for each in brackets)
    leverages, rates = [each.max_leverage for each in brackets], [each.maintenance_rate for each in brackets]
    assert leverages == sorted(leverages, reverse=True)
    assert rates == sorted(rates)
    assert leverages[0] >= 100
    assert all(0 < rate <= Decimal("0.5") for rate in rates)
    assert brackets[0].maintenance_amount_usd == 0


async def test_brackets_are_worth_usd_also_where_the_venue_counts_contracts(desks: dict[ExchangeType, Desk]) -> None:
    caps = [(await desk.client.get_leverage_brackets("ETHUSDT"))[0].cap_usd for desk in desks.values()]
    assert all(cap is None or cap > 100_000 for cap in caps)


async def test_a_symbol_tells_its_leverage_before_anything_is_held(client: IExchangeClient) -> None:
    settings = await client.get_symbol_settings("ETHUSDT")
    assert (settings.symbol, settings.margin_mode) == ("ETHUSDT", CROSS)
    assert settings.leverage_long == settings.leverage_short == 10
    assert await client.set_leverage("ETHUSDT", 7) is True
    changed = await client.get_symbol_settings("ETHUSDT")
    assert changed.leverage_long == changed.leverage_short == 7
    assert (await client.get_symbol_settings("BTCUSDT")).leverage_long == 10


@pytest.mark.parametrize("question", ["get_symbol_settings", "get_leverage_brackets"])
async def test_an_unlisted_symbol_has_no_settings(client: IExchangeClient, question: str) -> None:
    with pytest.raises(UnknownSymbol):
        await getattr(client, question)("NOSUCHUSDT")


@pytest.mark.parametrize("side", [PositionSide.LONG, PositionSide.SHORT])
async def test_one_leg_has_no_leverage_of_its_own_in_cross_margin(desk: Desk, side: PositionSide) -> None:
    with pytest.raises(UnsupportedField) as refusal:
        await desk.client.set_leverage("BTCUSDT", 5, position_side=side)
    assert refusal.value.field == "position_side"
    assert desk.requests(desk.wire.leverage) == []


@pytest.mark.parametrize("exchange", [ExchangeType.BINANCE, ExchangeType.BYBIT])
async def test_leverage_is_kept_by_margin_mode_on_okx_alone(desks: dict[ExchangeType, Desk], exchange: ExchangeType) -> None:
    with pytest.raises(UnsupportedField) as refusal:
        await desks[exchange].client.set_leverage("BTCUSDT", 5, margin_mode=CROSS)
    assert refusal.value.field == "margin_mode"
    assert await desks[ExchangeType.OKX].client.set_leverage("BTCUSDT", 5, margin_mode=CROSS) is True


async def test_the_leverage_of_an_order_is_set_before_it_is_placed(desk: Desk) -> None:
    await desk.market("BTCUSDT", quantity=BTC, leverage=4)
    [position] = await desk.client.get_open_positions("BTCUSDT")
    assert position.leverage == 4
    writes = [(each["method"], each["path"]) for each in desk.requests() if each["method"] == "POST"]
    assert writes == [desk.wire.leverage, desk.wire.create]


async def test_an_order_without_a_leverage_sets_none(desk: Desk) -> None:
    await desk.market("BTCUSDT", quantity=BTC)
    assert desk.requests(desk.wire.leverage) == []


async def test_an_order_whose_leverage_is_already_so_is_placed(desk: Desk) -> None:
    await desk.client.set_leverage("BTCUSDT", 6)
    await desk.market("BTCUSDT", quantity=BTC, leverage=6)
    assert [position.leverage for position in await desk.client.get_open_positions()] == [6]


async def test_an_order_whose_leverage_is_refused_is_not_placed(desk: Desk) -> None:
    with pytest.raises((InvalidOrder, RiskLimitExceeded)) as refusal:
        await desk.rest("SOLUSDT", leverage=101)
    assert (refusal.value.field, refusal.value.write_effect) == ("leverage", WriteEffect.NONE)
    assert desk.requests(desk.wire.create) == []


@pytest.mark.parametrize("stage", ["before", "after"])
async def test_an_order_whose_leverage_got_no_answer_is_not_placed_and_not_unknown(desk: Desk, stage: str) -> None:
    """Whether the leverage was set is not known. That nothing was placed is."""
    request = await desk.resting_request("BTCUSDT", leverage=3)
    desk.fault({"kind": "reset"}, desk.wire.leverage, stage=stage)
    with pytest.raises(LeverageUnconfirmed) as refusal:
        await desk.client.place_order(request)
    assert (refusal.value.write_effect, refusal.value.is_transient) == (WriteEffect.NONE, True)
    assert desk.requests(desk.wire.create) == []
    assert await desk.client.find_order("BTCUSDT", request.client_order_id or "") is None
    assert (await desk.client.place_order(request)).client_order_id == request.client_order_id


async def test_leverage_that_the_margin_does_not_cover_is_refused(desk: Desk) -> None:
    await desk.client.set_leverage("BTCUSDT", 20)
    await desk.market("BTCUSDT", usd=Decimal(150_000))
    with pytest.raises((InsufficientMargin, RiskLimitExceeded)):
        await desk.client.set_leverage("BTCUSDT", 1)
    assert (await desk.client.get_symbol_settings("BTCUSDT")).leverage_long == 20


@pytest.mark.parametrize("exchange", [ExchangeType.BINANCE, ExchangeType.BYBIT])
async def test_cross_margin_is_set_also_where_it_already_is(desks: dict[ExchangeType, Desk], exchange: ExchangeType) -> None:
    client = desks[exchange].client
    assert await client.set_margin_mode("BTCUSDT", CROSS) is True
    assert (await client.get_symbol_settings("BTCUSDT")).margin_mode is CROSS


async def test_okx_has_no_margin_mode_to_set_and_says_how_an_order_names_it(desks: dict[ExchangeType, Desk]) -> None:
    desk = desks[ExchangeType.OKX]
    with pytest.raises(UnsupportedField, match="each order names its own") as refusal:
        await desk.client.set_margin_mode("BTCUSDT", ISOLATED)
    assert refusal.value.field == "margin_mode"
    assert [each for each in desk.requests() if each["method"] == "POST"] == []


async def test_one_way_mode_is_set_also_where_it_already_is(client: IExchangeClient) -> None:
    assert await client.set_position_mode(PositionMode.ONE_WAY) is True
    assert (await client.get_account()).position_mode is PositionMode.ONE_WAY


async def refusal_of_hedge_mode(desk: Desk) -> ExchangeAPIError:
    with pytest.raises(SettingRefused) as refusal:
        await desk.client.set_position_mode(PositionMode.HEDGE)
    assert refusal.value.write_effect is WriteEffect.NONE
    assert (await desk.client.get_account()).position_mode is PositionMode.ONE_WAY
    return refusal.value


async def test_an_open_position_keeps_the_position_mode(desk: Desk) -> None:
    """OKX names positions and orders in one breath."""
    await desk.market("BTCUSDT", quantity=BTC)
    error = await refusal_of_hedge_mode(desk)
    assert isinstance(error, PositionInTheWay) is (desk.exchange is not ExchangeType.OKX)


async def test_an_open_order_keeps_the_position_mode(desk: Desk) -> None:
    await desk.rest("BTCUSDT", OrderSide.BUY)
    error = await refusal_of_hedge_mode(desk)
    assert isinstance(error, OpenOrdersInTheWay) is (desk.exchange is not ExchangeType.OKX)


async def test_a_symbol_with_an_order_or_a_position_keeps_its_margin_mode(desks: dict[ExchangeType, Desk]) -> None:
    """By symbol on Binance alone."""
    desk = desks[ExchangeType.BINANCE]
    await desk.rest("BTCUSDT")
    await desk.market("ETHUSDT", quantity=Decimal("0.1"))
    for symbol, error in (("BTCUSDT", OpenOrdersInTheWay), ("ETHUSDT", PositionInTheWay)):
        with pytest.raises(error):
            await desk.client.set_margin_mode(symbol, ISOLATED)
        assert (await desk.client.get_symbol_settings(symbol)).margin_mode is CROSS


async def test_a_close_names_the_direction_of_a_one_way_position(desk: Desk) -> None:
    await desk.market("BTCUSDT", OrderSide.BUY, quantity=BTC)
    with pytest.raises(InvalidOrder) as refusal:
        await desk.client.close_position("BTCUSDT", PositionSide.SHORT)
    assert refusal.value.write_effect is WriteEffect.NONE
    assert len(desk.requests(desk.wire.create)) == 1
    order = await desk.settled(await desk.client.close_position("BTCUSDT", PositionSide.LONG))
    assert (order.side, order.filled_quantity) == (OrderSide.SELL, BTC)
    assert await desk.client.get_open_positions() == []
