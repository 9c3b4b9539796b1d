"""Position modes, legs, leverage and the margin mode of the Bybit dialect, over real HTTP."""

from collections.abc import Iterator
from uuid import uuid4

import pytest
from pybit.unified_trading import HTTP

from exchanges.sandbox.bybit.errors import from_refused
from exchanges.sandbox.model import Reason, Refused
from tests.sandbox.bybit_venue import (
    BTC,
    CLOSE_ALL,
    HEDGE,
    LIMIT_BUY,
    LONG,
    MARKET_BUY,
    SHORT,
    Client,
    hedged,
    isolated,
    positions_of,
    price_of,
    serving,
)
from tests.sandbox.exchange import Clock

MARKET_SELL = {**MARKET_BUY, "side": "Sell"}
ETH_BUY = {**MARKET_BUY, "symbol": "ETHUSDT", "qty": "0.1"}
MISMATCH = (10001, "position idx not match position mode")
SWITCH, LEVERAGE, MARGIN_MODE = "/v5/position/switch-mode", "/v5/position/set-leverage", "/v5/account/set-margin-mode"
USDT = {"category": "linear", "coin": "USDT"}
NOT_OF_BYBIT = {Reason.LEVERAGE_REDUCTION, Reason.MARGIN_MODE}


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with serving(Clock()) as address:
        yield address


@pytest.fixture
def client(url: str) -> Client:
    return Client(url, uuid4().hex)


def leverage(buy: str, sell: str) -> dict[str, object]:
    return {**BTC, "buyLeverage": buy, "sellLeverage": sell}


def test_a_symbol_in_hedge_mode_has_two_positions_side_by_side(client: Client) -> None:
    hedged(client)
    bought = client.order(**MARKET_BUY, **LONG)
    sold = client.order(**{**MARKET_SELL, "qty": "0.02"}, **SHORT)

    rows = positions_of(client)
    orders = {row["orderId"]: row["positionIdx"] for row in client.rows("/v5/order/history", "category=linear")}

    assert [(row["positionIdx"], row["side"], row["size"]) for row in rows] == [(1, "Buy", "0.010"), (2, "Sell", "0.020")]
    assert positions_of(client, "settleCoin=USDT") == rows
    assert orders == {bought: 1, sold: 2}
    first = client.get("/v5/position/list", "category=linear&settleCoin=USDT&limit=1").json()["result"]
    second = positions_of(client, f"settleCoin=USDT&limit=1&cursor={first['nextPageCursor']}")
    assert [row["positionIdx"] for row in [*first["list"], *second]] == [1, 2]


def test_legs_without_a_position_have_their_rows_too(client: Client) -> None:
    hedged(client).order(**MARKET_SELL, **SHORT)

    rows = positions_of(client)

    assert [(row["positionIdx"], row["side"], row["size"]) for row in rows] == [(1, "", "0"), (2, "Sell", "0.010")]
    assert [row["positionIdx"] for row in positions_of(client, "symbol=ETHUSDT")] == [0]
    assert len(positions_of(client, "settleCoin=USDT")) == 1
    client.order(**ETH_BUY)
    assert [(row["symbol"], row["size"]) for row in positions_of(client, "symbol=SOLUSDT")] == [("SOLUSDT", "0")]


def test_an_order_must_name_a_position_of_the_mode(client: Client) -> None:
    assert client.refusal("/v5/order/create", {**MARKET_BUY, **LONG}) == MISMATCH
    hedged(client)
    assert client.refusal("/v5/order/create", MARKET_BUY) == MISMATCH
    assert client.refusal("/v5/order/create", {**MARKET_BUY, "positionIdx": 0}) == MISMATCH
    assert client.refusal("/v5/order/create", {**MARKET_BUY, "positionIdx": 3}) == (10001, "params error: positionIdx invalid")
    assert client.refusal("/v5/order/create", {**ETH_BUY, **LONG}) == MISMATCH
    assert client.refusal("/v5/position/trading-stop", {**BTC, "takeProfit": "1"}) == MISMATCH
    assert client.rows("/v5/order/history", "category=linear") == []


def test_closing_one_leg_is_cut_to_it_and_leaves_the_other(client: Client) -> None:
    hedged(client).order(**MARKET_BUY, **LONG)
    client.order(**MARKET_SELL, **SHORT)

    closing = client.order(**{**MARKET_SELL, "qty": "0.5"}, **LONG)

    order = client.rows("/v5/order/realtime", f"category=linear&symbol=BTCUSDT&orderId={closing}")[0]
    assert (order["qty"], order["cumExecQty"], order["orderStatus"], order["positionIdx"]) == ("0.010", "0.010", "Filled", 1)
    assert [row["size"] for row in positions_of(client)] == ["0", "0.010"]
    (closed,) = client.rows("/v5/position/closed-pnl", "category=linear")
    assert (closed["orderId"], closed["side"], closed["closedSize"]) == (closing, "Sell", "0.010")
    client.order(**CLOSE_ALL, side="Buy", **SHORT)
    assert positions_of(client, "settleCoin=USDT") == []


def test_what_cannot_reduce_its_leg_is_refused(client: Client) -> None:
    hedged(client).order(**MARKET_BUY, **LONG)

    assert client.refusal("/v5/order/create", {**MARKET_BUY, **LONG, "reduceOnly": True}) == (110017, "Reduce-only rule not satisfied")
    nothing = (110017, "current position is zero, cannot fix reduce-only order qty")
    assert client.refusal("/v5/order/create", {**MARKET_BUY, **SHORT}) == nothing
    assert client.refusal("/v5/order/create", {**MARKET_BUY, **SHORT, "reduceOnly": True}) == nothing
    assert [row["size"] for row in positions_of(client)] == ["0.010", "0"]


def test_a_symbol_is_switched_when_nothing_stands_in_the_way(client: Client) -> None:
    assert client.refusal(SWITCH, {**BTC, "mode": 0}) == (110025, "Position mode is not modified")
    order = client.order(**LIMIT_BUY, price=price_of(client, "0.97"))
    assert client.refusal(SWITCH, HEDGE) == (110028, "You have existing open orders, so the position mode cannot be switched.")
    client.order(**MARKET_BUY)
    assert client.refusal(SWITCH, HEDGE) == (110024, "You have an existing position, so the position mode cannot be switched.")
    assert client.refusal(SWITCH, {**HEDGE, "symbol": "ETHUSDT"}) == (0, "OK")
    client.post("/v5/order/cancel", {**BTC, "orderId": order})
    client.order(**CLOSE_ALL, side="Sell")
    assert client.refusal(SWITCH, {**HEDGE, **USDT}) == (0, "OK")  # a symbol goes before a coin
    assert client.refusal(SWITCH, HEDGE)[0] == 110025


def test_a_coin_switches_all_symbols_but_the_busy_ones(client: Client) -> None:
    client.order(**MARKET_BUY)

    assert client.refusal(SWITCH, {**USDT, "mode": 3}) == (0, "OK")

    assert [row["positionIdx"] for row in positions_of(client)] == [0]
    assert [row["positionIdx"] for row in positions_of(client, "symbol=ETHUSDT")] == [1, 2]
    assert client.refusal(SWITCH, {**USDT, "mode": 3}) == (0, "OK")
    assert client.refusal(SWITCH, {**USDT, "coin": "BTC", "mode": 3}) == (110050, "Invalid coin")
    assert client.refusal(SWITCH, {**USDT, "mode": 1}) == (10001, "params error: mode invalid")
    assert client.refusal(SWITCH, {"category": "linear", "mode": 3}) == (10001, "params error: symbol invalid")


def test_leverage_is_one_for_both_sides_under_cross_margin_and_in_one_way_mode(client: Client) -> None:
    unequal = "buy leverage must equal sell leverage under "
    assert client.refusal(LEVERAGE, leverage("5", "5")) == (0, "OK")
    assert client.refusal(LEVERAGE, leverage("5", "5")) == (110043, "leverage not modified")
    assert client.refusal(LEVERAGE, leverage("101", "101")) == (110013, "cannot set leverage [101] gt maxLeverage [100] by risk limit")
    assert client.refusal(LEVERAGE, leverage("0", "0")) == (10001, "leverage invalid")
    assert client.refusal(LEVERAGE, leverage("5", "6")) == (10001, f"{unequal}cross margin")
    isolated(client)
    assert client.refusal(LEVERAGE, leverage("5", "6")) == (10001, f"{unequal}one-way mode")
    assert [row["leverage"] for row in positions_of(client)] == ["5"]


def test_the_legs_of_isolated_margin_have_leverages_of_their_own(client: Client) -> None:
    hedged(isolated(client))

    assert client.refusal(LEVERAGE, leverage("5", "8")) == (0, "OK")
    assert client.refusal(LEVERAGE, leverage("5", "8")) == (110043, "leverage not modified")
    assert [row["leverage"] for row in positions_of(client)] == ["5", "8"]
    client.order(**MARKET_BUY, **LONG)
    client.order(**MARKET_SELL, **SHORT)
    long, short = positions_of(client)
    assert float(long["positionIM"]) / float(short["positionIM"]) == pytest.approx(8 / 5, rel=0.01)
    client.order(**CLOSE_ALL, side="Sell", **LONG)
    client.order(**CLOSE_ALL, side="Buy", **SHORT)
    assert client.refusal(MARGIN_MODE, {"setMarginMode": "REGULAR_MARGIN"}) == (0, "Request accepted")
    assert [row["leverage"] for row in positions_of(client)] == ["10", "10"]  # cross margin has one for both
    assert client.refusal(LEVERAGE, leverage("9", "9")) == (0, "OK")
    assert [row["leverage"] for row in positions_of(client)] == ["9", "9"]


def test_two_legs_get_their_leverage_both_or_none(client: Client) -> None:
    hedged(isolated(client)).order(**{**MARKET_BUY, "qty": "2"}, **LONG)
    client.order(**{**MARKET_SELL, "qty": "4"}, **SHORT)
    client.post("/v5/position/add-margin", {**BTC, **LONG, "margin": "100"})
    before = [(row["leverage"], row["positionIM"]) for row in positions_of(client)]

    assert client.refusal(LEVERAGE, leverage("9", "2")) == (110044, "Available margin is insufficient.")

    assert [(row["leverage"], row["positionIM"]) for row in positions_of(client)] == before


def test_a_position_too_large_for_a_leverage_keeps_its_own(client: Client) -> None:
    client.order(**{**MARKET_BUY, "symbol": "ADAUSDT", "qty": "570000"})
    asked = {**leverage("50", "50"), "symbol": "ADAUSDT"}

    code, words = client.refusal(LEVERAGE, asked)

    assert (code, words) == (110013, "cannot set leverage [50] gt maxLeverage [20] by risk limit")
    (row,) = positions_of(client, "symbol=ADAUSDT")
    tiers = client.rows("/v5/market/risk-limit", "category=linear&symbol=ADAUSDT")
    assert row["leverage"] == "10"
    assert tiers[row["riskId"] - 1]["maxLeverage"] == "20.00"
    assert row["riskLimitValue"] == tiers[row["riskId"] - 1]["riskLimitValue"]


def test_an_order_too_large_for_its_leverage_is_refused(client: Client) -> None:
    client.post(LEVERAGE, {**leverage("50", "50"), "symbol": "ADAUSDT"})

    code, words = client.refusal("/v5/order/create", {**MARKET_BUY, "symbol": "ADAUSDT", "qty": "570000"})

    assert code == 110090
    assert words.endswith("Please adjust your leverage to 20 or below to increase the max. position limit")
    assert positions_of(client, "settleCoin=USDT") == []


def test_the_margin_mode_is_the_accounts_and_everything_open_stands_in_its_way(client: Client) -> None:
    def mode() -> str:
        return str(client.get("/v5/account/info").json()["result"]["marginMode"])

    wanted = {"setMarginMode": "ISOLATED_MARGIN"}
    client.order(**LIMIT_BUY, price=price_of(client, "0.97"))
    client.order(**ETH_BUY)
    refused = client.post(MARGIN_MODE, wanted).json()
    assert (refused["retCode"], refused["retMsg"], mode()) == (3400045, "Set margin mode failed", "REGULAR_MARGIN")
    assert [each["reasonCode"] for each in refused["result"]["reasons"]] == ["3400002", "3400001"]
    client.post("/v5/order/cancel-all", USDT | {"settleCoin": "USDT"})
    client.order(**{**CLOSE_ALL, "symbol": "ETHUSDT"}, side="Sell")
    assert client.post(MARGIN_MODE, wanted).json()["result"] == {"reasons": []}
    assert mode() == "ISOLATED_MARGIN"
    assert client.refusal(MARGIN_MODE, wanted) == (0, "Request accepted")
    assert client.refusal(MARGIN_MODE, {"setMarginMode": "REGULAR_MARGIN"}) == (0, "Request accepted")
    assert mode() == "REGULAR_MARGIN"
    assert client.refusal(MARGIN_MODE, {"setMarginMode": "PORTFOLIO_MARGIN"})[0] == 3400045
    assert client.refusal(MARGIN_MODE, {"setMarginMode": "CROSS"})[0] == 10001


def test_pybit_trades_two_isolated_legs(url: str) -> None:
    http = HTTP(testnet=False, api_key="sandbox-legs", api_secret="sandbox-legs-secret")
    http.endpoint = url
    try:
        assert http.set_margin_mode(setMarginMode="ISOLATED_MARGIN")["result"] == {"reasons": []}
        http.switch_position_mode(category="linear", coin="USDT", mode=3)
        http.set_leverage(**BTC, buyLeverage="20", sellLeverage="4")
        http.place_order(**MARKET_BUY, **LONG)
        http.place_order(**MARKET_SELL, **SHORT)
        added = http.add_or_reduce_margin(**BTC, margin="10", **LONG)["result"]
        long, short = http.get_positions(**BTC)["result"]["list"]
        assert (added["positionIM"], added["positionIdx"], added["leverage"]) == (long["positionIM"], 1, "20")
        assert (short["side"], short["leverage"]) == ("Sell", "4")
        assert http.get_risk_limit(**BTC)["result"]["list"][0]["isLowestRisk"] == 1
        http.place_order(**CLOSE_ALL, side="Buy", **SHORT)
        (closed,) = http.get_closed_pnl(category="linear")["result"]["list"]
        assert (closed["side"], closed["leverage"]) == ("Buy", "4")
    finally:
        http.client.close()


@pytest.mark.parametrize("reason", sorted(set(Reason) - NOT_OF_BYBIT))
def test_every_reason_of_the_engine_has_a_code_of_the_venue(reason: Reason) -> None:
    refusal = from_refused(Refused(reason))

    assert refusal.code >= 10001
    assert refusal.message
