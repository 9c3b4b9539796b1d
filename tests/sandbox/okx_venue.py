"""An OKX venue of the sandbox served in-process on a free port, and a client that signs by hand, so that a test can sign wrongly."""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

import aiohttp
from aiohttp import web
from yarl import URL

from exchanges.sandbox.engine import Engine
from exchanges.sandbox.ledger import Ledger
from exchanges.sandbox.okx import routes

BTC = "BTC-USDT-SWAP"
PEPE = "PEPE-USDT-SWAP"


class Clock:
    """The wall clock, which a test may set forward, or have begin at a moment of its own."""

    def __init__(self, starts_ms: int | None = None) -> None:
        self.ahead_ms = 0 if starts_ms is None else starts_ms - time.time_ns() // 1_000_000

    def __call__(self) -> int:
        return time.time_ns() // 1_000_000 + self.ahead_ms


@dataclass
class Answer:
    status: int
    body: dict[str, Any]

    @property
    def code(self) -> str:
        return str(self.body["code"])

    @property
    def data(self) -> list[Any]:
        return list(self.body["data"])

    @property
    def row(self) -> dict[str, Any]:
        (row,) = self.body["data"]
        return dict(row)

    @property
    def verdict(self) -> tuple[str, str]:
        """The envelope's code and the only item's."""
        return self.code, str(self.row["sCode"])


@dataclass
class Client:
    """Signs like the venue's documentation says. `sign` and `send` may differ in a test of the signature."""

    http: aiohttp.ClientSession
    base: str
    name: str = "tester"
    headers: dict[str, str] = field(default_factory=dict)

    async def get(self, path: str, **parameters: object) -> Answer:
        target = path + ("?" + urlencode(parameters) if parameters else "")
        return await self.send("GET", target, "", self.signed("GET", target, ""))

    async def post(self, path: str, body: object, **headers: str) -> Answer:
        text = json.dumps(body)
        return await self.send("POST", path, text, self.signed("POST", path, text) | headers)

    def signed(self, method: str, target: str, body: str, *, at: str | None = None) -> dict[str, str]:
        timestamp = at or datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
        key = f"sandbox-{self.name}"
        digest = hmac.new(f"{key}-secret".encode(), (timestamp + method + target + body).encode(), hashlib.sha256).digest()
        return {
            "OK-ACCESS-KEY": key,
            "OK-ACCESS-SIGN": base64.b64encode(digest).decode(),
            "OK-ACCESS-TIMESTAMP": timestamp,
            "OK-ACCESS-PASSPHRASE": f"{key}-passphrase",
            "Content-Type": "application/json",
        }

    async def send(self, method: str, target: str, body: str, headers: Mapping[str, str]) -> Answer:
        url = URL(self.base + target, encoded=True)
        async with self.http.request(method, url, data=body.encode() or None, headers=headers) as response:
            return Answer(response.status, json.loads(await response.text()))

    async def order(self, **fields: object) -> Answer:
        """A buy of one contract at market, but for what is given. As python-okx sends it: what is unset is there, and empty."""
        unset = dict.fromkeys(
            ("ccy", "tag", "posSide", "reduceOnly", "tgtCcy", "stpMode", "pxUsd", "pxVol", "banAmend", "clOrdId", "px"), ""
        )
        order = {"instId": BTC, "tdMode": "cross", "side": "buy", "ordType": "market", "sz": "1"}
        return await self.post("/api/v5/trade/order", {**unset, "attachAlgoOrds": None, **order, **fields})

    async def price(self, inst_id: str = BTC) -> float:
        return float((await self.get("/api/v5/market/ticker", instId=inst_id)).row["last"])


@dataclass
class Venue:
    base: str
    clock: Clock
    engine: Engine
    http: aiohttp.ClientSession

    def client(self, name: str = "tester") -> Client:
        return Client(self.http, self.base, name)


@asynccontextmanager
async def serve_okx(starts_ms: int | None = None) -> AsyncIterator[Venue]:
    """The venue under its prefix, as the sandbox mounts it. `starts_ms`: when its market begins, if a test needs prices that it knows."""
    clock = Clock(starts_ms)
    engine = Engine(seed=7, ledger=Ledger(None), now_ms=clock)
    dialect = web.Application()
    dialect.add_routes(routes(engine, Clock()))
    app = web.Application()
    app.add_subapp("/okx", dialect)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    try:
        async with aiohttp.ClientSession() as http:
            yield Venue(f"http://127.0.0.1:{port}/okx", clock, engine, http)
    finally:
        await runner.cleanup()
