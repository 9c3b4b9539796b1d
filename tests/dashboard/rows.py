"""Rows of a book for tests that need no venue: portfolios, accounts, what they hold, orders, instruments, marks, tokens."""

import itertools
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from django.contrib.auth.models import User

from exchanges.models import Environment, Exchange, ExchangeAccount, Instrument, MarkPrice
from portfolio import tokens
from portfolio.models import AccountState, Balance, Membership, Order, Origin, Portfolio, PortfolioAccount, Position, Role
from portfolio.states import OrderState

_numbers = itertools.count(1)


def now() -> datetime:
    return datetime.now(UTC)


def person(name: str, **roles: Any) -> User:
    """Without a password: tests sign in by force."""
    return User.objects.create(username=name, **roles)


def portfolio(name: str, members: dict[User, Role], environment: Environment = Environment.SANDBOX) -> Portfolio:
    row = Portfolio.objects.create(name=name, environment=environment)
    for user, role in members.items():
        Membership.objects.create(portfolio=row, user=user, role=role)
    return row


def account(
    of: Portfolio, exchange: Exchange = Exchange.BINANCE, *, label: str = "", is_default: bool = True, can_trade: bool = True
) -> ExchangeAccount:
    row = ExchangeAccount.objects.create(
        exchange=exchange, environment=of.environment, label=label or f"Book {next(_numbers)}", is_trading_enabled=can_trade
    )
    PortfolioAccount.objects.create(portfolio=of, account=row, is_default=is_default)
    return row


def state(of: ExchangeAccount, *, equity: str | None = "100000", at: datetime | None = None, **figures: Any) -> AccountState:
    moment = at or now()
    figures = {"equity_basis": "totalMarginBalance", "position_mode": "one_way", **figures}
    return AccountState.objects.create(
        account=of, positions_as_of=moment, balances_as_of=moment, equity_usd=equity and Decimal(equity), **figures
    )


def position(of: ExchangeAccount, symbol: str = "BTCUSDT", side: str = "LONG", quantity: str = "0.5", **figures: Any) -> Position:
    values: dict[str, Any] = {
        "venue_symbol": symbol,
        "underlying": symbol.removesuffix("USDT"),
        "multiplier": Decimal(1),
        "position_side": "BOTH",
        "margin_mode": "cross",
        "entry_price": Decimal("90000"),
        "mark_price": Decimal("95000"),
        "unrealized_pnl": Decimal("2500"),
        "as_of": now(),
        "source": "poll",
    }
    return Position.objects.create(account=of, symbol=symbol, side=side, quantity=Decimal(quantity), **{**values, **figures})


def balance(of: ExchangeAccount, asset: str = "USDT", total: str = "100000", **figures: Any) -> Balance:
    return Balance.objects.create(account=of, asset=asset, total=Decimal(total), **{"as_of": now(), "source": "poll", **figures})


def order(of: ExchangeAccount, number: int = 0, **fields: Any) -> Order:
    number = number or next(_numbers)
    values: dict[str, Any] = {
        "client_order_id": f"cb{number}",
        "exchange_order_id": f"9{number}",
        "symbol": "BTCUSDT",
        "side": "BUY",
        "order_type": "LIMIT",
        "quantity": Decimal("0.010"),
        "price": Decimal("90000.0"),
        "time_in_force": "GTC",
        "state": OrderState.NEW,
        "origin": Origin.PAGE,
        "created_at": now(),
        "updated_at": now(),
    }
    return Order.objects.create(account=of, **{**values, **fields})


def instrument(exchange: Exchange, symbol: str = "BTCUSDT", **figures: Any) -> Instrument:
    values: dict[str, Any] = {
        "environment": Environment.SANDBOX,
        "venue_symbol": symbol,
        "underlying": symbol.removesuffix("USDT"),
        "multiplier": Decimal(1),
        "tick": Decimal("0.1"),
        "lot": Decimal("0.001"),
        "min_quantity": Decimal("0.001"),
        "max_quantity": Decimal("100"),
        "min_notional": Decimal("5"),
        "contract_size": Decimal(1),
        "status": "trading",
    }
    return Instrument.objects.create(exchange=exchange, symbol=symbol, **{**values, **figures})


def mark(exchange: Exchange, symbol: str = "BTCUSDT", price: str = "95000", at: datetime | None = None) -> MarkPrice:
    return MarkPrice.objects.create(
        exchange=exchange, environment=Environment.SANDBOX, symbol=symbol, mark_price=Decimal(price), as_of=at or now()
    )


def bearer(user: User, *scopes: str) -> dict[str, str]:
    """The header of a fresh token, as Client takes it."""
    text = tokens.create(user, f"token {next(_numbers)}", list(scopes or tokens.SCOPES))
    return {"HTTP_AUTHORIZATION": f"Bearer {text}"}
