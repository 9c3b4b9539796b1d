"""What a Binance account is set to: leverage and margin mode per symbol, position mode. Each costs a request and changes rarely, so it is
remembered for a minute."""

import logging
import time
from collections.abc import Callable, Mapping, Set

from exchanges.adapters.binance.client import BinanceClient
from exchanges.adapters.binance.mapping import SymbolConfig, read
from exchanges.adapters.binance.margin import to_position_mode, to_symbol_configs
from exchanges.domain import PositionMode
from exchanges.errors import ExchangeAPIError

logger = logging.getLogger(__name__)

KEEP_FOR_S = 60.0
RETRY_AFTER_S = 10.0


class AccountSettings:
    def __init__(self, client: BinanceClient, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._client = client
        self._monotonic = monotonic
        # Only what is asked for is kept, None where the venue did not say: it lists several hundred symbols.
        self._by_symbol: dict[str, SymbolConfig | None] = {}
        self._symbols_until = 0.0
        self._mode: PositionMode | None = None
        self._mode_until = 0.0

    async def of_symbols(self, symbols: Set[str]) -> Mapping[str, SymbolConfig | None]:
        """Never raises: a position is worth reporting without its leverage. An error is logged and tried again ten seconds later."""
        is_due = self._monotonic() >= self._symbols_until
        if symbols and (is_due or not symbols <= self._by_symbol.keys()):
            await self._refresh_symbols(set(symbols) if is_due else symbols | self._by_symbol.keys())
        return self._by_symbol

    async def position_mode(self) -> PositionMode:
        if self._mode is None or self._monotonic() >= self._mode_until:
            self._mode = read("position mode", to_position_mode, await self._client.futures_get_position_mode())
            self._mode_until = self._monotonic() + KEEP_FOR_S
        return self._mode

    def forget_position_mode(self) -> None:
        self._mode = None

    def forget_symbols(self) -> None:
        self._by_symbol = {}
        self._symbols_until = 0.0

    async def _refresh_symbols(self, symbols: Set[str]) -> None:
        try:
            known = read("symbol settings", to_symbol_configs, await self._client.futures_symbol_config(), symbols)
            keep_for_s = KEEP_FOR_S
        except ExchangeAPIError as error:
            logger.warning("leverage and margin modes are not known: %s %s", type(error).__name__, error.code)
            known, keep_for_s = {}, RETRY_AFTER_S
        self._by_symbol = {symbol: known.get(symbol) for symbol in symbols}
        self._symbols_until = self._monotonic() + keep_for_s
