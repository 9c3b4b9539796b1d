"""How often each Binance symbol pays funding: terms that change a few times a year, so they are asked for once an hour."""

import time
from collections.abc import Callable, Mapping

from exchanges.adapters.binance.client import BinanceClient
from exchanges.adapters.binance.mapping import read
from exchanges.adapters.binance.quotes import to_funding_intervals

KEEP_FOR_S = 3_600.0


class FundingIntervals:
    def __init__(self, client: BinanceClient, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._client = client
        self._monotonic = monotonic
        self._by_symbol: Mapping[str, int] | None = None
        self._until = 0.0

    async def by_symbol(self) -> Mapping[str, int]:
        """Hours; a symbol on the usual terms is not in it."""
        if self._by_symbol is None or self._monotonic() >= self._until:
            self._by_symbol = read("funding intervals", to_funding_intervals, await self._client.futures_v1_get_funding_info())
            self._until = self._monotonic() + KEEP_FOR_S
        return self._by_symbol
