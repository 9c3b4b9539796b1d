"""Leverage, margin mode, position mode and orders of a leg: what is sent, and what the documented answers mean."""

from decimal import Decimal
from typing import Any

import pytest

from exchanges.adapters.binance import margin
from exchanges.adapters.binance.mapping import read
from exchanges.domain import (
    LeverageBracket,
    MarginMode,
    OrderRequest,
    OrderSide,
    OrderType,
    PositionMode,
    PositionSide,
    SymbolSettings,
)
from exchanges.errors import (
    BadVenueResponse,
    ExchangeAPIError,
    LeverageUnconfirmed,
    OpenOrdersInTheWay,
    OutcomeUnknown,
    PositionInTheWay,
    PositionModeMismatch,
    ReduceOnlyRejected,
    SettingRefused,
)
from tests.exchanges.binance.rows import own
from tests.exchanges.binance.venue_server import RESET, Answer, Recorded, Setup

D = Decimal
ORDER, LEVERAGE, MARGIN, MODE = "/fapi/v1/order", "/fapi/v1/leverage", "/fapi/v1/marginType", "/fapi/v1/positionSide/dual"
POSITIONS = "/fapi/v3/positionRisk"
DONE = {"code": 200, "msg": "success"}
OF_TRANSPORT = {"timestamp", "recvWindow", "signature"}
LEG = OrderRequest(
    symbol="ETHUSDT",
    side=OrderSide.SELL,
    order_type=OrderType.MARKET,
    quantity=D("0.500"),
    position_side=PositionSide.LONG,
    client_order_id="cbhedge1",
)


@pytest.fixture
def venue(setup: Setup) -> Setup:
    setup.server.on("GET", "/fapi/v1/exchangeInfo", own("instruments"))
    setup.server.on("GET", "/fapi/v1/symbolConfig", own("symbol_config"))
    setup.server.on("POST", ORDER, own("order_hedge_filled"))
    return setup


def fields(request: Recorded) -> dict[str, str]:
    return {name: value for name, value in request.parameters.items() if name not in OF_TRANSPORT}


def test_brackets_in_usd_and_the_last_without_an_end() -> None:
    assert margin.to_leverage_brackets(own("leverage_brackets"), "ETHUSDT") == [
        LeverageBracket(D(0), D(10_000), D(75), D("0.0065"), D(0)),
        LeverageBracket(D(10_000), D(50_000), D(50), D("0.01"), D(35)),
        LeverageBracket(D(50_000), None, D(1), D("0.5"), D("24535.05")),
    ]
    assert margin.to_leverage_brackets(own("leverage_brackets")[0], "ETHUSDT")[0].max_leverage == 75


@pytest.mark.parametrize(
    "changed",
    [
        [{"symbol": "BTCUSDT", "brackets": []}],
        [{"symbol": "ETHUSDT", "brackets": []}],
        [],
        [own("leverage_brackets")[0] | {"brackets": own("leverage_brackets")[0]["brackets"][::2]}],
        [own("leverage_brackets")[0] | {"brackets": [own("leverage_brackets")[0]["brackets"][0] | {"cum": float("nan")}]}],
    ],
    ids=["another symbol", "no bracket", "nothing", "a gap", "no number"],
)
def test_brackets_that_say_no_such_thing_are_no_answer(changed: Any) -> None:
    with pytest.raises(BadVenueResponse):
        read("leverage brackets", margin.to_leverage_brackets, changed, "ETHUSDT")


def test_both_sides_of_a_symbol_have_one_leverage() -> None:
    assert margin.to_symbol_settings(own("symbol_config"), "1000PEPEUSDT") == SymbolSettings(
        "1000PEPEUSDT", MarginMode.ISOLATED, D(8), D(8)
    )


async def test_settings_are_asked_for_the_one_symbol(venue: Setup) -> None:
    assert (await venue.exchange.get_symbol_settings("ETHUSDT")).leverage_short == 20
    [request] = venue.server.asked("/fapi/v1/symbolConfig")
    assert fields(request) == {"symbol": "ETHUSDT"}


@pytest.mark.parametrize(("mode", "word"), [(MarginMode.ISOLATED, "ISOLATED"), (MarginMode.CROSS, "CROSSED")])
async def test_a_margin_mode_is_set_and_seen_at_the_next_read(venue: Setup, mode: MarginMode, word: str) -> None:
    venue.server.on("GET", POSITIONS, own("positions")[:1])
    await venue.exchange.get_position_book()
    venue.server.on("POST", MARGIN, DONE)
    assert await venue.exchange.set_margin_mode("ETHUSDT", mode) is True
    assert fields(venue.server.asked(MARGIN)[0]) == {"symbol": "ETHUSDT", "marginType": word}
    await venue.exchange.get_position_book()
    assert len(venue.server.asked("/fapi/v1/symbolConfig")) == 2


@pytest.mark.parametrize(("mode", "word"), [(PositionMode.HEDGE, "true"), (PositionMode.ONE_WAY, "false")])
async def test_a_position_mode_is_set_and_asked_for_again(venue: Setup, mode: PositionMode, word: str) -> None:
    venue.server.on("GET", "/fapi/v3/account", own("account"))
    venue.server.on("GET", MODE, {"dualSidePosition": mode is not PositionMode.HEDGE})
    assert (await venue.exchange.get_account()).position_mode is not mode
    venue.server.on("POST", MODE, DONE)
    venue.server.on("GET", MODE, {"dualSidePosition": mode is PositionMode.HEDGE})
    assert await venue.exchange.set_position_mode(mode) is True
    assert [fields(request) for request in venue.server.asked(MODE) if request.method == "POST"] == [{"dualSidePosition": word}]
    assert (await venue.exchange.get_account()).position_mode is mode


async def change_margin(venue: Setup) -> bool:
    return await venue.exchange.set_margin_mode("ETHUSDT", MarginMode.ISOLATED)


async def change_mode(venue: Setup) -> bool:
    return await venue.exchange.set_position_mode(PositionMode.HEDGE)


@pytest.mark.parametrize(
    ("path", "call", "code", "error"),
    [
        (MARGIN, change_margin, -4047, OpenOrdersInTheWay),
        (MARGIN, change_margin, -4048, PositionInTheWay),
        (MARGIN, change_margin, -4168, SettingRefused),
        (MODE, change_mode, -4067, OpenOrdersInTheWay),
        (MODE, change_mode, -4068, PositionInTheWay),
    ],
)
async def test_what_stands_in_the_way_is_named(venue: Setup, path: str, call: Any, code: int, error: type[ExchangeAPIError]) -> None:
    venue.server.on("POST", path, Answer({"code": code, "msg": "cannot be changed"}, 400))
    with pytest.raises(SettingRefused) as refusal:
        await call(venue)
    assert type(refusal.value) is error


@pytest.mark.parametrize(("path", "call", "code"), [(MARGIN, change_margin, -4046), (MODE, change_mode, -4059)])
async def test_a_mode_that_already_is_so_is_a_success(venue: Setup, path: str, call: Any, code: int) -> None:
    venue.server.on("POST", path, Answer({"code": code, "msg": "No need to change."}, 400))
    assert await call(venue) is True


@pytest.mark.parametrize(("path", "call"), [(MARGIN, change_margin), (MODE, change_mode)])
@pytest.mark.parametrize("answer", [{}, {"msg": "success"}, [], Answer(b"", 502), RESET], ids=["empty", "no code", "list", "502", "reset"])
async def test_an_answer_that_is_no_success_leaves_the_mode_unknown(venue: Setup, path: str, call: Any, answer: Any) -> None:
    venue.server.on("POST", path, answer)
    with pytest.raises(OutcomeUnknown):
        await call(venue)


async def test_lowering_the_leverage_of_an_isolated_position_is_told_as_such(venue: Setup) -> None:
    venue.server.on("POST", LEVERAGE, Answer({"code": -4161, "msg": "Leverage reduction is not supported in Isolated Margin Mode"}, 400))
    with pytest.raises(PositionInTheWay) as refusal:
        await venue.exchange.set_leverage("ETHUSDT", 5)
    assert refusal.value.field == "leverage"


async def test_isolated_legs_are_told_apart_with_their_own_margin(venue: Setup) -> None:
    """v3 says neither leverage nor margin mode: a wallet of its own is what makes a leg an isolated one."""
    long, short = own("positions_hedge")
    isolated = {"isolatedWallet": "310.50000000", "isolatedMargin": "360.60000000", "liquidationPrice": "2610.44"}
    venue.server.on("GET", POSITIONS, [long | isolated, short])
    book = await venue.exchange.get_position_book()
    assert [(each.position_side, each.side, each.quantity, each.margin_mode, each.margin) for each in book.positions] == [
        (PositionSide.LONG, PositionSide.LONG, D("1.000"), MarginMode.ISOLATED, D("310.50000000")),
        (PositionSide.SHORT, PositionSide.SHORT, D("0.400"), MarginMode.CROSS, D(59)),
    ]
    assert await venue.exchange.get_open_positions("ETHUSDT") == book.positions


@pytest.mark.parametrize("is_reduce_only", [True, False])
async def test_an_order_of_a_leg_names_it_and_carries_no_reduce_only_flag(venue: Setup, is_reduce_only: bool) -> None:
    order = await venue.exchange.place_order(LEG.model_copy(update={"reduce_only": is_reduce_only}))
    assert (order.position_side, order.side, order.filled_quantity) == (PositionSide.LONG, OrderSide.SELL, D("0.500"))
    [request] = venue.server.asked(ORDER)
    assert fields(request) == {
        "symbol": "ETHUSDT",
        "side": "SELL",
        "type": "MARKET",
        "quantity": "0.500",
        "positionSide": "LONG",
        "newClientOrderId": "cbhedge1",
        "newOrderRespType": "RESULT",
    }


@pytest.mark.parametrize(("side", "leg"), [(OrderSide.BUY, PositionSide.LONG), (OrderSide.SELL, PositionSide.SHORT)])
async def test_a_reduce_only_order_that_would_open_its_leg_is_not_sent(venue: Setup, side: OrderSide, leg: PositionSide) -> None:
    with pytest.raises(ReduceOnlyRejected) as refusal:
        await venue.exchange.place_order(LEG.model_copy(update={"side": side, "position_side": leg, "reduce_only": True}))
    assert refusal.value.field == "reduce_only"
    assert venue.server.requests == []


async def test_the_leverage_of_an_order_is_set_first(venue: Setup) -> None:
    venue.server.on("POST", LEVERAGE, {"leverage": 5, "maxNotionalValue": "1000000", "symbol": "ETHUSDT"})
    await venue.exchange.place_order(LEG.model_copy(update={"leverage": 5}))
    assert [request.path for request in venue.server.requests] == [LEVERAGE, ORDER]
    assert fields(venue.server.requests[0]) == {"symbol": "ETHUSDT", "leverage": "5"}


@pytest.mark.parametrize(
    "answer", [RESET, Answer(b"", 502), {}, {"leverage": 4, "symbol": "ETHUSDT"}, {"leverage": 5, "symbol": "SOLUSDT"}]
)
async def test_without_its_leverage_an_order_is_not_sent(venue: Setup, answer: Any) -> None:
    venue.server.on("POST", LEVERAGE, answer)
    with pytest.raises(LeverageUnconfirmed):
        await venue.exchange.place_order(LEG.model_copy(update={"leverage": 5}))
    assert venue.server.asked(ORDER) == []


@pytest.mark.parametrize(("leg", "side", "quantity"), [(PositionSide.LONG, "SELL", "1.000"), (PositionSide.SHORT, "BUY", "0.400")])
async def test_the_named_leg_is_closed(venue: Setup, leg: PositionSide, side: str, quantity: str) -> None:
    venue.server.on("GET", POSITIONS, own("positions_hedge"))
    await venue.exchange.close_position("ETHUSDT", leg)
    [request] = venue.server.asked(ORDER)
    sent = fields(request)
    assert (sent["side"], sent["positionSide"], sent["quantity"]) == (side, leg, quantity)
    assert "reduceOnly" not in sent


async def test_the_only_leg_needs_no_name(venue: Setup) -> None:
    venue.server.on("GET", POSITIONS, own("positions_hedge")[1:])
    await venue.exchange.close_position("ETHUSDT")
    [request] = venue.server.asked(ORDER)
    assert (request.parameters["side"], request.parameters["positionSide"]) == ("BUY", "SHORT")


async def test_two_legs_want_a_name_and_the_leg_that_is_not_there_is_not_closed(venue: Setup) -> None:
    venue.server.on("GET", POSITIONS, own("positions_hedge"))
    with pytest.raises(PositionModeMismatch, match="cross LONG and cross SHORT"):
        await venue.exchange.close_position("ETHUSDT")
    with pytest.raises(ReduceOnlyRejected):
        await venue.exchange.close_position("ETHUSDT", PositionSide.BOTH)
    venue.server.on("GET", POSITIONS, own("positions_hedge")[:1])
    with pytest.raises(ReduceOnlyRejected, match="no open SHORT position"):
        await venue.exchange.close_position("ETHUSDT", PositionSide.SHORT)
    assert venue.server.asked(ORDER) == []
