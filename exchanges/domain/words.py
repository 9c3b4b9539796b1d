"""The words that stand for one of a few things: exchanges, sides, types and states of orders, modes of accounts."""

from enum import StrEnum


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


class InstrumentStatus(StrEnum):
    TRADING = "trading"
    HALTED = "halted"
