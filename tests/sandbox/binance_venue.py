"""A Binance USD-M venue of the sandbox served in-process on a free port, and a client that signs by hand: a test can sign wrongly."""

import hashlib
import hmac
import json
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

import aiohttp
from aiohttp import web
from yarl import URL

from exchanges.sandbox.binance import routes
from exchanges.sandbox.engine import Engine
from exchanges.sandbox.ledger import Ledger
from exchanges.sandbox.model import Venue

BTC = "BTCUSDT"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


class Clock:
    """The wall clock, which a test may set forward or stop."""

    def __init__(self) -> None:
        self.ahead_ms = 0
        self._stopped_ms: int | None = None

    def __call__(self) -> int:
        return (time.time_ns() // 1_000_000 if self._stopped_ms is None else self._stopped_ms) + self.ahead_ms

    def stop_within_minute(self) -> None:
        """Where no window of seconds or minutes ends."""
        now_ms = self()
        self._stopped_ms = now_ms - now_ms % 60_000 + 32_500


@dataclass
class Answer:
    status: int
    body: Any
    headers: Mapping[str, str]

    @property
    def refusal(self) -> tuple[int, int]:
        """HTTP status and the venue's code."""
        return self.status, self.body["code"]


@dataclass
class Client:
    """One account. GET sends its parameters in the query, the other verbs in the form body, as python-binance does."""

    http: aiohttp.ClientSession
    base: str
    clock: Clock
    name: str = "tester"

    @property
    def key(self) -> str:
        return f"sandbox-{self.name}"

    def signature(self, text: str) -> str:
        return hmac.new(f"{self.key}-secret".encode(), text.encode(), hashlib.sha256).hexdigest()

    async def public(self, path: str, **parameters: object) -> Answer:
        return await self.send("GET", path, query=urlencode(parameters))

    async def signed(self, method: str, path: str, **parameters: object) -> Answer:
        text = urlencode({"timestamp": self.clock(), **parameters})
        text += f"&signature={self.signature(text)}"
        in_query = method == "GET"
        return await self.send(method, path, query=text if in_query else "", body="" if in_query else text, key=self.key)

    async def get(self, path: str, **parameters: object) -> Answer:
        return await self.signed("GET", path, **parameters)

    async def post(self, path: str, **parameters: object) -> Answer:
        return await self.signed("POST", path, **parameters)

    async def delete(self, path: str, **parameters: object) -> Answer:
        return await self.signed("DELETE", path, **parameters)

    async def hedge(self) -> None:
        """Into hedge mode."""
        assert (await self.post("/fapi/v1/positionSide/dual", dualSidePosition="true")).status == 200

    async def isolate(self, symbol: str = BTC) -> None:
        assert (await self.post("/fapi/v1/marginType", symbol=symbol, marginType="ISOLATED")).status == 200

    async def order(self, **fields: object) -> Answer:
        """A buy of 0.010 BTC at market with the result, but for what is given; None takes a field away."""
        order = {"symbol": BTC, "side": "BUY", "type": "MARKET", "quantity": "0.010", "newOrderRespType": "RESULT", **fields}
        return await self.post("/fapi/v1/order", **{name: value for name, value in order.items() if value is not None})

    async def send(self, method: str, path: str, *, query: str = "", body: str = "", key: str | None = None) -> Answer:
        url = URL(f"{self.base}{path}" + (f"?{query}" if query else ""), encoded=True)
        headers = {**(FORM if body else {}), **({} if key is None else {"X-MBX-APIKEY": key})}
        async with self.http.request(method, url, data=body.encode() or None, headers=headers) as response:
            return Answer(response.status, json.loads(await response.text()), response.headers)


@dataclass
class Served:
    base: str
    clock: Clock
    engine: Engine
    http: aiohttp.ClientSession

    def client(self, name: str = "tester") -> Client:
        return Client(self.http, self.base, self.clock, name)

    def shock(self, ratio: str, symbol: str = BTC) -> None:
        """Moves the price at once and the clock to when it holds."""
        self.clock.ahead_ms += self.engine.shock(symbol, Decimal(ratio)) - self.clock()

    def price(self, factor: str, symbol: str = BTC) -> str:
        """The mark times a factor, on the tick."""
        listing = self.engine.listing(Venue.BINANCE, symbol)
        price = self.engine.mark(Venue.BINANCE, symbol) * Decimal(factor)
        return f"{price - price % listing.tick:f}"


@asynccontextmanager
async def serve_binance(*, speed: int = 1) -> AsyncIterator[Served]:
    """The venue under its prefix, as the sandbox mounts it."""
    clock = Clock()
    engine = Engine(seed=7, ledger=Ledger(None), now_ms=clock, speed=speed)
    dialect, app = web.Application(), web.Application()
    dialect.add_routes(routes(engine, clock))
    app.add_subapp("/binance", dialect)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        async with aiohttp.ClientSession() as http:
            yield Served(f"http://127.0.0.1:{runner.addresses[0][1]}/binance", clock, engine, http)
    finally:
        await runner.cleanup()
