"""A market: how it is listed, what it costs now and what it cost."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from itertools import pairwise
from typing import Annotated, NamedTuple

from pydantic import Field

from exchanges.domain.model import DomainModel
from exchanges.domain.words import InstrumentStatus


class Instrument(DomainModel):
    """A linear USDT perpetual as one venue lists it, in base units. `underlying` and `multiplier` make venues comparable: one base unit
    of `1000PEPEUSDT` is 1000 PEPE. `contract_size` is base units per contract (1 where the venue counts base units)."""

    symbol: str
    venue_symbol: str
    underlying: str
    multiplier: Decimal = Decimal(1)
    tick: Annotated[Decimal, Field(gt=0)]
    lot: Annotated[Decimal, Field(gt=0)]
    market_lot: Annotated[Decimal, Field(gt=0)] | None = None
    min_quantity: Decimal
    max_quantity: Decimal | None = None
    max_market_quantity: Decimal | None = None
    min_notional: Decimal | None = None
    contract_size: Annotated[Decimal, Field(gt=0)] = Decimal(1)
    max_leverage: Decimal | None = None
    status: InstrumentStatus


class MarkPrice(NamedTuple):
    """`mark_price` > 0; a market without one is left out of the answer."""

    symbol: str
    mark_price: Decimal
    updated_at: datetime
    index_price: Decimal | None = None


class BookLevel(NamedTuple):
    """What rests at one price, in base units."""

    price: Decimal
    quantity: Decimal


@dataclass(frozen=True, slots=True)
class OrderBook:
    """Both sides, best price first, as of the venue's clock. A side may be empty."""

    symbol: str
    bids: list[BookLevel]
    asks: list[BookLevel]
    as_of: datetime

    def __post_init__(self) -> None:
        """ValueError for a side that is in another order, or holds what is no price or quantity."""
        for levels, sign in ((self.bids, -1), (self.asks, 1)):
            if any(better.price * sign >= worse.price * sign for better, worse in pairwise(levels)):
                raise ValueError("an order book that is not sorted best first")
            if any(price <= 0 or quantity <= 0 for price, quantity in levels):
                raise ValueError("a level without a price or a quantity")


class Ticker(NamedTuple):
    """The last day of one market. `volume_24h` base units, `turnover_24h` USDT (OKX tells none), `change_24h` a ratio of the price a day
    ago. None where the venue has no such figure."""

    symbol: str
    last_price: Decimal
    bid_price: Decimal | None
    ask_price: Decimal | None
    mark_price: Decimal | None
    index_price: Decimal | None
    high_24h: Decimal | None
    low_24h: Decimal | None
    volume_24h: Decimal
    turnover_24h: Decimal | None
    change_24h: Decimal | None
    updated_at: datetime


class FundingRate(NamedTuple):
    """`funding_rate` is a ratio per `interval_h` hours, due at `next_funding_at`. Positive: longs pay shorts."""

    symbol: str
    funding_rate: Decimal
    interval_h: int | None
    next_funding_at: datetime | None
    mark_price: Decimal | None
    updated_at: datetime


class LeverageBracket(NamedTuple):
    """Up to which leverage a position worth `floor_usd` to `cap_usd` (None: no end) may be held. Its maintenance margin is notional x
    `maintenance_rate` - `maintenance_amount_usd`."""

    floor_usd: Decimal
    cap_usd: Decimal | None
    max_leverage: Decimal
    maintenance_rate: Decimal
    maintenance_amount_usd: Decimal


class Kline(NamedTuple):
    """One candle. `close_time` is exclusive; `volume` base units, `turnover` USDT; `is_closed` False for the running one."""

    symbol: str
    interval: str
    open_time: datetime
    close_time: datetime
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal
    turnover: Decimal
    is_closed: bool


KLINE_INTERVALS_S: dict[str, int] = {
    "1m": 60,
    "3m": 180,
    "5m": 300,
    "15m": 900,
    "30m": 1_800,
    "1h": 3_600,
    "2h": 7_200,
    "4h": 14_400,
    "6h": 21_600,
    "12h": 43_200,
    "1d": 86_400,
    "1w": 604_800,
}
