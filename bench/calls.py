"""CPU of an adapter's call over the floor's, and the wall time of a poll cycle over the floor's: interleaved, in one process, against the
prepared venues in another."""

import asyncio
import gc
import itertools
import os
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from statistics import median, quantiles

import aiohttp
from pydantic import SecretStr

from bench import floor
from exchanges.domain import Environment, ExchangeConfig, ExchangeType, OrderRequest, OrderSide, OrderType, TimeInForce
from exchanges.endpoints import SANDBOX_URL_VARIABLE
from exchanges.factory import get_exchange_client
from exchanges.protocol import IExchangeClient
from exchanges.venue import VenueRegistry
from portfolio.polling import Holdings, ask_all, fetch_holdings

VENUES = [exchange.value for exchange in ExchangeType]
ROUNDS = 41
CALLS_PER_ROUND = {"order": 30, "positions": 8}
CYCLES = 25
ORDERS_BUILT = 2_000
ACCOUNTS_PER_VENUE = 100

_ids = itertools.count(1)


@dataclass(frozen=True, slots=True)
class Ratio:
    """`ours` and `base` in the same unit, medians over the rounds; `value` is the median of the rounds' quotients, `low` and `high` the
    quotients that a quarter of the rounds lie below and above."""

    name: str
    unit: str
    ours: float
    base: float
    low: float
    value: float
    high: float


def config(venue: str) -> ExchangeConfig:
    return ExchangeConfig(
        exchange_type=ExchangeType(venue),
        environment=Environment.SANDBOX,
        api_key=SecretStr(floor.KEY),
        api_secret=SecretStr(floor.SECRET),
        passphrase=SecretStr(floor.PASSPHRASE),
    )


def registry_of(bases: Mapping[str, str]) -> VenueRegistry:
    """The venues, each at its own address."""
    registry = VenueRegistry()
    for venue, base in bases.items():
        os.environ[SANDBOX_URL_VARIABLE] = base
        registry.venue(config(venue))  # remembered with the address of now
    return registry


async def cpu_ratios(bases: Mapping[str, str]) -> list[Ratio]:
    registry = registry_of(bases)
    ratios = []
    async with bare_session() as session:
        for venue in VENUES:
            client = get_exchange_client(config(venue), registry)
            await client.get_open_positions()  # instruments and settings are remembered from here on
            pairs: dict[str, tuple[Callable[[], Awaitable[object]], Callable[[], Awaitable[object]]]] = {
                "order": (partial(_place, client), partial(_place_bare, session, bases[venue], venue)),
                "positions": (client.get_open_positions, partial(floor.positions, session, bases[venue], venue)),
            }
            for name, (ours, bare) in pairs.items():
                ratios.append(await _compare(f"{venue} {name}", ours, bare, CALLS_PER_ROUND[name]))
    await registry.aclose()
    return ratios


async def cycle_ratios(bases: Mapping[str, str]) -> list[Ratio]:
    """300 accounts, 50 positions and 20 balances each. Wall time, since that is what people wait for, and the CPU in it, which a busy
    machine disturbs less."""
    registry = registry_of(bases)
    clients = {number: get_exchange_client(config(VENUES[number % 3]), registry) for number in range(ACCOUNTS_PER_VENUE * len(VENUES))}

    async def question(_account: int, client: IExchangeClient) -> Holdings:
        return await fetch_holdings(client)

    async def ours() -> None:
        answers = await ask_all(clients, question, concurrent=len(clients))
        failed = [answer.error for answer in answers.values() if answer.error]
        assert not failed, failed[0]

    async with bare_session() as session:

        async def one(venue: str) -> None:
            await asyncio.gather(floor.positions(session, bases[venue], venue), floor.wallet(session, bases[venue], venue))

        async def bare() -> None:
            await asyncio.gather(*(one(VENUES[number % 3]) for number in range(len(clients))))

        await ours()
        await bare()
        rounds = [(await _wall_and_cpu(ours), await _wall_and_cpu(bare)) for _ in range(CYCLES)]
    await registry.aclose()
    name = "poll cycle, 3 x 100 accounts, 50 ms"
    return [
        _ratio(name, "ms", [(mine[0] * 1e3, theirs[0] * 1e3) for mine, theirs in rounds]),
        _ratio(f"{name}, CPU", "ms", [(mine[1] * 1e3, theirs[1] * 1e3) for mine, theirs in rounds]),
    ]


def building_an_order_us() -> float:
    """What building and validating an OrderRequest takes of every order measured above: the caller's work, that no floor has."""
    started = time.process_time()
    for _ in range(ORDERS_BUILT):
        _request()
    return (time.process_time() - started) / ORDERS_BUILT * 1e6


def bare_session() -> aiohttp.ClientSession:
    return aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0, limit_per_host=0), cookie_jar=aiohttp.DummyCookieJar())


async def _compare(name: str, ours: Callable[[], Awaitable[object]], bare: Callable[[], Awaitable[object]], calls: int) -> Ratio:
    await ours()
    await bare()
    rounds = [(await _cpu(ours, calls), await _cpu(bare, calls)) for _ in range(ROUNDS)]
    return _ratio(name, "us CPU a call", [(a * 1e6, b * 1e6) for a, b in rounds])


def _ratio(name: str, unit: str, rounds: list[tuple[float, float]]) -> Ratio:
    low, value, high = quantiles((a / b for a, b in rounds), n=4)
    return Ratio(name, unit, median(a for a, _ in rounds), median(b for _, b in rounds), low, value, high)


async def _cpu(call: Callable[[], Awaitable[object]], calls: int) -> float:
    started = time.process_time()
    for _ in range(calls):
        await call()
    return (time.process_time() - started) / calls


async def _wall_and_cpu(work: Callable[[], Awaitable[None]]) -> tuple[float, float]:
    gc.collect()  # neither side pays for what the other left behind
    started = time.perf_counter(), time.process_time()
    await work()
    return time.perf_counter() - started[0], time.process_time() - started[1]


async def _place(client: IExchangeClient) -> object:
    return await client.place_order(_request())


def _request() -> OrderRequest:
    return OrderRequest(
        symbol="COIN0USDT",
        side=OrderSide.BUY,
        order_type=OrderType.LIMIT,
        quantity=Decimal("0.010"),
        price=Decimal("60000.0"),
        time_in_force=TimeInForce.GTC,
        client_order_id=_new_id(),
    )


async def _place_bare(session: aiohttp.ClientSession, base: str, venue: str) -> object:
    return await floor.order(session, base, venue, _new_id())


def _new_id() -> str:
    return f"bench{next(_ids)}"
