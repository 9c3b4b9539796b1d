"""Requests that no sane client sends: each venue refuses them in its own words, and none of them makes it fail."""

import asyncio
import json
from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path
from urllib.parse import urlencode

import aiohttp
import pytest
from yarl import URL

from exchanges.sandbox.model import Leg, MarginMode
from tests.sandbox.binance_wire import BinanceWire
from tests.sandbox.bybit_venue import now_ms
from tests.sandbox.bybit_wire import BybitWire
from tests.sandbox.conservation import Venues
from tests.sandbox.okx_wire import OkxWire
from tests.sandbox.wires import Order

LONG_NUMBER = "9" * 5_000  # more digits than Python turns into an integer
DEEP = "[" * 100_000
HALF_A_PAIR = "\ud800"
SWAP = {"instId": "BTC-USDT-SWAP", "tdMode": "cross", "side": "buy", "ordType": "market", "sz": "1"}
PEPE = {**SWAP, "instId": "PEPE-USDT-SWAP", "ordType": "limit"}


@pytest.fixture
async def venues(tmp_path: Path) -> AsyncIterator[Venues]:
    venues = Venues(tmp_path / "ledger.jsonl")
    await venues.start()
    yield venues
    await venues.stop()


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


@pytest.mark.parametrize(
    ("method", "path", "fields", "code"),
    [
        ("GET", "/fapi/v1/order", {"origClientOrderId": f"web_{LONG_NUMBER}"}, -2013),
        ("DELETE", "/fapi/v1/order", {"origClientOrderId": f"web_{LONG_NUMBER}"}, -2011),
        ("DELETE", "/fapi/v1/batchOrders", {"orderIdList": DEEP}, -1102),
        ("POST", "/fapi/v1/batchOrders", {"batchOrders": DEEP}, -1102),
        ("POST", "/fapi/v1/batchOrders", {"batchOrders": '[{"quantity":1e999999999}]'}, -1102),
        ("GET", "/fapi/v1/klines", {"interval": "1M", "startTime": "9" * 19}, None),
    ],
)
async def test_binance(
    venues: Venues, http: aiohttp.ClientSession, method: str, path: str, fields: dict[str, str], code: int | None
) -> None:
    answer = await BinanceWire(http, f"{venues.url}/binance", "someone").client.signed(method, path, symbol="BTCUSDT", **fields)
    assert (answer.status, answer.body) == (200, []) if code is None else answer.refusal == (400, code)


async def test_binance_judges_each_number_of_a_batch(venues: Venues, http: aiohttp.ClientSession) -> None:
    client = BinanceWire(http, f"{venues.url}/binance", "someone").client
    answer = await client.signed("DELETE", "/fapi/v1/batchOrders", symbol="BTCUSDT", orderIdList=f'["{LONG_NUMBER}", "7", 8, "-9"]')
    assert [each["code"] for each in answer.body] == [-1102, -2011, -2011, -2011]


@pytest.mark.parametrize("body", [DEEP, '{"category":' * 50_000, "", "null", "[]", '{"positionIdx":' + LONG_NUMBER + "}"])
async def test_bybit_refuses_bodies_that_are_no_requests(venues: Venues, http: aiohttp.ClientSession, body: str) -> None:
    answer = await BybitWire(http, f"{venues.url}/bybit", "someone").send("POST", "/v5/order/create", "", body)
    assert (answer["retCode"], answer["retMsg"]) == (10001, "Request parameter error.")


async def test_bybit_refuses_a_cursor_that_is_none(venues: Venues, http: aiohttp.ClientSession) -> None:
    wire = BybitWire(http, f"{venues.url}/bybit", "someone")
    order = Order("BTC", True, Decimal("0.01"), None, Leg.NET, MarginMode.CROSS, reduce_only=False)
    assert await wire.order(order)
    query = urlencode({"category": "linear", "cursor": f"page_token={LONG_NUMBER}"})
    answer = await wire.send("GET", "/v5/order/history", query, "")
    assert (answer["retCode"], answer["retMsg"]) == (10001, "params error: cursor invalid")


@pytest.mark.parametrize("interval", ["1", "D", "W", "M"])
async def test_bybit_has_no_candles_before_the_calendar(venues: Venues, http: aiohttp.ClientSession, interval: str) -> None:
    query = urlencode({"category": "linear", "symbol": "BTCUSDT", "interval": interval, "end": f"-{'9' * 18}"})
    answer = await BybitWire(http, f"{venues.url}/bybit", "someone").send("GET", "/v5/market/kline", query, "")
    assert (answer["retCode"], answer["result"].get("list")) == (0, [])


async def test_bybit_refuses_a_signature_that_is_no_text(venues: Venues) -> None:
    sent = [
        b"GET /bybit/v5/account/info HTTP/1.1",
        b"Host: sandbox",
        b"Connection: close",
        b"X-BAPI-API-KEY: sandbox-someone",
        b"X-BAPI-TIMESTAMP: %d" % now_ms(),
        b"X-BAPI-SIGN: \xff",
    ]
    reader, writer = await asyncio.open_connection("127.0.0.1", URL(venues.url).port)
    writer.write(b"\r\n".join([*sent, b"", b""]))
    answer = await asyncio.wait_for(reader.read(), 10)
    writer.close()
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["retCode"] == 10004


@pytest.mark.parametrize(
    ("path", "body", "code"),
    [
        ("trade/order", {**PEPE, "px": "9" * 20}, "51000"),
        ("trade/order", {**PEPE, "px": "1e20"}, "51000"),
        ("trade/order", {**SWAP, "sz": "1_0"}, "51000"),  # would be ten to Python
        ("trade/order", {**SWAP, "sz": "\u0663"}, "51000"),
        ("trade/order", {**SWAP, "clOrdId": HALF_A_PAIR}, "51000"),
        ("account/position/margin-balance", {"instId": "BTC-USDT-SWAP", "posSide": "net", "type": "add", "amt": "9" * 21}, "51000"),
        ("account/position/margin-balance", {"instId": "BTC-USDT-SWAP", "posSide": "net", "type": "reduce", "amt": "1e20"}, "51000"),
    ],
)
async def test_okx(venues: Venues, http: aiohttp.ClientSession, path: str, body: dict[str, str], code: str) -> None:
    answer = await OkxWire(http, f"{venues.url}/okx", "someone").client.post(f"/api/v5/{path}", body)
    assert code == (answer.row["sCode"] if answer.data else answer.code)


async def test_okx_tells_of_the_orders_that_it_took_beside_what_cannot_be_written(venues: Venues, http: aiohttp.ClientSession) -> None:
    client = OkxWire(http, f"{venues.url}/okx", "someone").client
    answer = await client.post("/api/v5/trade/batch-orders", [SWAP, {**SWAP, "tag": HALF_A_PAIR}])
    assert [(answer.code, row["sCode"], row["tag"]) for row in answer.data] == [("2", "0", ""), ("2", "51000", "?")]
    assert len((await client.get("/api/v5/trade/orders-history", instType="SWAP")).data) == 1


def test_the_numbers_are_as_long_as_they_have_to_be() -> None:
    with pytest.raises(ValueError, match="digits"):
        int(LONG_NUMBER)
    with pytest.raises(RecursionError):
        json.loads(DEEP)
