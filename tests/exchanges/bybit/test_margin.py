"""Leverage, margin mode, position mode and orders of a leg: what is sent, and what the documented answers mean."""

import json
from decimal import Decimal
from typing import Any

import pytest
from aiohttp import web

from exchanges.adapters.bybit import mapping, margin
from exchanges.adapters.bybit.exchange import BybitExchange
from exchanges.domain import MarginMode, OrderSide, PositionMode, PositionSide, SymbolSettings
from exchanges.errors import (
    ExchangeAPIError,
    LeverageUnconfirmed,
    OpenOrdersInTheWay,
    OutcomeUnknown,
    PositionInTheWay,
    PositionModeMismatch,
    ReduceOnlyRejected,
    SettingRefused,
    UnsupportedField,
)
from tests.exchanges.bybit.conftest import limit_order
from tests.exchanges.bybit.recording import RecordingVenue, hang_up, payload, refusal, result

D = Decimal
BTC = {instrument.venue_symbol: instrument for instrument in mapping.to_instruments([payload("instruments")])}["BTCUSDT"]
CREATE, LEVERAGE, MARGIN, MODE = "/v5/order/create", "/v5/position/set-leverage", "/v5/account/set-margin-mode", "/v5/position/switch-mode"
POSITIONS, INFO = "/v5/position/list", "/v5/account/info"


def with_leverages(name: str, *leverages: str) -> dict[str, Any]:
    answer = payload(name)
    for row, leverage in zip(answer["result"]["list"], leverages, strict=True):
        row["leverage"] = leverage
    return answer


def isolated() -> dict[str, Any]:
    answer = payload("account_info")
    answer["result"]["marginMode"] = "ISOLATED_MARGIN"
    return answer


async def acknowledge(request: web.BaseRequest) -> web.StreamResponse:
    return web.json_response(result(orderId="1", orderLinkId=(await request.json()).get("orderLinkId", "")))


def sent_to(venue: RecordingVenue, path: str) -> list[dict[str, Any]]:
    return [json.loads(request.body) for request in venue.requests if request.path == path]


@pytest.mark.parametrize(
    ("answer", "long", "short"),
    [
        (with_leverages("positions_flat_one_way", "7"), D(7), D(7)),
        (with_leverages("positions_flat_hedge", "12.5", "3"), D("12.5"), D(3)),
        (with_leverages("positions_flat_one_way", ""), None, None),
    ],
    ids=["one way", "two legs", "portfolio margin"],
)
def test_each_leg_has_the_leverage_of_its_row(answer: dict[str, Any], long: Decimal | None, short: Decimal | None) -> None:
    assert margin.to_symbol_settings(answer, BTC, MarginMode.CROSS) == SymbolSettings("BTCUSDT", MarginMode.CROSS, long, short)


async def test_leverage_of_both_sides_is_set_at_once(venue: RecordingVenue, exchange: BybitExchange) -> None:
    assert await exchange.set_leverage("BTCUSDT", 7) is True
    assert sent_to(venue, LEVERAGE) == [{"category": "linear", "symbol": "BTCUSDT", "buyLeverage": "7", "sellLeverage": "7"}]


@pytest.mark.parametrize(("leg", "buy", "sell"), [(PositionSide.LONG, "5", "3"), (PositionSide.SHORT, "12.5", "5")])
async def test_the_other_leg_keeps_its_leverage(
    venue: RecordingVenue, exchange: BybitExchange, leg: PositionSide, buy: str, sell: str
) -> None:
    venue.answer(INFO, isolated())
    venue.answer(POSITIONS, with_leverages("positions_flat_hedge", "12.5", "3"))
    assert await exchange.set_leverage("BTCUSDT", 5, position_side=leg) is True
    assert sent_to(venue, LEVERAGE) == [{"category": "linear", "symbol": "BTCUSDT", "buyLeverage": buy, "sellLeverage": sell}]


async def test_in_cross_margin_a_leg_has_no_leverage_of_its_own(venue: RecordingVenue, exchange: BybitExchange) -> None:
    venue.answer(POSITIONS, payload("positions_flat_hedge"))
    with pytest.raises(UnsupportedField) as caught:
        await exchange.set_leverage("BTCUSDT", 5, position_side=PositionSide.LONG)
    assert caught.value.field == "position_side"
    assert sent_to(venue, LEVERAGE) == []


@pytest.mark.parametrize(("mode", "word"), [(MarginMode.ISOLATED, "ISOLATED_MARGIN"), (MarginMode.CROSS, "REGULAR_MARGIN")])
async def test_a_margin_mode_is_of_the_account_and_asked_for_again(
    venue: RecordingVenue, exchange: BybitExchange, mode: MarginMode, word: str
) -> None:
    venue.answer(POSITIONS, payload("positions_flat_one_way"))
    await exchange.get_symbol_settings("BTCUSDT")
    venue.answer(MARGIN, payload("margin_mode_set"))
    assert await exchange.set_margin_mode("BTCUSDT", mode) is True
    assert sent_to(venue, MARGIN) == [{"setMarginMode": word}]
    venue.answer(INFO, isolated())
    assert (await exchange.get_symbol_settings("BTCUSDT")).margin_mode is MarginMode.ISOLATED


REASONS: list[tuple[str, type[ExchangeAPIError]]] = [
    (
        "Please ensure that there are no active orders in your USDC account, including Limit, Market and Conditional orders",
        OpenOrdersInTheWay,
    ),
    ("Please ensure that there are no positions in your USDC account, including USDC perpetual and options", PositionInTheWay),
    ("You have open orders and positions", OpenOrdersInTheWay),
    ("Equity needs to be equal to or greater than 1000 USDC", SettingRefused),
]


@pytest.mark.parametrize(("reason", "error"), REASONS)
async def test_a_margin_mode_that_is_refused_says_why(
    venue: RecordingVenue, exchange: BybitExchange, reason: str, error: type[ExchangeAPIError]
) -> None:
    answer = payload("margin_mode_refused")
    answer["result"]["reasons"][0]["reasonMsg"] = reason
    venue.answer(MARGIN, answer)
    with pytest.raises(SettingRefused) as caught:
        await exchange.set_margin_mode("BTCUSDT", MarginMode.ISOLATED)
    assert (type(caught.value), caught.value.field) == (error, "margin_mode")
    assert caught.value.message == f"Set margin mode failed: {reason}"


async def test_a_success_that_names_reasons_is_none(venue: RecordingVenue, exchange: BybitExchange) -> None:
    venue.answer(MARGIN, result(reasons=[{"reasonCode": "3400000", "reasonMsg": "no"}]))
    assert await exchange.set_margin_mode("BTCUSDT", MarginMode.ISOLATED) is False


@pytest.mark.parametrize(("mode", "number"), [(PositionMode.HEDGE, 3), (PositionMode.ONE_WAY, 0)])
async def test_a_position_mode_is_set_for_all_that_settles_in_usdt(
    venue: RecordingVenue, exchange: BybitExchange, mode: PositionMode, number: int
) -> None:
    venue.answer("/v5/account/wallet-balance", payload("wallet"))
    is_hedge = mode is PositionMode.HEDGE
    venue.answer(POSITIONS, payload("positions_flat_one_way" if is_hedge else "positions_flat_hedge"))
    assert (await exchange.get_account()).position_mode is not mode
    venue.answer(MODE, result())
    venue.answer(POSITIONS, payload("order_none"))
    assert await exchange.set_position_mode(mode) is True
    assert sent_to(venue, MODE) == [{"category": "linear", "coin": "USDT", "mode": number}]
    venue.answer(POSITIONS, payload("positions_flat_hedge" if is_hedge else "positions_flat_one_way"))
    assert (await exchange.get_account()).position_mode is mode


@pytest.mark.parametrize(
    ("mode", "positions", "resting", "error", "symbols"),
    [
        (PositionMode.HEDGE, "positions", "order_none", PositionInTheWay, "1000PEPEUSDT, BTCUSDT"),
        (PositionMode.HEDGE, "order_none", "open_orders_plain", OpenOrdersInTheWay, "1000PEPEUSDT, BTCUSDT"),
        (PositionMode.ONE_WAY, "positions_hedge_legs", "order_none", PositionInTheWay, "BTCUSDT"),
        (PositionMode.ONE_WAY, "order_none", "open_orders_plain", OpenOrdersInTheWay, "ETHUSDT"),
    ],
)
async def test_symbols_that_the_venue_would_pass_over_in_silence_are_named(
    venue: RecordingVenue,
    exchange: BybitExchange,
    mode: PositionMode,
    positions: str,
    resting: str,
    error: type[ExchangeAPIError],
    symbols: str,
) -> None:
    """Asked by coin, Bybit switches what holds nothing and answers success. A dated future knows one-way mode only and is no matter."""
    venue.answer(POSITIONS, payload(positions))
    venue.answer("/v5/order/realtime", payload(resting))
    with pytest.raises(error, match=f"in {symbols} "):
        await exchange.set_position_mode(mode)
    assert sent_to(venue, MODE) == []


@pytest.mark.parametrize(("code", "error"), [(110024, PositionInTheWay), (110028, OpenOrdersInTheWay), (110029, PositionModeMismatch)])
async def test_what_keeps_the_position_mode_is_named(
    venue: RecordingVenue, exchange: BybitExchange, code: int, error: type[ExchangeAPIError]
) -> None:
    venue.answer(MODE, web.Response(body=refusal(code, "cannot be switched")))
    with pytest.raises(ExchangeAPIError) as caught:
        await exchange.set_position_mode(PositionMode.HEDGE)
    assert type(caught.value) is error


async def test_a_mode_that_already_is_so_is_a_success(venue: RecordingVenue, exchange: BybitExchange) -> None:
    venue.answer(MODE, web.Response(body=refusal(110025, "Position mode is not modified")))
    venue.answer(MARGIN, web.Response(body=refusal(110026, "Cross/isolated margin mode is not modified")))
    assert await exchange.set_position_mode(PositionMode.ONE_WAY) is True
    assert await exchange.set_margin_mode("BTCUSDT", MarginMode.CROSS) is True


async def test_a_change_without_an_answer_is_unknown(venue: RecordingVenue, exchange: BybitExchange) -> None:
    venue.answer(MODE, hang_up)
    venue.answer(MARGIN, hang_up)
    with pytest.raises(OutcomeUnknown):
        await exchange.set_position_mode(PositionMode.HEDGE)
    with pytest.raises(OutcomeUnknown):
        await exchange.set_margin_mode("BTCUSDT", MarginMode.ISOLATED)


@pytest.mark.parametrize(("leg", "idx"), [(PositionSide.LONG, 1), (PositionSide.SHORT, 2), (PositionSide.BOTH, 0)])
async def test_an_order_of_a_leg_names_its_number(venue: RecordingVenue, exchange: BybitExchange, leg: PositionSide, idx: int) -> None:
    venue.answer(CREATE, acknowledge)
    order = await exchange.place_order(limit_order(position_side=leg))
    assert order.position_side is leg
    assert [body["positionIdx"] for body in sent_to(venue, CREATE)] == [idx]


@pytest.mark.parametrize(("side", "leg"), [(OrderSide.BUY, PositionSide.LONG), (OrderSide.SELL, PositionSide.SHORT)])
async def test_a_reduce_only_order_that_would_open_its_leg_is_not_sent(
    venue: RecordingVenue, exchange: BybitExchange, side: OrderSide, leg: PositionSide
) -> None:
    with pytest.raises(ReduceOnlyRejected) as caught:
        await exchange.place_order(limit_order(side=side, position_side=leg, reduce_only=True))
    assert caught.value.field == "reduce_only"
    assert venue.requests == []


@pytest.mark.parametrize(
    ("info", "leg", "leverages"),
    [
        (payload("account_info"), PositionSide.LONG, ("5", "5")),
        (isolated(), PositionSide.LONG, ("5", "3")),
        (isolated(), PositionSide.BOTH, ("5", "5")),
    ],
    ids=["cross", "isolated leg", "isolated one way"],
)
async def test_the_leverage_of_an_order_is_set_first_and_for_its_own_leg(
    venue: RecordingVenue, exchange: BybitExchange, info: dict[str, Any], leg: PositionSide, leverages: tuple[str, str]
) -> None:
    venue.answer(INFO, info)
    venue.answer(POSITIONS, with_leverages("positions_flat_hedge", "12.5", "3"))
    venue.answer(CREATE, acknowledge)
    await exchange.place_order(limit_order(position_side=leg, leverage=5))
    [body] = sent_to(venue, LEVERAGE)
    assert (body["buyLeverage"], body["sellLeverage"]) == leverages
    assert [request.path for request in venue.requests if request.method == "POST"] == [LEVERAGE, CREATE]


@pytest.mark.parametrize(
    "answer", [hang_up, web.Response(status=502), web.Response(body=refusal(10016, "Server error"))], ids=["reset", "502", "10016"]
)
async def test_without_its_leverage_an_order_is_not_sent(venue: RecordingVenue, exchange: BybitExchange, answer: Any) -> None:
    venue.answer(LEVERAGE, answer)
    with pytest.raises(LeverageUnconfirmed):
        await exchange.place_order(limit_order(leverage=5))
    assert sent_to(venue, CREATE) == []


@pytest.mark.parametrize(
    "answer", [result(), web.Response(body=b"<html>"), web.Response(body=refusal(777777, "new"))], ids=["empty", "html", "new"]
)
async def test_where_the_margin_mode_cannot_be_read_an_order_with_leverage_is_not_sent(
    venue: RecordingVenue, exchange: BybitExchange, answer: Any
) -> None:
    """Unlike an answer to the order itself, one that cannot be read leaves nothing open here."""
    venue.answer(INFO, answer)
    with pytest.raises(LeverageUnconfirmed):
        await exchange.place_order(limit_order(leverage=5))
    assert [request.path for request in venue.requests if request.method == "POST"] == []


async def test_the_legs_of_an_isolated_account_are_isolated(venue: RecordingVenue, exchange: BybitExchange) -> None:
    venue.answer(INFO, isolated())
    venue.answer(POSITIONS, with_leverages("positions_hedge_legs", "12.5", "3"))
    legs = await exchange.get_open_positions("BTCUSDT")
    assert [(each.position_side, each.margin_mode, each.leverage) for each in legs] == [
        (PositionSide.LONG, MarginMode.ISOLATED, D("12.5")),
        (PositionSide.SHORT, MarginMode.ISOLATED, D(3)),
    ]


@pytest.mark.parametrize(("leg", "side", "idx"), [(PositionSide.LONG, "Sell", 1), (PositionSide.SHORT, "Buy", 2)])
async def test_the_named_leg_is_closed(venue: RecordingVenue, exchange: BybitExchange, leg: PositionSide, side: str, idx: int) -> None:
    venue.answer(POSITIONS, payload("positions_hedge_legs"))
    venue.answer(CREATE, acknowledge)
    order = await exchange.close_position("BTCUSDT", leg)
    [body] = sent_to(venue, CREATE)
    assert (body["side"], body["positionIdx"], body["qty"], body["reduceOnly"]) == (side, idx, "0", True)
    assert (order.position_side, order.quantity) == (leg, D("0.300") if idx == 1 else D("0.100"))
