"""What one Bybit account is set to, and what it holds outside linear USDT perpetuals: each asked for at most once a minute.

A request for each of these with every poll would double the polls. A failed request is not remembered.
"""

import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Generic, TypeVar

from exchanges.adapters.bybit import mapping, margin, orders
from exchanges.adapters.bybit.client import BybitClient
from exchanges.adapters.bybit.errors import EXCHANGE
from exchanges.adapters.bybit.orders import LINEAR
from exchanges.adapters.bybit.pages import every_page
from exchanges.adapters.bybit.wire import answered
from exchanges.domain import MarginMode, PositionMode
from exchanges.errors import NoChange, OpenOrdersInTheWay, PermissionDenied, PositionInTheWay
from exchanges.protocol import InstrumentSource

T = TypeVar("T")

REMEMBERED_S = 60.0
SETTLE_COIN = "USDT"
POSITIONS_PER_PAGE = 200
ORDERS_PER_PAGE = 50
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

    def forget(self) -> None:
        self._answer = None


class AccountSettings:
    def __init__(self, client: BybitClient, instruments: InstrumentSource, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._client = client
        self._instruments = instruments
        self.margin_mode: Remembered[MarginMode] = Remembered(self._fetch_margin_mode, monotonic)
        self.position_mode: Remembered[PositionMode] = Remembered(self._fetch_position_mode, monotonic)
        self.not_covered: Remembered[list[str]] = Remembered(self._fetch_not_covered, monotonic)

    async def set_margin_mode(self, margin_mode: MarginMode) -> bool:
        """Of the whole account."""
        try:
            envelope = await self._client.set_margin_mode(setMarginMode=margin.MARGIN_MODES_TO_WIRE[margin_mode])
        except NoChange:
            return True
        finally:
            self.margin_mode.forget()
        return answered(margin.is_mode_set, envelope)

    async def set_position_mode(self, mode: PositionMode) -> bool:
        """Of all symbols that settle in USDT. Bybit switches those that hold nothing and passes over the others in silence, so what is in
        the way is looked for first."""
        await self._refuse_while_in_another_mode(mode)
        try:
            with suppress(NoChange):
                await self._client.switch_position_mode(category=LINEAR, coin=SETTLE_COIN, mode=margin.POSITION_MODES_TO_WIRE[mode])
        finally:
            self.position_mode.forget()
        return True

    async def _refuse_while_in_another_mode(self, mode: PositionMode) -> None:
        """Raises PositionInTheWay or OpenOrdersInTheWay. The margin mode of the positions is no matter here."""
        instruments = await self._instruments.by_venue_symbol()
        symbols = {instrument.symbol for instrument in instruments.values()}
        listed = await every_page(self._client.get_positions, category=LINEAR, settleCoin=SETTLE_COIN, limit=POSITIONS_PER_PAGE)
        held = answered(mapping.to_position_book, listed, instruments, MarginMode.CROSS).positions
        if kept := margin.symbols_in_another_mode(held, symbols, mode):
            raise PositionInTheWay(f"there is an open position in {', '.join(kept)}", exchange=EXCHANGE)
        listed = await every_page(self._client.get_open_orders, category=LINEAR, settleCoin=SETTLE_COIN, limit=ORDERS_PER_PAGE)
        if kept := margin.symbols_in_another_mode(answered(orders.to_open_orders, listed, instruments), symbols, mode):
            raise OpenOrdersInTheWay(f"there is an open order in {', '.join(kept)}", exchange=EXCHANGE)

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
