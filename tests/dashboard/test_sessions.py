"""Where somebody is signed in: listed for them alone, each ended by them, never by its key (S22, S30)."""

from datetime import timedelta
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.conf import LazySettings
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from dashboard import login_links, sessions
from dashboard.devices import device_of
from portfolio.housekeeping import tidy
from portfolio.models import UserSession
from tests.dashboard import rows
from tests.dashboard.sockets import SOON_S, Live, message, opened

PASSWORD = "correct horse battery"
FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0"
SAFARI = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 Version/18.5 Mobile/15E148 Safari/604.1"


@pytest.fixture(autouse=True)
def _cheap_hashes(settings: LazySettings) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def alice(db: None) -> User:
    return User.objects.create_user("alice", password=PASSWORD)


def browser(user: User, user_agent: str = FIREFOX, address: str = "192.0.2.1") -> Client:
    client = Client(REMOTE_ADDR=address, HTTP_USER_AGENT=user_agent)
    user.refresh_from_db()
    assert client.get(login_links.path_for(user)).status_code == 302
    return client


def key_of(client: Client) -> str:
    return str(client.session.session_key)


def make_old(client: Client, **ago: int) -> None:
    UserSession.objects.filter(session_key=key_of(client)).update(last_seen_at=timezone.now() - timedelta(**ago))


def visit_of(client: Client) -> UserSession:
    return UserSession.objects.get(session_key=key_of(client))


def is_in(client: Client) -> bool:
    return bool(client.get("/password").status_code == 200)


def handle_of(user: User, client: Client) -> str:
    (device,) = (device for device in sessions.devices_of(user, key_of(client)) if device.is_this_one)
    return device.handle


def page(client: Client) -> str:
    return str(client.get("/settings").content.decode())


@pytest.mark.parametrize(
    ("user_agent", "words"),
    [
        (FIREFOX, "Firefox on Windows"),
        (SAFARI, "Safari on iPhone"),
        ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 Chrome/137.0.0.0 Safari/537.36", "Chrome on Mac"),
        ("Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/137.0.0.0 Safari/537.36 Edg/137.0.0.0", "Edge on Windows"),
        ("Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 Chrome/137.0.0.0 Mobile Safari/537.36", "Chrome on Android"),
        ("curl/8.5.0", "curl"),
        ("", "Unknown browser"),
        ("<img src=x>", "Unknown browser"),
    ],
)
def test_a_browser_is_named_in_words(user_agent: str, words: str) -> None:
    assert device_of(user_agent) == words


def test_the_list_has_every_device_of_its_owner_and_marks_this_one(alice: User) -> None:
    desktop, phone = browser(alice), browser(alice, SAFARI, "2001:db8::7")
    browser(rows.person("stella"), "curl/8.5.0", "203.0.113.9")
    make_old(desktop, minutes=10)
    found = [(each.name, each.address, each.is_this_one) for each in sessions.devices_of(alice, key_of(phone))]
    assert found == [("Safari on iPhone", "2001:db8::7", True), ("Firefox on Windows", "192.0.2.1", False)]
    html = page(phone)
    assert html.index("Safari on iPhone") < html.index("this one") < html.index("Firefox on Windows")
    assert "203.0.113.9" not in html


def test_no_key_of_a_session_is_on_the_page(alice: User) -> None:
    desktop, phone = browser(alice), browser(alice, SAFARI)
    html = page(phone)
    assert key_of(desktop) not in html
    assert key_of(phone) not in html
    assert key_of(desktop) not in str(UserSession.objects.get(session_key=key_of(desktop)))


def test_a_device_is_signed_out_by_another_one(alice: User) -> None:
    desktop, phone = browser(alice), browser(alice, SAFARI)
    answer = phone.post(f"/settings/sessions/{handle_of(alice, desktop)}/end")
    assert (answer.status_code, answer.headers["Location"]) == (302, "/settings")
    assert not is_in(desktop)
    assert is_in(phone)


def test_signing_this_one_out_leads_to_the_sign_in(alice: User) -> None:
    desktop, phone = browser(alice), browser(alice, SAFARI)
    assert phone.post(f"/settings/sessions/{handle_of(alice, phone)}/end").headers["Location"] == "/login"
    assert not is_in(phone)
    assert is_in(desktop)


def test_all_others_are_signed_out_at_once(alice: User) -> None:
    here, others = browser(alice), [browser(alice, SAFARI) for _ in range(3)]
    stella = browser(rows.person("stella"))
    answer = here.post("/settings/sessions/end-others", follow=True)
    assert "Signed out: 3 other devices." in answer.content.decode()
    assert "Sign out all others" not in answer.content.decode()
    assert [is_in(client) for client in (here, *others, stella)] == [True, False, False, False, True]


def test_nobody_ends_a_session_of_somebody_else(alice: User) -> None:
    stella = rows.person("stella")
    theirs, mine = browser(stella), browser(alice)
    for handle in (handle_of(stella, theirs), key_of(theirs), "nonsense"):
        assert mine.post(f"/settings/sessions/{handle}/end").headers["Location"] == "/settings"
    assert is_in(theirs)


@pytest.mark.parametrize("path", ["end-others", "abc/end"])
def test_it_takes_a_form_of_ours(alice: User, path: str) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(alice)
    assert client.post(f"/settings/sessions/{path}").status_code == 403
    assert client.get(f"/settings/sessions/{path}").status_code == 405
    assert Client().post(f"/settings/sessions/{path}").headers["Location"].startswith("/login")


def test_a_new_password_ends_the_others_and_the_list_agrees(alice: User) -> None:
    here, other = browser(alice), browser(alice, SAFARI)
    new = "staple and a nine foot pole"
    here.post("/password", {"old_password": PASSWORD, "new_password1": new, "new_password2": new})
    assert not is_in(other)
    assert list(UserSession.objects.values_list("session_key", flat=True)) == [key_of(here)]
    assert "Safari on iPhone" not in page(here)


def test_a_password_set_elsewhere_leaves_no_device_in_the_list(alice: User) -> None:
    browser(alice)
    alice.set_password("staple and a nine foot pole")
    alice.save()
    assert sessions.devices_of(alice, None) == []


def test_the_last_visit_is_kept_to_the_minute(alice: User) -> None:
    client = browser(alice)
    make_old(client, seconds=30)
    before = visit_of(client).last_seen_at
    client.get("/password")
    assert visit_of(client).last_seen_at == before
    make_old(client, seconds=61)
    client.get("/password", REMOTE_ADDR="198.51.100.2", HTTP_USER_AGENT=SAFARI)
    visit = visit_of(client)
    assert timezone.now() - visit.last_seen_at < timedelta(seconds=30)
    assert (visit.address, visit.user_agent) == ("198.51.100.2", SAFARI)


def test_a_visit_makes_a_session_last_no_longer(alice: User) -> None:
    """It ends twelve hours after the sign-in."""
    client = browser(alice)
    visit = visit_of(client)
    make_old(client, minutes=5)
    client.get("/settings")
    client.post("/settings/sessions/end-others")
    assert visit_of(client).expire_date == visit.expire_date
    assert visit_of(client).signed_in_at == visit.signed_in_at


def test_a_program_with_a_token_is_no_visit(alice: User) -> None:
    client = browser(alice)
    make_old(client, minutes=5)
    before = visit_of(client).last_seen_at
    header: Any = rows.bearer(alice)
    assert client.get("/api/v1/orders", **header).status_code == 200
    assert visit_of(client).last_seen_at == before


def test_what_a_browser_says_of_itself_is_text(alice: User) -> None:
    client = browser(alice, "<script>alert(1)</script>\u202e Firefox/1 " + "x" * 400)
    assert "alert(1)" not in page(client)
    kept = visit_of(client).user_agent
    assert len(kept) == 255
    assert kept.isprintable()


def test_sessions_that_expired_are_not_kept(alice: User) -> None:
    old, new = browser(alice), browser(alice)
    UserSession.objects.filter(session_key=key_of(old)).update(expire_date=timezone.now() - timedelta(seconds=1))
    assert not is_in(old)
    tidy(timezone.now())
    assert list(UserSession.objects.values_list("session_key", flat=True)) == [key_of(new)]


def close_other_devices(cookie: str) -> None:
    client = Client()
    client.cookies["sessionid"] = cookie.partition("=")[2]
    client.post("/settings/sessions/end-others")


@pytest.mark.django_db(transaction=True)
async def test_the_open_pages_of_a_device_that_is_signed_out_close(live: Live) -> None:
    alice = await User.objects.aget(username="alice")
    phone = Client()
    await sync_to_async(phone.force_login)(alice)
    async with opened(live) as desktop:
        await message(desktop)
        await sync_to_async(close_other_devices)(f"sessionid={phone.cookies['sessionid'].value}")
        assert (await message(desktop, 3))["type"] == "bye"
        assert (await desktop.receive_output(timeout=SOON_S))["code"] == 4401


@pytest.mark.django_db(transaction=True)
async def test_a_page_left_open_is_seen(live: Live) -> None:
    mine = UserSession.objects.filter(session_key=live.alice.partition("=")[2])
    await mine.aupdate(last_seen_at=timezone.now() - timedelta(hours=1))
    async with opened(live) as socket:
        await message(socket)
    assert timezone.now() - (await mine.aget()).last_seen_at < timedelta(minutes=1)
