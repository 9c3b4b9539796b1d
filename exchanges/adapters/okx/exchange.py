"""One OKX account behind IExchangeClient: parameters -> client -> mapping. Linear USDT perpetuals.

OKX acknowledges an order or a cancel before it is carried out, so an order is queried once before it is answered. Account settings are
asked for once a minute; everything else is asked for when it is asked of us.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import datetime

from exchanges.adapters.okx import keys, mapping, margin, orders, quotes
from exchanges.adapters.okx.candles import MAX_LIMIT, RECENT_PAGE, fetch_klines
from exchanges.adapters.okx.client import OkxClient
from exchanges.adapters.okx.errors import EXCHANGE
from exchanges.adapters.okx.pages import every_page
from exchanges.adapters.okx.settings import AccountSettings
from exchanges.adapters.okx.wire import Row, answered
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
    OrderSide,
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
from exchanges.errors import ExchangeAPIError, UnknownOrder, UnsupportedField
from exchanges.order_rules import refuse_unsupported
from exchanges.protocol import Capabilities, MarginModeScope
from exchanges.venue import VenueContext

CAPABILITIES = Capabilities(
    exchange=ExchangeType.OKX,
    order_types=frozenset({OrderType.MARKET, OrderType.LIMIT}),
    times_in_force=frozenset(TimeInForce),
    order_fields=frozenset(
        {
            *("symbol", "side", "order_type", "quantity", "price"),
            *("time_in_force", "reduce_only", "client_order_id", "position_side", "leverage", "margin_mode"),
        }
    ),
    supports_hedge_mode=True,
    margin_mode_scope=MarginModeScope.ORDER,
    max_klines_per_call=RECENT_PAGE,
    acknowledges_without_state=True,
    client_ids_always_unique=True,
    visibility_lag_s=3.0,
)

SWAP = "SWAP"
EVERY_SWAP = "ANY"
# Only conditional and oco can be asked for together. Iceberg, twap and chase are the venue's own working orders.
ALGO_LISTS = ("conditional,oco", "trigger", "move_order_stop", "chase", "iceberg", "twap")
CONFIRM_DEADLINE_S = 2.0


class OkxExchange:
    """Use on one event loop; makes no request when built."""

    def __init__(self, config: ExchangeConfig, venue: VenueContext) -> None:
        self._client = OkxClient(config, venue)
        self._venue = venue
        self._clock = venue.clock
        self._instruments = venue.catalogue(self.get_instruments)
        self._settings = AccountSettings(self._client)

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
        refuse_reduce_only_that_opens(request, EXCHANGE)
        instrument = await self._instruments.by_symbol(request.symbol)
        sent = orders.from_order_request(request, instrument)  # before the leverage is changed for an order that is refused here
        if request.leverage is not None:
            setting = self._settings.set_leverage(instrument, request.leverage, request.margin_mode, request.position_side)
            await with_leverage(setting, request.leverage, EXCHANGE)
        return await self._submit(sent, request, instrument)

    async def _submit(self, sent: dict[str, str], request: OrderRequest, instrument: Instrument) -> OrderResult:
        rows = await self._client.place_order(**sent)
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
        config = await self._settings.config()
        return answered(mapping.to_account, await self._client.get_account_balance(), config)

    async def get_wallet(self) -> Wallet:
        config = await self._settings.config()
        return answered(mapping.to_wallet, await self._client.get_account_balance(), config)

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
        rows = await every_page(fetch, "ordId", instType=SWAP, instId=instrument.venue_symbol)
        listed = answered(orders.to_orders, rows, {instrument.venue_symbol: instrument})
        return next((order for order in listed if order.client_order_id == client_order_id), None)

    async def get_open_orders(self, symbol: str | None = None) -> list[OrderResult]:
        """Resting orders, then the waiting conditional and algo orders, which OKX keeps in lists of their own. Those are read first: one
        that triggers in between is then seen twice at worst, never not at all."""
        instruments = await self._instruments.by_venue_symbol()
        venue_symbol = "" if symbol is None else (await self._instruments.by_symbol(symbol)).venue_symbol
        waiting: list[Row] = []
        for kind in ALGO_LISTS:
            waiting += await every_page(self._client.order_algos_list, "algoId", ordType=kind, instType=SWAP, instId=venue_symbol)
        resting = await every_page(self._client.get_order_list, "ordId", instType=SWAP, instId=venue_symbol)
        return answered(orders.to_orders, resting, instruments) + answered(orders.to_algo_orders, waiting, instruments)

    async def get_key_permissions(self) -> KeyPermissions:
        return answered(keys.to_key_permissions, await self._client.get_account_config())

    async def get_account_id(self) -> str:
        return answered(keys.to_account_id, await self._client.get_account_config())

    async def get_symbol_settings(self, symbol: str, margin_mode: MarginMode | None = None) -> SymbolSettings:
        instrument, mode = await self._instruments.by_symbol(symbol), margin_mode or MarginMode.CROSS
        rows = await self._client.get_leverage(mgnMode=mode.value, instId=instrument.venue_symbol)
        return answered(margin.to_symbol_settings, rows, instrument, mode)

    async def get_leverage_brackets(self, symbol: str) -> list[LeverageBracket]:
        instrument = await self._instruments.by_symbol(symbol)
        family = quotes.to_index_name(instrument)
        tiers, marks = await asyncio.gather(
            self._client.get_position_tiers(instType=SWAP, tdMode=MarginMode.CROSS.value, instFamily=family),
            self._client.get_mark_price(instType=SWAP, instId=instrument.venue_symbol),
        )
        return answered(margin.to_leverage_brackets, tiers, marks, instrument)

    async def set_leverage(
        self, symbol: str, leverage: int, *, margin_mode: MarginMode | None = None, position_side: PositionSide | None = None
    ) -> bool:
        instrument = await self._instruments.by_symbol(symbol)
        margin.refuse_leg_of_cross(margin_mode, position_side)
        return await self._settings.set_leverage(instrument, leverage, margin_mode, position_side)

    async def set_margin_mode(self, symbol: str, margin_mode: MarginMode) -> bool:
        raise UnsupportedField(
            f"margin_mode is no setting here: each order names its own, {margin_mode} for one in {symbol}",
            exchange=EXCHANGE,
            field="margin_mode",
        )

    async def set_position_mode(self, mode: PositionMode) -> bool:
        return await self._settings.set_position_mode(mode)

    async def close_position(self, symbol: str, position_side: PositionSide | None = None) -> OrderResult:
        instrument = await self._instruments.by_symbol(symbol)
        rows = await self._client.get_positions(instType=SWAP, instId=instrument.venue_symbol)
        book = answered(mapping.to_position_book, rows, {instrument.venue_symbol: instrument})
        position = position_to_close(symbol, book.positions, position_side, EXCHANGE)
        request = OrderRequest(
            symbol=symbol,
            side=OrderSide.SELL if position.side is PositionSide.LONG else OrderSide.BUY,
            order_type=OrderType.MARKET,
            quantity=position.quantity,
            reduce_only=True,
            position_side=position.position_side,
            margin_mode=position.margin_mode,
        )
        return await self._submit(orders.from_order_request(request, instrument), request, instrument)

    async def get_instruments(self) -> list[Instrument]:
        """OKX answers on one page."""
        return answered(mapping.to_instruments, await self._client.get_instruments(instType=SWAP))

    async def get_mark_prices(self) -> list[MarkPrice]:
        instruments = await self._instruments.by_venue_symbol()
        return answered(mapping.to_mark_prices, await self._client.get_mark_price(instType=SWAP), instruments)

    async def get_order_book(self, symbol: str, depth: int = 50) -> OrderBook:
        size = quotes.to_wire_depth(depth)
        instrument = await self._instruments.by_symbol(symbol)
        return answered(quotes.to_order_book, await self._client.get_orderbook(instId=instrument.venue_symbol, sz=size), instrument, depth)

    async def get_tickers(self, symbol: str | None = None) -> list[Ticker]:
        client, instruments = self._client, await self._instruments.by_venue_symbol()
        if symbol is None:
            asked, wanted = None, ""
            days, indices = client.get_tickers(instType=SWAP), client.get_index_tickers(quoteCcy="USDT")
        else:
            asked = await self._instruments.by_symbol(symbol)
            wanted = asked.venue_symbol
            days, indices = client.get_ticker(instId=wanted), client.get_index_tickers(instId=quotes.to_index_name(asked))
        answers = await asyncio.gather(days, client.get_mark_price(instType=SWAP, instId=wanted), indices)
        return answered(quotes.to_tickers, *answers, instruments, asked=asked)

    async def get_funding_rates(self, symbol: str | None = None) -> list[FundingRate]:
        instruments = await self._instruments.by_venue_symbol()
        asked = None if symbol is None else await self._instruments.by_symbol(symbol)
        rows, marks = await asyncio.gather(
            self._client.get_funding_rate(instId=asked.venue_symbol if asked else EVERY_SWAP),
            self._client.get_mark_price(instType=SWAP, instId=asked.venue_symbol if asked else ""),
        )
        return answered(quotes.to_funding_rates, rows, marks, instruments, asked=asked)

    async def get_server_time_ms(self) -> int:
        return answered(mapping.to_server_time_ms, await self._client.get_system_time())

    async def aclose(self) -> None:
        await self._venue.aclose()
