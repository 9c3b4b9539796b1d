"""Ten failed sign-ins in 15 minutes, for an account and for an address, and nobody locked out by strangers (S18, S23)."""

import io
import re
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from axes.models import AccessAttempt
from django.conf import LazySettings
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import connection
from django.test import AsyncClient, Client

from dashboard import login_links
from portfolio.models import UserSession
from tests.dashboard import rows

PASSWORD = "correct horse battery"
HERE, ELSEWHERE, FAR = "192.0.2.1", "198.51.100.2", "203.0.113.3"


@pytest.fixture(autouse=True)
def _cheap_hashes(settings: LazySettings) -> None:
    """What is tested here is how often, not how dearly."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def alice(db: None) -> User:
    return User.objects.create_user("alice", password=PASSWORD)


def at(address: str, **more: str) -> Client:
    return Client(REMOTE_ADDR=address, **more)  # type: ignore[arg-type]  # the stubs know no environ


def attempt(client: Client, name: str = "alice", password: str = "wrong") -> Any:
    return client.post("/login", {"username": name, "password": password})


def fail(times: int, client: Client, name: str = "alice") -> list[int]:
    return [attempt(client, name).status_code for _ in range(times)]


def is_let_in(client: Client, name: str = "alice") -> bool:
    return bool(attempt(client, name, PASSWORD).status_code == 302)


def test_the_tenth_failure_locks_and_the_right_password_is_not_tried_any_more(alice: User) -> None:
    client = at(HERE)
    assert fail(10, client) == [200] * 9 + [429]
    answer = attempt(client, password=PASSWORD)
    assert answer.status_code == 429
    assert not UserSession.objects.exists()


def test_nine_failures_lock_nothing(alice: User) -> None:
    client = at(HERE)
    fail(9, client)
    assert is_let_in(client)


def test_the_page_says_when_to_try_again(alice: User) -> None:
    client = at(HERE)
    fail(10, client)
    oldest = AccessAttempt.objects.get()
    AccessAttempt.objects.update(attempt_time=oldest.attempt_time - timedelta(minutes=5))
    answer = attempt(client)
    html = answer.content.decode()
    until = oldest.attempt_time + timedelta(minutes=10)
    assert f"Try again at <strong>{until:%H:%M:%S} UTC</strong>, in 10 minutes" in html
    assert 595 <= int(answer.headers["Retry-After"]) <= 600
    assert "no-store" in answer.headers["Cache-Control"]


def test_trying_on_does_not_make_it_longer_and_after_the_time_it_is_over(alice: User) -> None:
    client = at(HERE)
    fail(12, client)
    assert AccessAttempt.objects.get().failures_since_start == 10
    AccessAttempt.objects.update(attempt_time=AccessAttempt.objects.get().attempt_time - timedelta(minutes=15, seconds=1))
    assert is_let_in(client)


def test_an_account_is_locked_for_unknown_devices_wherever_the_failures_came_from(alice: User) -> None:
    fail(5, at(HERE))
    fail(5, at(ELSEWHERE))
    assert attempt(at(FAR), password=PASSWORD).status_code == 429
    User.objects.create_user("bob", password=PASSWORD)
    assert is_let_in(at(FAR), "bob")


def test_an_address_is_locked_whoever_it_tried_to_be(alice: User) -> None:
    client = at(HERE)
    for number in range(10):
        attempt(client, f"name {number}")
    assert attempt(client, password=PASSWORD).status_code == 429
    assert is_let_in(at(ELSEWHERE))


def test_another_browser_name_is_no_other_address(alice: User) -> None:
    for number in range(10):
        attempt(at(HERE, HTTP_USER_AGENT=f"agent {number % 3}"), f"name {number}")
    assert attempt(at(HERE), password=PASSWORD).status_code == 429


def test_a_neighbour_in_the_same_ipv6_network_is_the_same_address(alice: User) -> None:
    for number in range(10):
        attempt(at(f"2001:db8:1:2::{number + 1:x}"), f"name {number}")
    assert attempt(at("2001:db8:1:2:ffff::1"), password=PASSWORD).status_code == 429
    assert is_let_in(at("2001:db8:1:3::1"))


def without_what_differs(html: str) -> str:
    """The page without its CSRF token, its time and the name that was typed."""
    return re.sub(r"csrf\w*&?[^>]*>|\d\d:\d\d:\d\d|alice|nobody|X-CSRFToken[^}]*", "", html)


def test_a_user_who_is_not_there_is_answered_alike_before_and_after(alice: User) -> None:
    known, unknown = at(HERE), at(ELSEWHERE)
    for _ in range(11):
        answers = attempt(known, "alice"), attempt(unknown, "nobody")
        assert answers[0].status_code == answers[1].status_code
        assert without_what_differs(answers[0].content.decode()) == without_what_differs(answers[1].content.decode())
    assert answers[0].status_code == 429


def test_strangers_do_not_lock_out_a_device_that_is_known(alice: User) -> None:
    known = at(HERE)
    assert is_let_in(known)
    known.post("/logout")
    fail(10, at(ELSEWHERE))
    assert attempt(at(FAR), password=PASSWORD).status_code == 429
    assert is_let_in(known)


def test_a_known_device_has_ten_guesses_too(alice: User) -> None:
    known = at(HERE)
    is_let_in(known)
    known.post("/logout")
    assert fail(10, known)[-1] == 429
    assert attempt(known, password=PASSWORD).status_code == 429


@pytest.mark.parametrize("change", ["forged", "of another", "password changed"])
def test_a_device_is_not_known_by_a_cookie_that_is_not_its_own(alice: User, change: str) -> None:
    client = at(HERE)
    if change == "of another":
        User.objects.create_user("bob", password=PASSWORD)
        is_let_in(client, "bob")
    else:
        is_let_in(client)
    client.post("/logout")
    if change == "forged":
        client.cookies["device"] = "known:1:" + "A" * 43
    if change == "password changed":
        alice.set_password(PASSWORD)  # another salt, so another hash
        alice.save()
    fail(10, at(ELSEWHERE))
    assert attempt(client, password=PASSWORD).status_code == 429


def test_who_is_signed_in_goes_on_and_a_link_signs_in(alice: User) -> None:
    client = at(HERE)
    is_let_in(client)
    fail(10, at(HERE, HTTP_USER_AGENT="another"))
    assert client.get("/password").status_code == 200
    alice.refresh_from_db()
    assert at(HERE).get(login_links.path_for(alice)).status_code == 302


def test_tokens_are_neither_counted_nor_locked(alice: User) -> None:
    header: Any = rows.bearer(alice)
    for _ in range(12):
        assert at(HERE).get("/api/v1/orders", HTTP_AUTHORIZATION="Bearer cbk_00000000_x").status_code == 401
    assert not AccessAttempt.objects.exists()
    fail(10, at(HERE))
    assert at(HERE).get("/api/v1/orders", **header).status_code == 200


def test_a_header_says_nothing_of_the_address_without_a_proxy(alice: User) -> None:
    for number in range(10):
        attempt(at(HERE, HTTP_X_FORWARDED_FOR=f"203.0.113.{number}", HTTP_X_REAL_IP=f"203.0.113.{number}"), f"name {number}")
    assert attempt(at(HERE), password=PASSWORD).status_code == 429


def test_behind_the_proxy_what_it_wrote_itself_counts(alice: User, settings: LazySettings) -> None:
    settings.HTTPS = True
    for number in range(10):
        attempt(at("127.0.0.1", HTTP_X_FORWARDED_FOR=f"203.0.113.{number}, {HERE}"), f"name {number}")
    assert attempt(at("127.0.0.1", HTTP_X_FORWARDED_FOR=HERE), password=PASSWORD).status_code == 429
    assert is_let_in(at("127.0.0.1", HTTP_X_FORWARDED_FOR=f"{HERE}, {ELSEWHERE}"))


def test_the_admin_has_no_door_of_its_own(alice: User) -> None:
    client = at(HERE)
    for path in ("/admin/", "/admin/login/"):
        answer = client.get(path, follow=True)
        assert answer.redirect_chain[-1][0].startswith("/login?next=/admin/")
    assert client.post("/admin/login/", {"username": "alice", "password": PASSWORD}).status_code == 405
    assert client.get("/admin/login/?next=//evil.example", follow=True).status_code == 200
    is_let_in(client)
    assert client.get("/admin/").status_code == 302
    assert client.get("/admin/", follow=True).status_code == 403


def test_guesses_of_the_present_password_count_too(alice: User) -> None:
    client = at(HERE)
    is_let_in(client)
    new = "staple and a nine foot pole"
    body = {"old_password": "wrong", "new_password1": new, "new_password2": new}
    assert [client.post("/password", body).status_code for _ in range(10)] == [422] * 9 + [429]
    assert client.post("/password", {**body, "old_password": PASSWORD}).status_code == 429
    assert client.get("/password").status_code == 200


def test_of_guesses_that_come_at_once_ten_are_made(transactional_db: None) -> None:
    User.objects.create_user("alice", password=PASSWORD)
    together = threading.Barrier(16)

    def guess(number: int) -> int:
        together.wait(timeout=10)
        try:
            return int(attempt(at(f"192.0.2.{number}")).status_code)
        finally:
            connection.close()

    with ThreadPoolExecutor(16) as threads:
        statuses = list(threads.map(guess, range(16)))
    assert sorted(statuses) == [200] * 9 + [429] * 7
    assert sum(AccessAttempt.objects.values_list("failures_since_start", flat=True)) == 10


async def test_the_server_that_people_meet_answers_alike(transactional_db: None) -> None:
    """Under ASGI the middleware of django-axes goes another way."""
    client = AsyncClient()
    answers = [await client.post("/login", {"username": "nobody", "password": "wrong"}) for _ in range(11)]
    assert [answer.status_code for answer in answers] == [200] * 9 + [429] * 2
    assert all("Try again at" in answer.content.decode() for answer in answers[9:])


def test_what_is_kept_of_a_failure_holds_no_secret(alice: User) -> None:
    client = Client(enforce_csrf_checks=True)
    client.get("/login")
    token = client.cookies["csrftoken"].value
    client.post("/login", {"username": "alice", "password": "nearly right", "csrfmiddlewaretoken": token})
    kept = str(AccessAttempt.objects.values().get())
    assert "nearly right" not in kept
    assert token not in kept


def test_an_administrator_can_let_somebody_in_again(alice: User) -> None:
    client = at(HERE)
    fail(10, client)
    call_command("axes_reset", stdout=io.StringIO())
    assert is_let_in(client)
