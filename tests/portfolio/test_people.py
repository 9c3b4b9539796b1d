"""Who decides who is a member: managers, and one of them always stays (A1, S09)."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.contrib.auth.models import User
from django.db import connection

from exchanges.models import Environment
from portfolio import people
from portfolio.access import NotPermitted
from portfolio.models import Membership, Portfolio, Role
from portfolio.people import MembershipRefused

pytestmark = pytest.mark.postgresql


class Book:
    def __init__(self, **members: Role) -> None:
        self.portfolio = Portfolio.objects.create(name="Ours", environment=Environment.SANDBOX)
        self.users = {who: User.objects.create(username=who) for who in (*members, "nina")}
        self.of = {
            who: Membership.objects.create(portfolio=self.portfolio, user=self.users[who], role=role) for who, role in members.items()
        }

    def roles(self) -> dict[str, str]:
        return dict(Membership.objects.filter(portfolio=self.portfolio).values_list("user__username", "role"))


@pytest.fixture
def book(db: None) -> Book:
    return Book(maria=Role.MANAGER, alice=Role.TRADER, victor=Role.VIEWER)


def test_a_manager_adds_changes_and_removes(book: Book) -> None:
    maria = book.users["maria"]
    added = people.add(maria, book.portfolio, "nina", Role.VIEWER)
    assert book.roles()["nina"] == "viewer"
    people.change_role(maria, added, Role.TRADER)
    assert book.roles()["nina"] == "trader"
    people.remove(maria, added)
    assert "nina" not in book.roles()


@pytest.mark.parametrize("who", ["alice", "victor", "nina"])
def test_nobody_else_does(book: Book, who: str) -> None:
    user, before = book.users[who], book.roles()
    for change in (
        lambda: people.add(user, book.portfolio, "nina", Role.MANAGER),
        lambda: people.change_role(user, book.of["alice"], Role.MANAGER),
        lambda: people.remove(user, book.of["maria"]),
        lambda: people.remove(user, book.of["alice"]),
    ):
        with pytest.raises(NotPermitted):
            change()
    assert book.roles() == before


@pytest.mark.parametrize(
    ("name", "words"), [("nobody", "no active user named nobody"), ("closed", "no active user"), ("alice", "as trader")]
)
def test_who_cannot_be_added_is_said(book: Book, name: str, words: str) -> None:
    User.objects.create(username="closed", is_active=False)
    before = book.roles()
    with pytest.raises(MembershipRefused, match=words):
        people.add(book.users["maria"], book.portfolio, name, Role.VIEWER)
    assert book.roles() == before


def test_the_last_manager_stays(book: Book) -> None:
    maria = book.users["maria"]
    for change in (
        lambda: people.change_role(maria, book.of["maria"], Role.TRADER),
        lambda: people.remove(maria, book.of["maria"]),
    ):
        with pytest.raises(MembershipRefused, match="last manager"):
            change()
    people.change_role(maria, book.of["maria"], Role.MANAGER)
    people.change_role(maria, book.of["alice"], Role.MANAGER)
    people.remove(maria, book.of["maria"])
    assert book.roles() == {"alice": "manager", "victor": "viewer"}


def test_a_manager_who_cannot_sign_in_is_none(book: Book) -> None:
    people.change_role(book.users["maria"], book.of["alice"], Role.MANAGER)
    User.objects.filter(username="alice").update(is_active=False)
    with pytest.raises(MembershipRefused, match="last manager"):
        people.remove(book.users["maria"], book.of["maria"])


def test_who_left_meanwhile_is_said(book: Book) -> None:
    Membership.objects.filter(user=book.users["victor"]).delete()
    with pytest.raises(MembershipRefused, match="victor is no member any more"):
        people.change_role(book.users["maria"], book.of["victor"], Role.TRADER)


def test_two_managers_who_remove_each_other_at_once_do_not_both_go(transactional_db: None) -> None:
    book = Book(maria=Role.MANAGER, mark=Role.MANAGER)
    together = threading.Barrier(2)

    def remove(who: str, whom: str) -> bool:
        together.wait(timeout=10)
        try:
            people.remove(book.users[who], book.of[whom])
        except (MembershipRefused, NotPermitted):
            return False
        finally:
            connection.close()
        return True

    with ThreadPoolExecutor(2) as threads:
        went = list(threads.map(remove, ("maria", "mark"), ("mark", "maria")))
    assert sorted(went) == [False, True]
    assert list(book.roles().values()) == ["manager"]
