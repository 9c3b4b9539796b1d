"""What happens to requests on their way to a venue: they are counted and, when told so, delayed, lost, or answered by something else.

A fault of stage "before" keeps the request from the venue, one of stage "after" lets the venue act and then takes its answer away:
that is how an outcome becomes unknown. Knows requests and answers as bytes; what they mean is the dialects' business.
"""

import asyncio
from collections import deque
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from aiohttp.typedefs import Handler

from .engine import system_ms
from .keys import account_behind
from .model import Order, Venue

LOGGED = 1_000  # requests remembered per venue
STAGES = ("before", "after")
KINDS = ("status", "reset", "delay", "hang", "body")

_KEY_HEADERS = ("X-MBX-APIKEY", "X-BAPI-API-KEY", "OK-ACCESS-KEY")
_KEY_PREFIX = "sandbox-"
_GONE_POLL_S = 0.05
_created: ContextVar[list[int]] = ContextVar("created")


@dataclass(slots=True)
class Fault:
    """`times` left, None for ever; a `method`, `path` (without the venue's prefix) or `account` of None matches every one."""

    venue: Venue
    stage: str
    action: dict[str, Any]
    method: str | None = None
    path: str | None = None
    account: str | None = None
    times: int | None = None

    def matches(self, method: str, path: str, account: str) -> bool:
        wanted = ((self.method, method), (self.path, path), (self.account, account))
        return self.times != 0 and all(want in (None, is_) for want, is_ in wanted)


@dataclass(slots=True)
class Lane:
    """The way to one venue."""

    is_up: bool = True
    latency_ms: int = 0
    count: int = 0
    recent: deque[dict[str, Any]] = field(default_factory=lambda: deque(maxlen=LOGGED))
    faults: list[Fault] = field(default_factory=list)


class Traffic:
    def __init__(self) -> None:
        self.lanes = {venue: Lane() for venue in Venue}
        self._lane_by_prefix = {venue.value: lane for venue, lane in self.lanes.items()}

    def note_create(self, order: Order) -> None:
        """Told by the engine: the request being handled created this order."""
        _created.get([]).append(order.id)

    @web.middleware
    async def middleware(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        prefix, _, rest = request.path.removeprefix("/").partition("/")
        lane, path, account = self._lane_by_prefix.get(prefix), f"/{rest}", account_of(request)
        if lane is None:
            return await handler(request)
        entry: dict[str, Any] = {"method": request.method, "path": path, "account": account, "time_ms": system_ms(), "creates": []}
        lane.count += 1
        lane.recent.append(entry)
        _created.set(entry["creates"])
        if not lane.is_up:
            return _drop(request)
        if lane.latency_ms:
            await asyncio.sleep(lane.latency_ms / 1000)
        fault = self._due(lane, request.method, path, account)
        if fault is None:
            return await handler(request)
        answer = await handler(request) if fault.stage == "after" else None
        if fault.action["kind"] != "delay":
            return await _instead(fault.action, request)
        await asyncio.sleep(fault.action["ms"] / 1000)
        return await handler(request) if answer is None else answer

    def _due(self, lane: Lane, method: str, path: str, account: str) -> Fault | None:
        fault = next((each for each in lane.faults if each.matches(method, path, account)), None)
        if fault is not None and fault.times is not None:
            fault.times -= 1
        return fault


def account_of(request: web.Request) -> str:
    """The account a request claims to come from, "" if none."""
    key = next((request.headers[name] for name in _KEY_HEADERS if name in request.headers), "")
    return account_behind(key.removeprefix(_KEY_PREFIX))


async def _instead(action: dict[str, Any], request: web.Request) -> web.Response:
    """What the client gets instead of the venue's answer."""
    kind = action["kind"]
    if kind == "reset":
        return _drop(request)
    if kind == "hang":
        while request.transport is not None and not request.transport.is_closing():  # noqa: ASYNC110
            await asyncio.sleep(_GONE_POLL_S)  # aiohttp tells a handler of a lost connection in no other way
        return web.Response(status=408)
    status = action["status"] if kind == "status" else 200
    content_type = action.get("content_type", "application/json")
    headers = {"Content-Type": content_type} | action.get("headers", {})
    return web.Response(status=status, body=action.get("body", "").encode(), headers=headers)


def _drop(request: web.Request) -> web.Response:
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=500)  # nobody is left to read it
