"""The Bybit dialect by pybit and ccxt unmodified: reading, trading, credentials, settings and market data, over real HTTP."""

import json
import time
from collections.abc import Iterator
from decimal import Decimal
from itertools import pairwise
from uuid import uuid4

import ccxt.async_support as ccxt
import httpx
import pytest
from pybit.exceptions import FailedRequestError, InvalidRequestError
from pybit.unified_trading import HTTP

from tests.sandbox.bybit_venue import BTC, CLOSE_ALL, LIMIT_BUY, MARKET_BUY, Client, now_ms, price_of, serving


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with serving() as address:
        yield address


@pytest.fixture
def client(url: str) -> Client:
    """A fresh account of the test's own."""
    return Client(url, uuid4().hex)


def test_pybit_reads_and_trades(url: str) -> None:
    http = HTTP(testnet=False, api_key="sandbox-pybit", api_secret="sandbox-pybit-secret")
    http.endpoint = url
    try:
        assert abs(int(http.get_server_time()["result"]["timeNano"]) // 1_000_000 - now_ms()) < 5000
        assert len(http.get_instruments_info(category="linear", limit=1000)["result"]["list"]) == 12
        last = Decimal(http.get_tickers(**BTC)["result"]["list"][0]["lastPrice"])
        book = http.get_orderbook(**BTC, limit=25)["result"]
        assert [len(book["b"]), len(book["a"])] == [25, 25]
        assert Decimal(book["b"][0][0]) < Decimal(book["a"][0][0])

        low = str((last * Decimal("0.97")).quantize(Decimal("0.1")))
        placed = http.place_order(**LIMIT_BUY, price=low, timeInForce="PostOnly", orderLinkId="my-1")["result"]
        found = http.get_open_orders(category="linear", settleCoin="USDT")["result"]["list"]
        assert [(row["orderId"], row["orderStatus"], row["price"]) for row in found] == [(placed["orderId"], "New", f"{low}0")]
        http.cancel_order(**BTC, orderLinkId="my-1")
        canceled = http.get_open_orders(**BTC, orderLinkId="my-1")["result"]["list"][0]
        assert (canceled["orderStatus"], canceled["cancelType"], canceled["leavesQty"]) == ("Cancelled", "CancelByUser", "0.000")

        http.set_leverage(**BTC, buyLeverage="5", sellLeverage="5")
        http.place_order(**MARKET_BUY)
        position = http.get_positions(category="linear", settleCoin="USDT", limit=200)["result"]["list"][0]
        assert (position["side"], position["size"], position["leverage"]) == ("Buy", "0.010", "5")
        http.place_order(**CLOSE_ALL, side="Sell", positionIdx=0)
        assert http.get_positions(category="linear", settleCoin="USDT")["result"]["list"] == []
        flat = http.get_positions(**BTC)["result"]["list"][0]
        assert (flat["side"], flat["size"], flat["positionIdx"]) == ("", "0", 0)

        fills = http.get_executions(category="linear", limit=100)["result"]["list"]
        closed = http.get_closed_pnl(category="linear")["result"]["list"]
        wallet = http.get_wallet_balance(accountType="UNIFIED")["result"]["list"][0]
        assert sum(Decimal(row["closedSize"]) for row in fills) == Decimal(closed[0]["closedSize"]) == Decimal("0.01")
        assert Decimal(wallet["totalWalletBalance"]) - 100_000 == Decimal(closed[0]["closedPnl"])
    finally:
        http.client.close()


async def test_ccxt_loads_markets_reads_and_trades(url: str) -> None:
    exchange = ccxt.bybit({"apiKey": "sandbox-ccxt", "secret": "sandbox-ccxt-secret", "options": {"defaultType": "swap"}})
    exchange.urls["api"] = dict.fromkeys(exchange.urls["api"], url)
    try:
        markets = await exchange.load_markets()
        assert len([market for market in markets.values() if market["swap"] and market["linear"]]) == 12
        assert "1000PEPE/USDT:USDT" in markets
        assert (await exchange.fetch_status())["status"] == "ok"
        assert (await exchange.fetch_trading_fees())["BTC/USDT:USDT"]["taker"] == 0.00055
        assert (await exchange.fetch_balance())["USDT"]["free"] == 100_000
        candles = await exchange.fetch_ohlcv("BTC/USDT:USDT", "1m", limit=50)
        assert len(candles) == 50
        assert {later[0] - earlier[0] for earlier, later in pairwise(candles)} == {60_000}
        ticker = await exchange.fetch_ticker("BTC/USDT:USDT")
        assert len((await exchange.fetch_order_book("BTC/USDT:USDT", 5))["bids"]) == 5
        assert len(await exchange.fetch_trades("BTC/USDT:USDT", limit=10)) == 10
        assert await exchange.fetch_funding_rate_history("BTC/USDT:USDT", limit=3)
        assert (await exchange.fetch_funding_rates(["BTC/USDT:USDT"]))["BTC/USDT:USDT"]["fundingRate"] is not None
        assert (await exchange.fetch_market_leverage_tiers("BTC/USDT:USDT"))[0]["maxLeverage"] == 100
        assert await exchange.fetch_open_interest_history("BTC/USDT:USDT", "1h", limit=3)

        await exchange.set_leverage(7, "BTC/USDT:USDT")
        price = exchange.price_to_precision("BTC/USDT:USDT", ticker["last"] * 0.97)
        resting = await exchange.create_order("BTC/USDT:USDT", "limit", "buy", 0.01, float(price))
        assert [order["id"] for order in await exchange.fetch_open_orders("BTC/USDT:USDT")] == [resting["id"]]
        await exchange.cancel_order(resting["id"], "BTC/USDT:USDT")
        assert [order["status"] for order in await exchange.fetch_canceled_orders("BTC/USDT:USDT")] == ["canceled"]
        await exchange.create_order("BTC/USDT:USDT", "market", "sell", 0.02)
        position = (await exchange.fetch_positions())[0]
        assert (position["side"], position["contracts"], position["leverage"]) == ("short", 0.02, 7)
        await exchange.create_order("BTC/USDT:USDT", "market", "buy", 0.02, params={"reduceOnly": True})
        assert await exchange.fetch_positions() == []
        assert sum(trade["amount"] for trade in await exchange.fetch_my_trades("BTC/USDT:USDT")) == pytest.approx(0.04)
        assert [row["type"] for row in await exchange.fetch_ledger()] == ["transaction", "trade", "trade"]
        with pytest.raises(ccxt.InsufficientFunds):
            await exchange.create_order("BTC/USDT:USDT", "market", "buy", 90)
        with pytest.raises(ccxt.OrderNotFound):
            await exchange.cancel_order(resting["id"], "BTC/USDT:USDT")
        await exchange.set_position_mode(True, "BTC/USDT:USDT")
        for index, side in ((1, "buy"), (2, "sell")):
            await exchange.create_order("BTC/USDT:USDT", "market", side, 0.01 * index, params={"positionIdx": index})
        legs = await exchange.fetch_positions(["BTC/USDT:USDT"])
        assert [(leg["side"], leg["contracts"]) for leg in legs] == [("long", 0.01), ("short", 0.02)]
    finally:
        await exchange.close()


def test_pybit_sees_the_venues_refusals(url: str) -> None:
    http = HTTP(testnet=False, api_key="sandbox-pybit2", api_secret="wrong", retry_codes={-1})
    http.endpoint = url
    try:
        with pytest.raises(InvalidRequestError) as refused:
            http.get_account_info()
        assert refused.value.status_code == 10004
        with pytest.raises(FailedRequestError) as missing:
            http._submit_request(method="GET", path=f"{url}/v5/account/info", query={})
        assert missing.value.status_code == 401
    finally:
        http.client.close()


@pytest.mark.parametrize(
    ("headers", "code", "words"),
    [
        ({"api_key": "someone-elses"}, 10003, "API key is invalid."),
        ({"api_key": "sandbox-"}, 10003, "API key is invalid."),
        ({"sign": "0" * 64}, 10004, "error sign! origin_string["),
        ({"sign": ""}, 10001, "openapi sign params error!"),
        ({"timestamp": "-5001"}, 10002, "recv_window[5000]"),
        ({"timestamp": "+1500"}, 10002, "req_timestamp["),
        ({"timestamp": "-5001", "recv_window": "60000"}, 0, "OK"),
        ({"timestamp": "soon"}, 10001, "timestamp"),
    ],
)
def test_credentials_are_checked_as_the_venue_does(client: Client, headers: dict[str, str], code: int, words: str) -> None:
    if headers.get("timestamp", "")[:1] in ("-", "+") and headers["timestamp"] != "":
        headers = headers | {"timestamp": str(now_ms() + int(headers["timestamp"]))}

    answer = client.get("/v5/account/info", **headers)

    assert answer.status_code == 200
    assert answer.json()["retCode"] == code
    assert words in answer.json()["retMsg"]


def test_a_private_path_without_credentials_answers_401(client: Client) -> None:
    answer = httpx.get(f"{client.url}/v5/account/info")

    assert (answer.status_code, answer.json()["retCode"]) == (401, 10003)


def test_the_signature_covers_the_raw_query_and_body(client: Client) -> None:
    assert client.get("/v5/position/list", "settleCoin=USDT&category=linear&cursor=last%3DAAA").json()["retCode"] == 0
    body = json.dumps({**BTC, "orderId": "x"})
    headers = client.signed_headers(body, {})

    tampered = httpx.post(f"{client.url}/v5/order/cancel", content=body.replace("x", "y"), headers=headers)

    assert tampered.json()["retCode"] == 10004


def test_private_answers_carry_the_budget(client: Client) -> None:
    answer = client.get("/v5/account/info")

    assert answer.headers["X-Bapi-Limit"] == "50"
    assert int(answer.headers["X-Bapi-Limit-Status"]) in range(50)
    assert abs(int(answer.headers["X-Bapi-Limit-Reset-Timestamp"]) - now_ms()) < 5000
    assert "X-Bapi-Limit" not in client.get("/v5/market/time").headers


def test_unknown_paths_and_own_faults_answer_in_the_envelope(client: Client, caplog: pytest.LogCaptureFixture) -> None:
    unknown, wrong_verb, broken = client.get("/v5/nowhere"), client.get("/v5/order/create"), client.get("/broken")

    assert [(answer.status_code, answer.json()["retCode"]) for answer in (unknown, wrong_verb)] == [(404, 10017)] * 2
    assert (broken.status_code, broken.json()["retCode"]) == (200, 10016)
    assert "ZeroDivisionError" in caplog.text
    assert client.get("/v5/market/time").json()["retCode"] == 0


def test_settings_that_are_not_ours_are_refused(client: Client) -> None:
    isolated = {**BTC, "tradeMode": 1, "buyLeverage": "5", "sellLeverage": "5"}

    assert client.refusal("/v5/position/switch-isolated", isolated) == (100028, "unified account is forbidden")
    assert client.refusal("/v5/position/trading-stop", {**BTC, "takeProfit": "1"}) == (10001, "can not set tp/sl/ts for zero position")
    client.order(**MARKET_BUY)
    assert client.refusal("/v5/position/trading-stop", {**BTC, "takeProfit": "1"})[0] == 110032


def test_price_limits_are_where_orders_begin_to_be_refused(client: Client) -> None:
    limits = client.get("/v5/market/price-limit", "category=linear&symbol=BTCUSDT").json()["result"]
    highest, lowest = Decimal(limits["buyLmt"]), Decimal(limits["sellLmt"])

    assert lowest < Decimal(price_of(client, "1")) < highest
    assert client.refusal("/v5/order/create", {**LIMIT_BUY, "price": str(highest + 500)})[0] == 110003
    assert client.refusal("/v5/order/create", {**LIMIT_BUY, "side": "Sell", "price": str(lowest - 500)})[0] == 110003
    assert client.refusal("/v5/order/create", {**LIMIT_BUY, "price": str(highest - 500)})[0] == 0


def test_the_wallet_is_told_coin_by_coin(client: Client) -> None:
    client.order(**MARKET_BUY)
    path = "/v5/asset/transfer/query-account-coins-balance"
    wallet = client.rows("/v5/account/wallet-balance", "accountType=UNIFIED")[0]
    (usdt, bitcoin) = client.get(path, "accountType=UNIFIED&coin=USDT,BTC").json()["result"]["balance"]

    assert Decimal(usdt["walletBalance"]) == Decimal(wallet["totalWalletBalance"])
    assert 0 < Decimal(usdt["transferBalance"]) < Decimal(usdt["walletBalance"])
    assert (bitcoin["coin"], bitcoin["walletBalance"]) == ("BTC", "0")
    single = client.get("/v5/asset/transfer/query-account-coin-balance", "accountType=UNIFIED&coin=USDT").json()["result"]
    assert single["balance"]["walletBalance"] == usdt["walletBalance"]
    assert Decimal(client.get(path, "accountType=FUND").json()["result"]["balance"][0]["walletBalance"]) == 0
    assert client.get(path, "accountType=UNIFIED&coin=NOPE").json()["retCode"] == 10001


def test_candles_follow_the_venues_page_rules(client: Client) -> None:
    hour = 3_600_000
    start = (now_ms() // hour - 50) * hour
    query = "category=linear&symbol=BTCUSDT"

    def opens(parameters: str) -> list[int]:
        return [int(row[0]) for row in client.rows("/v5/market/kline", f"{query}&{parameters}")]

    assert opens(f"interval=60&start={start}&limit=3") == [start + 2 * hour, start + hour, start]
    assert opens(f"interval=60&start={start}&end={start + 9 * hour}&limit=2") == [start + 9 * hour, start + 8 * hour]
    assert opens(f"interval=60&end={start}&limit=2") == [start, start - hour]
    assert len(opens("interval=1")) == 200
    assert all(time.gmtime(at_ms / 1000).tm_wday == 0 for at_ms in opens("interval=W&limit=5"))
    assert all(time.gmtime(at_ms / 1000).tm_mday == 1 for at_ms in opens("interval=M&limit=5"))
    assert [len(row) for row in client.rows("/v5/market/mark-price-kline", f"{query}&interval=5&limit=2")] == [5, 5]
    assert client.get("/v5/market/kline", f"{query}&interval=7").json()["retCode"] == 10001
    assert client.get("/v5/market/kline", "symbol=NOSUCHUSDT&interval=5").json()["retMsg"] == "Not supported symbols"


def test_other_categories_are_empty_and_unknown_ones_illegal(client: Client) -> None:
    for category in ("spot", "inverse", "option"):
        for path in ("/v5/market/instruments-info", "/v5/market/tickers", "/v5/position/list", "/v5/order/realtime", "/v5/execution/list"):
            assert client.rows(path, f"category={category}") == []
    assert client.get("/v5/market/tickers", "category=futures").json()["retMsg"] == "Illegal category"
    assert client.rows("/v5/market/instruments-info", "category=linear&status=PreLaunch") == []
    assert [row["symbol"] for row in client.rows("/v5/market/instruments-info", "category=linear&baseCoin=ETH")] == ["ETHUSDT"]
