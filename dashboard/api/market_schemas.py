"""The shapes of what the API says of markets, margin and equity: exchanges.domain's words, decimals as strings in fixed notation."""

from datetime import datetime
from typing import Annotated

from ninja import Schema
from pydantic import AwareDatetime, BeforeValidator, Field

from dashboard.api.parsing import written_out
from dashboard.api.schemas import Fixed, Strict
from exchanges.domain import ExchangeType, MarginMode, PositionSide
from exchanges.entry import Symbol

MAX_LEVERAGE = 200


class LevelOut(Schema):
    price: Fixed
    quantity: Fixed


class OrderBookOut(Schema):
    """Best first on both sides."""

    exchange: ExchangeType
    symbol: str
    bids: list[LevelOut]
    asks: list[LevelOut]
    as_of: datetime


class KlineOut(Schema):
    """`close_time` is exclusive; `volume` base units, `turnover` USDT; `is_closed` false for the running candle."""

    open_time: datetime
    close_time: datetime
    open: Fixed
    high: Fixed
    low: Fixed
    close: Fixed
    volume: Fixed
    turnover: Fixed
    is_closed: bool


class KlinesOut(Schema):
    """Oldest first."""

    exchange: ExchangeType
    symbol: str
    interval: str
    items: list[KlineOut]


class TickerOut(Schema):
    """`volume_24h` base units, `turnover_24h` USDT, `change_24h` a ratio; null where the exchange has no such figure."""

    exchange: ExchangeType
    symbol: str
    last_price: Fixed
    bid_price: Fixed | None
    ask_price: Fixed | None
    mark_price: Fixed | None
    index_price: Fixed | None
    high_24h: Fixed | None
    low_24h: Fixed | None
    volume_24h: Fixed
    turnover_24h: Fixed | None
    change_24h: Fixed | None
    updated_at: datetime


class FundingOut(Schema):
    """`funding_rate` is a ratio for one interval: positive, longs pay shorts."""

    exchange: ExchangeType
    symbol: str
    funding_rate: Fixed
    interval_h: int | None
    next_funding_at: datetime | None
    mark_price: Fixed | None
    updated_at: datetime


class MissingOut(Schema):
    """An exchange whose figures are not in the answer, and why."""

    exchange: ExchangeType
    message: str


class TickersOut(Schema):
    items: list[TickerOut]
    missing: list[MissingOut]


class FundingRatesOut(Schema):
    items: list[FundingOut]
    missing: list[MissingOut]


class EquityPointOut(Schema):
    """`complete` where every account connected by then had a fresh figure."""

    minute: datetime
    equity_usd: Fixed
    accounts: int
    complete: bool


class EquityOut(Schema):
    """Oldest first."""

    portfolio: int
    items: list[EquityPointOut]


class LeverageIn(Strict):
    """`margin_mode` and `position_side` where the exchange keeps a leverage for each (OKX)."""

    symbol: Symbol
    leverage: Annotated[int, Field(ge=1, le=MAX_LEVERAGE, strict=True)]
    margin_mode: MarginMode | None = None
    position_side: PositionSide | None = None


class MarginModeIn(Strict):
    symbol: Symbol
    margin_mode: MarginMode


class SymbolSettingsOut(Schema):
    """How the symbol stands at the exchange now; a leverage is null where the exchange does not say."""

    account: int
    exchange: ExchangeType
    symbol: str
    margin_mode: MarginMode
    leverage_long: Fixed | None
    leverage_short: Fixed | None


Moment = Annotated[AwareDatetime, Field(description="with a zone: 2026-11-24T12:00:00Z"), BeforeValidator(written_out)]
