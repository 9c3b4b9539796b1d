"""One Bybit account behind IExchangeClient: parameters -> client -> mapping. Linear USDT perpetuals of a unified account, one-way mode.

Bybit acknowledges an order or a cancel before it is carried out, so an order is queried once before it is answered. Account settings and
what is held outside linear USDT perpetuals are asked for once a minute; everything else is asked for when it is asked of us.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import datetime
from decimal import Decimal
from uuid import uuid4

from exchanges.adapters.bybit import mapping, orders
from exchanges.adapters.bybit.candles import CANDLES_PER_PAGE, MAX_LIMIT, fetch_klines
from exchanges.adapters.bybit.client import BybitClient, Envelope
from exchanges.adapters.bybit.errors import EXCHANGE
from exchanges.adapters.bybit.orders import LINEAR
from exchanges.adapters.bybit.pages import every_page
from exchanges.adapters.bybit.settings import POSITIONS_PER_PAGE, AccountSettings
from exchanges.adapters.bybit.wire import Row, answered
from exchanges.candles import kline_query
from exchanges.clock import VenueClock
from exchanges.domain import (
    AccountSummary,
    Balance,
    CancelResult,
    ExchangeConfig,
    ExchangeType,
    Instrument,
    Kline,
    MarkPrice,
    OrderRequest,
    OrderResult,
    OrderType,
    Position,
    PositionBook,
    PositionMode,
    PositionSide,
    TimeInForce,
    Wallet,
)
from exchanges.errors import BadParameter, ExchangeAPIError, NoChange, PositionModeMismatch, ReduceOnlyRejected, UnknownOrder
from exchanges.order_rules import refuse_unsupported
from exchanges.protocol import Capabilities
from exchanges.venue import VenueContext

CAPABILITIES = Capabilities(
    exchange=ExchangeType.BYBIT,
    order_types=frozenset({OrderType.MARKET, OrderType.LIMIT}),
    times_in_force=frozenset(TimeInForce),
    order_fields=frozenset(
        {
            "symbol",
            "side",
            "order_type",
            "quantity",
            "price",
            "time_in_force",
            "reduce_only",
            "client_order_id",
            "position_side",
        }
    ),
    supports_hedge_mode=False,
    max_klines_per_call=CANDLES_PER_PAGE,
    acknowledges_without_state=True,
    client_ids_always_unique=True,
    visibility_lag_s=5.0,
)

SETTLE_COIN = "USDT"
ORDERS_PER_PAGE = 50
EXECUTIONS_PER_PAGE = 100
INSTRUMENTS_PER_PAGE = 1_000
CONFIRM_DEADLINE_S = 2.0
_IDENTITY = re.compile(r"[A-Za-z0-9_-]{1,64}")


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
        instrument = await self._instruments.by_symbol(request.symbol)
        sent = orders.from_order_request(request, instrument)
        return await self._submit(sent, instrument, request.quantity)

    async def cancel_order(self, symbol: str, order_id: str) -> CancelResult:
        _refuse_malformed("order_id", order_id)
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
        order = await self._look_up(instrument, "orderId", order_id)
        if order is None:
            raise UnknownOrder(f"the exchange knows no order {order_id} of {symbol}", exchange=EXCHANGE)
        return order

    async def find_order(self, symbol: str, client_order_id: str) -> OrderResult | None:
        """Open orders, then the history, then the fills: each may be behind the others."""
        instrument = await self._instruments.by_symbol(symbol)
        order = await self._look_up(instrument, "orderLinkId", client_order_id)
        if order is not None:
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

    async def set_leverage(self, symbol: str, leverage: int) -> bool:
        instrument = await self._instruments.by_symbol(symbol)
        wanted = str(leverage)
        with suppress(NoChange):
            await self._client.set_leverage(category=LINEAR, symbol=instrument.venue_symbol, buyLeverage=wanted, sellLeverage=wanted)
        return True

    async def close_position(self, symbol: str) -> OrderResult:
        """Above the venue's maximum of one market order it closes that much, and `quantity` of the answer says how much."""
        instrument = await self._instruments.by_symbol(symbol)
        positions = await self.get_open_positions(symbol)
        if not positions:
            raise ReduceOnlyRejected(f"there is no open position in {symbol}", exchange=EXCHANGE, field="symbol")
        if len(positions) > 1:
            raise PositionModeMismatch(
                f"position_side must be given: {symbol} has a long and a short position", exchange=EXCHANGE, field="position_side"
            )
        # Without an id of our own an answer that is lost on the way could not be looked up.
        sent = orders.from_position(positions[0], client_order_id=f"c{uuid4().hex[:31]}")
        return await self._submit(sent, instrument, positions[0].quantity)

    async def get_instruments(self) -> list[Instrument]:
        envelopes = await every_page(self._client.get_instruments_info, category=LINEAR, limit=INSTRUMENTS_PER_PAGE)
        return answered(mapping.to_instruments, envelopes)

    async def get_mark_prices(self) -> list[MarkPrice]:
        instruments = await self._instruments.by_venue_symbol()
        return answered(mapping.to_marks, await self._client.get_tickers(category=LINEAR), instruments)

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

    async def _look_up(self, instrument: Instrument, key: str, wanted: str) -> OrderResult | None:
        for call in (self._client.get_open_orders, self._client.get_order_history):
            order = await self._ask(call, instrument, key, wanted)
            if order is not None:
                return order
        return None

    async def _ask(self, call: Callable[..., Awaitable[Envelope]], instrument: Instrument, key: str, wanted: str) -> OrderResult | None:
        _refuse_malformed("order_id" if key == "orderId" else "client_order_id", wanted)
        envelope = await call(category=LINEAR, symbol=instrument.venue_symbol, **{key: wanted})
        return answered(orders.to_order, envelope, key, wanted, instrument)

    async def _submit(self, sent: Row, instrument: Instrument, quantity: Decimal) -> OrderResult:
        """The order's state where one query tells it, else the acknowledgement: the order exists whatever the query meets."""
        envelope = await self._client.place_order(**sent)
        order_id, client_order_id = answered(orders.to_acknowledged_ids, envelope, sent)
        found: OrderResult | None = None
        try:
            async with asyncio.timeout(CONFIRM_DEADLINE_S):
                found = await self._ask(self._client.get_open_orders, instrument, "orderId", order_id)
        except (ExchangeAPIError, TimeoutError):
            pass  # as if it had told nothing
        if found is None or found.client_order_id != client_order_id:
            return answered(orders.to_acknowledgement, envelope, sent, instrument, quantity)
        return found


def _refuse_malformed(field: str, value: str) -> None:
    if not _IDENTITY.fullmatch(value):
        raise BadParameter(f"{field} must be 1 to 64 letters, digits, - or _, was {value[:80]!r}", exchange=EXCHANGE, field=field)
