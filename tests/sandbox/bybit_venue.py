"""A Bybit venue for the tests: the dialect mounted as the server mounts it, on a free port and a loop of its own, and a client that
signs by the documentation alone, so that it can also sign wrongly."""

import asyncio
import hashlib
import hmac
import json
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

import httpx
from aiohttp import web

from exchanges.sandbox.bybit import routes
from exchanges.sandbox.bybit.serving import Call, Gateway, Reply, Route
from exchanges.sandbox.engine import Engine
from exchanges.sandbox.ledger import Ledger

BTC = {"category": "linear", "symbol": "BTCUSDT"}
LIMIT_BUY = {**BTC, "side": "Buy", "orderType": "Limit", "qty": "0.01"}
MARKET_BUY = {**BTC, "side": "Buy", "orderType": "Market", "qty": "0.01"}
CLOSE_ALL = {**BTC, "orderType": "Market", "qty": "0", "reduceOnly": True, "closeOnTrigger": True}


_TRUSTED = ssl.create_default_context()  # once, or every request would load it again, which takes longer than the request


def now_ms() -> int:
    return time.time_ns() // 1_000_000


@contextmanager
def serving(clock: Callable[[], int] = now_ms) -> Iterator[str]:
    """`clock` is the market's; requests are signed by the real time."""
    loop = asyncio.new_event_loop()
    runner = loop.run_until_complete(_started(clock))
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    host, port = runner.addresses[0][:2]
    try:
        yield f"http://{host}:{port}/bybit"
    finally:
        asyncio.run_coroutine_threadsafe(runner.cleanup(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()


async def _started(clock: Callable[[], int]) -> web.AppRunner:
    def broken(call: Call) -> Reply:
        raise ZeroDivisionError

    def shocked(call: Call) -> Reply:
        call.engine.shock("BTCUSDT", Decimal(call.params.required("ratio")))
        return Reply({})

    engine = Engine(seed=7, ledger=Ledger(None), now_ms=clock)
    dialect, app = web.Application(), web.Application()
    ours = (Route("GET", "/broken", broken), Route("POST", "/shocked", shocked))
    dialect.add_routes([*(Gateway(engine, now_ms).definition(route) for route in ours), *routes(engine, now_ms)])
    app.add_subapp("/bybit", dialect)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    return runner


class Client:
    """One account's key. Keyword arguments of `get` and `post` replace the header of that name."""

    def __init__(self, url: str, name: str) -> None:
        self.url, self.key = url, f"sandbox-{name}"

    def get(self, path: str, query: str = "", **headers: str) -> httpx.Response:
        address = f"{self.url}{path}?{query}" if query else f"{self.url}{path}"
        return httpx.get(address, headers=self.signed_headers(query, headers), verify=_TRUSTED)

    def post(self, path: str, body: object, **headers: str) -> httpx.Response:
        text = json.dumps(body)
        signed = self.signed_headers(text, headers) | {"Content-Type": "application/json"}
        return httpx.post(f"{self.url}{path}", content=text, headers=signed, verify=_TRUSTED)

    def rows(self, path: str, query: str) -> list[Any]:
        answer = self.get(path, query).json()
        assert answer["retCode"] == 0, answer
        return list(answer["result"]["list"])

    def refusal(self, path: str, body: object) -> tuple[int, str]:
        answer = self.post(path, body)
        assert answer.status_code == 200
        return answer.json()["retCode"], answer.json()["retMsg"]

    def order(self, **params: object) -> str:
        answer = self.post("/v5/order/create", params).json()
        assert answer["retCode"] == 0, answer
        assert set(answer["result"]) == {"orderId", "orderLinkId"}
        return str(answer["result"]["orderId"])

    def signed_headers(self, payload: str, changed: dict[str, str]) -> dict[str, str]:
        headers = {"X-BAPI-API-KEY": self.key, "X-BAPI-TIMESTAMP": str(now_ms()), "X-BAPI-RECV-WINDOW": "5000"}
        headers |= {f"X-BAPI-{name.replace('_', '-').upper()}": value for name, value in changed.items()}
        signed = headers["X-BAPI-TIMESTAMP"] + headers["X-BAPI-API-KEY"] + headers["X-BAPI-RECV-WINDOW"] + payload
        signature = hmac.new(f"{self.key}-secret".encode(), signed.encode(), hashlib.sha256).hexdigest()
        return {"X-BAPI-SIGN": signature} | headers


HEDGE = {**BTC, "mode": 3}
LONG, SHORT = {"positionIdx": 1}, {"positionIdx": 2}


def hedged(client: Client) -> Client:
    """With BTCUSDT in hedge mode."""
    assert client.refusal("/v5/position/switch-mode", HEDGE) == (0, "OK")
    return client


def isolated(client: Client) -> Client:
    assert client.refusal("/v5/account/set-margin-mode", {"setMarginMode": "ISOLATED_MARGIN"}) == (0, "Request accepted")
    return client


def positions_of(client: Client, query: str = "symbol=BTCUSDT") -> list[Any]:
    return client.rows("/v5/position/list", f"category=linear&{query}")


def usdt_of(client: Client) -> dict[str, Decimal]:
    """The figures of the USDT row that are numbers."""
    (row,) = client.rows("/v5/account/wallet-balance", "accountType=UNIFIED")[0]["coin"]
    return {name: Decimal(value) for name, value in row.items() if isinstance(value, str) and value[-1:].isdigit()}


def price_of(client: Client, share: str) -> str:
    """A BTC price at a share of the last one, on the tick."""
    last = Decimal(client.rows("/v5/market/tickers", "category=linear&symbol=BTCUSDT")[0]["lastPrice"])
    return str((last * Decimal(share)).quantize(Decimal("0.1")))
