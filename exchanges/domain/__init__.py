"""What every exchange talks about, in the field's words: orders, accounts, markets.

Knows no venue, no Django, no network. Quantities are base units (never contracts), money is USD where the name says so, ratios are
ratios, times are aware UTC datetimes. A symbol is `BTCUSDT`; the venue's own form is `venue_symbol`.
"""

from exchanges.domain.accounts import (
    AccountSummary,
    Balance,
    ExchangeConfig,
    KeyPermissions,
    Position,
    PositionBook,
    SymbolSettings,
    Wallet,
)
from exchanges.domain.markets import (
    KLINE_INTERVALS_S,
    BookLevel,
    FundingRate,
    Instrument,
    Kline,
    LeverageBracket,
    MarkPrice,
    OrderBook,
    Ticker,
)
from exchanges.domain.model import DomainModel
from exchanges.domain.orders import CancelResult, OrderRequest, OrderResult
from exchanges.domain.words import (
    Environment,
    ExchangeType,
    InstrumentStatus,
    MarginMode,
    OrderSide,
    OrderStatus,
    OrderType,
    PositionMode,
    PositionSide,
    TimeInForce,
)

__all__ = [
    "KLINE_INTERVALS_S",
    "AccountSummary",
    "Balance",
    "BookLevel",
    "CancelResult",
    "DomainModel",
    "Environment",
    "ExchangeConfig",
    "ExchangeType",
    "FundingRate",
    "Instrument",
    "InstrumentStatus",
    "KeyPermissions",
    "Kline",
    "LeverageBracket",
    "MarginMode",
    "MarkPrice",
    "OrderBook",
    "OrderRequest",
    "OrderResult",
    "OrderSide",
    "OrderStatus",
    "OrderType",
    "Position",
    "PositionBook",
    "PositionMode",
    "PositionSide",
    "SymbolSettings",
    "Ticker",
    "TimeInForce",
    "Wallet",
]
