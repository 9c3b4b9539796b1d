"""An account at an exchange: how it is reached, what its key may do, what it holds and how it is set."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple, NoReturn, SupportsIndex

from pydantic import ConfigDict, SecretStr, model_validator

from exchanges.domain.model import DomainModel
from exchanges.domain.words import Environment, ExchangeType, MarginMode, PositionMode, PositionSide


class ExchangeConfig(DomainModel):
    """What is needed to talk to one account. Secrets never appear in repr, logs, dumps or refusals."""

    model_config = ConfigDict(hide_input_in_errors=True)

    exchange_type: ExchangeType
    api_key: SecretStr
    api_secret: SecretStr
    passphrase: SecretStr | None = None
    environment: Environment = Environment.LIVE
    region: str = ""

    def __reduce_ex__(self, protocol: SupportsIndex) -> NoReturn:
        """SecretStr hides what it holds from people, not from pickle."""
        raise TypeError("the configuration of an account holds its keys and is not pickled")

    @model_validator(mode="after")
    def _okx_needs_a_passphrase(self) -> "ExchangeConfig":
        if self.exchange_type is ExchangeType.OKX and not (self.passphrase and self.passphrase.get_secret_value()):
            raise ValueError("an OKX key has a passphrase: passphrase must not be empty")
        return self


class Position(NamedTuple):
    """An open position of a linear USDT perpetual. `side` is LONG or SHORT, `quantity` > 0 in base units; `position_side` is the leg
    (BOTH in one-way mode). PnL in USDT; `realized_pnl` as the venue defines it, None where it does not say. `margin` USDT: what a cross
    position binds of the account, what an isolated one has of its own."""

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


@dataclass(frozen=True, slots=True)
class SymbolSettings:
    """How one symbol is set for its next order. One leverage for both sides where the venue keeps one; None where it does not say."""

    symbol: str
    margin_mode: MarginMode
    leverage_long: Decimal | None
    leverage_short: Decimal | None


@dataclass(frozen=True, slots=True)
class KeyPermissions:
    """What an API key may do. `can_trade` is about linear USDT perpetuals, `can_withdraw` about money leaving the exchange.
    `is_ip_bound` is None where the venue does not say, `expires_at` where it does not or the key never does."""

    can_read: bool
    can_trade: bool
    can_withdraw: bool
    is_ip_bound: bool | None = None
    expires_at: datetime | None = None
