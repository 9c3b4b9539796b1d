"""What every exchange talks about, in the field's words: orders, positions, balances, candles, instruments.

Knows no venue, no Django, no network. Quantities are base units (never contracts), money is USD where the name says so, ratios are
ratios, times are aware UTC datetimes. A symbol is `BTCUSDT`; the venue's own form is `venue_symbol`.
"""

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any, NamedTuple

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, StrictBool, model_validator

from exchanges.entry import CLIENT_ORDER_ID_PATTERN, PositiveDecimal, Symbol, exact_number


class ExchangeType(StrEnum):
    BINANCE = "binance"
    BYBIT = "bybit"
    OKX = "okx"


class Environment(StrEnum):
    """Which world an account belongs to. Live and the other two are never summed."""

    LIVE = "live"
    DEMO = "demo"
    SANDBOX = "sandbox"


class OrderSide(StrEnum):
    BUY = "BUY"
    SELL = "SELL"

    @property
    def opposite(self) -> "OrderSide":
        return OrderSide.SELL if self is OrderSide.BUY else OrderSide.BUY


class OrderType(StrEnum):
    MARKET = "MARKET"
    LIMIT = "LIMIT"
    STOP_MARKET = "STOP_MARKET"
    STOP_LIMIT = "STOP_LIMIT"
    TAKE_PROFIT_MARKET = "TAKE_PROFIT_MARKET"
    TAKE_PROFIT_LIMIT = "TAKE_PROFIT_LIMIT"
    TRAILING_STOP_MARKET = "TRAILING_STOP_MARKET"


class TimeInForce(StrEnum):
    """GTX is post-only: the order rests or is canceled, it never takes liquidity."""

    GTC = "GTC"
    IOC = "IOC"
    FOK = "FOK"
    GTX = "GTX"


class OrderStatus(StrEnum):
    """What the venue says of an order; what we believe of it is `portfolio`'s order state."""

    NEW = "NEW"
    PARTIALLY_FILLED = "PARTIALLY_FILLED"
    FILLED = "FILLED"
    CANCELED = "CANCELED"
    REJECTED = "REJECTED"
    EXPIRED = "EXPIRED"

    @property
    def is_open(self) -> bool:
        return self in (OrderStatus.NEW, OrderStatus.PARTIALLY_FILLED)


class PositionSide(StrEnum):
    """As the leg of an order: BOTH in one-way mode, LONG or SHORT in hedge mode. As the direction of a position: LONG or SHORT."""

    BOTH = "BOTH"
    LONG = "LONG"
    SHORT = "SHORT"


class MarginMode(StrEnum):
    CROSS = "cross"
    ISOLATED = "isolated"


class PositionMode(StrEnum):
    ONE_WAY = "one_way"
    HEDGE = "hedge"


class DomainModel(BaseModel):
    """What people and configurations bring in, checked here. Frozen, strict about its fields: an unknown one is an error, NaN and infinity
    are no numbers.

    What venues answer (the tuples and dataclasses below) is checked where it is read, in the adapters' mapping: these types hold it."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class ExchangeConfig(DomainModel):
    """What is needed to talk to one account. Secrets never appear in repr, logs, dumps or refusals."""

    model_config = ConfigDict(hide_input_in_errors=True)

    exchange_type: ExchangeType
    api_key: SecretStr
    api_secret: SecretStr
    passphrase: SecretStr | None = None
    environment: Environment = Environment.LIVE
    region: str = ""

    @model_validator(mode="after")
    def _okx_needs_a_passphrase(self) -> "ExchangeConfig":
        if self.exchange_type is ExchangeType.OKX and not (self.passphrase and self.passphrase.get_secret_value()):
            raise ValueError("an OKX key has a passphrase: passphrase must not be empty")
        return self


class OrderRequest(DomainModel):
    """One order as a person or program wants it. Prices and quantities are sent as given, but for zeros beyond the last place
    that a number may have: nothing is rounded silently."""

    symbol: Symbol
    side: OrderSide
    order_type: OrderType
    quantity: PositiveDecimal
    price: PositiveDecimal | None = None
    stop_price: PositiveDecimal | None = None
    time_in_force: TimeInForce | None = None
    reduce_only: StrictBool = False
    position_side: PositionSide = PositionSide.BOTH
    client_order_id: Annotated[str, Field(pattern=CLIENT_ORDER_ID_PATTERN)] | None = None
    leverage: Annotated[int, Field(ge=1, le=200, strict=True)] | None = None
    take_profit_price: PositiveDecimal | None = None
    stop_loss_price: PositiveDecimal | None = None
    trailing_stop_pct: Annotated[Decimal, Field(gt=0, le=100), BeforeValidator(exact_number)] | None = None

    @model_validator(mode="after")
    def _type_and_price_agree(self) -> "OrderRequest":
        if self.order_type is OrderType.LIMIT and self.price is None:
            raise ValueError("price is required for a LIMIT order")
        if self.order_type is OrderType.MARKET and self.price is not None:
            raise ValueError(f"price must be empty for a MARKET order, was {self.price:f}")
        if self.order_type is OrderType.MARKET and self.time_in_force is not None:
            raise ValueError(f"time_in_force must be empty for a MARKET order, was {self.time_in_force}")
        return self


_WORDS_OF_AN_ORDER: tuple[tuple[str, type[StrEnum]], ...] = (
    ("status", OrderStatus),
    ("side", OrderSide),
    ("order_type", OrderType),
    ("time_in_force", TimeInForce),
    ("position_side", PositionSide),
)


@dataclass(frozen=True, slots=True)
class OrderResult:
    """An order as the venue reports it. `confirmed` is False for a bare acknowledgement (Bybit, OKX): the venue took the request, its
    state is not known yet and reads NEW. `quantity` and `filled_quantity` are base units; `average_price` None while unfilled."""

    symbol: str
    order_id: str
    client_order_id: str
    status: OrderStatus
    side: OrderSide | None = None
    order_type: OrderType | None = None
    quantity: Decimal | None = None
    filled_quantity: Decimal = Decimal(0)
    price: Decimal | None = None
    average_price: Decimal | None = None
    time_in_force: TimeInForce | None = None
    reduce_only: bool = False
    position_side: PositionSide = PositionSide.BOTH
    confirmed: bool = True
    reason: str = ""
    created_at: datetime | None = None
    updated_at: datetime | None = None
    raw_response: dict[str, Any] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        """A word that stands for a member is taken for it; ValueError for a word that stands for none."""
        for name, words in _WORDS_OF_AN_ORDER:
            value = getattr(self, name)
            if value is not None and type(value) is not words:
                object.__setattr__(self, name, words(value))


@dataclass(frozen=True, slots=True)
class CancelResult:
    """The answer to a cancel. `confirmed` is False where the venue only took the request; `order` is set where the answer holds it."""

    symbol: str
    order_id: str
    client_order_id: str = ""
    confirmed: bool = True
    order: OrderResult | None = None


class Position(NamedTuple):
    """An open position of a linear USDT perpetual. `side` is LONG or SHORT, `quantity` > 0 in base units; `position_side` is the leg
    (BOTH in one-way mode). PnL in USDT; `realized_pnl` as the venue defines it, None where it does not say."""

    symbol: str
    venue_symbol: str
    side: PositionSide
    quantity: Decimal
    entry_price: Decimal
    mark_price: Decimal
    unrealized_pnl: Decimal
    margin_mode: MarginMode
    position_side: PositionSide = PositionSide.BOTH
    liquidation_price: Decimal | None = None
    realized_pnl: Decimal | None = None
    leverage: Decimal | None = None
    margin: Decimal | None = None
    updated_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class PositionBook:
    """Every open position of an account after all pages. `not_covered` names (venue symbols) what is open outside linear USDT
    perpetuals: it is counted, never valued."""

    positions: list[Position]
    not_covered: list[str]


class Balance(NamedTuple):
    """What is held of one asset, in units of that asset. `total` is the wallet balance before unrealised PnL, `available` what may be
    used for new margin (None where the venue does not say)."""

    asset: str
    total: Decimal
    available: Decimal | None = None
    unrealized_pnl: Decimal | None = None
    equity_usd: Decimal | None = None
    updated_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class AccountSummary:
    """Money of the whole account in USD, by the venue's own total. `equity_basis` names the venue's field; None where not convertible."""

    equity_usd: Decimal | None
    equity_basis: str
    position_mode: PositionMode
    available_usd: Decimal | None = None
    unrealized_pnl_usd: Decimal | None = None
    initial_margin_usd: Decimal | None = None
    maintenance_margin_usd: Decimal | None = None
    updated_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Wallet:
    """One reading of an account's money: what is held asset by asset, and the whole of it, as of the same moment."""

    balances: list[Balance]
    account: AccountSummary


class MarkPrice(NamedTuple):
    """`mark_price` > 0; a market without one is left out of the answer."""

    symbol: str
    mark_price: Decimal
    updated_at: datetime
    index_price: Decimal | None = None


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


class InstrumentStatus(StrEnum):
    TRADING = "trading"
    HALTED = "halted"


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
