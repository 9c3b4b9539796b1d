"""The members of a portfolio, on the page of those who manage it (A1, S02, S09)."""

from typing import Any

import pytest
from django.test import Client

from portfolio.models import Membership, Role
from tests.dashboard import rows
from tests.dashboard.conftest import Desk

JSON = "application/json"


@pytest.fixture
def office(desk: Desk) -> Client:
    """The browser of maria, who manages."""
    maria = rows.person("maria")
    Membership.objects.create(portfolio=desk.portfolio, user=maria, role=Role.MANAGER)
    return desk.client(maria)


def membership(desk: Desk, who: str) -> Membership:
    return Membership.objects.get(portfolio=desk.portfolio, user__username=who)


def roles(desk: Desk) -> dict[str, str]:
    return dict(Membership.objects.filter(portfolio=desk.portfolio).values_list("user__username", "role"))


def add(client: Client, desk: Desk, name: str, role: str = "trader") -> Any:
    return client.post("/members/add", {"portfolio": desk.portfolio.pk, "username": name, "role": role}, follow=True)


def test_the_page_lists_the_members_of_this_portfolio_alone(desk: Desk, office: Client) -> None:
    html = office.get("/members").content.decode()
    for name in ("alice", "victor", "maria"):
        assert f"Role of {name}" in html
    assert "stella" not in html


def test_ones_own_role_is_changed_after_a_warning(desk: Desk, office: Client) -> None:
    rows_of_table = office.get("/members").content.decode().split("<tr>")
    warned = [row for row in rows_of_table if "As viewer or trader you cannot come back here by yourself." in row]
    assert len(warned) == 1
    assert "Role of maria" in warned[0]


def test_somebody_is_added_changed_and_removed(desk: Desk, office: Client) -> None:
    nina = rows.person("nina")
    assert desk.client(nina).get("/api/v1/positions").json()["count"] == 0
    assert "nina is a member now, as trader." in add(office, desk, "nina").content.decode()
    assert desk.client(nina).get("/api/v1/positions").json()["count"] == 2
    number = membership(desk, "nina").pk
    answer = office.post(f"/members/{number}/role", {"role": "viewer"}, follow=True)
    assert "nina is viewer now." in answer.content.decode()
    assert desk.client(nina).delete(f"/api/v1/orders/{desk.order.pk}").status_code == 403
    office.post(f"/members/{number}/remove")
    assert desk.client(nina).delete(f"/api/v1/orders/{desk.order.pk}").status_code == 404


@pytest.mark.parametrize(("name", "words"), [("nobody", "no active user named nobody"), ("alice", "is a member already"), ("", "required")])
def test_who_cannot_be_added_is_said_at_the_field(desk: Desk, office: Client, name: str, words: str) -> None:
    answer = add(office, desk, name)
    assert answer.status_code == 422
    assert words in answer.content.decode()
    assert 'id="member-name-error"' in answer.content.decode()


@pytest.mark.parametrize("role", ["owner", "", "MANAGER"])
def test_a_role_is_one_of_three(desk: Desk, office: Client, role: str) -> None:
    before = roles(desk)
    rows.person("nina")
    assert add(office, desk, "nina", role).status_code == 422
    answer = office.post(f"/members/{membership(desk, 'alice').pk}/role", {"role": role}, follow=True)
    assert "role must be viewer, trader or manager" in answer.content.decode()
    assert roles(desk) == before


@pytest.mark.parametrize("change", ["role", "remove"])
def test_the_last_manager_is_told_to_find_another(desk: Desk, office: Client, change: str) -> None:
    answer = office.post(f"/members/{membership(desk, 'maria').pk}/{change}", {"role": "viewer"}, follow=True)
    assert "maria is the last manager" in answer.content.decode()
    assert roles(desk)["maria"] == "manager"


def test_who_steps_down_is_led_home(desk: Desk, office: Client) -> None:
    office.post(f"/members/{membership(desk, 'alice').pk}/role", {"role": "manager"})
    answer = office.post(f"/members/{membership(desk, 'maria').pk}/role", {"role": "viewer"})
    assert answer.headers["Location"] == "/"
    assert office.get("/members").status_code == 403


@pytest.mark.parametrize("who", ["alice", "victor"])
def test_members_who_do_not_manage_are_told_so(desk: Desk, office: Client, who: str) -> None:
    client, before = desk.client(getattr(desk, who)), roles(desk)
    number = membership(desk, who).pk
    assert client.get("/members").status_code == 403
    assert client.get(f"/members?portfolio={desk.portfolio.pk}").status_code == 403
    assert add(client, desk, "stella").status_code == 403
    assert client.post(f"/members/{number}/role", {"role": "manager"}).status_code == 403
    assert client.post(f"/members/{number}/remove").status_code == 403
    assert roles(desk) == before


def test_a_foreign_portfolio_is_as_missing_as_none(desk: Desk, office: Client) -> None:
    foreign = Membership.objects.get(portfolio=desk.foreign_portfolio)
    for portfolio, number in ((desk.foreign_portfolio.pk, foreign.pk), (987_654, 987_654)):
        assert office.get(f"/members?portfolio={portfolio}").status_code == 404
        assert office.post("/members/add", {"portfolio": portfolio, "username": "alice", "role": "viewer"}).status_code == 404
        assert office.post(f"/members/{number}/role", {"role": "viewer"}).status_code == 404
        assert office.post(f"/members/{number}/remove").status_code == 404
    foreign.refresh_from_db()
    assert foreign.role == Role.MANAGER


@pytest.mark.parametrize("path", ["/members/add", "/members/1/role", "/members/1/remove"])
def test_it_takes_a_form_of_ours(desk: Desk, office: Client, path: str) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(membership(desk, "maria").user)
    assert client.post(path).status_code == 403
    assert office.get(path).status_code == 405
    assert Client().post(path).headers["Location"].startswith("/login")


def test_a_choice_of_portfolios_for_whoever_manages_several(desk: Desk, office: Client) -> None:
    maria = membership(desk, "maria").user
    assert "Second" not in office.get("/members").content.decode()
    second = rows.portfolio("Second", {maria: Role.MANAGER})
    watched = rows.portfolio("Watched", {maria: Role.VIEWER})
    html = office.get(f"/members?portfolio={second.pk}").content.decode()
    assert f'href="/members?portfolio={second.pk}" aria-current="page"' in html
    assert f'href="/members?portfolio={desk.portfolio.pk}"' in html
    assert watched.name not in html


@pytest.mark.parametrize(("who", "is_there"), [("maria", True), ("alice", False), ("victor", False)])
def test_the_menu_leads_there_whoever_may_go(desk: Desk, office: Client, who: str, is_there: bool) -> None:
    client = desk.client(membership(desk, who).user)
    for path in ("/", "/settings"):
        assert ('href="/members' in client.get(path).content.decode()) == is_there, path


def test_the_menu_holds_for_everybody_what_is_theirs(desk: Desk) -> None:
    root = rows.person("root", is_staff=True, is_superuser=True)
    for user, links in ((desk.alice, False), (root, True)):
        html = desk.client(user).get("/settings").content.decode()
        menu = html[html.index('id="menu"') : html.index("Sign out</button>")]
        assert user.username in menu
        assert 'href="/settings" aria-current="page"' in menu
        assert 'href="/api/v1/docs"' in menu
        assert ('href="/admin/"' in menu) == links
        assert ('href="/admin/portfolio/portfolio/add/"' in menu) == links
