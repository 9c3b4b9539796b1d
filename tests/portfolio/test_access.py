"""A stranger's object answers as a missing one, on every way to it (A1, S02)."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from django.contrib.auth.models import User

from exchanges.domain import ExchangeType
from exchanges.models import Environment, Exchange, ExchangeAccount
from portfolio import access
from portfolio.access import NotPermitted
from portfolio.execution.cancel import order_for
from portfolio.execution.close import position_for
from portfolio.execution.refusals import NotFound, Refused
from portfolio.execution.selection import account_for, select_account
from portfolio.models import Membership, Order, Origin, Portfolio, PortfolioAccount, Position, Role
from portfolio.states import OrderState

NOW = datetime(2026, 11, 24, tzinfo=UTC)


class Book:
    """A portfolio with one Binance account, one position and one order in it."""

    def __init__(self, name: str, **members: Role) -> None:
        self.portfolio = Portfolio.objects.create(name=name, environment=Environment.SANDBOX)
        self.users = {who: User.objects.get_or_create(username=who)[0] for who in members}
        for who, role in members.items():
            Membership.objects.create(portfolio=self.portfolio, user=self.users[who], role=role)
        self.account = self.add(Exchange.BINANCE)
        self.position = Position.objects.create(
            account=self.account,
            symbol="BTCUSDT",
            venue_symbol="BTCUSDT",
            underlying="BTC",
            multiplier=Decimal(1),
            position_side="BOTH",
            margin_mode="cross",
            side="LONG",
            quantity=Decimal(1),
            entry_price=Decimal(1),
            mark_price=Decimal(1),
            unrealized_pnl=Decimal(0),
            as_of=NOW,
            source="poll",
        )
        self.order = Order.objects.create(
            account=self.account,
            client_order_id="cb1",
            symbol="BTCUSDT",
            side="BUY",
            quantity=Decimal(1),
            state=OrderState.NEW,
            origin=Origin.API,
            created_at=NOW,
            updated_at=NOW,
        )

    def add(self, exchange: Exchange, *, is_default: bool = True) -> ExchangeAccount:
        label = f"{self.portfolio.name} {ExchangeAccount.objects.count()}"
        account = ExchangeAccount.objects.create(exchange=exchange, environment=Environment.SANDBOX, label=label)
        PortfolioAccount.objects.create(portfolio=self.portfolio, account=account, is_default=is_default)
        return account


@pytest.fixture
def ours(db: None) -> Book:
    return Book("Ours", alice=Role.TRADER, victor=Role.VIEWER, maria=Role.MANAGER)


@pytest.fixture
def theirs(db: None) -> Book:
    return Book("Theirs", stella=Role.MANAGER)


def test_everybody_sees_what_is_in_their_own_books(ours: Book, theirs: Book) -> None:
    for who, book in [*((user, ours) for user in ours.users.values()), (theirs.users["stella"], theirs)]:
        assert list(access.portfolios_for(who)) == [book.portfolio]
        assert list(access.accounts_for(who)) == [book.account]
        assert list(access.positions_for(who)) == [book.position]
        assert list(access.orders_for(who)) == [book.order]


def test_a_strangers_object_is_as_good_as_missing(ours: Book, theirs: Book) -> None:
    alice = ours.users["alice"]
    for look, foreign in ((account_for, theirs.account), (position_for, theirs.position), (order_for, theirs.order)):
        with pytest.raises(NotFound) as foreign_refusal:
            look(alice, foreign.pk)
        with pytest.raises(NotFound) as missing_refusal:
            look(alice, 10**9)
        assert str(foreign_refusal.value) == str(missing_refusal.value)
        assert look(theirs.users["stella"], foreign.pk) == foreign


def test_an_account_without_a_portfolio_is_nobodys(ours: Book) -> None:
    stray = ExchangeAccount.objects.create(exchange=Exchange.OKX, environment=Environment.SANDBOX, label="Stray")
    for user in ours.users.values():
        with pytest.raises(NotFound):
            account_for(user, stray.pk)
        with pytest.raises(NotPermitted):
            access.require_trading_role(user, stray)


def test_an_archived_account_is_gone_and_its_orders_stay(ours: Book) -> None:
    alice = ours.users["alice"]
    ExchangeAccount.objects.filter(pk=ours.account.pk).update(archived_at=NOW)
    with pytest.raises(NotFound):
        account_for(alice, ours.account.pk)
    with pytest.raises(NotFound):
        position_for(alice, ours.position.pk)
    assert order_for(alice, ours.order.pk) == ours.order


@pytest.mark.parametrize(
    ("who", "role", "may"), [("alice", Role.TRADER, True), ("maria", Role.MANAGER, True), ("victor", Role.VIEWER, False)]
)
def test_traders_and_managers_trade(ours: Book, who: str, role: Role, may: bool) -> None:
    user = ours.users[who]
    assert access.role_in(user, ours.portfolio) is role
    assert access.can_trade_in(user, ours.portfolio) is may
    if may:
        access.require_trading_role(user, ours.account)
    else:
        with pytest.raises(NotPermitted):
            access.require_trading_role(user, ours.account)


def test_a_role_in_one_book_is_none_in_another(ours: Book, theirs: Book) -> None:
    Membership.objects.create(portfolio=theirs.portfolio, user=ours.users["maria"], role=Role.VIEWER)
    maria = ours.users["maria"]
    access.require_trading_role(maria, ours.account)
    with pytest.raises(NotPermitted):
        access.require_trading_role(maria, theirs.account)
    assert access.role_in(ours.users["alice"], theirs.portfolio) is None
    assert not access.can_trade_in(ours.users["alice"], theirs.portfolio)


def test_a_superuser_is_no_member(ours: Book) -> None:
    root = User.objects.create(username="root", is_superuser=True, is_staff=True)
    assert not access.accounts_for(root).exists()
    with pytest.raises(NotPermitted):
        access.require_trading_role(root, ours.account)


def test_the_default_account_of_the_exchange_is_chosen(ours: Book) -> None:
    alice = ours.users["alice"]
    ours.add(Exchange.BYBIT, is_default=False)
    default = ours.add(Exchange.BYBIT)
    assert select_account(alice, account_id=None, exchange=None) == ours.account
    assert select_account(alice, account_id=None, exchange=ExchangeType.BYBIT) == default


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({"account_id": None, "exchange": "okx"}, "no_default_account"),
        ({"account_id": None, "exchange": "bybit"}, "no_default_account"),
        ({"account_id": "own", "exchange": "okx"}, "account_mismatch"),
    ],
)
def test_an_account_that_cannot_be_chosen_is_said(ours: Book, asked: "dict[str, object]", code: str) -> None:
    ours.add(Exchange.BYBIT, is_default=False)
    account_id = ours.account.pk if asked["account_id"] else None
    with pytest.raises(Refused) as refusal:
        select_account(ours.users["alice"], account_id=account_id, exchange=ExchangeType(str(asked["exchange"])))
    assert refusal.value.code == code


def test_a_default_account_that_is_off_is_not_chosen(ours: Book) -> None:
    ExchangeAccount.objects.filter(pk=ours.account.pk).update(is_enabled=False)
    with pytest.raises(Refused, match="has no default account"):
        select_account(ours.users["alice"], account_id=None, exchange=None)


def test_members_of_several_books_name_the_account(ours: Book, theirs: Book) -> None:
    alice = ours.users["alice"]
    Membership.objects.create(portfolio=theirs.portfolio, user=alice, role=Role.TRADER)
    with pytest.raises(Refused) as refusal:
        select_account(alice, account_id=None, exchange=None)
    assert refusal.value.code == "ambiguous_portfolio"
    assert select_account(alice, account_id=theirs.account.pk, exchange=None) == theirs.account
    with pytest.raises(Refused, match="no portfolio"):
        select_account(User.objects.create(username="nobody"), account_id=None, exchange=None)
