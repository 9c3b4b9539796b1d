"""The admin: for superusers all but secrets, for staff the rows of their own portfolios, for others nothing (S08, S10)."""

import re
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse

from portfolio import tokens
from portfolio.models import ApiToken, Membership, Order, Portfolio, Role
from tests.dashboard import rows
from tests.dashboard.conftest import Desk

OURS = ("portfolio_portfolio", "exchanges_exchangeaccount", "portfolio_order", "portfolio_apitoken")


def browser_of(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def root(db: None) -> User:
    return rows.person("root", is_staff=True, is_superuser=True)


@pytest.fixture
def staff(desk: Desk) -> User:
    """sam, who was granted every permission there is and watches alice's book."""
    sam = rows.person("sam", is_staff=True)
    sam.user_permissions.set(Permission.objects.all())
    Membership.objects.create(portfolio=desk.portfolio, user=sam, role=Role.VIEWER)
    return sam


def pages() -> list[str]:
    return [f"{model._meta.app_label}_{model._meta.model_name}" for model in admin.site._registry]


def listed(client: Client, name: str, query: str = "") -> set[int]:
    html = client.get(reverse(f"admin:{name}_changelist") + query).content.decode()
    return {int(number) for number in re.findall(rf"/admin/{name.replace('_', '/', 1)}/(\d+)/change/", html)}


def test_the_admin_is_for_staff(desk: Desk) -> None:
    for client, status in ((Client(), 302), (desk.client(desk.alice), 302)):
        for name in pages():
            assert client.get(reverse(f"admin:{name}_changelist")).status_code == status


def test_superusers_see_every_list(desk: Desk, root: User) -> None:
    client = browser_of(root)
    for name in pages():
        assert client.get(reverse(f"admin:{name}_changelist")).status_code == 200, name
    assert listed(client, "portfolio_order") == {desk.order.pk, desk.foreign_order.pk}


def test_staff_see_what_is_opened_to_them_and_nothing_else_whatever_was_granted(desk: Desk, staff: User) -> None:
    client = browser_of(staff)
    opened = {name for name in pages() if client.get(reverse(f"admin:{name}_changelist")).status_code == 200}
    assert set(OURS) <= opened
    closed = {name for name in pages() if name.startswith(("auth_", "django_celery_beat_"))}
    assert len(closed) >= 6
    assert not opened & closed
    for name in closed:
        assert client.post(reverse(f"admin:{name}_add"), {}).status_code == 403


def test_staff_see_the_rows_of_their_own_portfolios(desk: Desk, staff: User) -> None:
    tokens.create(staff, "own", [tokens.READ])
    tokens.create(desk.alice, "hers", [tokens.READ])
    client = browser_of(staff)
    assert listed(client, "portfolio_portfolio") == {desk.portfolio.pk}
    assert listed(client, "exchanges_exchangeaccount") == {account.pk for account in desk.accounts}
    assert listed(client, "portfolio_order") == {desk.order.pk}
    assert listed(client, "portfolio_apitoken") == {ApiToken.objects.get(name="own").pk}
    for query in ("?account__exchange=binance", "?q=cb", "?state=NEW"):
        assert desk.foreign_order.pk not in listed(client, "portfolio_order", query)


def test_a_row_of_others_is_as_missing_as_none(desk: Desk, staff: User) -> None:
    client = browser_of(staff)
    for name, number in (
        ("portfolio_portfolio", desk.foreign_portfolio.pk),
        ("exchanges_exchangeaccount", desk.foreign_account.pk),
        ("portfolio_order", desk.foreign_order.pk),
    ):
        for page in ("change", "history", "delete"):
            answers = [client.get(reverse(f"admin:{name}_{page}", args=[key])).status_code for key in (number, 987_654)]
            assert answers[0] == answers[1], (name, page)
            assert answers[0] in (302, 403), (name, page)


def test_staff_change_nothing_of_a_book_here(desk: Desk, staff: User) -> None:
    """Managers have pages for that, which offer what is theirs alone."""
    Membership.objects.filter(user=staff).update(role=Role.MANAGER)
    client = browser_of(staff)
    portfolio = reverse("admin:portfolio_portfolio_change", args=[desk.portfolio.pk])
    account = reverse("admin:exchanges_exchangeaccount_change", args=[desk.okx.pk])
    assert client.post(portfolio, {"name": "Mine"}).status_code == 403
    assert client.post(account, {"label": "Mine"}).status_code == 403
    assert client.get(reverse("admin:portfolio_portfolio_add")).status_code == 403
    for model in (Portfolio.objects.all(), Order.objects.all()):
        assert not model.filter(**({"name": "Mine"} if model.model is Portfolio else {"symbol": "Mine"})).exists()
    page = client.get(portfolio).content.decode()
    assert "<select" not in page  # no choice among everybody's users and accounts


@pytest.mark.parametrize("who", ["root", "staff"])
def test_orders_are_read_and_nothing_else(desk: Desk, request: pytest.FixtureRequest, who: str) -> None:
    client = browser_of(request.getfixturevalue(who))
    change = reverse("admin:portfolio_order_change", args=[desk.order.pk])
    assert "_save" not in client.get(change).content.decode()
    assert client.post(change, {"state": "FILLED"}).status_code == 403
    assert client.get(reverse("admin:portfolio_order_add")).status_code == 403
    assert client.post(reverse("admin:portfolio_order_delete", args=[desk.order.pk]), {"post": "yes"}).status_code == 403
    client.post(
        reverse("admin:portfolio_order_changelist"), {"action": "delete_selected", "_selected_action": [desk.order.pk], "post": "yes"}
    )
    desk.order.refresh_from_db()
    assert desk.order.state == "NEW"


def test_no_secret_is_on_any_page(desk: Desk, root: User) -> None:
    alice = desk.alice
    alice.set_password("correct horse battery")
    alice.save()
    text = tokens.create(alice, "bot", [tokens.READ])
    token, session = ApiToken.objects.get(), desk.client(alice).session.session_key
    secrets = [text.split("_", 2)[2], token.digest, str(session), *alice.password.split("$")[-2:]]
    client = browser_of(root)
    paths = [
        reverse("admin:index"),
        *(reverse(f"admin:auth_user_{page}", args=[alice.pk]) for page in ("change", "history", "delete")),
        *(reverse(f"admin:portfolio_apitoken_{page}", args=[token.pk]) for page in ("change", "history")),
        *(reverse(f"admin:{name}_changelist") for name in pages()),
    ]
    for path in paths:
        html = client.get(path).content.decode()
        for secret in secrets:
            assert secret[:12] not in html, path


def test_what_goes_with_a_user_is_listed_without_its_secret(desk: Desk, root: User) -> None:
    nina = rows.person("nina")
    key = str(desk.client(nina).session.session_key)
    html = browser_of(root).get(reverse("admin:auth_user_delete", args=[nina.pk])).content.decode()
    assert "session of nina" in html
    assert key not in html


def links_for(client: Client, *people: User) -> Any:
    body = {"action": "make_login_links", "_selected_action": [person.pk for person in people]}
    return client.post(reverse("admin:auth_user_changelist"), body, follow=True)


def test_a_superuser_creates_a_user_and_hands_over_a_link(desk: Desk, root: User) -> None:
    client = browser_of(root)
    made = client.post(reverse("admin:auth_user_add"), {"username": "nina", "usable_password": "false", "password1": "", "password2": ""})
    assert made.status_code == 302
    nina = User.objects.get(username="nina")
    assert not nina.has_usable_password()
    answer = links_for(client, nina)
    address = re.search(r"http://testserver(/login/\S+?)</code>", answer.content.decode())
    assert address
    assert "no-store" in answer.headers["Cache-Control"]
    assert LogEntry.objects.filter(object_id=nina.pk, change_message__contains="one-time sign-in link").exists()
    newcomer = Client()
    assert newcomer.get(address[1]).headers["Location"] == "/password"
    assert Client().get(address[1]).status_code == 410


def test_nobody_else_gets_a_link(desk: Desk, staff: User, root: User) -> None:
    assert "/login/" not in links_for(browser_of(staff), root).content.decode()
    User.objects.filter(pk=desk.alice.pk).update(is_active=False)
    answer = links_for(browser_of(root), desk.alice)
    assert "cannot sign in" in answer.content.decode()
    assert not LogEntry.objects.exists()


def members_form(book: Portfolio, *rows_: tuple[Membership, str, bool]) -> dict[str, Any]:
    """What the admin's page of a portfolio sends: (membership, role, is it to be removed)."""
    form: dict[str, Any] = {"name": book.name, "environment": book.environment}
    for prefix, count in (("memberships", len(rows_)), ("account_links", 0)):
        form |= {f"{prefix}-TOTAL_FORMS": count, f"{prefix}-INITIAL_FORMS": count}
    for number, (row, role, is_removed) in enumerate(rows_):
        form |= {f"memberships-{number}-id": row.pk, f"memberships-{number}-portfolio": book.pk, f"memberships-{number}-user": row.user_id}
        form |= {f"memberships-{number}-role": role, **({f"memberships-{number}-DELETE": "on"} if is_removed else {})}
    return form


@pytest.mark.parametrize("change", [("viewer", False), ("manager", True)])
def test_the_last_manager_stays_in_the_admin_too(desk: Desk, root: User, change: tuple[str, bool]) -> None:
    book = desk.foreign_portfolio
    last = Membership.objects.get(portfolio=book)
    page = browser_of(root).post(reverse("admin:portfolio_portfolio_change", args=[book.pk]), members_form(book, (last, *change)))
    assert page.status_code == 200
    assert "A portfolio needs a manager" in page.content.decode()
    assert Membership.objects.get(portfolio=book).role == Role.MANAGER
