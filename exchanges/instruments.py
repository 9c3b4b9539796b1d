"""The catalogue of one venue's instruments: symbol <-> venue symbol, steps, minimums, contract size. Loaded once an hour, shared by all
accounts of that venue and environment. Knows no Django; the rows people see are made from it by `exchanges.tasks`."""

import asyncio
import logging
import re
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence

from exchanges.domain import Instrument
from exchanges.errors import BadVenueResponse, ExchangeAPIError, UnknownSymbol

logger = logging.getLogger(__name__)

RELOAD_AFTER_S = 3_600.0
RETRY_AFTER_S = 30.0

# How a contract's name says what it multiplies: a thousand or a longer power of ten, up to Bybit's 10000000AIDOGE, or Binance's 1M.
_multiplied = re.compile(r"(10{3,7}|1M)([^0-9].*)").fullmatch


def split_multiplier(base: str) -> tuple[str, int]:
    """`1000PEPE` -> ("PEPE", 1000), `1MBABYDOGE` -> ("BABYDOGE", 1000000); `1INCH` and `BTC` -> (itself, 1)."""
    found = _multiplied(base)
    if found is None:
        return base, 1
    return found[2], 1_000_000 if found[1] == "1M" else int(found[1])


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
        """Ask the venue now. Errors, and BadVenueResponse for a list that is suddenly empty, leave what was known."""
        instruments = await self._load()
        if not instruments and self._by_symbol:
            raise BadVenueResponse("the exchange's list of instruments is empty")
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
        """True also while a failed reload waits for its next try: a venue that is down must not hold up every question. An empty list is
        asked for again as soon: there are regions without perpetuals, and there are answers during maintenance."""
        now, lasts_s = self._monotonic(), RELOAD_AFTER_S if self._by_symbol else RETRY_AFTER_S
        return self._loaded_at is not None and (now - self._loaded_at < lasts_s or now < self._retry_at)
