"""A stage for attacks: a book with its viewer, trader and manager, a stranger with a book of their own, and everybody else who may come to
the door; whatever somebody owns is there twice, ours and the stranger's."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.db import transaction
from django.test import Client
from django.test.client import ClientHandler

from exchanges.models import Environment, Exchange, ExchangeAccount, RoutingRule, RoutingTarget
from portfolio import tokens
from portfolio.models import ApiToken, Membership, Order, Portfolio, PortfolioAccount, Position, Role
from tests.dashboard import rows
from tests.security.declared import PEOPLE, TOKENS

MISSING = 987_654
MARK = "Strangersown"  # in every text of the stranger's


@dataclass(frozen=True, slots=True)
class Belongings:
    """One book and what is in it; `membership` is one that its manager may change."""

    portfolio: Portfolio
    account: ExchangeAccount
    position: Position
    order: Order
    membership: Membership
    token: ApiToken

    def ids(self) -> dict[str, int]:
        return {
            "order_id": self.order.pk,
            "position_id": self.position.pk,
            "account_id": self.account.pk,
            "membership_id": self.membership.pk,
            "token_id": self.token.pk,
            "portfolio_id": self.portfolio.pk,
            "rule_id": RoutingRule.objects.values_list("pk", flat=True)[0],
        }


@dataclass(slots=True)
class Stage:
    """`cookies` by role of whoever can sign in, `bearers` by scope, all of the book's manager."""

    people: dict[str, User]
    book: Belongings
    strangers: Belongings
    cookies: dict[str, str] = field(default_factory=dict)
    bearers: dict[str, str] = field(default_factory=dict)

    def client(self, role: str, **options: bool) -> tuple[Client, dict[str, str]]:
        """A fresh client, without what another request left in its cookies, and the headers that it has to send."""
        client = fresh_client(**options)
        if role in self.cookies:
            client.cookies["sessionid"] = self.cookies[role]
        return client, {"Authorization": f"Bearer {self.bearers[role]}"} if role in self.bearers else {}

    def send(self, role: str, method: str, path: str, body: bytes = b"", *, content_type: str = "application/json", **headers: Any) -> Any:
        """The answer; whatever the request changed is undone."""
        client, authorization = self.client(role)
        with undone():
            return client.generic(method, path, body, content_type=content_type, headers={**authorization, **headers})


def fresh_client(*, enforce_csrf_checks: bool = False) -> Client:
    """A client of its own on middleware that is loaded once: loading it looks at every static file."""
    client = Client()
    client.handler = _handler(enforce_csrf_checks)
    return client


@cache
def _handler(enforce_csrf_checks: bool) -> ClientHandler:
    return ClientHandler(enforce_csrf_checks=enforce_csrf_checks)


@contextmanager
def undone() -> Iterator[None]:
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def _belongings(name: str, first_id: int, members: dict[User, Role], changeable: User, owner: User, label: str) -> Belongings:
    """`first_id`: numbers that no other text of a page holds by chance."""
    portfolio = Portfolio.objects.create(pk=first_id, name=name, environment=Environment.SANDBOX)
    for number, (user, role) in enumerate(members.items(), first_id):
        Membership.objects.create(pk=number, portfolio=portfolio, user=user, role=role)
    account = ExchangeAccount.objects.create(
        pk=first_id, exchange=Exchange.BINANCE, environment=Environment.SANDBOX, label=label, is_trading_enabled=True
    )
    PortfolioAccount.objects.create(portfolio=portfolio, account=account, is_default=True)
    rows.state(account)
    rows.balance(account)
    tokens.create(owner, f"{label} program", [tokens.READ])
    return Belongings(
        portfolio=portfolio,
        account=account,
        position=rows.position(account, "BTCUSDT", id=first_id),
        order=rows.order(account, id=first_id, reason=f"{label} reason"),
        membership=Membership.objects.get(portfolio=portfolio, user=changeable),
        token=ApiToken.objects.get(user=owner),
    )


@pytest.fixture
def stage(db: None) -> Stage:
    return set_stage()


def set_stage() -> Stage:
    people = {role: rows.person(f"{role}-person") for role in PEOPLE if role not in ("nobody", "stranger")}
    people["stranger"], friend = rows.person(f"{MARK}-person"), rows.person(f"{MARK}-friend")
    for role, flags in {"super": {"is_superuser": True, "is_staff": True}, "staff": {"is_staff": True}}.items():
        User.objects.filter(pk=people[role].pk).update(**flags)
    people["staff"].user_permissions.set(Permission.objects.all())
    members = {people["viewer"]: Role.VIEWER, people["trader"]: Role.TRADER, people["manager"]: Role.MANAGER, people["closed"]: Role.TRADER}
    for exchange in Exchange:
        rows.instrument(exchange)
        rows.mark(exchange)
    rule = RoutingRule.objects.create(pattern="ADAUSDT")
    RoutingTarget.objects.create(rule=rule, rule_version=1, rank=1, exchange=Exchange.BINANCE)
    stage = Stage(
        people=people,
        book=_belongings("The book", 550_100, members, people["viewer"], people["manager"], "Ours"),
        strangers=_belongings(
            f"{MARK} book", 770_100, {people["stranger"]: Role.MANAGER, friend: Role.VIEWER}, friend, people["stranger"], MARK
        ),
    )
    for role, user in people.items():
        client = fresh_client()
        client.force_login(user)
        stage.cookies[role] = client.cookies["sessionid"].value
    User.objects.filter(pk=people["closed"].pk).update(is_active=False)
    for scope in TOKENS:
        stage.bearers[scope] = tokens.create(people["manager"], f"only {scope}", [scope])
    return stage
