"""A local HTTP server that writes down every request as it came and answers what the test told it to."""

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aiohttp import web
from multidict import CIMultiDictProxy

PAYLOADS = Path(__file__).parent / "payloads"

Answer = dict[str, Any] | web.Response | Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


def payload(name: str) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((PAYLOADS / f"{name}.json").read_text())
    return loaded


def result(**fields: Any) -> dict[str, Any]:
    return {"retCode": 0, "retMsg": "OK", "result": fields, "retExtInfo": {}, "time": 1795500000123}


def refusal(code: Any, message: Any = "no") -> bytes:
    return json.dumps({"retCode": code, "retMsg": message, "result": {}, "retExtInfo": {}, "time": 1}).encode()


@dataclass(frozen=True)
class Request:
    method: str
    target: str
    body: str
    headers: CIMultiDictProxy[str]

    @property
    def path(self) -> str:
        return self.target.partition("?")[0]

    @property
    def line(self) -> tuple[str, str, str]:
        return self.method, self.target, self.body


class RecordingVenue:
    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.url = ""
        self._answers: dict[str, list[Answer]] = {}
        self._runner: web.ServerRunner | None = None

    def answer(self, path: str, *answers: Answer) -> None:
        """What `path` answers, one after the other; the last one stays. A path without an answer succeeds with an empty list."""
        self._answers[path] = list(answers)

    def lines(self, *, without: tuple[str, ...] = ("/v5/market/instruments-info",)) -> list[tuple[str, str, str]]:
        return [request.line for request in self.requests if request.path not in without]

    async def start(self) -> None:
        self._runner = web.ServerRunner(web.Server(self._handle))
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.url = site.name

    async def stop(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        body = (await request.read()).decode()
        self.requests.append(Request(request.method, request.raw_path, body, request.headers))
        queue = self._answers.get(request.path, [result(list=[], nextPageCursor="", category="linear")])
        answer = queue.pop(0) if len(queue) > 1 else queue[0]
        if isinstance(answer, web.Response):
            return web.Response(status=answer.status, headers=answer.headers, body=answer.body)
        if isinstance(answer, dict):
            return web.json_response(answer)
        response: web.StreamResponse = await answer(request)
        return response


async def hang_up(request: web.BaseRequest) -> web.StreamResponse:
    """The request arrived, the connection dies, no answer."""
    assert request.transport is not None
    request.transport.abort()
    return web.Response()
