"""Every call to a venue in the log and in the counts: what was asked and how it ended, and nothing that could be used."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from aiohttp import web
from prometheus_client import REGISTRY

from exchanges.errors import ExchangeAPIError
from exchanges.transport import Transport
from tests.isolation import free_port

QUERY = "symbol=BTCUSDT&signature=HUSH"
HEADERS = {"X-MBX-APIKEY": "HUSH", "Content-Type": "text/plain"}


@pytest_asyncio.fixture
async def venue() -> AsyncIterator[str]:
    """Answers /200, /400 and so on with that status, /hang with nothing."""

    async def answer(request: web.Request) -> web.StreamResponse:
        if request.match_info["status"] == "hang":
            await asyncio.sleep(30)
        return web.Response(status=int(request.match_info["status"]), body=b"{}")

    app = web.Application()
    app.router.add_route("*", "/{status}", answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


@pytest_asyncio.fixture
async def transport() -> AsyncIterator[Transport]:
    made = Transport()
    yield made
    await made.aclose()


async def call(transport: Transport, url: str, method: str = "GET", deadline_s: float | None = None) -> None:
    """However it ends."""
    with contextlib.suppress(ExchangeAPIError):
        await transport.request(method, f"{url}?{QUERY}", exchange="okx", headers=HEADERS, body="HUSH", deadline_s=deadline_s)


def logged(caplog: pytest.LogCaptureFixture) -> tuple[int, dict[str, Any]]:
    (record,) = [record for record in caplog.records if record.name == "exchanges.transport"]
    assert record.getMessage() == "venue_call"
    assert "HUSH" not in str(record.__dict__)
    assert 0 <= record.__dict__["ms"] < 10_000
    return record.levelno, {name: record.__dict__[name] for name in ("exchange", "method", "path", "status", "failure")}


def counted(method: str, outcome: str) -> float:
    return REGISTRY.get_sample_value("crossbook_venue_calls_total", {"exchange": "okx", "method": method, "outcome": outcome}) or 0.0


@pytest.mark.parametrize(
    ("status", "level", "outcome"),
    [
        (200, logging.DEBUG, "answered"),
        (400, logging.WARNING, "refused"),
        (429, logging.WARNING, "limited"),
        (418, logging.WARNING, "limited"),
        (503, logging.WARNING, "failed"),
        (302, logging.WARNING, "BadVenueResponse"),
    ],
)
async def test_an_answer(transport: Transport, venue: str, caplog: pytest.LogCaptureFixture, status: int, level: int, outcome: str) -> None:
    before = counted("GET", outcome)
    with caplog.at_level(logging.DEBUG, logger="exchanges.transport"):
        await call(transport, f"{venue}/{status}")
    failure = outcome if outcome == "BadVenueResponse" else ""
    facts = {"exchange": "okx", "method": "GET", "path": f"/{status}", "status": status, "failure": failure}
    assert logged(caplog) == (level, facts)
    assert counted("GET", outcome) == before + 1


async def test_no_answer(transport: Transport, venue: str, caplog: pytest.LogCaptureFixture) -> None:
    await call(transport, f"{venue}/hang", "POST", deadline_s=0.05)
    facts = {"exchange": "okx", "method": "POST", "path": "/hang", "status": None, "failure": "OutcomeUnknown"}
    assert logged(caplog) == (logging.WARNING, facts)


async def test_no_connection(transport: Transport, caplog: pytest.LogCaptureFixture) -> None:
    await call(transport, f"http://127.0.0.1:{free_port()}/orders", "POST")
    level, facts = logged(caplog)
    assert (level, facts["failure"], facts["status"]) == (logging.WARNING, "NotSent", None)


async def test_a_call_that_is_given_up(transport: Transport, venue: str, caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await call(transport, f"{venue}/hang")
    level, facts = logged(caplog)
    assert (level, facts["failure"]) == (logging.WARNING, "Cancelled")
