"""An order as somebody wants it and as the venue reports it."""

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, StrictBool, model_validator

from exchanges.domain.model import DomainModel
from exchanges.domain.words import MarginMode, OrderSide, OrderStatus, OrderType, PositionSide, TimeInForce
from exchanges.entry import CLIENT_ORDER_ID_PATTERN, PositiveDecimal, Symbol, exact_number


class OrderRequest(DomainModel):
    """One order as a person or program wants it. Prices and quantities are sent as given, but for zeros beyond the last place
    that a number may have: nothing is rounded silently. `leverage` and `margin_mode` None: as the venue is set (OKX: cross)."""

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
    margin_mode: MarginMode | None = None
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
