"""The few things a trader does on every venue and what an account has there, for tests that do the same on all three.

Each venue's wire form is in a module of its own and signs as the venue's test client does. What is refused is False; a failure of the
venue raises.
"""

from collections.abc import Set
from decimal import Decimal
from typing import NamedTuple, Protocol

from exchanges.sandbox.model import Leg, MarginMode, Venue

SYMBOLS = ("BTC", "ETH", "ADA", "PEPE")  # ADA is paid funding more often, PEPE counts by the thousand on two venues
PAGE_OVERLAP_MS = 2_000  # what is found when somebody looks is stamped by when it happened


class Order(NamedTuple):
    symbol: str
    is_buy: bool
    quantity: Decimal
    price: Decimal | None
    leg: Leg
    margin_mode: MarginMode
    reduce_only: bool


class Held(NamedTuple):
    """`symbol` is the engine's."""

    symbol: str
    leg: Leg
    margin_mode: MarginMode
    quantity: Decimal
    unrealized: Decimal


class Money(NamedTuple):
    """`cash` is what the newest line of the statement gives as the balance after it."""

    wallet: Decimal
    unrealized: Decimal
    equity: Decimal
    cash: Decimal


class Line(NamedTuple):
    """`balance` None where the venue gives none; `number` grows."""

    id: str
    number: int
    time_ms: int
    change: Decimal
    balance: Decimal | None


class Wire(Protocol):
    venue: Venue
    name: str
    url: str

    def engine_symbol(self, symbol: str) -> str: ...
    async def order(self, order: Order) -> bool: ...
    async def close(self, held: Held) -> bool: ...
    async def cancel_all(self, symbol: str) -> bool: ...
    async def leverage(self, symbol: str, leverage: int) -> bool: ...
    async def margin(self, held: Held, amount: Decimal) -> bool: ...
    async def position_mode(self, hedge: bool) -> bool: ...
    async def margin_mode(self, symbol: str, mode: MarginMode) -> bool: ...
    async def money(self) -> Money: ...
    async def positions(self) -> list[Held]: ...
    async def lines(self, seen: Set[str], *, now_ms: int) -> list[Line]: ...


def by_thousands(symbol: str) -> str:
    """The symbol as Binance and Bybit list it."""
    return f"1000{symbol}USDT" if symbol == "PEPE" else f"{symbol}USDT"
