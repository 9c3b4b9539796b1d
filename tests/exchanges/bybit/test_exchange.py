"""The exchange's own decisions over real HTTP: acknowledgements, look-ups, closing, what is remembered. Pages: test_pages.py."""

from decimal import Decimal
from typing import Any

import pytest
from aiohttp import web

from exchanges.adapters.bybit.client import BybitClient
from exchanges.adapters.bybit.exchange import CAPABILITIES, BybitExchange
from exchanges.adapters.bybit.settings import UNREADABLE_OPTIONS, AccountSettings
from exchanges.domain import MarginMode, OrderRequest, OrderStatus, PositionMode, PositionSide
from exchanges.errors import (
    BadParameter,
    BadVenueResponse,
    ExchangeUnavailable,
    OrderAlreadyFinal,
    PositionModeMismatch,
    ReduceOnlyRejected,
    UnknownOrder,
    UnknownSymbol,
    UnsupportedField,
)
from exchanges.instruments import InstrumentCatalogue
from exchanges.protocol import IExchangeClient
from exchanges.venue import VenueContext
from tests.exchanges.bybit.conftest import config, limit_order
from tests.exchanges.bybit.recording import RecordingVenue, payload, refusal, result

ACK_ID = "7d3e51c0-1f0a-4a52-9a1b-0000000000aa"


def acknowledged_row(**changes: Any) -> dict[str, Any]:
    envelope = payload("order_filled_market")
    envelope["result"]["list"][0] |= {"orderId": ACK_ID, "orderLinkId": "cbnew1"} | changes
    return envelope


def test_it_is_an_exchange_client(exchange: BybitExchange) -> None:
    assert isinstance(exchange, IExchangeClient)
    assert exchange.get_exchange_name() == "bybit"
    assert exchange.capabilities is CAPABILITIES


async def test_an_acknowledged_order_is_answered_with_its_state(venue: RecordingVenue, exchange: BybitExchange) -> None:
    venue.answer("/v5/order/create", payload("order_create"))
    venue.answer("/v5/order/realtime", acknowledged_row())
    order = await exchange.place_order(limit_order())
    assert (order.order_id, order.status, order.confirmed) == (ACK_ID, OrderStatus.FILLED, True)
    assert venue.lines()[1:] == [("GET", f"/v5/order/realtime?category=linear&orderId={ACK_ID}&symbol=BTCUSDT", "")]


@pytest.mark.parametrize(
    "answer",
    [
        payload("order_none"),
        web.Response(status=502, text="<html>"),
        web.Response(body=refusal(10006)),
        acknowledged_row(orderId="another"),
        acknowledged_row(orderLinkId="another"),
        acknowledged_row(symbol="ETHUSDT"),
        acknowledged_row(orderStatus="WEIRD"),
    ],
)
async def test_an_order_whose_state_is_not_told_is_answered_unconfirmed(
    answer: Any, venue: RecordingVenue, exchange: BybitExchange
) -> None:
    venue.answer("/v5/order/create", payload("order_create"))
    venue.answer("/v5/order/realtime", answer)
    order = await exchange.place_order(limit_order(reduce_only=True))
    assert (order.order_id, order.client_order_id) == (ACK_ID, "cbnew1")
    assert (order.status, order.confirmed) == (OrderStatus.NEW, False)
    assert (order.quantity, order.price, order.reduce_only) == (Decimal("0.250"), Decimal("95000.50"), True)
    assert order.raw_response == {"orderId": ACK_ID, "orderLinkId": "cbnew1"}


@pytest.mark.parametrize(
    "answer",
    [
        result(),
        result(orderId="", orderLinkId="cbnew1"),
        result(orderId=17, orderLinkId="cbnew1"),
        result(orderId="1", orderLinkId="somebody-else"),
        result(orderId="1"),
        {"retCode": 0, "result": None, "time": 1},
        {"retCode": 0, "result": [], "time": 1},
    ],
)
async def test_an_acknowledgement_of_something_else_leaves_the_outcome_open(
    answer: dict[str, Any], venue: RecordingVenue, exchange: BybitExchange
) -> None:
    venue.answer("/v5/order/create", answer)
    with pytest.raises(BadVenueResponse):
        await exchange.place_order(limit_order())
    assert len(venue.lines()) == 1


@pytest.mark.parametrize(
    "changes",
    [
        {"margin_mode": "isolated"},
        {"stop_price": "90000"},
        {"take_profit_price": "100000"},
        {"stop_loss_price": "90000"},
        {"trailing_stop_pct": "1"},
        {"order_type": "STOP_LIMIT"},
    ],
)
async def test_what_is_not_carried_out_is_refused_before_anything_is_sent(
    changes: dict[str, str], venue: RecordingVenue, exchange: BybitExchange
) -> None:
    with pytest.raises(UnsupportedField) as caught:
        await exchange.place_order(limit_order(**changes))
    assert caught.value.field == next(iter(changes))
    assert venue.requests == []


def test_every_field_of_an_order_is_either_carried_out_or_refused() -> None:
    refused = {"margin_mode", "stop_price", "take_profit_price", "stop_loss_price", "trailing_stop_pct"}
    assert CAPABILITIES.order_fields | refused == set(OrderRequest.model_fields)


async def test_a_cancel_is_an_acknowledgement_of_that_order(venue: RecordingVenue, exchange: BybitExchange) -> None:
    venue.answer("/v5/order/cancel", payload("order_cancel"))
    canceled = await exchange.cancel_order("BTCUSDT", "7d3e51c0-1f0a-4a52-9a1b-000000000001")
    assert (canceled.symbol, canceled.client_order_id, canceled.confirmed, canceled.order) == ("BTCUSDT", "cba1", False, None)
    with pytest.raises(BadVenueResponse):
        await exchange.cancel_order("BTCUSDT", "1")


@pytest.mark.parametrize(("code", "expected"), [(110001, UnknownOrder), (110008, OrderAlreadyFinal), (110010, OrderAlreadyFinal)])
async def test_a_cancel_of_what_is_not_there_says_so(
    code: int, expected: type[Exception], venue: RecordingVenue, exchange: BybitExchange
) -> None:
    venue.answer("/v5/order/cancel", web.Response(body=refusal(code)))
    with pytest.raises(expected):
        await exchange.cancel_order("BTCUSDT", "1")


async def test_an_order_is_looked_for_in_the_open_ones_then_in_the_history(venue: RecordingVenue, exchange: BybitExchange) -> None:
    venue.answer("/v5/order/history", payload("order_filled_market"))
    order = await exchange.get_order_status("BTCUSDT", "f1")
    assert order.status is OrderStatus.FILLED
    assert [request.path for request in venue.requests[1:]] == ["/v5/order/realtime", "/v5/order/history"]
    venue.answer("/v5/order/history", payload("order_none"))
    with pytest.raises(UnknownOrder):
        await exchange.get_order_status("BTCUSDT", "f1")


@pytest.mark.parametrize("order_id", ["", "a b", "1&symbol=ETHUSDT", "../x", "x" * 65])
async def test_an_order_id_that_is_none_is_refused(order_id: str, venue: RecordingVenue, exchange: BybitExchange) -> None:
    await exchange.get_instruments()
    venue.requests.clear()
    for ask in (exchange.get_order_status, exchange.cancel_order, exchange.find_order):
        with pytest.raises(BadParameter):
            await ask("BTCUSDT", order_id)
    assert venue.lines() == []


async def test_find_order_says_none_only_when_every_place_said_so(venue: RecordingVenue, exchange: BybitExchange) -> None:
    assert await exchange.find_order("BTCUSDT", "cblost1") is None
    for place in ("/v5/order/realtime", "/v5/order/history", "/v5/execution/list"):
        venue.answer(place, web.Response(status=500))
        with pytest.raises(ExchangeUnavailable):
            await exchange.find_order("BTCUSDT", "cblost1")
        venue.answer(place, payload("order_filled_market"))
        with pytest.raises(BadVenueResponse):
            await exchange.find_order("BTCUSDT", "cblost1")
        venue.answer(place, payload("order_none"))


async def test_find_order_believes_the_fills_where_the_order_lists_are_behind(venue: RecordingVenue, exchange: BybitExchange) -> None:
    venue.answer("/v5/execution/list", payload("executions_part"))
    order = await exchange.find_order("BTCUSDT", "cblost1")
    assert order is not None
    assert (order.order_id, order.status, order.confirmed) == ("e1", OrderStatus.FILLED, True)
    assert (order.filled_quantity, order.average_price) == (Decimal("0.300"), Decimal("96002"))


async def test_the_book_names_what_is_not_covered_and_asks_for_it_once_a_minute(venue: RecordingVenue, exchange: BybitExchange) -> None:
    venue.answer("/v5/position/list", payload("positions"), payload("order_none"), payload("positions_inverse"), payload("order_none"))
    book = await exchange.get_position_book()
    assert [position.venue_symbol for position in book.positions] == ["BTCUSDT", "1000PEPEUSDT"]
    assert book.not_covered == ["BTCUSDT-25DEC26", "ETHUSD"]
    venue.requests.clear()
    assert (await exchange.get_position_book()).not_covered == ["ETHUSD"]
    assert len(venue.requests) == 1


async def test_what_cannot_be_read_is_never_nothing(venue: RecordingVenue, exchange: BybitExchange) -> None:
    venue.answer("/v5/position/list", payload("order_none"), payload("order_none"), web.Response(status=500), payload("order_none"))
    with pytest.raises(ExchangeUnavailable):
        await exchange.get_position_book()
    assert (await exchange.get_position_book()).not_covered == []


async def test_options_that_the_key_may_not_read_are_named(venue: RecordingVenue, exchange: BybitExchange) -> None:
    none = payload("order_none")
    venue.answer("/v5/position/list", none, none, none, web.Response(body=refusal(10005)))
    assert (await exchange.get_position_book()).not_covered == [UNREADABLE_OPTIONS]


async def test_settings_are_remembered_for_a_minute(venue: RecordingVenue, context: VenueContext, exchange: BybitExchange) -> None:
    now = [1_000.0]
    catalogue = InstrumentCatalogue(exchange.get_instruments)
    settings = AccountSettings(BybitClient(config(), context), catalogue, monotonic=lambda: now[0])
    venue.answer("/v5/position/list", payload("positions_flat_one_way"), payload("positions_flat_hedge"))
    isolated = payload("account_info")
    isolated["result"]["marginMode"] = "ISOLATED_MARGIN"
    venue.answer("/v5/account/info", payload("account_info"), isolated)

    async def read() -> tuple[PositionMode, MarginMode]:
        return await settings.position_mode.get(), await settings.margin_mode.get()

    assert await read() == (PositionMode.ONE_WAY, MarginMode.CROSS)
    now[0] += 59.9
    assert await read() == (PositionMode.ONE_WAY, MarginMode.CROSS)
    now[0] += 0.2
    assert await read() == (PositionMode.HEDGE, MarginMode.ISOLATED)


async def test_the_account_is_in_hedge_mode_where_any_leg_shows_it(venue: RecordingVenue, exchange: BybitExchange) -> None:
    venue.answer("/v5/account/wallet-balance", payload("wallet"))
    venue.answer("/v5/position/list", payload("positions_flat_one_way"))
    assert (await exchange.get_account()).position_mode is PositionMode.ONE_WAY
    venue.answer("/v5/position/list", payload("positions_hedge_legs"))
    await exchange.get_open_positions()
    assert (await exchange.get_account()).position_mode is PositionMode.HEDGE


async def test_closing_sends_the_opposite_side_for_all_that_is_held(venue: RecordingVenue, exchange: BybitExchange) -> None:
    hedge = payload("positions_hedge_legs")
    hedge["result"]["list"].pop(0)
    venue.answer("/v5/position/list", hedge)

    async def acknowledge(request: web.BaseRequest) -> web.StreamResponse:
        return web.json_response(result(orderId="1", orderLinkId=(await request.json())["orderLinkId"]))

    venue.answer("/v5/order/create", acknowledge)
    order = await exchange.close_position("BTCUSDT")
    body = next(request.body for request in venue.requests if request.path == "/v5/order/create")
    assert body == (
        '{"category": "linear", "symbol": "BTCUSDT", "side": "Buy", "orderType": "Market", "qty": "0", "reduceOnly": true,'
        f' "closeOnTrigger": true, "positionIdx": 2, "orderLinkId": "{order.client_order_id}"}}'
    )
    assert (order.quantity, order.position_side, order.confirmed) == (Decimal("0.100"), PositionSide.SHORT, False)


async def test_closing_needs_one_position(venue: RecordingVenue, exchange: BybitExchange) -> None:
    venue.answer("/v5/position/list", payload("positions_flat_one_way"))
    with pytest.raises(ReduceOnlyRejected):
        await exchange.close_position("BTCUSDT")
    venue.answer("/v5/position/list", payload("positions_hedge_legs"))
    with pytest.raises(PositionModeMismatch):
        await exchange.close_position("BTCUSDT")
    assert "/v5/order/create" not in {request.path for request in venue.requests}


async def test_symbols_that_the_venue_does_not_list_are_refused(venue: RecordingVenue, exchange: BybitExchange) -> None:
    for symbol in ("NONEUSDT", "OLDUSDT", "BTCPERP"):
        with pytest.raises(UnknownSymbol):
            await exchange.get_open_positions(symbol)


async def test_balances_are_filtered_by_asset(venue: RecordingVenue, exchange: BybitExchange) -> None:
    venue.answer("/v5/account/wallet-balance", payload("wallet"))
    assert [balance.asset for balance in await exchange.get_balances()] == ["USDT", "BTC", "USDC"]
    assert [balance.asset for balance in await exchange.get_balances("BTC")] == ["BTC"]
    assert await exchange.get_balances("DOGE") == []


async def test_marks_and_time(venue: RecordingVenue, exchange: BybitExchange) -> None:
    venue.answer("/v5/market/tickers", payload("tickers"))
    venue.answer("/v5/market/time", payload("server_time"))
    assert {mark.symbol: mark.mark_price for mark in await exchange.get_mark_prices()} == {
        "BTCUSDT": Decimal("96010.20"),
        "1000PEPEUSDT": Decimal("0.0129875"),
    }
    assert await exchange.get_server_time_ms() == 1_795_500_000_123
    await exchange.aclose()
