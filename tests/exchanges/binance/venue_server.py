"""A local stand-in for the venue's HTTP side: writes down every request as it came and answers what a test says."""

from collections.abc import Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

import orjson
from aiohttp import web
from aiohttp.test_utils import TestServer

from exchanges.adapters.binance.exchange import BinanceExchange
from exchanges.domain import ExchangeConfig, ExchangeType
from exchanges.endpoints import Endpoints
from exchanges.transport import Transport
from exchanges.venue import VenueContext

KEY = "kVcW2nq0000000000000000000000000000000000000000000000000000key"
SECRET = "sR81pz000000000000000000000000000000000000000000000000000secret"
CONFIG = ExchangeConfig(exchange_type=ExchangeType.BINANCE, api_key=KEY, api_secret=SECRET)


@dataclass(frozen=True)
class Recorded:
    method: str
    path: str
    query: str
    body: str
    headers: dict[str, str]

    @property
    def raw_parameters(self) -> list[str]:
        return [pair for pair in (self.query or self.body).split("&") if pair]

    @property
    def parameters(self) -> dict[str, str]:
        return dict(parse_qsl(self.query or self.body, keep_blank_values=True))


@dataclass(frozen=True)
class Answer:
    body: Any
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)


RESET = Answer(None, status=0)
"""The connection is cut after the request was read."""

Script = Callable[[Recorded], Answer] | Answer


class VenueServer:
    def __init__(self) -> None:
        self.requests: list[Recorded] = []
        self._scripts: dict[tuple[str, str], Script] = {}
        app = web.Application()
        app.router.add_route("*", "/{tail:.*}", self._handle)
        self.server = TestServer(app, host="127.0.0.1")

    def on(self, method: str, path: str, answer: object) -> None:
        """Answer `path` with a JSON value, an Answer, or what a function of the request returns."""
        self._scripts[method, path] = answer if isinstance(answer, Answer) or callable(answer) else Answer(answer)

    def asked(self, path: str) -> list[Recorded]:
        return [request for request in self.requests if request.path == path]

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        recorded = Recorded(
            request.method,
            request.rel_url.raw_path,
            request.rel_url.raw_query_string,
            (await request.read()).decode(),
            dict(request.headers),
        )
        self.requests.append(recorded)
        script = self._scripts.get((recorded.method, recorded.path), Answer({"code": -1, "msg": "nothing scripted"}, status=404))
        answer = script(recorded) if callable(script) else script
        if answer is RESET:
            assert request.transport is not None
            request.transport.abort()
            return web.Response()
        body = answer.body if isinstance(answer.body, bytes) else orjson.dumps(answer.body)
        return web.Response(status=answer.status, body=body, headers={"Content-Type": "application/json", **answer.headers})


@dataclass
class Setup:
    server: VenueServer
    venue: VenueContext
    exchange: BinanceExchange


@asynccontextmanager
async def running_venue():
    server = VenueServer()
    await server.server.start_server()
    transport = Transport()
    venue = VenueContext(Endpoints(str(server.server.make_url("")).rstrip("/")), transport)
    try:
        yield Setup(server, venue, BinanceExchange(CONFIG, venue))
    finally:
        await transport.aclose()
        await server.server.close()
