"""A desk that needs no venue: alice trades, victor watches, stella is a stranger with a book of her own; each kind of row is there."""

import itertools
import os
from dataclasses import dataclass
from decimal import Decimal

import pytest
from django.contrib.auth.models import User
from django.test import Client

from exchanges.models import Exchange, ExchangeAccount
from portfolio.models import Order, Portfolio, Position, Role
from tests.conftest import Cast, Listed, connect_account
from tests.dashboard import rows
from tests.dashboard.sockets import Live, cookie_of
from tests.dashboard.ticket_page import Browser
from tests.simulated import Sandbox

_names = itertools.count(1)


@dataclass(frozen=True, slots=True)
class Desk:
    portfolio: Portfolio
    alice: User
    victor: User
    stella: User
    binance: ExchangeAccount
    bybit: ExchangeAccount
    okx: ExchangeAccount
    position: Position
    order: Order
    foreign_portfolio: Portfolio
    foreign_account: ExchangeAccount
    foreign_position: Position
    foreign_order: Order

    @property
    def accounts(self) -> list[ExchangeAccount]:
        return [self.binance, self.bybit, self.okx]

    def client(self, user: User) -> Client:
        client = Client()
        client.force_login(user)
        return client


@pytest.fixture
def desk(db: None) -> Desk:
    alice, victor, stella = (rows.person(name) for name in ("alice", "victor", "stella"))
    book = rows.portfolio("Alice's book", {alice: Role.TRADER, victor: Role.VIEWER})
    binance, bybit, okx = (rows.account(book, exchange, label="Main") for exchange in Exchange)
    for account, basis in ((binance, "totalMarginBalance"), (bybit, "totalEquity"), (okx, "totalEq")):
        rows.state(account, equity_basis=basis)
    for exchange in Exchange:
        size, lot = (Decimal("0.01"), Decimal("0.0001")) if exchange is Exchange.OKX else (Decimal(1), Decimal("0.001"))
        rows.instrument(exchange, contract_size=size, lot=lot, min_quantity=lot)
        rows.mark(exchange)
    position = rows.position(binance, leverage=Decimal(10), margin=Decimal("4750"), liquidation_price=Decimal("81000"))
    rows.position(okx, side="SHORT", quantity="0.2")
    rows.balance(bybit, available=Decimal("90000"), unrealized_pnl=Decimal("0"))
    order = rows.order(binance)
    other = rows.portfolio("Stella's book", {stella: Role.MANAGER})
    foreign = rows.account(other, label="Foreign")
    rows.state(foreign)
    return Desk(
        portfolio=book,
        alice=alice,
        victor=victor,
        stella=stella,
        binance=binance,
        bybit=bybit,
        okx=okx,
        position=position,
        order=order,
        foreign_portfolio=other,
        foreign_account=foreign,
        foreign_position=rows.position(foreign),
        foreign_order=rows.order(foreign),
    )


@pytest.fixture
def live(transactional_db: None) -> Live:
    alice, victor, stella = (rows.person(name) for name in ("alice", "victor", "stella"))
    book = rows.portfolio("Alice's book", {alice: Role.TRADER, victor: Role.VIEWER})
    account = rows.account(book, label="Main")
    rows.state(account)
    rows.portfolio("Stella's book", {stella: Role.MANAGER})
    return Live(book, rows.position(account), *(cookie_of(user) for user in (alice, victor, stella)))


@pytest.fixture
def floor(db: None, sandbox: Sandbox, listed: Listed) -> Cast:
    """The cast in a transaction that is rolled back: fast, and nothing is published or queued, because nothing is ever committed."""
    alice, victor, stella = (rows.person(name) for name in ("alice", "victor", "stella"))
    portfolio = rows.portfolio("Alice's book", {alice: Role.TRADER, victor: Role.VIEWER})
    name = f"d{os.getpid()}n{next(_names)}"
    binance, bybit, okx = (connect_account(portfolio, exchange, name) for exchange in Exchange)
    listed.fill()
    return Cast(portfolio, alice, victor, stella, binance, bybit, okx, name)


@pytest.fixture(params=[True, False], ids=["htmx", "plain"])
def browser(request: pytest.FixtureRequest, floor: Cast) -> Browser:
    return Browser(floor.alice, floor.binance, htmx=request.param)


@pytest.fixture
def htmx(floor: Cast) -> Browser:
    return Browser(floor.alice, floor.binance)


@pytest.fixture
def mary(db: None) -> User:
    return rows.person("mary")


@pytest.fixture
def book(mary: User) -> Portfolio:
    """A portfolio without accounts that mary manages."""
    return rows.portfolio("Mary's book", {mary: Role.MANAGER})
