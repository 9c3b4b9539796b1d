"""The bridge between synchronous code and the clients: one loop, one warm client per account and key version, deadlines."""

import asyncio
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from exchanges.domain import ExchangeConfig
from exchanges.errors import BadSignature
from exchanges.protocol import IExchangeClient
from exchanges.runtime import ClientKey, Runtime, runtime
from tests.simulated import Sandbox


@pytest.fixture(scope="module")
def bridge() -> Iterator[Runtime]:
    """The runtime of a process ends with it; this one is thrown away before, and its connections would be left to the collector."""
    bridge = Runtime()
    yield bridge
    bridge.run(bridge._registry.aclose(), deadline_s=5)


@pytest.fixture
def hurried_threads() -> Iterator[None]:
    """Threads change places after every few instructions, so that a race is lost soon if it can be."""
    usual = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(usual)


def config(name: str, secret: str = "") -> ExchangeConfig:
    key = f"sandbox-{name}"
    return ExchangeConfig.model_validate(
        {"exchange_type": "bybit", "environment": "sandbox", "api_key": key, "api_secret": secret or f"{key}-secret"}
    )


async def value(answer: int) -> int:
    return answer


async def where() -> int:
    return threading.get_ident()


def test_work_runs_on_one_loop_in_another_thread(bridge: Runtime) -> None:
    first, second = (bridge.run(where(), deadline_s=2) for _ in range(2))
    assert first == second != threading.get_ident()


def test_an_answer_comes_back_and_a_failure_too(bridge: Runtime) -> None:
    async def fail() -> None:
        raise BadSignature("refused")

    assert bridge.run(value(17), deadline_s=2) == 17
    with pytest.raises(BadSignature, match="refused"):
        bridge.run(fail(), deadline_s=2)


def test_a_deadline_ends_and_cancels_the_work(bridge: Runtime) -> None:
    canceled = threading.Event()

    async def dawdle() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            canceled.set()

    started = time.monotonic()
    with pytest.raises(TimeoutError):
        bridge.run(dawdle(), deadline_s=0.1)
    assert time.monotonic() - started < 3
    assert canceled.wait(2)
    assert bridge.run(value(1), deadline_s=2) == 1


def test_submit_returns_at_once_and_the_work_goes_on(bridge: Runtime) -> None:
    gate = threading.Event()

    async def wait_for_gate() -> str:
        while not gate.is_set():
            await asyncio.sleep(0.005)
        return "through"

    future = bridge.submit(wait_for_gate())
    assert not future.done()
    gate.set()
    assert future.result(2) == "through"


def test_threads_work_at_the_same_time(bridge: Runtime) -> None:
    """All of them wait for each other, so one after the other would never end."""
    barrier = asyncio.Barrier(8)

    async def meet() -> int:
        return await barrier.wait()

    with ThreadPoolExecutor(8) as pool:
        places = list(pool.map(lambda _: bridge.run(meet(), deadline_s=5), range(8)))
    assert sorted(places) == list(range(8))


def test_a_client_stays_warm_and_a_new_key_gets_a_new_one(bridge: Runtime, sandbox: Sandbox) -> None:
    first = bridge.client(ClientKey(1, 1), config("warm"))
    assert bridge.client(ClientKey(1, 1), config("warm")) is first
    assert bridge.client(ClientKey(2, 1), config("other")) is not first
    renewed = bridge.client(ClientKey(1, 2), config("warm", secret="changed"))
    assert renewed is not first
    with pytest.raises(BadSignature):
        bridge.run(renewed.get_balances(), deadline_s=5)
    assert bridge.client(ClientKey(1, 2), config("warm")) is renewed


def test_threads_that_ask_at_once_get_the_same_client(bridge: Runtime, sandbox: Sandbox, hurried_threads: None) -> None:
    start = threading.Barrier(8)

    def ask(account_id: int) -> IExchangeClient:
        start.wait(5)
        return bridge.client(ClientKey(account_id, 1), config("crowd"))

    with ThreadPoolExecutor(8) as pool:
        for account_id in range(100, 500):
            clients = list(pool.map(ask, [account_id] * 8))
            assert len({id(client) for client in clients}) == 1
    assert bridge.run(clients[0].get_balances(), deadline_s=5)[0].total == 100_000


def test_clients_of_one_venue_share_its_clock(bridge: Runtime, sandbox: Sandbox) -> None:
    one, two = (bridge.client(ClientKey(number, 1), config(f"clock{number}")) for number in (4, 5))
    assert one.clock is two.clock


def test_a_process_has_one_runtime_however_many_threads_are_first() -> None:
    with ThreadPoolExecutor(8) as pool:
        assert len({id(each) for each in pool.map(lambda _: runtime(), range(32))}) == 1
