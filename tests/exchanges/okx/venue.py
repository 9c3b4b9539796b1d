"""A local HTTP server that records what arrives, byte for byte, and answers what a test scripted. It knows nothing of our code."""

import asyncio
import base64
import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiohttp import web

from exchanges.adapters.okx.exchange import OkxExchange
from exchanges.domain import Environment, ExchangeConfig, ExchangeType
from exchanges.endpoints import Endpoints
from exchanges.transport import Transport
from exchanges.venue import VenueContext

KEY, SECRET, PASSPHRASE = "key-of-the-test", "secret-of-the-test", "passphrase-of-the-test"
PAYLOADS = Path(__file__).parent / "payloads"


def payload(name: str) -> Any:
    return json.loads((PAYLOADS / f"{name}.json").read_text())


def envelope(*rows: Any, code: str = "0", msg: str = "") -> dict[str, Any]:
    return {"code": code, "msg": msg, "data": list(rows)}


@dataclass(frozen=True)
class Request:
    method: str
    target: str
    headers: dict[str, str]
    body: str

    @property
    def path(self) -> str:
        return self.target.partition("?")[0]

    @property
    def query(self) -> dict[str, str]:
        pairs = self.target.partition("?")[2]
        return dict(pair.split("=", 1) for pair in pairs.split("&")) if pairs else {}

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    def signature_by(self, secret: str) -> str:
        text = self.headers["OK-ACCESS-TIMESTAMP"] + self.method + self.target + self.body
        return base64.b64encode(hmac.new(secret.encode(), text.encode(), hashlib.sha256).digest()).decode()


@dataclass(frozen=True)
class Raw:
    """An answer that is no envelope."""

    body: str = ""
    status: int = 200
    content_type: str = "text/html"
    headers: dict[str, str] = field(default_factory=dict)


RESET = object()
HANG = object()
Answer = Any


@dataclass
class RecordingVenue:
    """`script` answers by path: a list is used up in order (its last stays), a function gets the request, anything else is the answer."""

    requests: list[Request] = field(default_factory=list)
    script: dict[str, Answer] = field(default_factory=dict)
    url: str = ""

    def sent_to(self, path: str, method: str | None = None) -> list[Request]:
        return [request for request in self.requests if request.path.endswith(path) and method in (None, request.method)]

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        seen = Request(request.method, request.raw_path, dict(request.headers), (await request.read()).decode())
        self.requests.append(seen)
        answer = self._answer(seen)
        if answer is RESET:
            assert request.transport is not None
            request.transport.close()
            return web.Response()
        if answer is HANG:
            await asyncio.sleep(60)
        if isinstance(answer, Raw):
            return web.Response(body=answer.body.encode(), status=answer.status, content_type=answer.content_type, headers=answer.headers)
        return web.json_response(answer)

    def _answer(self, request: Request) -> Answer:
        for key in (f"{request.method} {request.path}", request.path):
            if key not in self.script:
                continue
            answer = self.script[key]
            if isinstance(answer, Callable):  # type: ignore[arg-type]
                return answer(request)
            if isinstance(answer, list):
                return answer.pop(0) if len(answer) > 1 else answer[0]
            return answer
        return envelope()


@asynccontextmanager
async def recording_venue() -> AsyncIterator[RecordingVenue]:
    venue = RecordingVenue()
    server = web.Server(venue.handle)
    runner = web.ServerRunner(server, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    venue.url = f"http://{host}:{port}"
    try:
        yield venue
    finally:
        await runner.cleanup()


def config() -> ExchangeConfig:
    return ExchangeConfig.model_validate(
        {
            "exchange_type": ExchangeType.OKX,
            "api_key": KEY,
            "api_secret": SECRET,
            "passphrase": PASSPHRASE,
            "environment": Environment.SANDBOX,
        }
    )


@asynccontextmanager
async def exchange_at(venue: RecordingVenue, *, is_paper: bool = False) -> AsyncIterator[OkxExchange]:
    transport = Transport()
    venue.script.setdefault("/api/v5/public/instruments", payload("instruments"))
    try:
        yield OkxExchange(config(), VenueContext(Endpoints(venue.url, is_paper=is_paper), transport))
    finally:
        await transport.aclose()
