"""One Bybit account behind IExchangeClient: parameters -> client -> mapping. Linear USDT perpetuals of a unified account.

Bybit acknowledges an order or a cancel before it is carried out, so an order is queried once before it is answered. Account settings and
what is held outside linear USDT perpetuals are asked for once a minute; everything else is asked for when it is asked of us.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from datetime import datetime
from decimal import Decimal
from typing import TypeVar
from uuid import uuid4

from exchanges.adapters.bybit import keys, mapping, margin, orders, quotes
from exchanges.adapters.bybit.candles import CANDLES_PER_PAGE, MAX_LIMIT, fetch_klines
from exchanges.adapters.bybit.client import BybitClient, Envelope
from exchanges.adapters.bybit.errors import EXCHANGE
from exchanges.adapters.bybit.orders import LINEAR
from exchanges.adapters.bybit.pages import every_page
from exchanges.adapters.bybit.settings import ORDERS_PER_PAGE, POSITIONS_PER_PAGE, SETTLE_COIN, AccountSettings
from exchanges.adapters.bybit.wire import Row, answered
from exchanges.adapters.preparing import position_to_close, refuse_reduce_only_that_opens, with_leverage
from exchanges.candles import kline_query
from exchanges.clock import VenueClock
from exchanges.domain import (
    AccountSummary,
    Balance,
    CancelResult,
    ExchangeConfig,
    ExchangeType,
    FundingRate,
    Instrument,
    KeyPermissions,
    Kline,
    LeverageBracket,
    MarginMode,
    MarkPrice,
    OrderBook,
    OrderRequest,
    OrderResult,
    OrderType,
    Position,
    PositionBook,
    PositionMode,
    PositionSide,
    SymbolSettings,
    Ticker,
    TimeInForce,
    Wallet,
)
from exchanges.errors import ExchangeAPIError, NoChange, UnknownOrder, UnsupportedField
from exchanges.order_rules import refuse_unsupported
from exchanges.protocol import Capabilities, MarginModeScope
from exchanges.venue import VenueContext

T = TypeVar("T")

CAPABILITIES = Capabilities(
    exchange=ExchangeType.BYBIT,
    order_types=frozenset({OrderType.MARKET, OrderType.LIMIT}),
    times_in_force=frozenset(TimeInForce),
    order_fields=frozenset(
        {
            *("symbol", "side", "order_type", "quantity", "price"),
            *("time_in_force", "reduce_only", "client_order_id", "position_side", "leverage"),
        }
    ),
    supports_hedge_mode=True,
    margin_mode_scope=MarginModeScope.ACCOUNT,
    max_klines_per_call=CANDLES_PER_PAGE,
    acknowledges_without_state=True,
    client_ids_always_unique=True,
    visibility_lag_s=5.0,
)

EXECUTIONS_PER_PAGE = 100
INSTRUMENTS_PER_PAGE = 1_000
CONFIRM_DEADLINE_S = 2.0


class BybitExchange:
    def __init__(self, config: ExchangeConfig, venue: VenueContext) -> None:
        self._client = BybitClient(config, venue)
        self._venue = venue
        self._instruments = venue.catalogue(self.get_instruments)
        self._settings = AccountSettings(self._client, self._instruments)
        self._holds_hedge_legs = False

    @property
    def capabilities(self) -> Capabilities:
        return CAPABILITIES

    @property
    def clock(self) -> VenueClock:
        return self._venue.clock

    def get_exchange_name(self) -> str:
        return EXCHANGE

    async def place_order(self, request: OrderRequest) -> OrderResult:
        refuse_unsupported(request, CAPABILITIES)
        refuse_reduce_only_that_opens(request, EXCHANGE)
        if request.leverage is not None:
            setting = self._set_leverage_of_order(request.symbol, request.leverage, request.position_side)
            await with_leverage(setting, request.leverage, EXCHANGE)
        instrument = await self._instruments.by_symbol(request.symbol)
        sent = orders.from_order_request(request, instrument)
        return await self._submit(sent, instrument, request.quantity)

    async def cancel_order(self, symbol: str, order_id: str) -> CancelResult:
        orders.refuse_malformed_id("order_id", order_id)
        instrument = await self._instruments.by_symbol(symbol)
        envelope = await self._client.cancel_order(category=LINEAR, symbol=instrument.venue_symbol, orderId=order_id)
        return answered(orders.to_cancel_result, envelope, symbol, order_id)

    async def get_open_positions(self, symbol: str | None = None) -> list[Position]:
        if symbol is None:
            return (await self._fetch_covered()).positions
        instrument = await self._instruments.by_symbol(symbol)
        envelope = await self._client.get_positions(category=LINEAR, symbol=instrument.venue_symbol)
        margin_mode = await self._settings.margin_mode.get()
        return answered(mapping.to_position_book, [envelope], {instrument.venue_symbol: instrument}, margin_mode).positions

    async def get_position_book(self) -> PositionBook:
        covered = await self._fetch_covered()
        return PositionBook(positions=covered.positions, not_covered=covered.not_covered + await self._settings.not_covered.get())

    async def get_balances(self, asset: str | None = None) -> list[Balance]:
        balances = answered(mapping.to_balances, await self._fetch_wallet())
        return [balance for balance in balances if asset is None or balance.asset == asset]

    async def get_account(self) -> AccountSummary:
        position_mode = await self._position_mode()
        return answered(mapping.to_account, await self._fetch_wallet(), position_mode)

    async def get_wallet(self) -> Wallet:
        position_mode = await self._position_mode()
        return answered(mapping.to_wallet, await self._fetch_wallet(), position_mode)

    async def get_klines(
        self, symbol: str, interval: str, limit: int = 500, start_time: datetime | None = None, end_time: datetime | None = None
    ) -> list[Kline]:
        instrument = await self._instruments.by_symbol(symbol)
        query = kline_query(EXCHANGE, interval, limit, start_time, end_time, max_limit=MAX_LIMIT, now_ms=self.clock.now_ms())
        return await fetch_klines(self._client, instrument, query)

    async def get_order_status(self, symbol: str, order_id: str) -> OrderResult:
        instrument = await self._instruments.by_symbol(symbol)
        if (order := await self._look_up(instrument, "orderId", order_id)) is None:
            raise UnknownOrder(f"the exchange knows no order {order_id} of {symbol}", exchange=EXCHANGE)
        return order

    async def find_order(self, symbol: str, client_order_id: str) -> OrderResult | None:
        """Open orders, then the history, then the fills: each may be behind the others."""
        instrument = await self._instruments.by_symbol(symbol)
        if (order := await self._look_up(instrument, "orderLinkId", client_order_id)) is not None:
            return order
        executions = await every_page(
            self._client.get_executions,
            category=LINEAR,
            symbol=instrument.venue_symbol,
            orderLinkId=client_order_id,
            limit=EXECUTIONS_PER_PAGE,
        )
        return answered(orders.to_order_from_executions, executions, client_order_id, instrument)

    async def get_open_orders(self, symbol: str | None = None) -> list[OrderResult]:
        """Plain and conditional orders: Bybit keeps both in one list, and so does this answer. Also those of dated USDT futures."""
        instruments = await self._instruments.by_venue_symbol()
        scope = {"settleCoin": SETTLE_COIN} if symbol is None else {"symbol": (await self._instruments.by_symbol(symbol)).venue_symbol}
        envelopes = await every_page(self._client.get_open_orders, category=LINEAR, **scope, limit=ORDERS_PER_PAGE)
        return answered(orders.to_open_orders, envelopes, instruments)

    async def get_key_permissions(self) -> KeyPermissions:
        return answered(keys.to_key_permissions, await self._client.get_api_key_information())

    async def get_account_id(self) -> str:
        return answered(keys.to_account_id, await self._client.get_api_key_information())

    async def get_symbol_settings(self, symbol: str, margin_mode: MarginMode | None = None) -> SymbolSettings:
        instrument = await self._instruments.by_symbol(symbol)
        margin_mode = await self._settings.margin_mode.get()
        envelope = await self._client.get_positions(category=LINEAR, symbol=instrument.venue_symbol)
        return answered(margin.to_symbol_settings, envelope, instrument, margin_mode)

    async def get_leverage_brackets(self, symbol: str) -> list[LeverageBracket]:
        instrument = await self._instruments.by_symbol(symbol)
        envelopes = await every_page(self._client.get_risk_limit, category=LINEAR, symbol=instrument.venue_symbol)
        return answered(margin.to_leverage_brackets, envelopes, instrument)

    async def set_leverage(
        self, symbol: str, leverage: int, *, margin_mode: MarginMode | None = None, position_side: PositionSide | None = None
    ) -> bool:
        """For one leg the other's is read first, since Bybit sets both at once."""
        if margin_mode is not None:
            raise UnsupportedField("margin_mode must be left out: the account has one for all", exchange=EXCHANGE, field="margin_mode")
        instrument = await self._instruments.by_symbol(symbol)
        settings = None if position_side in (None, PositionSide.BOTH) else await self.get_symbol_settings(symbol)
        leverages = margin.from_leverage(leverage, position_side, settings)
        with suppress(NoChange):
            await self._client.set_leverage(category=LINEAR, symbol=instrument.venue_symbol, **leverages)
        return True

    async def set_margin_mode(self, symbol: str, margin_mode: MarginMode) -> bool:
        await self._instruments.by_symbol(symbol)
        return await self._settings.set_margin_mode(margin_mode)

    async def set_position_mode(self, mode: PositionMode) -> bool:
        is_set = await self._settings.set_position_mode(mode)
        self._holds_hedge_legs = False  # until the next poll shows some
        return is_set

    async def close_position(self, symbol: str, position_side: PositionSide | None = None) -> OrderResult:
        """Above the venue's maximum of one market order it closes that much, and `quantity` of the answer says how much."""
        instrument = await self._instruments.by_symbol(symbol)
        position = position_to_close(symbol, await self.get_open_positions(symbol), position_side, EXCHANGE)
        # Without an id of our own an answer that is lost on the way could not be looked up.
        sent = orders.from_position(position, client_order_id=f"c{uuid4().hex[:31]}")
        return await self._submit(sent, instrument, position.quantity)

    async def get_instruments(self) -> list[Instrument]:
        envelopes = await every_page(self._client.get_instruments_info, category=LINEAR, limit=INSTRUMENTS_PER_PAGE)
        return answered(mapping.to_instruments, envelopes)

    async def get_mark_prices(self) -> list[MarkPrice]:
        instruments = await self._instruments.by_venue_symbol()
        return answered(mapping.to_marks, await self._client.get_tickers(category=LINEAR), instruments)

    async def get_order_book(self, symbol: str, depth: int = 50) -> OrderBook:
        limit = quotes.to_wire_depth(depth)
        instrument = await self._instruments.by_symbol(symbol)
        envelope = await self._client.get_orderbook(category=LINEAR, symbol=instrument.venue_symbol, limit=limit)
        return answered(quotes.to_order_book, envelope, instrument, depth)

    async def get_tickers(self, symbol: str | None = None) -> list[Ticker]:
        return await self._read_tickers(quotes.to_tickers, symbol)

    async def get_funding_rates(self, symbol: str | None = None) -> list[FundingRate]:
        return await self._read_tickers(quotes.to_funding_rates, symbol)

    async def get_server_time_ms(self) -> int:
        return answered(mapping.to_server_time_ms, await self._client.get_server_time())

    async def aclose(self) -> None:
        await self._venue.aclose()

    async def _fetch_covered(self) -> PositionBook:
        """Perpetuals settled in USDT, and by name the dated futures among them."""
        instruments = await self._instruments.by_venue_symbol()
        margin_mode = await self._settings.margin_mode.get()
        envelopes = await every_page(self._client.get_positions, category=LINEAR, settleCoin=SETTLE_COIN, limit=POSITIONS_PER_PAGE)
        book = answered(mapping.to_position_book, envelopes, instruments, margin_mode)
        self._holds_hedge_legs = any(position.position_side is not PositionSide.BOTH for position in book.positions)
        return book

    async def _position_mode(self) -> PositionMode:
        """HEDGE where a probed symbol or any open position is in it: Bybit keeps the mode per symbol."""
        return PositionMode.HEDGE if self._holds_hedge_legs else await self._settings.position_mode.get()

    async def _fetch_wallet(self) -> Row:
        return await self._client.get_wallet_balance(accountType="UNIFIED")  # type: ignore[no-any-return]

    async def _read_tickers(
        self, to_x: Callable[[Row, Mapping[str, Instrument], Instrument | None], list[T]], symbol: str | None
    ) -> list[T]:
        """Bybit tells prices and funding in one answer."""
        instruments = await self._instruments.by_venue_symbol()
        asked = None if symbol is None else await self._instruments.by_symbol(symbol)
        envelope = await self._client.get_tickers(category=LINEAR, symbol=asked.venue_symbol if asked else None)
        return answered(to_x, envelope, instruments, asked)

    async def _look_up(self, instrument: Instrument, key: str, wanted: str) -> OrderResult | None:
        for call in (self._client.get_open_orders, self._client.get_order_history):
            if (order := await self._ask(call, instrument, key, wanted)) is not None:
                return order
        return None

    async def _ask(self, call: Callable[..., Awaitable[Envelope]], instrument: Instrument, key: str, wanted: str) -> OrderResult | None:
        orders.refuse_malformed_id("order_id" if key == "orderId" else "client_order_id", wanted)
        envelope = await call(category=LINEAR, symbol=instrument.venue_symbol, **{key: wanted})
        return answered(orders.to_order, envelope, key, wanted, instrument)

    async def _set_leverage_of_order(self, symbol: str, leverage: int, leg: PositionSide) -> bool:
        """In cross margin a leg has none of its own."""
        is_cross = await self._settings.margin_mode.get() is MarginMode.CROSS
        return await self.set_leverage(symbol, leverage, position_side=None if is_cross else leg)

    async def _submit(self, sent: Row, instrument: Instrument, quantity: Decimal) -> OrderResult:
        """The order's state where one query tells it, else the acknowledgement: the order exists whatever the query meets."""
        envelope = await self._client.place_order(**sent)
        order_id, client_order_id = answered(orders.to_acknowledged_ids, envelope, sent)
        try:
            async with asyncio.timeout(CONFIRM_DEADLINE_S):
                found = await self._ask(self._client.get_open_orders, instrument, "orderId", order_id)
        except (ExchangeAPIError, TimeoutError):
            found = None  # as if it had told nothing
        if found is None or found.client_order_id != client_order_id:
            return answered(orders.to_acknowledgement, envelope, sent, instrument, quantity)
        return found
