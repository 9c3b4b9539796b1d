"""From HTTP to a handler and back: credentials, parameters, the V5 envelope, rate-limit headers, and refusals as answers.

Handlers are plain functions of a Call. What they raise that is no refusal becomes the venue's internal error and a traceback in our log.
"""

import json
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from aiohttp import web

from exchanges.sandbox.bybit.auth import authenticate
from exchanges.sandbox.bybit.errors import VenueError, from_refused, illegal_category, internal_error, route_not_found
from exchanges.sandbox.bybit.params import Params
from exchanges.sandbox.engine import Engine
from exchanges.sandbox.keys import account_behind
from exchanges.sandbox.model import Account, Refused, Venue

logger = logging.getLogger(__name__)

CATEGORIES = ("linear", "inverse", "spot", "option")


@dataclass(frozen=True, slots=True)
class Reply:
    """A success: `result` and, for batches, what goes into retExtInfo."""

    result: Mapping[str, object]
    extra: Mapping[str, object] = field(default_factory=dict)
    message: str = "OK"


@dataclass(frozen=True, slots=True)
class Call:
    """One request, understood and allowed. `name` is the key's, "" on public paths; `wall_ms` is the clock of signatures."""

    engine: Engine
    params: Params
    wall_ms: int
    name: str

    @property
    def account(self) -> Account:
        return self.engine.account(Venue.BYBIT, account_behind(self.name))

    def category(self, default: str = "") -> str:
        category = self.params.text("category", default)
        if category not in CATEGORIES:
            raise illegal_category()
        return category

    def is_listed(self) -> bool:
        """False for the product types in which this venue lists nothing: their lists are empty."""
        return self.category() == "linear"


Handler = Callable[[Call], Reply]


@dataclass(frozen=True, slots=True)
class Route:
    """`per_second` is the venue's budget per account and path; None means public, without a signature."""

    method: str
    path: str
    handler: Handler
    per_second: int | None = None


class Gateway:
    """Serves routes from one engine. Remembers what each account used of its budgets in the present second."""

    def __init__(self, engine: Engine, wall_clock_ms: Callable[[], int]) -> None:
        self._engine = engine
        self._wall_clock_ms = wall_clock_ms
        self._used: dict[tuple[str, str], tuple[int, int]] = {}

    def definition(self, route: Route) -> web.RouteDef:
        return web.route(route.method, route.path, self._serving(route))

    def not_found(self) -> web.RouteDef:
        async def answer(request: web.Request) -> web.Response:
            return self._refusal(route_not_found(), {})

        return web.route("*", "/{unknown:.*}", answer)

    def _serving(self, route: Route) -> Callable[[web.Request], Awaitable[web.Response]]:
        async def serve(request: web.Request) -> web.Response:
            body = await request.read()
            headers: dict[str, str] = {}
            try:
                name = ""
                if route.per_second is not None:
                    payload = body if route.method == "POST" else request.raw_path.partition("?")[2].encode()
                    name = authenticate(request.headers, payload, self._wall_clock_ms())
                    headers = self._budget_headers(name, route.path, route.per_second)
                call = Call(self._engine, _params(route.method, request, body), self._wall_clock_ms(), name)
                reply = route.handler(call)
                return self._envelope(0, reply.message, reply.result, reply.extra, headers)
            except VenueError as refused:
                return self._refusal(refused, headers)
            except Refused as refused:
                return self._refusal(from_refused(refused), headers)
            except Exception:
                logger.exception("bybit %s %s failed", route.method, route.path)
                return self._refusal(internal_error(), headers)

        return serve

    def _refusal(self, refused: VenueError, headers: Mapping[str, str]) -> web.Response:
        return self._envelope(refused.code, refused.message, refused.result, {}, headers, refused.status)

    def _envelope(
        self,
        code: int,
        message: str,
        result: Mapping[str, object],
        extra: Mapping[str, object],
        headers: Mapping[str, str],
        status: int = 200,
    ) -> web.Response:
        envelope = {"retCode": code, "retMsg": message, "result": result, "retExtInfo": extra, "time": self._wall_clock_ms()}
        body = json.dumps(envelope, separators=(",", ":")).encode()
        return web.Response(body=body, status=status, headers=headers, content_type="application/json", charset="utf-8")

    def _budget_headers(self, name: str, path: str, per_second: int) -> dict[str, str]:
        now_ms = self._wall_clock_ms()
        second, used = self._used.get((name, path), (0, 0))
        used = used + 1 if second == now_ms // 1000 else 1
        self._used[name, path] = (now_ms // 1000, used)
        is_spent = used > per_second
        return {
            "X-Bapi-Limit": str(per_second),
            "X-Bapi-Limit-Status": str(max(per_second - used, 0)),
            "X-Bapi-Limit-Reset-Timestamp": str((now_ms // 1000 + 1) * 1000 if is_spent else now_ms),
        }


def _params(method: str, request: web.Request, body: bytes) -> Params:
    if method == "GET":
        return Params(dict(request.query))
    try:
        values = json.loads(body, parse_float=Decimal)
    except (ValueError, RecursionError) as error:
        raise VenueError(10001, "Request parameter error.") from error
    if not isinstance(values, dict):
        raise VenueError(10001, "Request parameter error.")
    return Params(values)
