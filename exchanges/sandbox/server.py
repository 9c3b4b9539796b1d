"""The process of the simulated venues: one HTTP server with a venue under /binance, /bybit and /okx each.

Wires the parts together and nothing more: the engine over its ledger, the dialects in front of it, traffic before them.
"""

import argparse
import asyncio
import errno
import logging
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path

from aiohttp import web

from . import binance, bybit, okx
from .control import control_routes
from .engine import Engine, system_ms
from .ledger import Ledger, LedgerUnreadable
from .model import Venue
from .traffic import Traffic

DEFAULT_HOST = "127.0.0.1"
MOST_SPEED = 10_000
DEFAULT_VAR_DIR = Path("var/sandbox")
LEDGER_NAME = "ledger.jsonl"

_DIALECTS = {Venue.BINANCE: binance.routes, Venue.BYBIT: bybit.routes, Venue.OKX: okx.routes}
_SETTLE_PERIOD_S = 1.0
_SHUTDOWN_S = 0.2
_REQUEST_BYTES = 1_000_000

logger = logging.getLogger(__name__)


def build_app(
    *, seed: int, var_dir: Path | None, wall_clock_ms: Callable[[], int] = system_ms, control: bool = False, speed: int = 1
) -> web.Application:
    """`var_dir` None keeps the accounts in memory; prices and funding run `speed` times as fast as the clock. Raises LedgerUnreadable."""
    ledger, traffic = Ledger(var_dir / LEDGER_NAME if var_dir else None), Traffic()
    engine = Engine(seed=seed, ledger=ledger, now_ms=wall_clock_ms, on_create=traffic.note_create, speed=speed)

    async def keep_settled(_: web.Application) -> AsyncIterator[None]:
        settling = asyncio.create_task(_settle(engine))
        yield
        settling.cancel()
        await asyncio.gather(settling, return_exceptions=True)
        ledger.close()

    app = web.Application(middlewares=[traffic.middleware], client_max_size=_REQUEST_BYTES)
    app.cleanup_ctx.append(keep_settled)
    for venue, routes in _DIALECTS.items():
        dialect = web.Application(client_max_size=_REQUEST_BYTES)
        dialect.add_routes(routes(engine, wall_clock_ms))
        app.add_subapp(f"/{venue}", dialect)
    if control:
        app.add_routes(control_routes(engine, ledger, traffic))
    return app


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--host", default=DEFAULT_HOST, help="address to listen on (default: 127.0.0.1, this machine alone)")
    parser.add_argument("--port", type=_port, default=9100, help="0 takes a free one (default: 9100)")
    parser.add_argument("--seed", type=int, default=7, help="decides every price (default: 7)")
    parser.add_argument("--speed", type=_speed, default=1, help="how many times as fast prices and funding run (default: 1)")
    parser.add_argument("--var-dir", type=Path, default=DEFAULT_VAR_DIR, help="where the ledger is kept (default: var/sandbox)")
    parser.add_argument("--control", action="store_true", help="mount the control interface under /_sim (faults, outages)")


def _port(text: str) -> int:
    if not text.isdecimal() or not 0 <= int(text) <= 65535:
        raise argparse.ArgumentTypeError(f"must be a number from 0 to 65535, was {text!r}")
    return int(text)


def _speed(text: str) -> int:
    if not text.isdecimal() or len(text) > len(str(MOST_SPEED)) or not 1 <= int(text) <= MOST_SPEED:
        raise argparse.ArgumentTypeError(f"must be a whole number from 1 to {MOST_SPEED}, was {text!r}")
    return int(text)


def serve(*, host: str, port: int, seed: int, var_dir: Path | None, control: bool, speed: int) -> int:
    """Runs until SIGTERM or SIGINT. Returns the exit status; why it could not start is one line on stderr."""
    try:
        app = build_app(seed=seed, var_dir=var_dir, control=control, speed=speed)
        asyncio.run(_serve(app, host, port))
    except LedgerUnreadable as error:
        return _fail(str(error))
    except socket.gaierror as error:
        return _fail(f"sandbox cannot listen on {host}:{port}: {(error.strerror or str(error)).lower()}")
    except OSError as error:
        if error.errno not in (errno.EADDRINUSE, errno.EADDRNOTAVAIL, errno.EACCES):
            raise
        return _fail(f"sandbox cannot listen on {host}:{port}: {os.strerror(error.errno).lower()}")
    return 0


async def _serve(app: web.Application, host: str, port: int) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=_SHUTDOWN_S)
    try:
        await runner.setup()
        await web.TCPSite(runner, host, port).start()
        sys.stdout.write(f"sandbox listening on http://{host}:{runner.addresses[0][1]}\n")
        sys.stdout.flush()
        await stop.wait()
    finally:
        await runner.cleanup()


async def _settle(engine: Engine) -> None:
    while True:
        await asyncio.sleep(_SETTLE_PERIOD_S)
        try:
            engine.settle()
        except Exception:
            logger.exception("settling failed; tried again in %s s", _SETTLE_PERIOD_S)


def _fail(reason: str) -> int:
    sys.stderr.write(f"{reason}\n")
    return 1
