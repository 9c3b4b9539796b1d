"""What the engine shows of an account and of the market at one moment. Values only; how they come about is told where they are made."""

from dataclasses import dataclass
from decimal import Decimal

from .model import Bracket, Position


@dataclass(frozen=True, slots=True)
class PositionView:
    """A position valued at the mark; `notional` >= 0. `initial_margin` is notional / leverage; `margin` is what is really bound: the same
    under cross, the position's own wallet when isolated. At `liquidation_price` its equity (its own, or the account's cross equity) meets
    the maintenance margin, at `bankruptcy_price` it is 0, every other price held; None where no price would do it."""

    position: Position
    mark: Decimal
    notional: Decimal
    unrealized_pnl: Decimal
    initial_margin: Decimal
    margin: Decimal
    maintenance_margin: Decimal
    leverage: int
    bracket: Bracket
    liquidation_price: Decimal | None
    bankruptcy_price: Decimal | None


@dataclass(frozen=True, slots=True)
class AccountView:
    """Money of an account at one moment: equity = wallet + unrealised, to the last digit. `position_margin` and `maintenance_margin`
    count all positions. The cross_ parts are what cross positions share: cross_wallet = wallet - isolated_margin, cross_equity =
    cross_wallet + cross_unrealized_pnl; available = cross_equity - cross_position_margin - order_margin, >= 0."""

    wallet: Decimal
    unrealized_pnl: Decimal
    equity: Decimal
    position_margin: Decimal
    order_margin: Decimal
    maintenance_margin: Decimal
    available: Decimal
    positions: tuple[PositionView, ...]
    cross_wallet: Decimal
    cross_unrealized_pnl: Decimal
    cross_equity: Decimal
    cross_position_margin: Decimal
    cross_maintenance_margin: Decimal
    isolated_margin: Decimal
    isolated_unrealized_pnl: Decimal


@dataclass(frozen=True, slots=True)
class Candle:
    """`open_ms` inclusive, `close_ms` exclusive; volumes in base units and USDT; `is_closed` once close_ms has passed."""

    open_ms: int
    close_ms: int
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal
    turnover: Decimal
    trades: int
    is_closed: bool


@dataclass(frozen=True, slots=True)
class Level:
    price: Decimal
    quantity: Decimal


@dataclass(frozen=True, slots=True)
class Book:
    """Best first on both sides; `sequence` grows with time."""

    bids: tuple[Level, ...]
    asks: tuple[Level, ...]
    time_ms: int
    sequence: int


@dataclass(frozen=True, slots=True)
class Ticker:
    last: Decimal
    mark: Decimal
    index: Decimal
    bid: Level
    ask: Level
    open_24h: Decimal
    high_24h: Decimal
    low_24h: Decimal
    volume_24h: Decimal
    turnover_24h: Decimal
    funding_rate: Decimal
    next_funding_ms: int
    time_ms: int
