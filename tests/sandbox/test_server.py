"""The sandbox as a process: it starts and stops like one, and its control interface makes real outages and unknown outcomes."""

import asyncio
import hashlib
import hmac
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import aiohttp
import pytest
from aiohttp import web

from exchanges.sandbox.server import build_app

ROOT = Path(__file__).parents[2]
ORDER_PATH = "/fapi/v1/order"
START_S = 20


class Sandbox:
    """A running sandbox and a client of it that signs for Binance."""

    def __init__(self, url: str, session: aiohttp.ClientSession) -> None:
        self.url = url
        self.session = session

    async def get(self, path: str, **query: str) -> Any:
        async with self.session.get(self.url + path, params=query) as answer:
            assert answer.status == 200, await answer.text()
            return await answer.json()

    async def control(self, method: str, path: str, **body: Any) -> int:
        async with self.session.request(method, f"{self.url}/_sim/{path}", json=body) as answer:
            return answer.status

    async def fault(self, *, stage: str, times: int | None = 1, match: dict[str, str] | None = None, **action: Any) -> None:
        status = await self.control("POST", "fault", venue="binance", match=match or {}, stage=stage, action=action, times=times)
        assert status == 200

    async def order(self, name: str = "alice", *, client_id: str = "", quantity: str = "0.01", **more: str) -> tuple[int, Any]:
        query = {"symbol": "BTCUSDT", "side": "BUY", "type": "MARKET", "quantity": quantity, "timestamp": str(time.time_ns() // 1_000_000)}
        body = urlencode(query | ({"newClientOrderId": client_id} if client_id else {}) | more)
        signature = hmac.new(f"sandbox-{name}-secret".encode(), body.encode(), hashlib.sha256).hexdigest()
        headers = {"X-MBX-APIKEY": f"sandbox-{name}", "Content-Type": "application/x-www-form-urlencoded"}
        url, data = f"{self.url}/binance{ORDER_PATH}", f"{body}&signature={signature}"
        async with self.session.post(url, data=data, headers=headers, timeout=aiohttp.ClientTimeout(total=2)) as answer:
            return answer.status, await answer.json(content_type=None) if answer.content_type == "application/json" else await answer.text()


@contextmanager
def process(*arguments: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A sandbox of its own and its address; killed at the end if it still runs."""
    command = [sys.executable, "-m", "exchanges.sandbox", "--port", "0", *arguments]
    running = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert running.stdout is not None
    assert running.stderr is not None
    try:
        line = running.stdout.readline()
        assert line.startswith("sandbox listening on http://127.0.0.1:"), running.stderr.read()
        yield running, line.split()[-1]
    finally:
        running.kill()
        running.wait(10)
        running.stdout.close()
        running.stderr.close()


@pytest.fixture
async def sandbox(request: pytest.FixtureRequest) -> AsyncIterator[Sandbox]:
    app = build_app(seed=7, var_dir=None, control=getattr(request, "param", True))
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    async with aiohttp.ClientSession() as session:
        yield Sandbox(f"http://{host}:{port}", session)
    await runner.cleanup()


async def test_each_venue_answers_under_its_name(sandbox: Sandbox) -> None:
    assert "serverTime" in await sandbox.get("/binance/fapi/v1/time")
    assert (await sandbox.get("/bybit/v5/market/time"))["retCode"] == 0
    assert (await sandbox.get("/okx/api/v5/public/time"))["code"] == "0"


@pytest.mark.parametrize("sandbox", [False], indirect=True)
async def test_the_control_interface_is_only_there_when_asked_for(sandbox: Sandbox) -> None:
    assert await sandbox.control("POST", "venue", venue="binance", up=False) == 404
    assert await sandbox.control("GET", "requests?venue=binance") == 404


async def test_a_fault_before_keeps_the_order_from_the_venue(sandbox: Sandbox) -> None:
    await sandbox.order(client_id="opens-the-account")
    await sandbox.fault(
        stage="before", kind="status", status=503, body={"code": -1, "msg": "Service Unavailable."}, headers={"Retry-After": "7"}
    )
    assert await sandbox.order(client_id="lost") == (503, {"code": -1, "msg": "Service Unavailable."})
    ledger = await sandbox.get("/_sim/ledger", venue="binance", account="alice")
    assert ledger["creates"] == {"opens-the-account": 1}
    status, _ = await sandbox.order(client_id="lost")
    assert status == 200


async def test_a_fault_after_lets_the_order_live_and_takes_the_answer(sandbox: Sandbox) -> None:
    await sandbox.fault(stage="after", kind="reset")
    with pytest.raises(aiohttp.ClientConnectionError):
        await sandbox.order(client_id="unknown")
    ledger = await sandbox.get("/_sim/ledger", venue="binance", account="alice")
    assert ledger["creates"] == {"unknown": 1}
    assert [order["status"] for order in ledger["orders"]] == ["filled"]
    assert [position["quantity"] for position in ledger["positions"]] == ["0.01"]
    assert len(ledger["fills"]) >= 1
    assert float(ledger["wallet"]) < 100_000


async def test_a_fault_strikes_only_what_it_matches_and_as_often_as_told(sandbox: Sandbox) -> None:
    match = {"method": "POST", "path": ORDER_PATH, "account": "alice"}
    await sandbox.fault(stage="before", times=2, match=match, kind="body", body="<html>", content_type="text/html")
    assert (await sandbox.order("bob"))[0] == 200
    assert "serverTime" in await sandbox.get("/binance/fapi/v1/time")
    assert [await sandbox.order() for _ in range(2)] == [(200, "<html>")] * 2
    status, answer = await sandbox.order()
    assert (status, answer["symbol"]) == (200, "BTCUSDT")


async def test_faults_last_until_they_are_cleared(sandbox: Sandbox) -> None:
    await sandbox.fault(stage="before", times=None, kind="status", status=500)
    assert [(await sandbox.order())[0] for _ in range(3)] == [500] * 3
    assert await sandbox.control("DELETE", "fault") == 200
    assert (await sandbox.order())[0] == 200


async def test_a_hanging_venue_never_answers(sandbox: Sandbox) -> None:
    await sandbox.fault(stage="after", kind="hang")
    with pytest.raises(asyncio.TimeoutError):
        await sandbox.order(client_id="hangs")
    ledger = await sandbox.get("/_sim/ledger", venue="binance", account="alice")
    assert ledger["creates"] == {"hangs": 1}


async def test_delay_and_latency_cost_time_and_nothing_else(sandbox: Sandbox) -> None:
    await sandbox.fault(stage="before", kind="delay", ms=300)
    started = time.monotonic()
    assert (await sandbox.order())[0] == 200
    assert time.monotonic() - started >= 0.3
    assert await sandbox.control("POST", "latency", venue="binance", ms=700) == 200
    started = time.monotonic()
    await sandbox.get("/binance/fapi/v1/time")
    assert time.monotonic() - started >= 0.7
    await sandbox.control("POST", "latency", venue="binance", ms=0)
    started = time.monotonic()
    await sandbox.get("/binance/fapi/v1/time")
    assert time.monotonic() - started < 0.7


async def test_a_venue_that_is_down_drops_connections_and_the_others_go_on(sandbox: Sandbox) -> None:
    assert await sandbox.control("POST", "venue", venue="binance", up=False) == 200
    with pytest.raises(aiohttp.ClientConnectionError):
        await sandbox.order()
    assert (await sandbox.get("/okx/api/v5/public/time"))["code"] == "0"
    await sandbox.control("POST", "venue", venue="binance", up=True)
    assert (await sandbox.order())[0] == 200


async def test_a_shock_moves_the_price_of_a_symbol_on_every_venue(sandbox: Sandbox) -> None:
    async def prices() -> list[float]:
        binance = await sandbox.get("/binance/fapi/v1/ticker/price", symbol="BTCUSDT")
        bybit = await sandbox.get("/bybit/v5/market/tickers", category="linear", symbol="BTCUSDT")
        okx = await sandbox.get("/okx/api/v5/market/ticker", instId="BTC-USDT-SWAP")
        return [float(binance["price"]), float(bybit["result"]["list"][0]["lastPrice"]), float(okx["data"][0]["last"])]

    before, deadline = await prices(), time.monotonic() + 5
    assert await sandbox.control("POST", "shock", symbol="BTCUSDT", ratio="0.5") == 200
    while any(after > 0.6 * price for after, price in zip(await prices(), before, strict=True)):
        assert time.monotonic() < deadline
        await asyncio.sleep(0.05)
    assert all(0.45 * price < after < 0.55 * price for after, price in zip(await prices(), before, strict=True))


async def test_requests_are_counted_with_what_they_created(sandbox: Sandbox) -> None:
    await sandbox.get("/binance/fapi/v1/time")
    _, created = await sandbox.order()
    await sandbox.order(quantity="0.00015")
    log = await sandbox.get("/_sim/requests", venue="binance")
    assert log["count"] == 3
    rows = [(row["method"], row["path"], row["account"], row["creates"]) for row in log["requests"]]
    assert rows == [
        ("GET", "/fapi/v1/time", "", []),
        ("POST", ORDER_PATH, "alice", [created["orderId"]]),
        ("POST", ORDER_PATH, "alice", []),
    ]
    assert (await sandbox.get("/_sim/requests", venue="okx"))["count"] == 0


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("venue", {"venue": "mtgox", "up": False}),
        ("venue", {"venue": "okx", "up": "no"}),
        ("latency", {"venue": "okx"}),
        ("shock", {"symbol": "BTCUSDT"}),
        ("shock", {"symbol": "BTCUSDT", "ratio": 0.9}),
        ("shock", {"symbol": "BTCUSDT", "ratio": "0"}),
        ("shock", {"symbol": "BTCUSDT", "ratio": "101"}),
        ("shock", {"symbol": "BTCUSDT", "ratio": "NaN"}),
        ("shock", {"symbol": "BTCUSDT", "ratio": "half"}),
        ("shock", {"symbol": "NOTHING", "ratio": "0.9"}),
        ("fault", {"venue": "okx"}),
        ("fault", {"venue": "okx", "action": {"kind": "explode"}}),
        ("fault", {"venue": "okx", "action": {"kind": "delay"}}),
        ("fault", {"venue": "okx", "action": {"kind": "reset"}, "stage": "during"}),
        ("fault", {"venue": "okx", "action": {"kind": "reset"}, "times": "many"}),
    ],
)
async def test_what_the_control_interface_does_not_understand_is_refused(sandbox: Sandbox, path: str, body: dict[str, Any]) -> None:
    assert await sandbox.control("POST", path, **body) == 400
    assert "serverTime" in await sandbox.get("/binance/fapi/v1/time")


async def test_an_order_survives_kill_9_of_the_server(tmp_path: Path) -> None:
    async with aiohttp.ClientSession() as session:
        with process("--var-dir", str(tmp_path)) as (running, url):
            status, placed = await Sandbox(url, session).order(client_id="mine")
            assert status == 200
            running.send_signal(signal.SIGKILL)
            running.wait(10)
        with process("--var-dir", str(tmp_path), "--control") as (_, url):
            ledger = await Sandbox(url, session).get("/_sim/ledger", venue="binance", account="alice")
    assert [(order["id"], order["client_id"], order["status"]) for order in ledger["orders"]] == [(placed["orderId"], "mine", "filled")]


async def test_sigterm_stops_at_once_even_while_requests_hang(tmp_path: Path) -> None:
    async with aiohttp.ClientSession() as session:
        with process("--var-dir", str(tmp_path), "--control") as (running, url):
            sandbox = Sandbox(url, session)
            await sandbox.fault(stage="before", kind="hang")
            hanging = asyncio.ensure_future(sandbox.order())
            while (await sandbox.get("/_sim/requests", venue="binance"))["count"] == 0:
                await asyncio.sleep(0.01)
            started = time.monotonic()
            running.send_signal(signal.SIGTERM)
            assert await asyncio.to_thread(running.wait, 10) == 0
            assert time.monotonic() - started < 2
            with pytest.raises(aiohttp.ClientConnectionError):
                await hanging


def test_a_used_port_stops_with_one_clear_line(tmp_path: Path) -> None:
    with process("--var-dir", str(tmp_path / "one")) as (_, url):
        port = url.rsplit(":", 1)[1]
        assert refused_start("--port", port, "--var-dir", str(tmp_path / "other")) == [
            f"sandbox cannot listen on 127.0.0.1:{port}: address already in use"
        ]


def test_a_damaged_or_used_ledger_stops_with_one_clear_line(tmp_path: Path) -> None:
    with process("--var-dir", str(tmp_path)):
        (line,) = refused_start("--port", "0", "--var-dir", str(tmp_path))
        assert "in use by another process" in line
    (tmp_path / "ledger.jsonl").write_text("not a ledger\n")
    (line,) = refused_start("--port", "0", "--var-dir", str(tmp_path))
    assert "damaged at line 1" in line


def test_it_listens_where_it_is_told(tmp_path: Path) -> None:
    arguments = ("--port", "0", "--var-dir", str(tmp_path))
    command = [sys.executable, "-m", "exchanges.sandbox", "--host", "127.0.0.2", "--speed", "60", *arguments]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        assert running.stdout.readline().startswith("sandbox listening on http://127.0.0.2:")
        running.terminate()
        assert running.wait(10) == 0
    for host, reason in (("192.0.2.1", "cannot assign requested address"), ("nowhere.invalid", "")):
        (line,) = refused_start("--host", host, *arguments)
        assert line.startswith(f"sandbox cannot listen on {host}:0: {reason}")


def refused_start(*arguments: str) -> list[str]:
    command = [sys.executable, "-m", "exchanges.sandbox", *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=START_S, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    return done.stderr.splitlines()


def test_it_knows_neither_django_nor_the_adapters() -> None:
    check = "import sys, exchanges.sandbox.__main__; print({name.split('.')[0] for name in sys.modules} & set(sys.argv[1:]))"
    command = [sys.executable, "-c", check, "django", "binance", "pybit", "okx", "ccxt"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=START_S, check=True)
    assert done.stdout.strip() == "set()"
