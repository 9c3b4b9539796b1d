"""What the three simulated venues have in common: listings, orders, fills, positions, accounts and refusals.

Quantities are base units, money is USDT, prices USDT per base unit, all as exact decimals; times are epoch milliseconds. A dialect
turns these into its venue's wire form (OKX: contracts) and knows nothing of how they come about. Nothing here is shared
with the adapters: a mistake made twice would cancel out.
"""

from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum

ZERO = Decimal(0)


class Venue(StrEnum):
    BINANCE = "binance"
    BYBIT = "bybit"
    OKX = "okx"


class Side(StrEnum):
    BUY = "buy"
    SELL = "sell"

    @property
    def sign(self) -> int:
        return 1 if self is Side.BUY else -1


class Kind(StrEnum):
    MARKET = "market"
    LIMIT = "limit"


class Lifetime(StrEnum):
    """Time in force. POST_ONLY is Binance's GTX and OKX's post_only: it rests or it is canceled, it never takes."""

    GTC = "gtc"
    IOC = "ioc"
    FOK = "fok"
    POST_ONLY = "post_only"


class Status(StrEnum):
    NEW = "new"
    PARTIALLY_FILLED = "partially_filled"
    FILLED = "filled"
    CANCELED = "canceled"
    EXPIRED = "expired"

    @property
    def is_open(self) -> bool:
        return self in (Status.NEW, Status.PARTIALLY_FILLED)


class Reason(StrEnum):
    """Why the engine refused something; each dialect answers it with its venue's own code and words."""

    UNKNOWN_SYMBOL = "unknown_symbol"
    BAD_TICK = "bad_tick"
    BAD_LOT = "bad_lot"
    BELOW_MINIMUM = "below_minimum"
    ABOVE_MAXIMUM = "above_maximum"
    BELOW_NOTIONAL = "below_notional"
    PRICE_OUT_OF_BAND = "price_out_of_band"
    INSUFFICIENT_MARGIN = "insufficient_margin"
    DUPLICATE_CLIENT_ID = "duplicate_client_id"
    REDUCE_ONLY = "reduce_only"
    WOULD_TAKE = "would_take"
    NOT_FILLABLE = "not_fillable"
    UNKNOWN_ORDER = "unknown_order"
    ALREADY_FINAL = "already_final"
    LEVERAGE_TOO_HIGH = "leverage_too_high"
    TOO_MANY_ORDERS = "too_many_orders"


class Refused(Exception):
    """The engine changed nothing. `reason` decides the venue's code; `detail` is what its words may quote."""

    def __init__(self, reason: Reason, **detail: str) -> None:
        super().__init__(reason.value, detail)
        self.reason = reason
        self.detail = detail


@dataclass(frozen=True, slots=True)
class Listing:
    """One USDT perpetual as one venue lists it. `symbol` is the engine's key (BTCUSDT, 1000PEPEUSDT on Binance and Bybit,
    PEPEUSDT on OKX); `lot`, `min_quantity`... are base units, `contract_size` base units per contract (1 but on OKX).
    `price_band` is how far (a ratio of the mark) a buy may be priced above the mark and a sell below it."""

    venue: Venue
    symbol: str
    venue_symbol: str
    base: str
    tick: Decimal
    lot: Decimal
    min_quantity: Decimal
    max_quantity: Decimal
    max_market_quantity: Decimal
    min_notional: Decimal
    contract_size: Decimal
    max_leverage: int
    maintenance_rate: Decimal
    maker_fee: Decimal
    taker_fee: Decimal
    funding_interval_h: int
    listed_at_ms: int
    min_price: Decimal
    max_price: Decimal
    price_band: Decimal


@dataclass(slots=True)
class Order:
    """An order as the venue keeps it. `limit_price` is None for market orders; `fees` is what was paid in USDT (positive = cost)."""

    id: int
    client_id: str
    account: str
    venue: Venue
    symbol: str
    side: Side
    kind: Kind
    lifetime: Lifetime
    quantity: Decimal
    limit_price: Decimal | None
    reduce_only: bool
    created_ms: int
    updated_ms: int
    status: Status = Status.NEW
    filled: Decimal = ZERO
    filled_value: Decimal = ZERO
    fees: Decimal = ZERO
    realized_pnl: Decimal = ZERO
    cancel_reason: str = ""
    wire: dict[str, str] = field(default_factory=dict)  # what only the dialect understands (margin mode, tag, position index)

    @property
    def remaining(self) -> Decimal:
        return self.quantity - self.filled

    @property
    def average_price(self) -> Decimal | None:
        return self.filled_value / self.filled if self.filled else None


@dataclass(frozen=True, slots=True)
class Fill:
    """One execution. `realized_pnl` excludes the fee; `fee` positive = cost."""

    id: int
    order_id: int
    client_id: str
    account: str
    venue: Venue
    symbol: str
    side: Side
    quantity: Decimal
    price: Decimal
    fee: Decimal
    realized_pnl: Decimal
    is_maker: bool
    time_ms: int


@dataclass(slots=True)
class Position:
    """A one-way, cross-margin position: `quantity` is signed (shorts negative). `realized_pnl` since it was last flat, net of fees."""

    symbol: str
    quantity: Decimal
    entry_price: Decimal
    realized_pnl: Decimal
    opened_ms: int
    updated_ms: int


@dataclass(slots=True)
class Account:
    """An account of one venue. `wallet` is cash in USDT after realised PnL and fees, before unrealised PnL."""

    name: str
    venue: Venue
    wallet: Decimal
    opened_ms: int
    leverage: dict[str, int] = field(default_factory=dict)
    positions: dict[str, Position] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PositionView:
    """A position valued at the mark. `notional` >= 0; `liquidation_price` None where no price would liquidate."""

    position: Position
    mark: Decimal
    notional: Decimal
    unrealized_pnl: Decimal
    initial_margin: Decimal
    maintenance_margin: Decimal
    leverage: int
    liquidation_price: Decimal | None


@dataclass(frozen=True, slots=True)
class AccountView:
    """Money of an account at one moment: equity = wallet + unrealised; available = equity - position and order margin, >= 0."""

    wallet: Decimal
    unrealized_pnl: Decimal
    equity: Decimal
    position_margin: Decimal
    order_margin: Decimal
    maintenance_margin: Decimal
    available: Decimal
    positions: tuple[PositionView, ...]


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
