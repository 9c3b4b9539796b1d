"""The catalogue of one venue's instruments: symbol <-> venue symbol, steps, minimums, contract size. Loaded once an hour, shared by all
accounts of that venue and environment. Knows no Django; the rows people see are made from it by `exchanges.tasks`."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence

from exchanges.domain import Instrument
from exchanges.errors import ExchangeAPIError, UnknownSymbol

logger = logging.getLogger(__name__)

RELOAD_AFTER_S = 3_600.0
RETRY_AFTER_S = 30.0

# What a contract name multiplies: one base unit of 1000PEPE is 1000 PEPE. Longest first, so that 1000000MOG is not read as 1000 x 000MOG.
_MULTIPLIERS = {"1000000": 1_000_000, "10000": 10_000, "1000": 1_000, "1M": 1_000_000}


def split_multiplier(base: str) -> tuple[str, int]:
    """`1000PEPE` -> ("PEPE", 1000), `1MBABYDOGE` -> ("BABYDOGE", 1000000); `1INCH` and `BTC` -> (itself, 1)."""
    for prefix, multiplier in _MULTIPLIERS.items():
        rest = base.removeprefix(prefix)
        if rest != base and rest and not rest[0].isdigit():
            return rest, multiplier
    return base, 1


class InstrumentCatalogue:
    """Answers from memory; the first question, and one an hour, asks the venue by `load`. A failed reload keeps the old answer."""

    def __init__(self, load: Callable[[], Awaitable[Sequence[Instrument]]], *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._load = load
        self._monotonic = monotonic
        self._by_symbol: dict[str, Instrument] = {}
        self._by_venue_symbol: dict[str, Instrument] = {}
        self._loaded_at: float | None = None
        self._retry_at = 0.0
        self._loading = asyncio.Lock()

    async def by_symbol(self, symbol: str) -> Instrument:
        """Raises UnknownSymbol."""
        if not self._is_fresh():
            await self._ensure()
        try:
            return self._by_symbol[symbol]
        except KeyError:
            raise UnknownSymbol(f"symbol must be one that the exchange lists, was {symbol}", field="symbol") from None

    async def by_venue_symbol(self) -> Mapping[str, Instrument]:
        if not self._is_fresh():
            await self._ensure()
        return self._by_venue_symbol

    async def all(self) -> list[Instrument]:
        await self._ensure()
        return list(self._by_symbol.values())

    async def reload(self) -> list[Instrument]:
        """Ask the venue now. Errors pass through and leave what was known."""
        instruments = await self._load()
        self._by_symbol = {instrument.symbol: instrument for instrument in instruments}
        self._by_venue_symbol = {instrument.venue_symbol: instrument for instrument in instruments}
        self._loaded_at = self._monotonic()
        return list(instruments)

    async def _ensure(self) -> None:
        if self._is_fresh():
            return
        async with self._loading:
            if self._is_fresh():
                return
            try:
                await self.reload()
            except ExchangeAPIError as error:
                if self._loaded_at is None:
                    raise
                logger.warning("instruments could not be read again, the known ones serve on: %s", error)
                self._retry_at = self._monotonic() + RETRY_AFTER_S

    def _is_fresh(self) -> bool:
        """True also while a failed reload waits for its next try: a venue that is down must not hold up every question."""
        now = self._monotonic()
        return self._loaded_at is not None and (now - self._loaded_at < RELOAD_AFTER_S or now < self._retry_at)
