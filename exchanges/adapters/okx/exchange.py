"""One OKX account behind IExchangeClient: parameters -> client -> mapping. Linear USDT perpetuals, one-way mode, cross margin.

OKX acknowledges an order or a cancel before it is carried out, so an order is queried once before it is answered. Account settings are
asked for once a minute; everything else is asked for when it is asked of us.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import datetime

from exchanges.adapters.okx import mapping, orders
from exchanges.adapters.okx.candles import MAX_LIMIT, RECENT_PAGE, fetch_klines
from exchanges.adapters.okx.client import OkxClient
from exchanges.adapters.okx.errors import EXCHANGE
from exchanges.adapters.okx.wire import Row, answered, to_identity
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
    MarginMode,
    MarkPrice,
    OrderRequest,
    OrderResult,
    OrderSide,
    OrderType,
    Position,
    PositionBook,
    PositionSide,
    TimeInForce,
    Wallet,
)
from exchanges.errors import (
    BadParameter,
    BadVenueResponse,
    ExchangeAPIError,
    PositionModeMismatch,
    ReduceOnlyRejected,
    UnknownOrder,
)
from exchanges.order_rules import refuse_unsupported
from exchanges.protocol import Capabilities
from exchanges.venue import VenueContext

CAPABILITIES = Capabilities(
    exchange=ExchangeType.OKX,
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
    max_klines_per_call=RECENT_PAGE,
    acknowledges_without_state=True,
    client_ids_always_unique=True,
    visibility_lag_s=3.0,
)

SWAP = "SWAP"
# Only conditional and oco can be asked for together. Iceberg, twap and chase are the venue's own working orders.
ALGO_LISTS = ("conditional,oco", "trigger", "move_order_stop", "chase", "iceberg", "twap")
ORDERS_PAGE = 100
MAX_PAGES = 100
CONFIRM_DEADLINE_S = 2.0
CONFIG_AGE_S = 60.0


class OkxExchange:
    """Use on one event loop; makes no request when built."""

    def __init__(self, config: ExchangeConfig, venue: VenueContext) -> None:
        self._client = OkxClient(config, venue)
        self._venue = venue
        self._clock = venue.clock
        self._instruments = venue.catalogue(self.get_instruments)
        self._account_config: mapping.AccountConfig | None = None
        self._account_config_at = 0.0

    @property
    def capabilities(self) -> Capabilities:
        return CAPABILITIES

    @property
    def clock(self) -> VenueClock:
        return self._clock

    def get_exchange_name(self) -> str:
        return EXCHANGE

    async def place_order(self, request: OrderRequest) -> OrderResult:
        refuse_unsupported(request, CAPABILITIES)
        return await self._submit(request, await self._instruments.by_symbol(request.symbol), MarginMode.CROSS)

    async def _submit(self, request: OrderRequest, instrument: Instrument, margin_mode: MarginMode) -> OrderResult:
        rows = await self._client.place_order(**orders.from_order_request(request, instrument, margin_mode))
        return await self._confirmed(answered(orders.to_acknowledgement, rows, request), instrument)

    async def _confirmed(self, acknowledged: OrderResult, instrument: Instrument) -> OrderResult:
        """The order as one query finds it, else the acknowledgement: the order exists, a query that fails does not change that."""
        try:
            async with asyncio.timeout(CONFIRM_DEADLINE_S):
                rows = await self._client.get_order(instId=instrument.venue_symbol, ordId=acknowledged.order_id)
                return answered(orders.to_order, rows, instrument, acknowledged.order_id, acknowledged.client_order_id)
        except (ExchangeAPIError, TimeoutError):
            return acknowledged

    async def cancel_order(self, symbol: str, order_id: str) -> CancelResult:
        instrument = await self._instruments.by_symbol(symbol)
        rows = await self._client.cancel_order(instId=instrument.venue_symbol, ordId=orders.to_wire_id("order_id", order_id))
        return answered(orders.to_cancel_result, rows, symbol, order_id)

    async def get_open_positions(self, symbol: str | None = None) -> list[Position]:
        if symbol is not None:
            await self._instruments.by_symbol(symbol)
        book = await self.get_position_book()
        return book.positions if symbol is None else [position for position in book.positions if position.symbol == symbol]

    async def get_position_book(self) -> PositionBook:
        """Asked for without an instType, so that what is open outside perpetuals is seen too. OKX answers on one page."""
        instruments = await self._instruments.by_venue_symbol()
        return answered(mapping.to_position_book, await self._client.get_positions(), instruments)

    async def get_balances(self, asset: str | None = None) -> list[Balance]:
        balances = answered(mapping.to_balances, await self._client.get_account_balance())
        return [balance for balance in balances if asset is None or balance.asset == asset.upper()]

    async def get_account(self) -> AccountSummary:
        config = await self._load_config()
        return answered(mapping.to_account, await self._client.get_account_balance(), config)

    async def get_wallet(self) -> Wallet:
        config = await self._load_config()
        return answered(mapping.to_wallet, await self._client.get_account_balance(), config)

    async def _load_config(self) -> mapping.AccountConfig:
        if self._account_config is None or time.monotonic() - self._account_config_at > CONFIG_AGE_S:
            self._account_config = answered(mapping.to_account_config, await self._client.get_account_config())
            self._account_config_at = time.monotonic()
        return self._account_config

    async def get_klines(
        self, symbol: str, interval: str, limit: int = 500, start_time: datetime | None = None, end_time: datetime | None = None
    ) -> list[Kline]:
        instrument = await self._instruments.by_symbol(symbol)
        query = kline_query(EXCHANGE, interval, limit, start_time, end_time, max_limit=MAX_LIMIT, now_ms=self._clock.now_ms())
        return await fetch_klines(self._client, instrument, query)

    async def get_order_status(self, symbol: str, order_id: str) -> OrderResult:
        instrument = await self._instruments.by_symbol(symbol)
        rows = await self._client.get_order(instId=instrument.venue_symbol, ordId=orders.to_wire_id("order_id", order_id))
        return answered(orders.to_order, rows, instrument, order_id)

    async def find_order(self, symbol: str, client_order_id: str) -> OrderResult | None:
        """By client id, then in the open orders, then in the history of seven days. OKX drops canceled orders without a fill from all
        of them after two hours."""
        orders.to_wire_id("client_order_id", client_order_id)
        instrument = await self._instruments.by_symbol(symbol)
        with suppress(UnknownOrder):
            rows = await self._client.get_order(instId=instrument.venue_symbol, clOrdId=client_order_id)
            return answered(orders.to_order, rows, instrument, "", client_order_id)
        for fetch in (self._client.get_order_list, self._client.get_orders_history):
            found = await self._find_in(fetch, instrument, client_order_id)
            if found is not None:
                return found
        return None

    async def _find_in(
        self, fetch: Callable[..., Awaitable[list[Row]]], instrument: Instrument, client_order_id: str
    ) -> OrderResult | None:
        rows = await _every_page(fetch, "ordId", instType=SWAP, instId=instrument.venue_symbol)
        listed = answered(orders.to_orders, rows, {instrument.venue_symbol: instrument})
        return next((order for order in listed if order.client_order_id == client_order_id), None)

    async def get_open_orders(self, symbol: str | None = None) -> list[OrderResult]:
        """Resting orders, then the waiting conditional and algo orders, which OKX keeps in lists of their own."""
        instruments = await self._instruments.by_venue_symbol()
        venue_symbol = "" if symbol is None else (await self._instruments.by_symbol(symbol)).venue_symbol
        resting = await _every_page(self._client.get_order_list, "ordId", instType=SWAP, instId=venue_symbol)
        result = answered(orders.to_orders, resting, instruments)
        for kind in ALGO_LISTS:
            waiting = await _every_page(self._client.order_algos_list, "algoId", ordType=kind, instType=SWAP, instId=venue_symbol)
            result += answered(orders.to_algo_orders, waiting, instruments)
        return result

    async def set_leverage(self, symbol: str, leverage: int) -> bool:
        if leverage < 1:
            raise BadParameter(f"leverage must be at least 1, was {leverage}", exchange=EXCHANGE, field="leverage")
        instrument = await self._instruments.by_symbol(symbol)
        rows = await self._client.set_leverage(lever=str(leverage), mgnMode="cross", instId=instrument.venue_symbol)
        return answered(mapping.to_leverage, rows, instrument.venue_symbol) == leverage

    async def close_position(self, symbol: str) -> OrderResult:
        """Closed in the position's own margin mode. A hedge leg can only be reduced by an order that names it, and takes no reduceOnly."""
        instrument = await self._instruments.by_symbol(symbol)
        rows = await self._client.get_positions(instType=SWAP, instId=instrument.venue_symbol)
        open_positions = answered(mapping.to_position_book, rows, {instrument.venue_symbol: instrument}).positions
        if not open_positions:
            raise ReduceOnlyRejected(f"symbol must be one with an open position, {symbol} has none", exchange=EXCHANGE, field="symbol")
        if len(open_positions) > 1:
            legs = " and ".join(f"{position.margin_mode} {position.side}" for position in open_positions)
            raise PositionModeMismatch(f"{symbol} has several positions ({legs}): say which one", exchange=EXCHANGE, field="position_side")
        position = open_positions[0]
        request = OrderRequest(
            symbol=symbol,
            side=OrderSide.SELL if position.side is PositionSide.LONG else OrderSide.BUY,
            order_type=OrderType.MARKET,
            quantity=position.quantity,
            reduce_only=position.position_side is PositionSide.BOTH,
            position_side=position.position_side,
        )
        return await self._submit(request, instrument, position.margin_mode)

    async def get_instruments(self) -> list[Instrument]:
        """OKX answers on one page."""
        return answered(mapping.to_instruments, await self._client.get_instruments(instType=SWAP))

    async def get_mark_prices(self) -> list[MarkPrice]:
        instruments = await self._instruments.by_venue_symbol()
        return answered(mapping.to_mark_prices, await self._client.get_mark_price(instType=SWAP), instruments)

    async def get_server_time_ms(self) -> int:
        return answered(mapping.to_server_time_ms, await self._client.get_system_time())

    async def aclose(self) -> None:
        await self._venue.aclose()


async def _every_page(fetch: Callable[..., Awaitable[list[Row]]], id_name: str, **filters: str) -> list[Row]:
    """Rows of all pages, newest first. OKX pages backwards: `after` an id are the rows older than it."""
    rows: list[Row] = []
    cursors = {""}
    cursor = ""
    for _ in range(MAX_PAGES):
        page = await fetch(**filters, after=cursor, limit=str(ORDERS_PAGE))
        rows += page
        if len(page) < ORDERS_PAGE:
            return rows
        cursor = answered(lambda last: to_identity(last[id_name]), page[-1])
        if cursor in cursors:
            raise BadVenueResponse("the exchange's pages repeat", exchange=EXCHANGE)
        cursors.add(cursor)
    raise BadVenueResponse(f"the list takes more than {MAX_PAGES} pages", exchange=EXCHANGE)
