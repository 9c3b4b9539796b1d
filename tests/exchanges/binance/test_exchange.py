"""How the adapter goes about it: what it asks in which order, remembers, believes and refuses."""

import logging
from decimal import Decimal
from typing import Any

import pytest

from exchanges.adapters.binance.settings import AccountSettings
from exchanges.domain import MarginMode, OrderRequest, OrderSide, OrderStatus, OrderType, PositionMode
from exchanges.errors import (
    BadVenueResponse,
    DuplicateClientOrderId,
    ExchangeUnavailable,
    PositionModeMismatch,
    ReduceOnlyRejected,
    UnknownOrder,
    UnsupportedField,
)
from tests.exchanges.binance.rows import own
from tests.exchanges.binance.venue_server import Answer, Setup

ORDER, ALGO_ORDER = "/fapi/v1/order", "/fapi/v1/algoOrder"
OPEN, OPEN_ALGO, HISTORY = "/fapi/v1/openOrders", "/fapi/v1/openAlgoOrders", "/fapi/v1/allOrders"
POSITIONS, SYMBOLS = "/fapi/v3/positionRisk", "/fapi/v1/symbolConfig"
NO_ORDER = Answer({"code": -2013, "msg": "Order does not exist."}, 400)
DOWN = Answer(b"", 502)
REQUEST = OrderRequest(symbol="SOLUSDT", side=OrderSide.BUY, order_type=OrderType.MARKET, quantity=Decimal(14), client_order_id="cb7f3a1")


@pytest.fixture
def venue(setup: Setup) -> Setup:
    server = setup.server
    server.on("GET", "/fapi/v1/exchangeInfo", own("instruments"))
    server.on("GET", POSITIONS, own("positions"))
    server.on("GET", SYMBOLS, own("symbol_config"))
    server.on("GET", "/fapi/v3/account", own("account"))
    server.on("GET", "/fapi/v1/positionSide/dual", {"dualSidePosition": False})
    server.on("GET", "/fapi/v1/premiumIndex", own("mark_prices"))
    server.on("POST", ORDER, own("order_filled"))
    server.on("GET", ORDER, NO_ORDER)
    server.on("GET", ALGO_ORDER, NO_ORDER)
    server.on("GET", OPEN, own("open_orders"))
    server.on("GET", OPEN_ALGO, own("open_conditional_orders"))
    server.on("GET", HISTORY, [])
    return setup


async def test_an_order_comes_back_with_its_state(venue: Setup) -> None:
    order = await venue.exchange.place_order(REQUEST)
    assert (order.status, order.confirmed, order.average_price) == (OrderStatus.FILLED, True, Decimal("183.427"))


@pytest.mark.parametrize("changed", [{"clientOrderId": "another"}, {"symbol": "ETHUSDT"}, {"orderId": None}, {"status": "WHAT"}])
async def test_an_answer_about_another_order_leaves_the_outcome_unknown(venue: Setup, changed: dict[str, Any]) -> None:
    venue.server.on("POST", ORDER, own("order_filled") | changed)
    with pytest.raises(BadVenueResponse):
        await venue.exchange.place_order(REQUEST)


@pytest.mark.parametrize(
    "changed",
    [{"margin_mode": MarginMode.ISOLATED}, {"stop_price": Decimal(1)}, {"order_type": OrderType.STOP_MARKET}],
)
async def test_what_is_not_carried_out_is_refused_before_sending(venue: Setup, changed: dict[str, Any]) -> None:
    with pytest.raises(UnsupportedField):
        await venue.exchange.place_order(REQUEST.model_copy(update=changed))
    assert venue.server.requests == []


async def test_a_duplicate_client_id_is_said_as_such(venue: Setup) -> None:
    venue.server.on("POST", ORDER, Answer({"code": -4116, "msg": "ClientOrderId is duplicated."}, 400))
    with pytest.raises(DuplicateClientOrderId):
        await venue.exchange.place_order(REQUEST)


async def test_a_cancel_tells_what_was_filled(venue: Setup) -> None:
    venue.server.on("DELETE", ORDER, own("order_canceled_partly"))
    result = await venue.exchange.cancel_order("SOLUSDT", "88120034")
    assert (result.confirmed, result.client_order_id) == (True, "cb7f3a2")
    assert result.order is not None
    assert (result.order.status, result.order.filled_quantity) == (OrderStatus.CANCELED, Decimal(3))


async def test_a_cancel_of_nothing_is_an_unknown_order(venue: Setup) -> None:
    venue.server.on("DELETE", ORDER, Answer({"code": -2011, "msg": "Unknown order sent."}, 400))
    with pytest.raises(UnknownOrder):
        await venue.exchange.cancel_order("SOLUSDT", "88120034")


async def test_a_conditional_order_is_canceled_at_its_own_endpoint(venue: Setup) -> None:
    venue.server.on("DELETE", ALGO_ORDER, {"algoId": 4711, "clientAlgoId": "web_stop1", "code": "200", "msg": "success"})
    result = await venue.exchange.cancel_order("ETHUSDT", "algo-4711")
    assert (result.order_id, result.client_order_id, result.order) == ("algo-4711", "web_stop1", None)


async def test_a_cancel_answer_about_another_conditional_order_is_refused(venue: Setup) -> None:
    venue.server.on("DELETE", ALGO_ORDER, {"algoId": 4712, "clientAlgoId": "web_tp1", "code": "200", "msg": "success"})
    with pytest.raises(BadVenueResponse):
        await venue.exchange.cancel_order("ETHUSDT", "algo-4711")


async def test_a_triggered_conditional_order_is_followed_to_the_order_it_became(venue: Setup) -> None:
    conditional = own("open_conditional_orders")[0] | {"algoStatus": "FINISHED", "actualOrderId": "9007199254740993", "symbol": "SOLUSDT"}
    venue.server.on("GET", ALGO_ORDER, conditional)
    venue.server.on("GET", ORDER, own("order_filled"))
    order = await venue.exchange.get_order_status("SOLUSDT", "algo-3000000000004711")
    assert (order.order_id, order.status) == ("9007199254740993", OrderStatus.FILLED)


async def test_open_orders_are_plain_and_conditional_ones(venue: Setup) -> None:
    found = await venue.exchange.get_open_orders()
    assert [order.order_id for order in found] == ["51", "52", "algo-3000000000004711", "algo-3000000000004712"]
    paths = [request.path for request in venue.server.requests]
    assert paths == [OPEN_ALGO, OPEN], "an order that triggers in between must not be missed"


@pytest.mark.parametrize("path", [OPEN, OPEN_ALGO])
async def test_open_orders_fail_when_one_of_the_lists_fails(venue: Setup, path: str) -> None:
    venue.server.on("GET", path, DOWN)
    with pytest.raises(ExchangeUnavailable):
        await venue.exchange.get_open_orders()


async def test_an_order_is_found_by_its_client_id(venue: Setup) -> None:
    venue.server.on("GET", ORDER, own("order_filled"))
    order = await venue.exchange.find_order("SOLUSDT", "cb7f3a1")
    assert order is not None
    assert order.status is OrderStatus.FILLED
    assert len(venue.server.requests) == 1


async def test_an_order_is_absent_only_when_every_list_says_so(venue: Setup) -> None:
    assert await venue.exchange.find_order("SOLUSDT", "cb7f3a1") is None
    assert {request.path for request in venue.server.requests} == {ORDER, OPEN, HISTORY, ALGO_ORDER}


@pytest.mark.parametrize("path", [ORDER, OPEN, HISTORY, ALGO_ORDER])
async def test_a_failed_look_up_is_no_evidence_of_absence(venue: Setup, path: str) -> None:
    venue.server.on("GET", path, DOWN)
    with pytest.raises(ExchangeUnavailable):
        await venue.exchange.find_order("SOLUSDT", "cb7f3a1")


async def test_the_newest_order_of_a_reused_client_id_is_meant(venue: Setup) -> None:
    old, new = own("order_filled") | {"orderId": 9}, own("order_filled") | {"orderId": 10, "status": "CANCELED"}
    venue.server.on("GET", HISTORY, [old, new, own("order_filled") | {"orderId": 11, "clientOrderId": "another"}])
    order = await venue.exchange.find_order("SOLUSDT", "cb7f3a1")
    assert order is not None
    assert (order.order_id, order.status) == ("10", OrderStatus.CANCELED)


async def test_an_order_that_only_the_conditional_side_knows_is_found(venue: Setup) -> None:
    venue.server.on("GET", ALGO_ORDER, own("open_conditional_orders")[0])
    order = await venue.exchange.find_order("ETHUSDT", "web_stop1")
    assert order is not None
    assert order.order_type is OrderType.STOP_MARKET


async def test_positions_are_read_with_their_settings(venue: Setup) -> None:
    book = await venue.exchange.get_position_book()
    assert [(position.symbol, position.leverage, position.margin_mode) for position in book.positions] == [
        ("ETHUSDT", Decimal(20), MarginMode.CROSS),
        ("1000PEPEUSDT", Decimal(8), MarginMode.ISOLATED),
    ]
    assert book.not_covered == ["BTCUSDC"]
    only = await venue.exchange.get_open_positions("ETHUSDT")
    assert [position.symbol for position in only] == ["ETHUSDT"]
    assert venue.server.asked(POSITIONS)[-1].parameters["symbol"] == "ETHUSDT"


async def test_a_failed_read_of_positions_raises(venue: Setup) -> None:
    for answer in (DOWN, Answer({}), Answer(b"null"), Answer(b'""')):
        venue.server.on("GET", POSITIONS, answer)
        with pytest.raises((ExchangeUnavailable, BadVenueResponse)):
            await venue.exchange.get_position_book()


async def test_positions_are_reported_when_the_settings_cannot_be_read(venue: Setup, caplog: pytest.LogCaptureFixture) -> None:
    venue.server.on("GET", SYMBOLS, DOWN)
    with caplog.at_level(logging.WARNING):
        book = await venue.exchange.get_position_book()
    assert [(position.symbol, position.leverage, position.margin_mode) for position in book.positions] == [
        ("ETHUSDT", None, MarginMode.CROSS),
        ("1000PEPEUSDT", None, MarginMode.ISOLATED),
    ]
    assert "ExchangeUnavailable" in caplog.text


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


async def test_settings_are_asked_once_a_minute_and_for_a_new_symbol(venue: Setup) -> None:
    clock = Clock()
    clock.now = 1_000.0
    remembered = AccountSettings(venue.exchange._client, clock)

    for symbols, asked in (({"ETHUSDT"}, 1), ({"ETHUSDT"}, 1), ({"ETHUSDT", "SOLUSDT"}, 2), ({"ETHUSDT"}, 2), (set(), 2)):
        known = await remembered.of_symbols(symbols)
        assert symbols <= known.keys()
        assert len(venue.server.asked(SYMBOLS)) == asked
    await remembered.of_symbols({"NEWUSDT"})
    assert (await remembered.of_symbols({"NEWUSDT"}))["NEWUSDT"] is None
    assert len(venue.server.asked(SYMBOLS)) == 3, "a symbol that the venue does not list is not asked for again and again"
    clock.now += 59
    await remembered.of_symbols({"ETHUSDT"})
    assert len(venue.server.asked(SYMBOLS)) == 3
    clock.now += 1
    assert set(await remembered.of_symbols({"ETHUSDT"})) == {"ETHUSDT"}, "only what is held is kept"
    assert len(venue.server.asked(SYMBOLS)) == 4


async def test_failed_settings_are_asked_again_after_ten_seconds(venue: Setup) -> None:
    clock = Clock()
    clock.now = 1_000.0
    remembered = AccountSettings(venue.exchange._client, clock)
    venue.server.on("GET", SYMBOLS, DOWN)
    for _ in range(3):
        assert (await remembered.of_symbols({"ETHUSDT"}))["ETHUSDT"] is None
    assert len(venue.server.asked(SYMBOLS)) == 1
    venue.server.on("GET", SYMBOLS, own("symbol_config"))
    clock.now += 10
    settings = (await remembered.of_symbols({"ETHUSDT"}))["ETHUSDT"]
    assert settings == (Decimal(20), MarginMode.CROSS)


async def test_the_account_has_its_total_and_its_mode(venue: Setup) -> None:
    account = await venue.exchange.get_account()
    again = await venue.exchange.get_account()
    assert (account.equity_usd, account.position_mode) == (Decimal("10406.45"), PositionMode.ONE_WAY)
    assert account == again
    assert len(venue.server.asked("/fapi/v1/positionSide/dual")) == 1


async def test_balances_can_be_asked_for_one_asset(venue: Setup) -> None:
    assert [balance.asset for balance in await venue.exchange.get_balances()] == ["USDT", "USDC"]
    assert [balance.asset for balance in await venue.exchange.get_balances("USDC")] == ["USDC"]
    assert await venue.exchange.get_balances("BNB") == []


async def test_mark_prices_come_in_one_call(venue: Setup) -> None:
    assert [mark.symbol for mark in await venue.exchange.get_mark_prices()] == ["ETHUSDT"]
    assert len(venue.server.asked("/fapi/v1/premiumIndex")) == 1


async def test_leverage_is_set_also_when_it_already_was(venue: Setup) -> None:
    venue.server.on("POST", "/fapi/v1/leverage", {"leverage": 7, "maxNotionalValue": "1000000", "symbol": "ETHUSDT"})
    assert await venue.exchange.set_leverage("ETHUSDT", 7) is True
    assert await venue.exchange.set_leverage("ETHUSDT", 8) is False
    venue.server.on("POST", "/fapi/v1/leverage", Answer({"code": -4046, "msg": "No need to change."}, 400))
    assert await venue.exchange.set_leverage("ETHUSDT", 8) is True


async def test_new_leverage_shows_at_the_next_read(venue: Setup) -> None:
    await venue.exchange.get_position_book()
    venue.server.on("POST", "/fapi/v1/leverage", {"leverage": 7, "maxNotionalValue": "1000000", "symbol": "ETHUSDT"})
    venue.server.on("GET", SYMBOLS, [row | {"leverage": 7} for row in own("symbol_config")])
    await venue.exchange.set_leverage("ETHUSDT", 7)
    assert (await venue.exchange.get_position_book()).positions[0].leverage == 7


async def test_closing_sends_the_opposite_market_order_reduce_only(venue: Setup) -> None:
    venue.server.on("GET", POSITIONS, own("positions")[:1])
    venue.server.on("POST", ORDER, own("order_filled") | {"symbol": "ETHUSDT"})
    await venue.exchange.close_position("ETHUSDT")
    [request] = venue.server.asked(ORDER)
    sent = {name: request.parameters[name] for name in ("symbol", "side", "type", "quantity", "reduceOnly")}
    assert sent == {"symbol": "ETHUSDT", "side": "BUY", "type": "MARKET", "quantity": "2.500", "reduceOnly": "true"}


async def test_closing_nothing_or_one_of_two_legs_is_refused(venue: Setup) -> None:
    venue.server.on("GET", POSITIONS, [])
    with pytest.raises(ReduceOnlyRejected):
        await venue.exchange.close_position("ETHUSDT")
    venue.server.on("GET", POSITIONS, own("positions_hedge"))
    with pytest.raises(PositionModeMismatch):
        await venue.exchange.close_position("ETHUSDT")
    assert venue.server.asked(ORDER) == []


async def test_the_server_time_is_a_number(venue: Setup) -> None:
    venue.server.on("GET", "/fapi/v1/time", {"serverTime": 1_763_990_500_000})
    assert await venue.exchange.get_server_time_ms() == 1_763_990_500_000
    assert await venue.exchange.clock.measure(venue.exchange.get_server_time_ms) != 0


async def test_closing_the_client_leaves_the_transport_open(venue: Setup) -> None:
    await venue.exchange.aclose()
    assert len(await venue.exchange.get_balances()) == 2
