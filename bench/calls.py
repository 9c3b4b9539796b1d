"""CPU of an adapter's call over the floor's, and the wall time of a poll cycle over the floor's: interleaved, in one process, against the
prepared venues in another."""

import asyncio
import itertools
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from decimal import Decimal
from statistics import median

import aiohttp
from pydantic import SecretStr

from bench import floor
from exchanges.domain import Environment, ExchangeConfig, ExchangeType, OrderRequest, OrderSide, OrderType, TimeInForce
from exchanges.factory import get_exchange_client
from exchanges.protocol import IExchangeClient
from exchanges.venue import VenueRegistry
from portfolio.polling import Holdings, ask_all, fetch_holdings

VENUES = [exchange.value for exchange in ExchangeType]
ROUNDS = 15
CALLS_PER_ROUND = {"order": 60, "positions": 15}
CYCLES = 7
ACCOUNTS_PER_VENUE = 100

_ids = itertools.count(1)


@dataclass(frozen=True, slots=True)
class Ratio:
    """`ours` and `base` in the same unit; `value` their quotient, the median over the rounds."""

    name: str
    unit: str
    ours: float
    base: float
    value: float


def config(venue: str) -> ExchangeConfig:
    return ExchangeConfig(
        exchange_type=ExchangeType(venue),
        environment=Environment.SANDBOX,
        api_key=SecretStr(floor.KEY),
        api_secret=SecretStr(floor.SECRET),
        passphrase=SecretStr(floor.PASSPHRASE),
    )


async def cpu_ratios(base: str) -> list[Ratio]:
    registry = VenueRegistry()
    ratios = []
    async with bare_session() as session:
        for venue in VENUES:
            client = get_exchange_client(config(venue), registry)
            await client.get_open_positions()  # instruments and settings are remembered from here on
            pairs: dict[str, tuple[Callable[[], Awaitable[object]], Callable[[], Awaitable[object]]]] = {
                "order": (lambda client=client: _place(client), lambda venue=venue: floor.order(session, base, venue, _new_id())),  # type: ignore[misc]
                "positions": (lambda client=client: client.get_open_positions(), lambda venue=venue: floor.positions(session, base, venue)),  # type: ignore[misc]
            }
            for name, (ours, bare) in pairs.items():
                ratios.append(await _compare(f"{venue} {name}", ours, bare, CALLS_PER_ROUND[name]))
    await registry.aclose()
    return ratios


async def cycle_ratio(base: str) -> Ratio:
    """300 accounts, 50 positions and 20 balances each. Wall time, since that is what people wait for."""
    registry = VenueRegistry()
    clients = {number: get_exchange_client(config(VENUES[number % 3]), registry) for number in range(ACCOUNTS_PER_VENUE * len(VENUES))}

    async def question(_account: int, client: IExchangeClient) -> Holdings:
        return await fetch_holdings(client)

    async def ours() -> None:
        answers = await ask_all(clients, question, concurrent=len(clients))
        failed = [answer.error for answer in answers.values() if answer.error]
        assert not failed, failed[0]

    async with bare_session() as session:

        async def one(venue: str) -> None:
            await asyncio.gather(floor.positions(session, base, venue), floor.wallet(session, base, venue))

        async def bare() -> None:
            await asyncio.gather(*(one(VENUES[number % 3]) for number in range(len(clients))))

        await ours()
        await bare()
        walls: list[tuple[float, float]] = [(await _wall(ours), await _wall(bare)) for _ in range(CYCLES)]
    await registry.aclose()
    mine, theirs = median(a for a, _ in walls), median(b for _, b in walls)
    return Ratio("poll cycle, 3 x 100 accounts, 50 ms", "ms", mine * 1_000, theirs * 1_000, median(a / b for a, b in walls))


def bare_session() -> aiohttp.ClientSession:
    return aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0, limit_per_host=0), cookie_jar=aiohttp.DummyCookieJar())


async def _compare(name: str, ours: Callable[[], Awaitable[object]], bare: Callable[[], Awaitable[object]], calls: int) -> Ratio:
    await ours()
    await bare()
    rounds = [(await _cpu(ours, calls), await _cpu(bare, calls)) for _ in range(ROUNDS)]
    mine, theirs = median(a for a, _ in rounds), median(b for _, b in rounds)
    return Ratio(name, "us CPU a call", mine * 1e6, theirs * 1e6, median(a / b for a, b in rounds))


async def _cpu(call: Callable[[], Awaitable[object]], calls: int) -> float:
    started = time.process_time()
    for _ in range(calls):
        await call()
    return (time.process_time() - started) / calls


async def _wall(work: Callable[[], Awaitable[None]]) -> float:
    started = time.perf_counter()
    await work()
    return time.perf_counter() - started


async def _place(client: IExchangeClient) -> object:
    return await client.place_order(
        OrderRequest(
            symbol="COIN0USDT",
            side=OrderSide.BUY,
            order_type=OrderType.LIMIT,
            quantity=Decimal("0.010"),
            price=Decimal("60000.0"),
            time_in_force=TimeInForce.GTC,
            client_order_id=_new_id(),
        )
    )


def _new_id() -> str:
    return f"bench{next(_ids)}"
