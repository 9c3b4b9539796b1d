"""Random trading on the three venues at once over their own wire forms, and what their figures must add up to after it.

What a venue says of an account's money is compared with the statement that it pages out, line by line since the account was opened, and
with the engine's own totals; nothing is compared by tolerance. A refusal is an answer like any other, a failure (HTTP 5xx) is not.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path
from random import Random

import aiohttp
from aiohttp import web

from exchanges.sandbox import binance, bybit, okx
from exchanges.sandbox.engine import Engine, system_ms
from exchanges.sandbox.ledger import Ledger
from exchanges.sandbox.model import ZERO, Account, EntryKind, Leg, MarginMode, Venue
from tests.sandbox.binance_wire import BinanceWire
from tests.sandbox.bybit_wire import BybitWire
from tests.sandbox.exchange import HOUR_MS, NOW_MS, Clock, check_statement
from tests.sandbox.okx_wire import OkxWire
from tests.sandbox.wires import SYMBOLS, Held, Order, Wire

CHECKED_EVERY = 25  # steps
_POOR = Decimal(4_000)
_LONG = 2_500  # lines of a statement
_MOST_UNCHECKED_MS = 48 * HOUR_MS
_WAITS_MS = (200, 1_000, 5_000, 60_000, 600_000, HOUR_MS, 5 * HOUR_MS)
_TWINS_MOST = Decimal("0.5")
_ROUTES = {Venue.BINANCE: binance.routes, Venue.BYBIT: bybit.routes, Venue.OKX: okx.routes}
_WIRES: dict[Venue, Callable[[aiohttp.ClientSession, str, str], Wire]] = {
    Venue.BINANCE: BinanceWire,
    Venue.BYBIT: BybitWire,
    Venue.OKX: OkxWire,
}


class Venues:
    """The three dialects over one engine and one ledger, on a free port and a clock that whoever trades moves."""

    def __init__(self, path: Path) -> None:
        self.clock = Clock(NOW_MS)
        self._path = path
        self._runner: web.AppRunner | None = None

    async def start(self) -> None:
        self._ledger = Ledger(self._path)
        self.engine = Engine(seed=7, ledger=self._ledger, now_ms=self.clock)
        app = web.Application()
        for venue, routes in _ROUTES.items():
            dialect = web.Application()
            dialect.add_routes(routes(self.engine, system_ms))
            app.add_subapp(f"/{venue}", dialect)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"

    async def stop(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()
        self._ledger.close()


class Book:
    """What one account's statement came to so far, as its venue pages it out."""

    def __init__(self, wire: Wire) -> None:
        self.wire = wire
        self.sum = ZERO
        self.seen: set[str] = set()

    async def check(self, venues: Venues, venue: Venue) -> list[Held]:
        """Returns the positions that the venue tells of."""
        money, lines = await self.wire.money(), await self.wire.lines(self.seen, now_ms=venues.clock())
        self.seen |= {line.id for line in lines}
        self.sum += sum((line.change for line in lines), ZERO)
        account = venues.engine.account(venue, self.wire.name)
        assert self.sum == money.wallet == account.wallet == sum(account.totals.values(), ZERO), (venue, self.sum, money, account.totals)
        assert money.equity == money.wallet + money.unrealized, (venue, money)
        positions = await self.wire.positions()
        assert sum((each.unrealized for each in positions), ZERO) == money.unrealized, (venue, positions, money)
        held = {(each.symbol, each.leg, each.margin_mode): each.quantity for each in positions}
        assert held == {key: position.quantity for key, position in account.positions.items()}, venue
        newest = max(lines, key=lambda line: line.number, default=None)
        if newest is not None and newest.balance is not None:
            assert newest.balance == money.cash, (venue, newest, money)
        return positions


class Trader:
    def __init__(self, venues: Venues, http: aiohttp.ClientSession, random: Random) -> None:
        self._venues, self._http, self._random = venues, http, random
        self.named: Counter[str] = Counter()
        self._ratios = dict.fromkeys(SYMBOLS, Decimal(1))
        self._checked_ms = venues.clock()
        self.steps: Counter[str] = Counter()
        self.accepted: Counter[str] = Counter()
        self.lines: Counter[tuple[Venue, EntryKind]] = Counter()
        self.liquidations = self.checks = 0
        self.books = {venue: self._open(venue) for venue in Venue}
        self.twins = {venue: Book(self._wire(venue, "twin")) for venue in Venue}
        self._twins_hold = ZERO
        self._kinds: dict[str, tuple[float, Callable[[Wire], Awaitable[bool]]]] = {
            "market": (30, self._market),
            "limit": (20, self._limit),
            "cancel": (4, lambda wire: wire.cancel_all(self._symbol())),
            "leverage": (6, lambda wire: wire.leverage(self._symbol(), random.choice((1, 3, 10, 20, 50, 75)))),
            "margin": (6, self._margin),
            "position mode": (4, lambda wire: wire.position_mode(random.choice((True, False)))),
            "margin mode": (5, lambda wire: wire.margin_mode(self._symbol(), random.choice(list(MarginMode)))),
            "flatten": (4, self._flatten),
            "unison": (6, self._unison),
            "wait": (18, self._wait),
            "shock": (7, self._shock),
            "restart": (0.3, self._restart),
        }

    async def run(self, steps: int) -> None:
        names, weights = list(self._kinds), [weight for weight, _ in self._kinds.values()]
        for number in range(1, steps + 1):
            kind, venue = self._random.choices(names, weights)[0], self._random.choice(list(Venue))
            self.steps[kind] += 1
            self.accepted[kind] += await self._kinds[kind][1](self.books[venue].wire)
            if number % CHECKED_EVERY == 0 or number == steps or self._venues.clock() - self._checked_ms > _MOST_UNCHECKED_MS:
                await self.check()

    async def check(self) -> None:
        self._checked_ms = self._venues.clock()
        for venue in Venue:
            await self.books[venue].check(self._venues, venue)
            self.checks += 2
            held = [each.quantity for each in await self.twins[venue].check(self._venues, venue)]
            assert held == ([self._twins_hold] if self._twins_hold else []), venue
            account = self._venues.engine.account(venue, self.books[venue].wire.name)
            if self._venues.engine.view(account).equity < _POOR or len(self.books[venue].seen) > _LONG:
                self._count_up(account)
                self.books[venue] = self._open(venue)

    def count_up(self) -> None:
        """Into `lines`, what the statements of the accounts still in use hold of each kind."""
        for venue in Venue:
            for book in (self.books[venue], self.twins[venue]):
                self._count_up(self._venues.engine.account(venue, book.wire.name))

    def _count_up(self, account: Account) -> None:
        entries = self._venues.engine.statement(account)
        if entries[-1].kind is EntryKind.DEPOSIT:
            check_statement(self._venues.engine, account)
        self.lines.update((account.venue, entry.kind) for entry in entries)
        self.liquidations += sum(order.liquidation for order in self._venues.engine.order_history(account))

    def _open(self, venue: Venue) -> Book:
        self.named[venue] += 1
        return Book(self._wire(venue, f"trader{self.named[venue]}"))

    def _wire(self, venue: Venue, name: str) -> Wire:
        return _WIRES[venue](self._http, f"{self._venues.url}/{venue}", name)

    def _symbol(self) -> str:
        return self._random.choice(SYMBOLS)

    def _order(self, wire: Wire, *, priced: bool) -> Order:
        random, symbol = self._random, self._symbol()
        listing = self._venues.engine.listing(wire.venue, wire.engine_symbol(symbol))
        mark = self._venues.engine.mark(wire.venue, listing.symbol)
        usd = Decimal(random.choice((150, 2_000, 30_000, 150_000, 400_000, 900_000)))
        price = mark * (1 + Decimal(random.randrange(-60, 61)) / 10_000) // listing.tick * listing.tick
        account = self._venues.engine.account(wire.venue, wire.name)
        leg = random.choice((Leg.LONG, Leg.SHORT)) if account.is_hedged(listing.symbol) is (random.random() < 0.95) else Leg.NET
        return Order(
            symbol=symbol,
            is_buy=random.random() < 0.5,
            quantity=max(usd / mark // listing.lot, Decimal(1)) * listing.lot,
            price=price if priced else None,
            leg=leg,
            margin_mode=random.choice(list(MarginMode)),
            reduce_only=random.random() < 0.1,
        )

    async def _market(self, wire: Wire) -> bool:
        return await wire.order(self._order(wire, priced=False))

    async def _limit(self, wire: Wire) -> bool:
        return await wire.order(self._order(wire, priced=True))

    async def _margin(self, wire: Wire) -> bool:
        amount = Decimal(self._random.choice((-5_000, -300, 10, 700, 9_000))) + Decimal("0.25")
        isolated = [each for each in await wire.positions() if each.margin_mode is MarginMode.ISOLATED]
        return await wire.margin(self._random.choice(isolated), amount) if isolated else False

    async def _flatten(self, wire: Wire) -> bool:
        """Closes everything, as one has to before the modes can be changed."""
        for symbol in SYMBOLS:
            await wire.cancel_all(symbol)
        closed = [await wire.close(each) for each in await wire.positions()]
        return all(closed)

    async def _unison(self, _: Wire) -> bool:
        """The same small order everywhere: accepted, filled at once and told alike."""
        quantity, is_buy = Decimal(self._random.randrange(1, 20)) / 100, self._random.random() < 0.5
        if abs(self._twins_hold + (quantity if is_buy else -quantity)) > _TWINS_MOST:
            is_buy = not is_buy
        order = Order("BTC", is_buy, quantity, None, Leg.NET, MarginMode.CROSS, reduce_only=False)
        assert all([await book.wire.order(order) for book in self.twins.values()])
        self._twins_hold += quantity if is_buy else -quantity
        return True

    async def _wait(self, _: Wire) -> bool:
        self._venues.clock.ms += self._random.choice(_WAITS_MS)
        return True

    async def _shock(self, wire: Wire) -> bool:
        """Up and down around where the price would be without any."""
        symbol = self._symbol()
        ratio = Decimal(self._random.choice(("0.9", "0.95", "0.97", "0.98", "1.02", "1.03", "1.05", "1.1")))
        if not Decimal("0.7") < self._ratios[symbol] * ratio < Decimal("1.4"):
            ratio = (1 / self._ratios[symbol]).quantize(Decimal("0.0001"))
        self._ratios[symbol] = (self._ratios[symbol] * ratio).quantize(Decimal("0.000001"))
        self._venues.engine.shock(wire.engine_symbol(symbol), ratio)
        self._venues.clock.ms += 1_000
        return True

    async def _restart(self, _: Wire) -> bool:
        """Everything is read back from the ledger."""
        await self._venues.stop()
        await self._venues.start()
        for venue in Venue:
            for book in (self.books[venue], self.twins[venue]):
                book.wire.url = f"{self._venues.url}/{venue}"
        return True


@asynccontextmanager
async def trading(path: Path, seed: int) -> AsyncIterator[Trader]:
    venues = Venues(path)
    await venues.start()
    try:
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=20)) as http:
            yield Trader(venues, http, Random(seed))
            await asyncio.sleep(0)
    finally:
        await venues.stop()
