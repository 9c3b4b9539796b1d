"""From an HTTP request to a handler's call, and from its answer to the venue's JSON, status and headers.

Handlers are plain functions: they see a Call, return what becomes JSON, and refuse by raising. Nothing here knows what they do.
"""

import json
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace

from aiohttp import web

from exchanges.sandbox.binance import auth, errors
from exchanges.sandbox.binance.listenkeys import ListenKeys
from exchanges.sandbox.binance.params import Params, Sent
from exchanges.sandbox.binance.usage import Usage
from exchanges.sandbox.engine import Engine
from exchanges.sandbox.keys import account_behind
from exchanges.sandbox.model import Account, Listing, Refused, Venue

logger = logging.getLogger(__name__)

VENUE = Venue.BINANCE
_FORM_METHODS = ("POST", "PUT", "DELETE")
Json = Mapping[str, object] | list[object]
Handle = Callable[[web.Request], Awaitable[web.Response]]


@dataclass(frozen=True, slots=True)
class Call:
    """What a handler may know. `wall_ms` is the clock of signatures and `serverTime`; market and account times are the engine's.
    `key_name` is "" on public paths."""

    engine: Engine
    params: Params
    wall_ms: int
    listen_keys: ListenKeys
    key_name: str = ""

    def listing(self) -> Listing:
        return self.engine.listing_by_venue_symbol(VENUE, self.params.required("symbol"))

    def optional_listing(self) -> Listing | None:
        symbol = self.params.text("symbol")
        return None if symbol is None else self.engine.listing_by_venue_symbol(VENUE, symbol)

    def chosen_listings(self) -> tuple[Listing, ...]:
        """The one of `symbol`, or all where none was sent."""
        listing = self.optional_listing()
        return (listing,) if listing else self.engine.listings(VENUE)


Weight = int | Callable[[Params], int]


@dataclass(frozen=True, slots=True)
class Public:
    method: str
    path: str
    handler: Callable[[Call], Json]
    weight: Weight = 1


@dataclass(frozen=True, slots=True)
class Private:
    """`is_signed` False: the API key alone decides (listen keys). `orders` is what one call counts against the order limits."""

    method: str
    path: str
    handler: Callable[[Call, Account], Json]
    weight: Weight = 1
    is_signed: bool = True
    orders: Weight = 0


class Desk:
    """The dialect's state that is not the engine's: request counts and listen keys."""

    def __init__(self, engine: Engine, wall_clock_ms: Callable[[], int]) -> None:
        self._engine = engine
        self._wall_clock_ms = wall_clock_ms
        self._usage = Usage()
        self._listen_keys = ListenKeys()

    def route(self, endpoint: Public | Private) -> web.RouteDef:
        async def handle(request: web.Request) -> web.Response:
            headers: dict[str, str] = {}
            try:
                sent = Sent(request.raw_path.partition("?")[2], await _form_body(request))
                return _answer(self._answer_of(endpoint, request, sent, headers), headers=headers)
            except errors.VenueError as error:
                return _refusal(error, headers)
            except Refused as refused:
                return _refusal(errors.from_refusal(refused), headers)
            except web.HTTPException:
                raise
            except Exception:
                logger.exception("%s %s failed", request.method, request.path)
                return _refusal(errors.internal(), headers)

        return web.route(endpoint.method, endpoint.path, handle)

    async def unknown(self, request: web.Request) -> web.Response:
        return _refusal(errors.unknown_path(f"/{request.match_info['path']}", request.method), {})

    def _answer_of(self, endpoint: Public | Private, request: web.Request, sent: Sent, headers: dict[str, str]) -> Json:
        wall_ms = self._wall_clock_ms()
        headers.update(self._usage.weight_headers(request.remote or "", _count(endpoint.weight, sent.params), wall_ms))
        call = Call(self._engine, sent.params, wall_ms, self._listen_keys)
        if isinstance(endpoint, Public):
            return endpoint.handler(call)
        name = auth.verified_name(request.headers, sent, wall_ms) if endpoint.is_signed else auth.claimed_name(request.headers)
        if orders := _count(endpoint.orders, sent.params):
            headers.update(self._usage.order_headers(name, orders, wall_ms))
        return endpoint.handler(replace(call, key_name=name), self._engine.account(VENUE, account_behind(name)))


def _count(amount: Weight, params: Params) -> int:
    return amount if isinstance(amount, int) else amount(params)


async def _form_body(request: web.Request) -> str:
    return (await request.read()).decode("utf-8", "surrogateescape") if request.method in _FORM_METHODS else ""


def _answer(body: Json, *, headers: Mapping[str, str], status: int = 200) -> web.Response:
    return web.Response(text=json.dumps(body, separators=(",", ":")), status=status, headers=headers, content_type="application/json")


def _refusal(error: errors.VenueError, headers: Mapping[str, str]) -> web.Response:
    return _answer(error.body, headers=headers, status=error.status)
