"""What an exchange can do for us: the one interface that everything above the adapters is written against.

Every method is async but `get_exchange_name`, raises a subclass of `ExchangeAPIError` (exchanges.errors) and nothing else, and speaks in
base units and `BTCUSDT` symbols. A read that fails raises; it never answers an empty list for an error.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol, runtime_checkable

from exchanges.clock import VenueClock
from exchanges.domain import (
    AccountSummary,
    Balance,
    CancelResult,
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


class MarginModeScope(StrEnum):
    """What a margin mode is set for; ORDER: it is not set, each order names its own, and each mode has a leverage of its own."""

    SYMBOL = "symbol"
    ACCOUNT = "account"
    ORDER = "order"


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What an adapter carries out today. `order_fields` are the fields of OrderRequest it puts on the wire: any other field with a value
    is refused, never ignored. `visibility_lag_s` is how long an accepted order may stay invisible to queries."""

    exchange: ExchangeType
    order_types: frozenset[OrderType]
    times_in_force: frozenset[TimeInForce]
    order_fields: frozenset[str]
    supports_hedge_mode: bool
    margin_mode_scope: MarginModeScope
    max_klines_per_call: int
    acknowledges_without_state: bool
    client_ids_always_unique: bool
    visibility_lag_s: float


@runtime_checkable
class IExchangeClient(Protocol):
    """One account at one exchange."""

    @property
    def capabilities(self) -> Capabilities: ...

    @property
    def clock(self) -> VenueClock: ...

    def get_exchange_name(self) -> str:
        """`binance`, `bybit` or `okx`."""
        ...

    async def place_order(self, request: OrderRequest) -> OrderResult:
        """Send one order, once. `request.client_order_id` is sent where set.

        Refusals are InvalidOrder, InsufficientMargin, AuthenticationError...: nothing was placed. OutcomeUnknown: it may be live, look
        it up with `find_order`. A field that the adapter does not carry out raises UnsupportedField before anything is sent.

        With `request.leverage` that is set at the venue first; an error there is never OutcomeUnknown, since nothing was placed. With
        `request.position_side` LONG or SHORT (hedge mode) a reduce-only order must close that leg: one that would open it raises
        ReduceOnlyRejected.
        """
        ...

    async def cancel_order(self, symbol: str, order_id: str) -> CancelResult:
        """Raises UnknownOrder or OrderAlreadyFinal where there is nothing to cancel: query before believing either."""
        ...

    async def get_open_positions(self, symbol: str | None = None) -> list[Position]:
        """Non-zero positions, every page; filtered to `symbol` where given. Out-of-scope ones are left out, see get_position_book."""
        ...

    async def get_position_book(self) -> PositionBook:
        """Non-zero positions of the whole account, every page, with the names of what is not covered."""
        ...

    async def get_balances(self, asset: str | None = None) -> list[Balance]:
        """Assets with a non-zero balance; filtered to `asset` where given."""
        ...

    async def get_account(self) -> AccountSummary:
        """Equity, margin and position mode of the account."""
        ...

    async def get_wallet(self) -> Wallet:
        """Balances and account of one reading: the venue tells both in one answer, so asking for both apart asks it twice."""
        ...

    async def get_klines(
        self, symbol: str, interval: str, limit: int = 500, start_time: datetime | None = None, end_time: datetime | None = None
    ) -> list[Kline]:
        """Oldest first, without gaps or repeats, at most `limit`, candles whose open time lies in [start_time, end_time]; with only
        start_time the oldest from there, otherwise the newest. Pages where the venue's limit is smaller. `interval`: see
        exchanges.domain.KLINE_INTERVALS_S."""
        ...

    async def get_order_status(self, symbol: str, order_id: str) -> OrderResult:
        """The order as the venue knows it now. Raises UnknownOrder where it knows none."""
        ...

    async def find_order(self, symbol: str, client_order_id: str) -> OrderResult | None:
        """Authoritative look-up by client order id in everything the venue has (open and history). None only when every look-up
        succeeded and said no."""
        ...

    async def get_open_orders(self, symbol: str | None = None) -> list[OrderResult]:
        """Resting orders, every page."""
        ...

    async def get_key_permissions(self) -> KeyPermissions:
        """What this client's key may do, by the venue's own word."""
        ...

    async def get_account_id(self) -> str:
        """The venue's own id of the account behind the key, the same for each of its keys: at most 64 printable characters, "" where the
        venue tells none (Binance repeats it with each asset, and may list none of an empty wallet). Raises BadVenueResponse for what is
        no id."""
        ...

    async def get_symbol_settings(self, symbol: str, margin_mode: MarginMode | None = None) -> SymbolSettings:
        """Margin mode and leverage of the next order in `symbol`. OKX has no mode by symbol but a leverage for each: `margin_mode` says of
        which, cross where it is None. Elsewhere a symbol has one, whatever is asked, and is told with the mode it is in."""
        ...

    async def get_leverage_brackets(self, symbol: str) -> list[LeverageBracket]:
        """Lowest floor first, without gaps. OKX counts them in contracts: there the USD are those of the present mark price."""
        ...

    async def set_leverage(
        self, symbol: str, leverage: int, *, margin_mode: MarginMode | None = None, position_side: PositionSide | None = None
    ) -> bool:
        """True when the venue now uses `leverage` (also when it already did), for both legs where none is named.

        `margin_mode` is for venues that keep a leverage for each (OKX, cross where it is None), `position_side` for those that keep one
        for each leg (Bybit and OKX, isolated, in hedge mode); elsewhere they raise UnsupportedField. Raises OpenOrdersInTheWay or
        PositionInTheWay where one of those forbids it.
        """
        ...

    async def set_margin_mode(self, symbol: str, margin_mode: MarginMode) -> bool:
        """True when `symbol` is now held in `margin_mode` (also when it already was). Bybit knows one mode for all symbols of the account
        and changes it for all. OKX has no such setting and raises UnsupportedField: there each order names its mode
        (`OrderRequest.margin_mode`). Raises OpenOrdersInTheWay, PositionInTheWay or SettingRefused where the venue does not change it."""
        ...

    async def set_position_mode(self, mode: PositionMode) -> bool:
        """True when the account is now in `mode` (also when it already was). Raises OpenOrdersInTheWay, PositionInTheWay or, where the
        venue does not say which, SettingRefused."""
        ...

    async def close_position(self, symbol: str, position_side: PositionSide | None = None) -> OrderResult:
        """Close the whole position at market, reduce-only, in its own margin mode; with `position_side` that leg alone (LONG or SHORT
        also name a one-way position of that direction). Raises ReduceOnlyRejected where there is none; with several open and none named
        PositionModeMismatch, since the caller must say which."""
        ...

    async def get_instruments(self) -> list[Instrument]:
        """Linear USDT perpetuals that are listed, every page."""
        ...

    async def get_mark_prices(self) -> list[MarkPrice]:
        """Mark prices of every covered instrument."""
        ...

    async def get_order_book(self, symbol: str, depth: int = 50) -> OrderBook:
        """At most `depth` levels a side, and no more than the venue gives: 1,000 (Binance, Bybit), 400 (OKX). BadParameter below 1."""
        ...

    async def get_tickers(self, symbol: str | None = None) -> list[Ticker]:
        """The last day of every covered instrument, or of `symbol` alone. A market that has not traded yet is left out."""
        ...

    async def get_funding_rates(self, symbol: str | None = None) -> list[FundingRate]:
        """The rate that the next funding of every covered instrument, or of `symbol` alone, will use as far as is known now."""
        ...

    async def get_server_time_ms(self) -> int:
        """The venue's time, epoch milliseconds."""
        ...

    async def aclose(self) -> None:
        """Release what this client alone holds: its connections where it was built without a registry, never shared ones."""
        ...


class InstrumentSource(Protocol):
    """Where an adapter looks up instruments; see exchanges.instruments.InstrumentCatalogue."""

    async def by_symbol(self, symbol: str) -> Instrument: ...

    async def by_venue_symbol(self) -> Mapping[str, Instrument]: ...
