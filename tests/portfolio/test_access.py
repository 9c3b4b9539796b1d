"""A stranger's object answers as a missing one, on every way to it (A1, S02)."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from django.contrib.auth.models import User

from exchanges.models import Environment, Exchange, ExchangeAccount
from portfolio import access, tokens
from portfolio.access import NotPermitted
from portfolio.execution.cancel import order_for
from portfolio.execution.close import position_for
from portfolio.execution.refusals import NotFound
from portfolio.execution.selection import account_for
from portfolio.models import Membership, Order, Origin, Portfolio, PortfolioAccount, Position, Role, TokenOwner
from portfolio.states import OrderState

pytestmark = pytest.mark.postgresql

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
    assert not access.accounts_for(alice).exists()
    assert list(access.accounts_ever_for(alice)) == [ours.account]
    assert not access.accounts_ever_for(User.objects.create(username="nobody")).exists()


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


def test_who_manages_is_asked_of_the_very_membership(ours: Book, theirs: Book) -> None:
    Membership.objects.create(portfolio=theirs.portfolio, user=ours.users["maria"], role=Role.VIEWER)
    for who, managed in (("maria", [ours.portfolio]), ("alice", []), ("victor", [])):
        assert list(access.managed_portfolios_for(ours.users[who])) == managed
    roles = {each.name: vars(each)["role"] for each in access.portfolios_for(ours.users["maria"])}
    assert roles == {"Ours": "manager", "Theirs": "viewer"}


def token_owner(user: User, *accounts: ExchangeAccount) -> TokenOwner:
    """`user` as a token for these accounts alone lets a program be them."""
    text = tokens.create(user, f"for {len(accounts)}", [tokens.TRADE], account_ids=[account.pk for account in accounts])
    token = tokens.owner_of(text, NOW)
    assert token is not None
    return TokenOwner.of(token)


def test_a_token_narrows_every_way_to_an_object(ours: Book, theirs: Book) -> None:
    second = ours.add(Exchange.BYBIT)
    program = token_owner(ours.users["maria"], second, theirs.account)
    assert program == ours.users["maria"]
    assert list(access.accounts_for(program)) == [second]
    assert list(access.portfolios_for(program)) == [ours.portfolio]
    assert not access.positions_for(program).exists()
    assert not access.orders_for(program).exists()
    for look, number in ((account_for, ours.account.pk), (position_for, ours.position.pk), (order_for, ours.order.pk)):
        with pytest.raises(NotFound):
            look(program, number)
    access.require_trading_role(program, second)
    for account in (ours.account, theirs.account):
        with pytest.raises(NotPermitted):
            access.require_trading_role(program, account)


def test_a_token_for_single_accounts_manages_nothing(ours: Book) -> None:
    maria = ours.users["maria"]
    program = token_owner(maria, ours.account)
    assert access.can_manage_in(maria, ours.portfolio)
    assert not access.can_manage_in(program, ours.portfolio)
    assert not access.managed_portfolios_for(program).exists()
    with pytest.raises(NotPermitted):
        access.require_managing_role(program, ours.portfolio)
    with pytest.raises(ValueError, match="leave out admin"):
        tokens.create(maria, "both", [tokens.ADMIN], account_ids=[ours.account.pk])
    with pytest.raises(ValueError, match="at least one account"):
        tokens.create(maria, "none", [tokens.READ], account_ids=[])


def test_a_token_for_all_accounts_narrows_nothing(ours: Book) -> None:
    token = tokens.owner_of(tokens.create(ours.users["maria"], "all", [tokens.ADMIN]), NOW)
    assert token is not None
    program = TokenOwner.of(token)
    assert list(access.accounts_for(program)) == [ours.account]
    assert access.can_manage_in(program, ours.portfolio)


def test_a_superuser_is_no_member(ours: Book) -> None:
    root = User.objects.create(username="root", is_superuser=True, is_staff=True)
    assert not access.accounts_for(root).exists()
    with pytest.raises(NotPermitted):
        access.require_trading_role(root, ours.account)
