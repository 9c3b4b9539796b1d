"""What one Bybit account is set to, and what it holds outside linear USDT perpetuals: each asked for at most once a minute.

A request for each of these with every poll would double the polls. A failed request is not remembered.
"""

import time
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

from exchanges.adapters.bybit import mapping
from exchanges.adapters.bybit.client import BybitClient
from exchanges.adapters.bybit.orders import LINEAR
from exchanges.adapters.bybit.pages import every_page
from exchanges.adapters.bybit.wire import answered
from exchanges.domain import MarginMode, PositionMode
from exchanges.errors import PermissionDenied
from exchanges.protocol import InstrumentSource

T = TypeVar("T")

REMEMBERED_S = 60.0
POSITIONS_PER_PAGE = 200
# Options need a permission of their own. A key without it cannot say that there are none.
UNREADABLE_OPTIONS = "options (not readable with this key)"
# Any symbol tells its own mode; this one is listed for as long as the venue lives.
PROBED_SYMBOL = "BTCUSDT"


class Remembered(Generic[T]):
    """An answer that is asked for again when it is older than a minute."""

    def __init__(self, fetch: Callable[[], Awaitable[T]], monotonic: Callable[[], float]) -> None:
        self._fetch = fetch
        self._monotonic = monotonic
        self._answer: tuple[float, T] | None = None

    async def get(self) -> T:
        if self._answer is None or self._monotonic() - self._answer[0] >= REMEMBERED_S:
            asked_at = self._monotonic()
            self._answer = (asked_at, await self._fetch())
        return self._answer[1]


class AccountSettings:
    def __init__(self, client: BybitClient, instruments: InstrumentSource, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._client = client
        self._instruments = instruments
        self.margin_mode: Remembered[MarginMode] = Remembered(self._fetch_margin_mode, monotonic)
        self.position_mode: Remembered[PositionMode] = Remembered(self._fetch_position_mode, monotonic)
        self.not_covered: Remembered[list[str]] = Remembered(self._fetch_not_covered, monotonic)

    async def _fetch_margin_mode(self) -> MarginMode:
        return answered(mapping.to_margin_mode, await self._client.get_account_info())

    async def _fetch_position_mode(self) -> PositionMode:
        """Bybit keeps a mode per symbol and has no call that tells the coin's default, so one symbol stands for the account."""
        listed = await self._instruments.by_venue_symbol()
        symbol = PROBED_SYMBOL if PROBED_SYMBOL in listed else next(iter(listed), PROBED_SYMBOL)
        return answered(mapping.to_position_mode, await self._client.get_positions(category=LINEAR, symbol=symbol))

    async def _fetch_not_covered(self) -> list[str]:
        """USDC contracts, inverse contracts and options. Dated USDT futures come with the covered positions."""
        usdc = await every_page(self._client.get_positions, category=LINEAR, settleCoin="USDC", limit=POSITIONS_PER_PAGE)
        inverse = await every_page(self._client.get_positions, category="inverse", limit=POSITIONS_PER_PAGE)
        return answered(mapping.to_open_symbols, usdc + inverse) + await self._fetch_options()

    async def _fetch_options(self) -> list[str]:
        try:
            options = await every_page(self._client.get_positions, category="option", limit=POSITIONS_PER_PAGE)
        except PermissionDenied:
            return [UNREADABLE_OPTIONS]
        return answered(mapping.to_open_symbols, options)
