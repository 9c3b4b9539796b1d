"""What the three simulated venues have in common: listings, orders, fills, positions, accounts and refusals.

Quantities are base units, money is USDT, prices USDT per base unit, all as exact decimals; times are epoch milliseconds. A dialect
turns these into its venue's wire form (OKX: contracts) and knows nothing of how they come about. Nothing here is shared
with the adapters: a mistake made twice would cancel out.
"""

from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple

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


class Leg(StrEnum):
    """Which of a symbol's positions: the only one there is in one-way mode, or one of the two of hedge mode."""

    NET = "net"
    LONG = "long"
    SHORT = "short"


class MarginMode(StrEnum):
    CROSS = "cross"
    ISOLATED = "isolated"


class PositionKey(NamedTuple):
    """Names a position of an account, and the leverage it is opened with. Only OKX holds a symbol in both margin modes at once."""

    symbol: str
    leg: Leg = Leg.NET
    margin_mode: MarginMode = MarginMode.CROSS


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
    ABOVE_BRACKET = "above_bracket"
    POSITION_SIDE = "position_side"
    MARGIN_MODE = "margin_mode"
    OPEN_ORDERS = "open_orders"
    OPEN_POSITIONS = "open_positions"
    UNCHANGED = "unchanged"
    LEVERAGE_REDUCTION = "leverage_reduction"
    WOULD_LIQUIDATE = "would_liquidate"
    NO_POSITION = "no_position"
    NOT_ISOLATED = "not_isolated"
    BELOW_INITIAL_MARGIN = "below_initial_margin"


class Refused(Exception):
    """The engine changed nothing. `reason` decides the venue's code; `detail` is what its words may quote."""

    def __init__(self, reason: Reason, **detail: str) -> None:
        super().__init__(reason.value, detail)
        self.reason = reason
        self.detail = detail


class Bracket(NamedTuple):
    """What holds for positions worth more than `floor` up to `cap` (USDT): the highest leverage they may be opened with, and their
    maintenance margin = notional * maintenance_rate - maintenance_amount, which has no step where two brackets meet."""

    floor: Decimal
    cap: Decimal
    leverage: int
    maintenance_rate: Decimal
    maintenance_amount: Decimal


@dataclass(frozen=True, slots=True)
class Listing:
    """One USDT perpetual as one venue lists it. `symbol` is the engine's key (BTCUSDT, 1000PEPEUSDT on Binance and Bybit,
    PEPEUSDT on OKX); `lot`, `min_quantity`... are base units, `contract_size` base units per contract (1 but on OKX).
    `price_band` is how far (a ratio of the mark) a buy may be priced above the mark and a sell below it. `brackets`: smallest
    positions first. `liquidation_fee` is a ratio of the notional that a liquidation closes."""

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
    brackets: tuple[Bracket, ...]
    maker_fee: Decimal
    taker_fee: Decimal
    liquidation_fee: Decimal
    funding_interval_h: int
    listed_at_ms: int
    min_price: Decimal
    max_price: Decimal
    price_band: Decimal

    @property
    def max_leverage(self) -> int:
        return self.brackets[0].leverage

    @property
    def maintenance_rate(self) -> Decimal:
        """Of the smallest positions."""
        return self.brackets[0].maintenance_rate


@dataclass(slots=True)
class Order:
    """An order as the venue keeps it. `limit_price` is None for market orders; `fees` is what was paid in USDT (positive = cost).
    `liquidation`: the venue made it."""

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
    wire: dict[str, str] = field(default_factory=dict)  # what only the dialect understands (tag, self-trade prevention)
    leg: Leg = Leg.NET
    margin_mode: MarginMode = MarginMode.CROSS
    liquidation: bool = False

    @property
    def key(self) -> PositionKey:
        return PositionKey(self.symbol, self.leg, self.margin_mode)

    @property
    def closes(self) -> bool:
        """Whether it may only make its position smaller: it says so, or it closes its leg."""
        return self.reduce_only or (self.leg is not Leg.NET and (self.side is Side.BUY) is (self.leg is Leg.SHORT))

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
    leg: Leg = Leg.NET
    margin_mode: MarginMode = MarginMode.CROSS

    @property
    def key(self) -> PositionKey:
        return PositionKey(self.symbol, self.leg, self.margin_mode)


@dataclass(slots=True)
class Position:
    """`quantity` is signed (shorts negative, in a SHORT leg too). `realized_pnl` (net of fees) and `funding` (positive = received) since
    it was last flat. `margin` is the wallet of an isolated position, a part of the account's that is set aside for it; 0 under cross."""

    symbol: str
    quantity: Decimal
    entry_price: Decimal
    realized_pnl: Decimal
    opened_ms: int
    updated_ms: int
    leg: Leg = Leg.NET
    margin_mode: MarginMode = MarginMode.CROSS
    margin: Decimal = ZERO
    funding: Decimal = ZERO

    @property
    def key(self) -> PositionKey:
        return PositionKey(self.symbol, self.leg, self.margin_mode)


class EntryKind(StrEnum):
    DEPOSIT = "deposit"
    REALIZED = "realized"
    FEE = "fee"
    FUNDING = "funding"
    LIQUIDATION_FEE = "liquidation_fee"
    INSURANCE = "insurance"  # what the venue puts in where a wallet would be left below zero
    MARGIN_IN = "margin_in"  # into the wallet of an isolated position; changes no cash
    MARGIN_OUT = "margin_out"


class Entry(NamedTuple):
    """A line of the account's statement. `amount` is the change of the account's wallet in USDT (costs are negative) and `balance` the
    wallet after it; `moved` the change of an isolated position's wallet by a MARGIN_IN or MARGIN_OUT, whose amount is 0. `order_id` and
    `fill_id` are 0 where none brought it: a move of margin without an order is the user's. A deposit belongs to no symbol ("")."""

    id: int
    kind: EntryKind
    symbol: str
    leg: Leg
    margin_mode: MarginMode
    amount: Decimal
    moved: Decimal
    balance: Decimal
    order_id: int
    fill_id: int
    time_ms: int


@dataclass(slots=True)
class Account:
    """An account of one venue. `wallet` is cash in USDT after realised PnL, fees and funding, before unrealised PnL; it includes the
    wallets of isolated positions and is the sum of `totals`, which add up all amounts of the statement by kind, for ever.

    `hedge` and `margin_mode` hold for all symbols but those in `hedge_modes` (Bybit) and `margin_modes` (Binance)."""

    name: str
    venue: Venue
    wallet: Decimal
    opened_ms: int
    leverage: dict[PositionKey, int] = field(default_factory=dict)
    positions: dict[PositionKey, Position] = field(default_factory=dict)
    hedge: bool = False
    hedge_modes: dict[str, bool] = field(default_factory=dict)
    margin_mode: MarginMode = MarginMode.CROSS
    margin_modes: dict[str, MarginMode] = field(default_factory=dict)
    totals: dict[EntryKind, Decimal] = field(default_factory=dict)

    def is_hedged(self, symbol: str) -> bool:
        """Whether the symbol is in hedge mode."""
        return self.hedge_modes.get(symbol, self.hedge)

    def margin_mode_of(self, symbol: str) -> MarginMode:
        return self.margin_modes.get(symbol, self.margin_mode)

    def position(self, symbol: str, leg: Leg = Leg.NET, margin_mode: MarginMode = MarginMode.CROSS) -> Position | None:
        return self.positions.get(PositionKey(symbol, leg, margin_mode))
