"""One Binance USD-M account behind IExchangeClient: parameters to the client, answers through mapping and orders. Knows the order of
requests and what is remembered between them; no wire field is named here but those of parameters."""

import asyncio
from datetime import datetime

from exchanges.adapters.binance import keys, mapping, margin, orders, quotes
from exchanges.adapters.binance.candles import CANDLES_PER_PAGE, MAX_LIMIT, fetch_klines
from exchanges.adapters.binance.client import BinanceClient
from exchanges.adapters.binance.errors import EXCHANGE
from exchanges.adapters.binance.intervals import FundingIntervals
from exchanges.adapters.binance.mapping import read
from exchanges.adapters.binance.settings import AccountSettings
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
from exchanges.errors import NoChange, UnknownOrder, UnsupportedField
from exchanges.order_rules import refuse_unsupported
from exchanges.protocol import Capabilities, MarginModeScope
from exchanges.venue import VenueContext

ORDERS_IN_HISTORY = 1_000

CAPABILITIES = Capabilities(
    exchange=ExchangeType.BINANCE,
    order_types=frozenset({OrderType.MARKET, OrderType.LIMIT}),
    times_in_force=frozenset(TimeInForce),
    order_fields=frozenset(
        {
            *("symbol", "side", "order_type", "quantity", "price"),
            *("time_in_force", "reduce_only", "client_order_id", "position_side", "leverage"),
        }
    ),
    supports_hedge_mode=True,
    margin_mode_scope=MarginModeScope.SYMBOL,
    max_klines_per_call=CANDLES_PER_PAGE,
    acknowledges_without_state=False,
    client_ids_always_unique=False,
    visibility_lag_s=3.0,
)


class BinanceExchange:
    def __init__(self, config: ExchangeConfig, venue: VenueContext) -> None:
        self._client = BinanceClient(
            api_key=config.api_key.get_secret_value(), api_secret=config.api_secret.get_secret_value(), venue=venue
        )
        self._venue = venue
        self._clock = venue.clock
        self._instruments = venue.catalogue(self.get_instruments)
        self._settings = AccountSettings(self._client)
        self._intervals = FundingIntervals(self._client)

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
        if request.leverage is not None:
            await with_leverage(self.set_leverage(request.symbol, request.leverage), request.leverage, EXCHANGE)
        answer = await self._client.futures_create_order(**orders.from_order_request(request))
        return read("new order", orders.to_order, answer, symbol=request.symbol, client_order_id=request.client_order_id)

    async def cancel_order(self, symbol: str, order_id: str) -> CancelResult:
        answer = await self._client.futures_cancel_order(**orders.from_order_id(symbol, order_id))
        if orders.is_conditional(order_id):
            client_id = read("cancel", orders.to_canceled_client_id, answer, order_id=order_id)
            return CancelResult(symbol=symbol, order_id=order_id, client_order_id=client_id)
        order = read("cancel", orders.to_order, answer, symbol=symbol, order_id=order_id)
        return CancelResult(
            symbol=symbol, order_id=order_id, client_order_id=order.client_order_id, confirmed=not order.status.is_open, order=order
        )

    async def get_order_status(self, symbol: str, order_id: str) -> OrderResult:
        answer = await self._client.futures_get_order(**orders.from_order_id(symbol, order_id))
        if not orders.is_conditional(order_id):
            return read("order", orders.to_order, answer, symbol=symbol, order_id=order_id)
        return await self._follow(answer, symbol, order_id=order_id)

    async def find_order(self, symbol: str, client_order_id: str) -> OrderResult | None:
        """By id first, then in the lists of open and of past orders, then among the conditional ones. userTrades hold no client ids."""
        try:
            answer = await self._client.futures_get_order(symbol=symbol, origClientOrderId=client_order_id)
            return read("order", orders.to_order, answer, symbol=symbol, client_order_id=client_order_id)
        except UnknownOrder:
            pass
        listed = read("open orders", orders.to_orders, await self._client.futures_get_open_orders(symbol=symbol))
        history = await self._client.futures_get_all_orders(symbol=symbol, limit=ORDERS_IN_HISTORY)
        listed += read("order history", orders.to_orders, history)
        found = [order for order in listed if (order.symbol, order.client_order_id) == (symbol, client_order_id)]
        if found:
            # An id may be used again once its order is final: the newest order is meant.
            return max(found, key=lambda order: int(order.order_id))
        try:
            answer = await self._client.futures_get_order(clientAlgoId=client_order_id)
        except UnknownOrder:
            return None
        return await self._follow(answer, symbol, client_order_id=client_order_id)

    async def get_open_orders(self, symbol: str | None = None) -> list[OrderResult]:
        """Conditional orders are read first: one that triggers in between is then seen twice at worst, never not at all."""
        wanted = _for_symbol(symbol)
        conditional = read(
            "conditional orders", orders.to_conditional_orders, await self._client.futures_get_open_orders(conditional=True, **wanted)
        )
        plain = read("open orders", orders.to_orders, await self._client.futures_get_open_orders(**wanted))
        return plain + conditional

    async def get_open_positions(self, symbol: str | None = None) -> list[Position]:
        positions = (await self._fetch_positions(symbol)).positions
        return positions if symbol is None else [position for position in positions if position.symbol == symbol]

    async def get_position_book(self) -> PositionBook:
        return await self._fetch_positions(None)

    async def get_balances(self, asset: str | None = None) -> list[Balance]:
        balances = read("account", mapping.to_balances, await self._client.futures_account(version=3))
        return [balance for balance in balances if asset in (None, balance.asset)]

    async def get_account(self) -> AccountSummary:
        mode = await self._settings.position_mode()
        return read("account", mapping.to_account, await self._client.futures_account(version=3), mode)

    async def get_wallet(self) -> Wallet:
        mode = await self._settings.position_mode()
        return read("account", mapping.to_wallet, await self._client.futures_account(version=3), mode)

    async def get_klines(
        self, symbol: str, interval: str, limit: int = 500, start_time: datetime | None = None, end_time: datetime | None = None
    ) -> list[Kline]:
        query = kline_query(EXCHANGE, interval, limit, start_time, end_time, max_limit=MAX_LIMIT, now_ms=self._clock.now_ms())
        return await fetch_klines(self._client, symbol, query)

    async def get_key_permissions(self) -> KeyPermissions:
        if not self._venue.endpoints.wallet:
            return read("account", keys.to_demo_permissions, await self._client.futures_account_config())
        return read("key permissions", keys.to_key_permissions, await self._client.get_account_api_permissions())

    async def get_account_id(self) -> str:
        return read("account id", keys.to_account_id, await self._client.futures_account_balance())

    async def get_symbol_settings(self, symbol: str, margin_mode: MarginMode | None = None) -> SymbolSettings:
        return read("symbol settings", margin.to_symbol_settings, await self._client.futures_symbol_config(symbol=symbol), symbol)

    async def get_leverage_brackets(self, symbol: str) -> list[LeverageBracket]:
        return read("leverage brackets", margin.to_leverage_brackets, await self._client.futures_leverage_bracket(symbol=symbol), symbol)

    async def set_leverage(
        self, symbol: str, leverage: int, *, margin_mode: MarginMode | None = None, position_side: PositionSide | None = None
    ) -> bool:
        for name, value in (("margin_mode", margin_mode), ("position_side", position_side)):
            if value is not None:
                raise UnsupportedField(f"{name} must be left out: a symbol has one leverage here", exchange=EXCHANGE, field=name)
        try:
            answer = await self._client.futures_change_leverage(symbol=symbol, leverage=leverage)
        except NoChange:
            return True
        finally:
            self._settings.forget_symbols()
        return read("leverage", margin.is_leverage_set, answer, symbol=symbol, leverage=leverage)

    async def set_margin_mode(self, symbol: str, margin_mode: MarginMode) -> bool:
        try:
            answer = await self._client.futures_change_margin_type(symbol=symbol, marginType=margin.MARGIN_TYPES[margin_mode])
        except NoChange:
            return True
        finally:
            self._settings.forget_symbols()
        return read("margin mode", margin.is_changed, answer)

    async def set_position_mode(self, mode: PositionMode) -> bool:
        try:
            answer = await self._client.futures_change_position_mode(dualSidePosition=margin.DUAL_SIDE[mode])
        except NoChange:
            return True
        finally:
            self._settings.forget_position_mode()
        return read("position mode", margin.is_changed, answer)

    async def close_position(self, symbol: str, position_side: PositionSide | None = None) -> OrderResult:
        position = position_to_close(symbol, await self.get_open_positions(symbol), position_side, EXCHANGE)
        answer = await self._client.futures_create_order(**orders.from_position(position))
        return read("new order", orders.to_order, answer, symbol=position.venue_symbol)

    async def get_instruments(self) -> list[Instrument]:
        return read("instruments", mapping.to_instruments, await self._client.futures_exchange_info())

    async def get_mark_prices(self) -> list[MarkPrice]:
        instruments = await self._instruments.by_venue_symbol()
        return read("mark prices", mapping.to_mark_prices, await self._client.futures_mark_price(), instruments)

    async def get_order_book(self, symbol: str, depth: int = 50) -> OrderBook:
        answer = await self._client.futures_order_book(symbol=symbol, limit=quotes.to_wire_depth(depth))
        return read("order book", quotes.to_order_book, answer, symbol=symbol, depth=depth)

    async def get_tickers(self, symbol: str | None = None) -> list[Ticker]:
        instruments = await self._instruments.by_venue_symbol()
        wanted, client = _for_symbol(symbol), self._client
        answers = await asyncio.gather(
            client.futures_ticker(**wanted), client.futures_orderbook_ticker(**wanted), client.futures_mark_price(**wanted)
        )
        return read("tickers", quotes.to_tickers, *answers, instruments, asked=symbol)

    async def get_funding_rates(self, symbol: str | None = None) -> list[FundingRate]:
        instruments = await self._instruments.by_venue_symbol()
        intervals_h = await self._intervals.by_symbol()
        answer = await self._client.futures_mark_price(**_for_symbol(symbol))
        return read("funding", quotes.to_funding_rates, answer, intervals_h, instruments, asked=symbol)

    async def get_server_time_ms(self) -> int:
        return read("server time", mapping.to_server_time_ms, await self._client.futures_time())

    async def aclose(self) -> None:
        self._settings.forget_symbols()
        await self._venue.aclose()

    async def _fetch_positions(self, symbol: str | None) -> PositionBook:
        instruments = await self._instruments.by_venue_symbol()
        answer = await self._client.futures_position_information(**_for_symbol(symbol))
        holdings = read("positions", mapping.to_holdings, answer)
        settings = await self._settings.of_symbols(read("positions", mapping.without_leverage, holdings))
        return read("positions", mapping.to_position_book, holdings, instruments=instruments, settings=settings)

    async def _follow(self, answer: mapping.Row, symbol: str, **asked: str) -> OrderResult:
        """A conditional order that has triggered lives on as a plain order, which tells its state."""
        child_id = read("conditional order", orders.to_child_order_id, answer)
        if child_id is not None:
            return await self.get_order_status(symbol, child_id)
        return read("conditional order", orders.to_conditional_order, answer, symbol=symbol, **asked)


def _for_symbol(symbol: str | None) -> dict[str, str]:
    return {} if symbol is None else {"symbol": symbol}
