"""One reading of a portfolio's book from our own database: what every panel, the REST exposure and the pushes are made of. No venue is
asked: a page never waits for one."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from django.conf import settings
from django.db.models import Q

from exchanges.domain import PositionSide
from exchanges.models import ExchangeAccount, ExchangeAccountQuerySet, Instrument
from portfolio.exposure import AccountFacts, Exposure, HeldPosition, aggregate, is_stale
from portfolio.models import AccountState, Balance, Order, Portfolio, Position
from portfolio.states import OPEN, PRESUMED

RECENT_FAILURE = timedelta(minutes=5)
ORDERS_SHOWN = 200


@dataclass(frozen=True, slots=True)
class Steps:
    """What prices and quantities of an instrument are multiples of, and base units per contract."""

    tick: Decimal
    lot: Decimal
    contract_size: Decimal


@dataclass(frozen=True, slots=True)
class Book:
    """`accounts` are the enabled ones; `orders` the open and unresolved ones and, for five minutes, those that came to nothing."""

    portfolio: Portfolio
    version: int
    now: datetime
    accounts: Sequence[ExchangeAccount]
    states: dict[int, AccountState]
    positions: Sequence[Position]
    balances: Sequence[Balance]
    orders: Sequence[Order]
    steps: dict[tuple[str, str], Steps]
    exposure: Exposure

    def state_of(self, account: ExchangeAccount) -> AccountState | None:
        return self.states.get(account.pk)

    def steps_of(self, account: ExchangeAccount, symbol: str) -> Steps | None:
        return self.steps.get((account.exchange, symbol))

    def is_stale(self, as_of: datetime | None) -> bool:
        return is_stale(as_of, now=self.now, stale_after=stale_after())


def stale_after() -> timedelta:
    return timedelta(seconds=settings.STALE_AFTER_S)


def read_book(portfolio_id: int, *, within: ExchangeAccountQuerySet | None = None) -> Book:
    """Of the portfolio's accounts only those `within`, where that is given. Raises Portfolio.DoesNotExist. The version is read first: what
    is read after it may be newer, never older."""
    portfolio = Portfolio.objects.get(pk=portfolio_id)
    now = datetime.now(UTC)
    accounts = list(
        (ExchangeAccount.objects.all() if within is None else within)
        .active()
        .filter(portfolio_link__portfolio=portfolio)
        .select_related("portfolio_link")
        .order_by("exchange", "id")
    )
    states = {state.account_id: state for state in AccountState.objects.filter(account__in=accounts)}
    by_id = {account.pk: account for account in accounts}
    positions = list(Position.objects.filter(account__in=accounts).order_by("id"))
    balances = list(Balance.objects.filter(account__in=accounts).order_by("account__exchange", "account_id", "asset"))
    failed = Q(state__in=PRESUMED, updated_at__gt=now - RECENT_FAILURE)
    orders = list(Order.objects.filter(Q(state__in=OPEN) | failed, account__in=accounts).order_by("-created_at")[:ORDERS_SHOWN])
    held: tuple[Position | Balance | Order, ...] = (*positions, *balances, *orders)
    for row in held:
        row.account = by_id[row.account_id]  # the rows at hand instead of a query for each
    return Book(
        portfolio=portfolio,
        version=portfolio.version,
        now=now,
        accounts=accounts,
        states=states,
        positions=positions,
        balances=balances,
        orders=orders,
        steps=_steps(portfolio.environment, {row.symbol for row in positions} | {row.symbol for row in orders}),
        exposure=aggregate(
            [_facts(account, states.get(account.pk)) for account in accounts], map(_held, positions), now=now, stale_after=stale_after()
        ),
    )


def _steps(environment: str, symbols: set[str]) -> dict[tuple[str, str], Steps]:
    rows = Instrument.objects.filter(environment=environment, symbol__in=symbols).only("exchange", "symbol", "tick", "lot", "contract_size")
    return {(row.exchange, row.symbol): Steps(row.tick, row.lot, row.contract_size) for row in rows}


def _facts(account: ExchangeAccount, state: AccountState | None) -> AccountFacts:
    return AccountFacts(
        account_id=account.pk,
        name=str(account),
        exchange=account.exchange,
        equity_usd=state.equity_usd if state else None,
        as_of=state.as_of if state else None,
        error=state.error_message if state else "",
        not_covered=tuple(state.not_covered) if state else (),
    )


def _held(position: Position) -> HeldPosition:
    return HeldPosition(
        account_id=position.account_id,
        exchange=position.account.exchange,
        underlying=position.underlying,
        multiplier=position.multiplier,
        side=PositionSide(position.side),
        quantity=position.quantity,
        mark_price=position.mark_price,
        unrealized_pnl=position.unrealized_pnl,
        as_of=position.as_of,
    )
