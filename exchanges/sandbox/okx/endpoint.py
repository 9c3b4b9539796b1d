"""From an HTTP request to a handler's call, and from its answer to the venue's envelope {"code", "data", "msg"}.

Handlers are plain functions: they see a call, answer rows or a Reply, and refuse by raising. Nothing here knows an endpoint.
"""

import json
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from aiohttp import web

from exchanges.sandbox.engine import Engine
from exchanges.sandbox.keys import account_behind
from exchanges.sandbox.model import Account, Listing, Refused, Venue
from exchanges.sandbox.okx import auth
from exchanges.sandbox.okx.errors import BAD_CONTENT_TYPE, BAD_JSON, BAD_METHOD, SYSTEM_ERROR, Refusal, Rejected, invalid, of_reason
from exchanges.sandbox.okx.parameters import Parameters, from_body

logger = logging.getLogger(__name__)

Row = dict[str, object]
WebHandler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True)
class Reply:
    """Rows that carry their own verdict: code "1" where every item failed, "2" where some did."""

    data: list[Row]
    code: str = "0"
    message: str = ""


@dataclass(frozen=True, slots=True)
class PublicCall:
    """`wall_ms` is the clock that signatures are checked against; the engine has its own, which may run faster."""

    engine: Engine
    parameters: Parameters
    wall_ms: int

    @property
    def listing(self) -> Listing:
        """The instrument named by instId, which is mandatory."""
        return self.engine.listing_by_venue_symbol(Venue.OKX, self.parameters.required("instId"))


@dataclass(frozen=True, slots=True)
class PrivateCall(PublicCall):
    """`key_name` is that of the key; `items` are the orders of a batch endpoint; `expires_ms` is the deadline that the client set
    in the expTime header."""

    account: Account
    key_name: str
    items: list[Parameters]
    expires_ms: int | None

    @property
    def is_expired(self) -> bool:
        return self.expires_ms is not None and self.expires_ms < self.wall_ms


PublicHandler = Callable[[PublicCall], list[Row] | list[list[str]]]
PrivateHandler = Callable[[PrivateCall], list[Row]]
TradeHandler = Callable[[PrivateCall], Reply]


class Endpoints:
    """Binds handlers to paths, the engine and the clock."""

    def __init__(self, engine: Engine, wall_clock_ms: Callable[[], int]) -> None:
        self._engine = engine
        self._wall_clock_ms = wall_clock_ms

    def public(self, path: str, handler: PublicHandler) -> web.RouteDef:
        async def serve(request: web.Request) -> web.StreamResponse:
            call = PublicCall(self._engine, Parameters(request.query), self._wall_clock_ms())
            return envelope(handler(call))

        return web.get(path, guarded(serve), allow_head=False)

    def read(self, path: str, handler: PrivateHandler) -> web.RouteDef:
        async def serve(request: web.Request) -> web.StreamResponse:
            return envelope(handler(await self._private_call(request)))

        return web.get(path, guarded(serve), allow_head=False)

    def write(self, path: str, handler: PrivateHandler) -> web.RouteDef:
        async def serve(request: web.Request) -> web.StreamResponse:
            return envelope(handler(await self._private_call(request)))

        return web.post(path, guarded(serve))

    def trade(self, path: str, handler: TradeHandler, *, batch: bool = False) -> web.RouteDef:
        """Order endpoints judge every item and tell when, in microseconds, the gateway took the request in and let the answer out."""

        async def serve(request: web.Request) -> web.StreamResponse:
            arrived_ms = self._wall_clock_ms()
            reply = handler(await self._private_call(request, batch=batch))
            times = {"inTime": f"{arrived_ms}000", "outTime": f"{self._wall_clock_ms()}000"}
            return envelope(reply.data, reply.code, reply.message, times=times)

        return web.post(path, guarded(serve))

    async def _private_call(self, request: web.Request, *, batch: bool = False) -> PrivateCall:
        body = await request.read()
        now_ms = self._wall_clock_ms()
        name = auth.account_name(request.method, request.raw_path, request.headers, body, now_ms=now_ms)
        parameters, items = Parameters(request.query), list[Parameters]()
        if request.method == "POST":
            if request.content_type != "application/json":
                raise Rejected(BAD_CONTENT_TYPE)
            parsed = from_body(body)
            if isinstance(parsed, list) is not batch:
                raise Rejected(BAD_JSON)
            if isinstance(parsed, list):
                items = parsed
            else:
                parameters = parsed
        account = self._engine.account(Venue.OKX, account_behind(name))
        return PrivateCall(self._engine, parameters, now_ms, account, name, items, _deadline(request.headers.get("expTime", "")))


def unrouted(known_paths: frozenset[str]) -> web.RouteDef:
    """Whatever no endpoint took: a known path asked with the wrong verb, or a path that does not exist."""

    async def serve(request: web.Request) -> web.StreamResponse:
        if f"/{request.match_info['tail']}" in known_paths:
            return refusal(BAD_METHOD)
        return web.json_response({"msg": "Not Found", "code": "404", "data": {}}, status=404)

    return web.route("*", "/{tail:.*}", serve)


def guarded(serve: WebHandler) -> WebHandler:
    """Turns a handler's refusal into the venue's, and a defect of ours into the venue's system error, with its traceback in the log."""

    async def answer(request: web.Request) -> web.StreamResponse:
        try:
            return await serve(request)
        except Rejected as rejected:
            return refusal(rejected.refusal)
        except Refused as refused:
            return refusal(of_reason(refused))
        except web.HTTPException:
            raise
        except Exception:
            logger.exception("%s %s failed", request.method, request.path)
            return refusal(SYSTEM_ERROR)

    return answer


def envelope(
    data: list[Row] | list[list[str]], code: str = "0", message: str = "", *, status: int = 200, times: dict[str, str] | None = None
) -> web.Response:
    """Half of a surrogate pair, which JSON can bring and UTF-8 cannot write, is echoed as "?"."""
    text = json.dumps({"code": code, "data": data, "msg": message, **(times or {})}, separators=(",", ":"), ensure_ascii=False)
    return web.Response(body=text.encode("utf-8", "replace"), status=status, content_type="application/json", charset="utf-8")


def refusal(refused: Refusal) -> web.Response:
    return envelope([], refused.code, refused.message, status=refused.status)


def _deadline(header: str) -> int | None:
    if not header:
        return None
    if not (header.isascii() and header.isdigit() and len(header) <= 20):
        raise invalid("expTime")
    return int(header)
