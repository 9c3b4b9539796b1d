"""The Binance USDⓈ-M dialect of the simulated venues: its REST endpoints over the engine.

Shares nothing with the adapters; fields, codes and words are those of the venue's documentation and recorded payloads.
"""

from collections.abc import Callable

from aiohttp import web

from exchanges.sandbox.binance import (
    account,
    algo,
    amending,
    brackets,
    candles,
    history,
    income,
    instruments,
    isolated,
    market,
    permissions,
    positions,
    settings,
    statistics,
    tape,
    trade,
    user_stream,
    wallet,
)
from exchanges.sandbox.binance.endpoint import Desk
from exchanges.sandbox.engine import Engine

_SUBJECTS = (
    instruments,
    market,
    candles,
    tape,
    account,
    positions,
    brackets,
    settings,
    isolated,
    statistics,
    trade,
    amending,
    history,
    income,
    algo,
    user_stream,
    wallet,
    permissions,
)


def routes(engine: Engine, wall_clock_ms: Callable[[], int]) -> list[web.RouteDef]:
    """Every endpoint, paths without a venue prefix; anything else is refused as an invalid path."""
    desk = Desk(engine, wall_clock_ms)
    known = [desk.route(endpoint) for subject in _SUBJECTS for endpoint in subject.ENDPOINTS]
    return [*known, web.route("*", "/{path:.*}", desk.unknown)]
