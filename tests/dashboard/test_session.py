"""Signing in by password and by link, setting and changing a password, signing out."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.urls import reverse

from dashboard import login_links
from portfolio.models import UserSession

OLD, NEW = "correct horse battery", "staple and a nine foot pole"


@pytest.fixture
def alice(db: None) -> User:
    return User.objects.create_user("alice", password=OLD)


@pytest.fixture
def newcomer(db: None) -> User:
    user = User.objects.create(username="nina")
    user.set_unusable_password()
    user.save()
    return user


def who(client: Client) -> str | None:
    return client.session.get("_auth_user_id")


def sign_in(client: Client, name: str = "alice", password: str = OLD, **more: str) -> Any:
    return client.post("/login", {"username": name, "password": password, **more})


def test_the_right_password_signs_in_and_leads_home(alice: User) -> None:
    client = Client()
    answer = sign_in(client)
    assert (answer.status_code, answer.headers["Location"], who(client)) == (302, "/", str(alice.pk))


@pytest.mark.parametrize(("name", "password"), [("alice", "wrong"), ("nobody", OLD), ("", ""), ("alice", ""), ("alice\x00", OLD)])
def test_a_wrong_one_says_the_same_whoever_it_was(alice: User, name: str, password: str) -> None:
    client = Client()
    answer = sign_in(client, name, password)
    assert answer.status_code == 200
    assert who(client) is None
    assert 'role="alert"' in answer.content.decode()
    if name in ("alice", "nobody") and password:
        assert "Please enter a correct username and password" in answer.content.decode()


def test_a_closed_account_does_not_get_in(alice: User) -> None:
    link = login_links.path_for(alice)
    User.objects.update(is_active=False)
    client = Client()
    sign_in(client)
    assert client.get(link).status_code == 410
    assert who(client) is None


def test_the_session_gets_another_id_with_the_person(alice: User) -> None:
    client = Client()
    client.get("/login")
    session = client.session
    session["seen"] = True
    session.save()
    client.cookies["sessionid"] = before = str(session.session_key)
    sign_in(client)
    assert client.cookies["sessionid"].value != before


def test_the_session_cookie_is_kept_from_scripts_and_other_sites(alice: User) -> None:
    client = Client()
    sign_in(client)
    cookie = client.cookies["sessionid"]
    assert (cookie["httponly"], cookie["samesite"], cookie["max-age"]) == (True, "Lax", 12 * 3600)


@pytest.mark.parametrize(
    "target", ["https://evil.example/", "//evil.example", "javascript:alert(1)", "http:evil.example", "/\\evil.example"]
)
def test_next_leads_to_no_other_host(alice: User, target: str) -> None:
    assert sign_in(Client(), next=target).headers["Location"] == "/"


def test_next_leads_to_a_page_of_ours(alice: User) -> None:
    assert sign_in(Client(), next="/password").headers["Location"] == "/password"


def test_a_sign_in_from_another_site_is_refused(alice: User) -> None:
    client = Client(enforce_csrf_checks=True)
    answer = sign_in(client)
    assert (answer.status_code, who(client)) == (403, None)
    assert "This form is out of date" in answer.content.decode()


def test_pages_send_a_stranger_to_the_sign_in_and_back(db: None) -> None:
    for path in ("/", "/password", "/panel/positions"):
        answer = Client().get(path)
        assert (answer.status_code, answer.headers["Location"]) == (302, f"/login?next={path}")
    for path in ("/ticket/preview", "/orders/new", "/orders/1/cancel", "/positions/1/close"):
        assert Client().post(path).headers["Location"] == "/login?next=/"


def test_a_link_signs_in_once(newcomer: User) -> None:
    path = login_links.path_for(newcomer)
    client = Client()
    answer = client.get(path)
    assert (answer.status_code, answer.headers["Location"], who(client)) == (302, "/password", str(newcomer.pk))
    again = Client().get(path)
    assert (again.status_code, "This link no longer works" in again.content.decode()) == (410, True)


def test_a_link_of_somebody_with_a_password_leads_home(alice: User) -> None:
    assert Client().get(login_links.path_for(alice)).headers["Location"] == "/"


def test_a_newer_sign_in_or_password_voids_older_links(alice: User) -> None:
    by_sign_in = login_links.path_for(alice)
    User.objects.update(last_login=datetime.now().astimezone() - timedelta(days=2))
    sign_in(Client())
    assert Client().get(by_sign_in).status_code == 410
    alice.refresh_from_db()
    by_password = login_links.path_for(alice)
    alice.set_password(NEW)
    alice.save()
    assert Client().get(by_password).status_code == 410


def test_two_sign_ins_within_one_second_void_a_link_made_between_them(alice: User) -> None:
    whole = datetime.now(UTC).replace(microsecond=0)
    alice.last_login = whole
    alice.save()
    between = login_links.path_for(alice)
    User.objects.update(last_login=whole + timedelta(milliseconds=900))
    assert Client().get(between).status_code == 410


@pytest.mark.parametrize("attempt", range(3))
def test_of_requests_that_come_at_once_one_is_signed_in(transactional_db: None, newcomer: User, attempt: int) -> None:
    path, together = login_links.path_for(newcomer), threading.Barrier(10)

    def follow(_number: int) -> int:
        together.wait(timeout=10)
        try:
            return Client().get(path).status_code
        finally:
            connection.close()

    with ThreadPoolExecutor(10) as threads:
        statuses = list(threads.map(follow, range(10)))
    assert sorted(statuses) == [302] + [410] * 9
    assert UserSession.objects.count() == 1


class Yesterday(login_links.LinkTokens):
    """Makes tokens as they were made a little more than a day ago."""

    def _now(self) -> datetime:
        return super()._now() - timedelta(days=1, seconds=2)


def test_a_link_is_void_after_a_day(newcomer: User) -> None:
    _, uid, _ = login_links.path_for(newcomer).strip("/").split("/")
    assert Client().get(reverse("login_link", args=[uid, Yesterday().make_token(newcomer)])).status_code == 410


@pytest.mark.parametrize(
    ("uid", "token"),
    [
        ("MQ", "x"),
        ("%20", "x-y"),
        ("MTIz", "bz-0"),
        ("4pi6", "x-y"),
        ("OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTk5", "x-y"),
        ("MQ==", "--"),
        ("LTE", "a-b"),
    ],
)
def test_a_link_that_was_never_made_says_so(newcomer: User, uid: str, token: str) -> None:
    assert Client().get(f"/login/{uid}/{token}").status_code == 410


def test_a_link_of_one_person_is_none_of_another(alice: User, newcomer: User) -> None:
    _, uid, _ = login_links.path_for(alice).strip("/").split("/")
    _, _, token = login_links.path_for(newcomer).strip("/").split("/")
    assert Client().get(f"/login/{uid}/{token}").status_code == 410


def test_a_link_is_no_form(newcomer: User) -> None:
    path = login_links.path_for(newcomer)
    assert Client().post(path).status_code == 405
    assert Client().get(path).status_code == 302


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def test_the_first_password_is_asked_for_alone(newcomer: User) -> None:
    client = signed_in(newcomer)
    page = client.get("/password").content.decode()
    assert 'name="old_password"' not in page
    answer = client.post("/password", {"new_password1": NEW, "new_password2": NEW})
    assert (answer.status_code, answer.headers["Location"]) == (302, "/")
    assert who(client) == str(newcomer.pk)
    assert who_after_sign_in("nina", NEW)


def who_after_sign_in(name: str, password: str) -> str | None:
    client = Client()
    sign_in(client, name, password)
    return who(client)


def test_a_password_is_changed_by_whoever_knows_it(alice: User) -> None:
    client, other = signed_in(alice), signed_in(alice)
    page = client.get("/password").content.decode()
    assert 'name="old_password"' in page
    assert 'autocomplete="current-password"' in page
    answer = client.post("/password", {"old_password": OLD, "new_password1": NEW, "new_password2": NEW})
    assert answer.status_code == 302
    assert client.get("/password").status_code == 200
    assert other.get("/password").status_code == 302  # every other session ends
    assert who_after_sign_in("alice", NEW)


@pytest.mark.parametrize("old", ["", "wrong"])
def test_without_the_old_password_nothing_changes_and_the_page_says_why(alice: User, old: str) -> None:
    answer = signed_in(alice).post("/password", {"old_password": old, "new_password1": NEW, "new_password2": NEW})
    assert answer.status_code == 422
    assert 'id="old-password-error"' in answer.content.decode()
    assert who_after_sign_in("alice", OLD)


@pytest.mark.parametrize(
    ("first", "second", "words"),
    [
        ("short", "short", "at least 12 characters"),
        (NEW, NEW + "x", "match"),
        ("password1234", "password1234", "too common"),
        ("", "", "required"),
    ],
)
def test_a_password_that_is_too_easy_is_refused_beside_its_field(newcomer: User, first: str, second: str, words: str) -> None:
    answer = signed_in(newcomer).post("/password", {"new_password1": first, "new_password2": second})
    assert answer.status_code == 422
    html = answer.content.decode()
    assert words in html
    assert 'class="field-error"' in html
    assert f'value="{first}"' not in html


def test_signing_out_needs_a_post_and_ends_the_session(alice: User) -> None:
    client = signed_in(alice)
    assert client.get("/logout").status_code == 405
    assert client.get("/password").status_code == 200
    key = str(client.session.session_key)
    answer = client.post("/logout")
    assert (answer.status_code, answer.headers["Location"]) == (302, "/login")
    stale = Client()
    stale.cookies["sessionid"] = key
    assert stale.get("/password").status_code == 302


def test_signing_out_from_another_site_is_refused(alice: User) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(alice)
    assert client.post("/logout").status_code == 403
    assert who(client)


@pytest.mark.parametrize("path", ["/login", "/password", "/", "/login/MQ/x"])
def test_pages_are_kept_by_no_cache_framed_by_nobody_and_strict_about_scripts(alice: User, path: str) -> None:
    client = Client() if path.startswith("/login") else signed_in(alice)
    headers = client.get(path).headers
    policy = {part.split(" ", 1)[0]: part.split(" ", 1)[1] for part in headers["Content-Security-Policy"].split("; ")}
    assert policy == {
        "default-src": "'self'",
        "connect-src": "'self'",
        "object-src": "'none'",
        "base-uri": "'none'",
        "frame-ancestors": "'none'",
        "form-action": "'self'",
    }
    assert "no-store" in headers["Cache-Control"]
    assert {"Cookie", "HX-Request"} <= set(headers["Vary"].split(", "))
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
