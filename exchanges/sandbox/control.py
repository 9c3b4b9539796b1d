"""The simulation's own interface under /_sim: faults, outages, latency, and what the venues really know. Only mounted when asked for.

POST /_sim/fault     {venue, match: {method?, path?, account?}, stage: "before"|"after", action: {kind, ...}, times: n|null}
                     kinds: status {status, body?, headers?} · body {body, content_type?} · reset · hang · delay {ms}
DELETE /_sim/fault   forgets all faults
POST /_sim/venue     {venue, up}            a venue that is down drops connections without an answer
POST /_sim/latency   {venue, ms}            added to every answer
POST /_sim/shock     {symbol, ratio}        multiplies the price of a symbol from the next second on, on all venues alike and for ever;
                                            ratio is a decimal number as text, from 0.01 to 100; answers from which time it holds
GET /_sim/ledger     ?venue=&account=       wallet with its totals and statement, positions, orders, fills, creates per client id
GET /_sim/requests   ?venue=                count and the last 1,000 requests with the orders each created
"""

from collections import Counter
from decimal import Decimal, InvalidOperation
from typing import Any, TypeVar

import orjson
from aiohttp import web

from .engine import Engine
from .ledger import Ledger
from .model import Refused, Venue
from .records import fill_row, order_row, position_row, statement_row
from .traffic import KINDS, STAGES, Fault, Traffic

T = TypeVar("T", bool, int, str, dict[str, Any])
_SHOCKS = (Decimal("0.01"), Decimal(100))


def control_routes(engine: Engine, ledger: Ledger, traffic: Traffic) -> list[web.RouteDef]:
    async def add_fault(request: web.Request) -> web.Response:
        fault = _fault(await _body(request))
        traffic.lanes[fault.venue].faults.append(fault)
        return _answer({"faults": sum(len(lane.faults) for lane in traffic.lanes.values())})

    async def clear_faults(_: web.Request) -> web.Response:
        for lane in traffic.lanes.values():
            lane.faults.clear()
        return _answer({"faults": 0})

    async def set_venue(request: web.Request) -> web.Response:
        body = await _body(request)
        is_up = _require(body, "up", bool)
        traffic.lanes[_venue(body.get("venue"))].is_up = is_up
        return _answer({"up": is_up})

    async def set_latency(request: web.Request) -> web.Response:
        body = await _body(request)
        latency_ms = _require(body, "ms", int)
        traffic.lanes[_venue(body.get("venue"))].latency_ms = max(0, latency_ms)
        return _answer({"ms": latency_ms})

    async def shock(request: web.Request) -> web.Response:
        body = await _body(request)
        symbol, ratio = _require(body, "symbol", str), _ratio(_require(body, "ratio", str))
        try:
            return _answer({"from_ms": engine.shock(symbol, ratio)})
        except Refused as refused:
            raise web.HTTPBadRequest(text=f"no venue lists {symbol!r}") from refused

    async def show_ledger(request: web.Request) -> web.Response:
        venue, name = _venue(request.query.get("venue")), request.query.get("account", "")
        if (venue, name) not in ledger.desks:
            raise web.HTTPNotFound(text=f"{venue} has no account {name!r}")
        account = engine.account(venue, name)
        orders, fills = engine.order_history(account), engine.fills(account)
        return _answer(
            {
                "wallet": format(account.wallet, "f"),
                "totals": {kind.value: format(total, "f") for kind, total in account.totals.items()},
                "statement": [statement_row(entry) for entry in engine.statement(account)],
                "positions": [position_row(position) for position in account.positions.values()],
                "orders": [order_row(order) for order in orders],
                "fills": [fill_row(fill) for fill in fills],
                "creates": Counter(order.client_id for order in orders if order.client_id),
            }
        )

    async def show_requests(request: web.Request) -> web.Response:
        lane = traffic.lanes[_venue(request.query.get("venue"))]
        return _answer({"count": lane.count, "requests": list(lane.recent)})

    return [
        web.post("/_sim/fault", add_fault),
        web.delete("/_sim/fault", clear_faults),
        web.post("/_sim/venue", set_venue),
        web.post("/_sim/latency", set_latency),
        web.post("/_sim/shock", shock),
        web.get("/_sim/ledger", show_ledger),
        web.get("/_sim/requests", show_requests),
    ]


def _fault(body: dict[str, Any]) -> Fault:
    match, action = body.get("match") or {}, _require(body, "action", dict)
    kind, stage, times = action.get("kind"), body.get("stage", "before"), body.get("times")
    if stage not in STAGES:
        raise web.HTTPBadRequest(text=f"stage must be one of {', '.join(STAGES)}, was {stage!r}")
    if kind not in KINDS:
        raise web.HTTPBadRequest(text=f"action.kind must be one of {', '.join(KINDS)}, was {kind!r}")
    if times is not None and not isinstance(times, int):
        raise web.HTTPBadRequest(text=f"times must be a whole number or null, was {times!r}")
    for name, needed_by in (("ms", "delay"), ("status", "status")):
        if kind == needed_by:
            _require(action, name, int)
    if not isinstance(action.get("body", ""), str):
        action = action | {"body": orjson.dumps(action["body"]).decode()}
    return Fault(
        venue=_venue(body.get("venue")),
        stage=stage,
        action=action,
        method=match.get("method"),
        path=match.get("path"),
        account=match.get("account"),
        times=times,
    )


def _ratio(text: str) -> Decimal:
    lowest, highest = _SHOCKS
    try:
        ratio = Decimal(text)
        if lowest <= ratio <= highest:  # raises for what is no number
            return ratio
    except InvalidOperation:
        pass
    raise web.HTTPBadRequest(text=f"ratio must be a decimal number from {lowest} to {highest}, was {text!r}")


async def _body(request: web.Request) -> dict[str, Any]:
    try:
        body = orjson.loads(await request.read())
    except orjson.JSONDecodeError as error:
        raise web.HTTPBadRequest(text=f"the body must be JSON: {error}") from error
    if not isinstance(body, dict):
        raise web.HTTPBadRequest(text="the body must be a JSON object")
    return body


def _venue(name: object) -> Venue:
    if name not in list(Venue):
        raise web.HTTPBadRequest(text=f"venue must be one of {', '.join(Venue)}, was {name!r}")
    return Venue(str(name))


def _require(body: dict[str, Any], name: str, kind: type[T]) -> T:
    value = body.get(name)
    if not isinstance(value, kind):
        raise web.HTTPBadRequest(text=f"{name} must be of type {kind.__name__}, was {value!r}")
    return value


def _answer(content: object) -> web.Response:
    return web.Response(body=orjson.dumps(content), content_type="application/json")
