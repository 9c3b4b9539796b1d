"""What holds between a portfolio and its accounts, whoever writes: one kind of environment, one default for each exchange (DESIGN 5)."""

import itertools
from collections.abc import Sequence
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction
from django.db.migrations.executor import MigrationExecutor
from django.test import Client

from exchanges.models import Environment, Exchange, ExchangeAccount
from portfolio.models import Portfolio, PortfolioAccount

pytestmark = pytest.mark.postgresql

_numbers = itertools.count(1)


def portfolio(environment: Environment = Environment.SANDBOX) -> Portfolio:
    return Portfolio.objects.create(name=f"Book {next(_numbers)}", environment=environment)


def account(exchange: Exchange = Exchange.OKX, environment: Environment = Environment.SANDBOX) -> ExchangeAccount:
    return ExchangeAccount.objects.create(exchange=exchange, environment=environment, label=f"Main {next(_numbers)}")


def linked(to: Portfolio, what: ExchangeAccount, *, is_default: bool = True) -> PortfolioAccount:
    return PortfolioAccount.objects.create(portfolio=to, account=what, is_default=is_default)


@pytest.fixture
def office(db: None, client: Client) -> Client:
    """A browser of somebody who may use the admin."""
    client.force_login(User.objects.create_superuser("olga"))
    return client


def links_form(
    book: Portfolio | None, rows: Sequence[tuple[PortfolioAccount | None, ExchangeAccount, bool]], **fields: str
) -> dict[str, Any]:
    """What the admin's page of a portfolio sends: `rows` are (known link, account, is it the default)."""
    known = [link for link, _, _ in rows if link is not None]
    form: dict[str, Any] = {"name": book.name if book else "New", "environment": book.environment if book else "sandbox", **fields}
    form |= {"memberships-TOTAL_FORMS": "0", "memberships-INITIAL_FORMS": "0"}
    form |= {"account_links-TOTAL_FORMS": str(len(rows)), "account_links-INITIAL_FORMS": str(len(known))}
    for number, (link, what, is_default) in enumerate(rows):
        form |= {f"account_links-{number}-id": link.pk if link else "", f"account_links-{number}-account": what.pk}
        form |= {f"account_links-{number}-portfolio": book.pk if book else ""} | (
            {f"account_links-{number}-is_default": "on"} if is_default else {}
        )
    return form


def test_the_database_keeps_one_default_account_for_each_exchange(db: None) -> None:
    book = portfolio()
    linked(book, account())
    with pytest.raises(IntegrityError), transaction.atomic():
        linked(book, account())
    second = linked(book, account(), is_default=False)
    with pytest.raises(IntegrityError), transaction.atomic():
        PortfolioAccount.objects.filter(pk=second.pk).update(is_default=True)
    linked(book, account(Exchange.BYBIT))
    linked(portfolio(), account())
    linked(book, account(), is_default=False)
    assert PortfolioAccount.objects.filter(is_default=True).count() == 3


def test_an_account_of_another_environment_is_not_taken_in(db: None) -> None:
    live = account(environment=Environment.LIVE)
    with pytest.raises(ValidationError, match=r"account must be of the sandbox environment, OKX · Main [0-9]+ is live"):
        linked(portfolio(), live)
    assert not PortfolioAccount.objects.exists()
    linked(portfolio(Environment.LIVE), live)


def test_a_portfolio_with_accounts_keeps_its_environment(db: None) -> None:
    book = portfolio()
    book.environment = Environment.DEMO
    book.full_clean()
    book.environment = Environment.SANDBOX
    linked(book, account())
    book.environment = Environment.LIVE
    with pytest.raises(ValidationError, match="environment must be sandbox, as the accounts of the portfolio, was live"):
        book.full_clean()


def test_the_admin_says_that_there_is_a_default_already(office: Client) -> None:
    book = portfolio()
    first, other = linked(book, account()), account()
    page = office.post(
        f"/admin/portfolio/portfolio/{book.pk}/change/", links_form(book, [(first, first.account, True), (None, other, True)])
    )
    assert page.status_code == 200
    assert "A portfolio has one default account at OKX, 2 are marked." in page.content.decode()
    assert book.account_links.count() == 1
    done = office.post(
        f"/admin/portfolio/portfolio/{book.pk}/change/", links_form(book, [(first, first.account, True), (None, other, False)])
    )
    assert (done.status_code, book.account_links.count()) == (302, 2)


def test_the_admin_moves_the_default_from_one_account_to_another(office: Client) -> None:
    book = portfolio()
    first, second = linked(book, account()), linked(book, account(), is_default=False)
    rows = [(first, first.account, False), (second, second.account, True)]
    assert office.post(f"/admin/portfolio/portfolio/{book.pk}/change/", links_form(book, rows)).status_code == 302
    rows = [(first, first.account, True), (second, second.account, False)]
    assert office.post(f"/admin/portfolio/portfolio/{book.pk}/change/", links_form(book, rows)).status_code == 302
    assert book.account_links.get(is_default=True) == first


def test_the_admin_says_which_environment_an_account_must_have(office: Client) -> None:
    book, live = portfolio(), account(environment=Environment.LIVE)
    for url, form in (
        (f"/admin/portfolio/portfolio/{book.pk}/change/", links_form(book, [(None, live, True)])),
        ("/admin/portfolio/portfolio/add/", links_form(None, [(None, live, True)])),
    ):
        page = office.post(url, form)
        assert page.status_code == 200
        assert f"account must be of the sandbox environment, {live} is live" in page.content.decode()
    assert (PortfolioAccount.objects.count(), Portfolio.objects.count()) == (0, 1)


def test_the_admin_does_not_move_a_portfolio_to_another_environment(office: Client) -> None:
    book = portfolio()
    link = linked(book, account())
    page = office.post(f"/admin/portfolio/portfolio/{book.pk}/change/", links_form(book, [(link, link.account, True)], environment="live"))
    assert page.status_code == 200
    assert "environment must be sandbox, as the accounts of the portfolio, was live" in page.content.decode()
    book.refresh_from_db()
    assert book.environment == Environment.SANDBOX


def test_a_new_portfolio_of_the_admin_may_bring_its_accounts(office: Client) -> None:
    assert office.post("/admin/portfolio/portfolio/add/", links_form(None, [(None, account(), True)])).status_code == 302
    assert PortfolioAccount.objects.get().exchange == Exchange.OKX


def test_of_several_defaults_from_before_the_one_that_was_used_stays(transactional_db: None) -> None:
    """Orders went to the first of them; and the migration can be taken back."""
    newest = MigrationExecutor(connection).loader.graph.leaf_nodes("exchanges")
    before = [("portfolio", "0003_what_order_lists_lack"), *newest]
    MigrationExecutor(connection).migrate(before)
    try:
        old = MigrationExecutor(connection).loader.project_state(before).apps
        book = old.get_model("portfolio", "Portfolio").objects.create(name="Old", environment="sandbox")
        accounts = old.get_model("exchanges", "ExchangeAccount").objects
        links = old.get_model("portfolio", "PortfolioAccount").objects
        for number, exchange in enumerate(("okx", "okx", "bybit")):
            made = accounts.create(exchange=exchange, environment="sandbox", label=f"Old {number}")
            links.create(portfolio=book, account=made, is_default=True)
    finally:
        everything = MigrationExecutor(connection)
        everything.migrate(everything.loader.graph.leaf_nodes())
    found = PortfolioAccount.objects.order_by("account_id").values_list("exchange", "is_default")
    assert list(found) == [("okx", True), ("okx", False), ("bybit", True)]
