"""The shapes of the REST API. Decimals leave as strings in fixed notation; unknown fields are refused on the way in."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Generic, TypeVar

from ninja import Schema
from pydantic import BeforeValidator, ConfigDict, Field, PlainSerializer

from dashboard.api.parsing import ascii_digits
from exchanges.decimals import fixed
from exchanges.domain import Environment, ExchangeType, OrderRequest, OrderSide, OrderType, PositionSide, TimeInForce
from exchanges.entry import exact_number
from portfolio.states import OrderState

T = TypeVar("T")

Fixed = Annotated[Decimal, PlainSerializer(fixed, return_type=str)]
_MAX_ID = 2**53
# In a query, where all is text; in a body an integer is one of JSON.
QueryInt = Annotated[int, BeforeValidator(ascii_digits)]
# The bounds first: after a validator pydantic 2 keeps them, and describes them by names that no reader of the description knows.
AccountId = Annotated[int, Field(ge=1, le=_MAX_ID), BeforeValidator(ascii_digits)]
PortfolioId = Annotated[int, Field(ge=1, le=_MAX_ID), BeforeValidator(ascii_digits)]
SymbolText = Annotated[str, Field(pattern=r"^[A-Za-z0-9]{1,32}$")]


class Strict(Schema):
    """What comes in: an unknown field is an error, NaN and infinity are no numbers."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)


class PageOf(Schema, Generic[T]):
    """`count` is the number of all items, not of those in this answer."""

    items: list[T]
    count: int


class Paging(Strict):
    limit: Annotated[int, Field(ge=1, le=200), BeforeValidator(ascii_digits)] = 100
    offset: Annotated[int, Field(ge=0, le=10_000), BeforeValidator(ascii_digits)] = 0


class ErrorDetail(Schema):
    field: str
    message: str


class ErrorOut(Schema):
    code: str
    message: str
    details: list[ErrorDetail]


class HealthOut(Schema):
    status: str


class ExchangeOut(Schema):
    exchange: ExchangeType
    name: str
    is_default: bool
    order_types: list[OrderType]
    times_in_force: list[TimeInForce]
    accounts: list[int]


class AccountOut(Schema):
    """`status` is ok, stale, error or waiting; `as_of` the age of the oldest of positions and balances."""

    id: int
    exchange: ExchangeType
    label: str
    environment: Environment
    status: str
    as_of: datetime | None
    age_s: Fixed | None
    stale: bool
    error: str


class AccountDetail(AccountOut):
    is_default: bool
    trading_enabled: bool
    equity_usd: Fixed | None
    equity_basis: str
    available_usd: Fixed | None
    initial_margin_usd: Fixed | None
    maintenance_margin_usd: Fixed | None
    position_mode: str


class PositionOut(Schema):
    id: int
    account: int
    exchange: ExchangeType
    symbol: str
    underlying: str
    side: PositionSide
    quantity: Fixed
    entry_price: Fixed
    mark_price: Fixed
    liquidation_price: Fixed | None
    unrealized_pnl: Fixed
    realized_pnl: Fixed | None
    leverage: Fixed | None
    margin: Fixed | None
    margin_mode: str
    notional_usd: Fixed
    as_of: datetime
    source: str
    stale: bool


class BalanceOut(Schema):
    account: int
    exchange: ExchangeType
    asset: str
    total: Fixed
    available: Fixed | None
    unrealized_pnl: Fixed | None
    equity_usd: Fixed | None
    as_of: datetime
    source: str
    stale: bool


class AssetOut(Schema):
    asset: str
    net_quantity: Fixed
    net_usd: Fixed
    gross_usd: Fixed
    long_usd: Fixed
    short_usd: Fixed
    by_exchange: dict[str, Fixed]
    oldest_as_of: datetime


TotalUsd = Annotated[Fixed | None, Field(description="null while nothing is known: no account has answered yet")]


class ExposureOut(Schema):
    """While `as_of` is null nothing is known, and no total is a figure; after that they sum up what has answered, and `incomplete_reasons`
    says what they lack."""

    as_of: Annotated[datetime | None, Field(description="of the oldest figure in the totals; null while nothing is known")]
    complete: bool
    incomplete_reasons: list[str]
    equity_usd: Annotated[Fixed | None, Field(description="null while an account's equity is not known")]
    gross_usd: TotalUsd
    net_usd: TotalUsd
    long_usd: TotalUsd
    short_usd: TotalUsd
    unrealized_pnl_usd: TotalUsd
    assets: list[AssetOut]
    accounts: list[AccountOut]


class InstrumentOut(Schema):
    exchange: ExchangeType
    environment: Environment
    symbol: str
    venue_symbol: str
    underlying: str
    multiplier: Fixed
    tick: Fixed
    lot: Fixed
    min_quantity: Fixed
    max_quantity: Fixed | None
    max_market_quantity: Fixed | None
    min_notional: Fixed | None
    contract_size: Fixed
    max_leverage: Fixed | None
    status: str


class OrderIn(OrderRequest):
    """An order; `account` (id) or `exchange` where the sender does not want the route, `portfolio` (id) where the sender has several."""

    account: Annotated[int, Field(ge=1, le=_MAX_ID, strict=True)] | None = None
    exchange: ExchangeType | None = None
    portfolio: Annotated[int, Field(ge=1, le=_MAX_ID, strict=True)] | None = None

    def to_request(self) -> OrderRequest:
        return OrderRequest(**{name: getattr(self, name) for name in OrderRequest.model_fields})


class CloseIn(Strict):
    """`fraction` of the position, above 0 and at most 1."""

    fraction: Annotated[Decimal, Field(gt=0, le=1, max_digits=20), BeforeValidator(exact_number)]


class RoutingOut(Schema):
    """How the account was chosen: by the sender (`named_by_sender` is account or exchange, else empty) or by the rule as it was then."""

    named_by_sender: str
    rule: int | None
    version: int | None
    pattern: str | None
    targets: list[ExchangeType]
    portfolio: int
    exchange: ExchangeType
    account: int
    reasons: list[str]


class OrderOut(Schema):
    """`order_type` is null for an order placed elsewhere whose kind has no name here; `routing` is null where nothing had to be chosen, as
    for a close."""

    id: int
    client_order_id: str
    exchange_order_id: str
    account: int
    exchange: ExchangeType
    symbol: str
    side: OrderSide
    order_type: OrderType | None
    quantity: Fixed
    filled_quantity: Fixed
    price: Fixed | None
    average_price: Fixed | None
    state: OrderState
    reason: str
    routing: RoutingOut | None
    created_at: datetime
