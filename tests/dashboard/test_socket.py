"""Who may open a live socket, and what a page may say on it."""

import time
from collections.abc import Callable

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import User
from django.utils import timezone

from dashboard.hub import ADMIT_EVERY_S
from portfolio.models import Membership, Role, UserSession
from tests.dashboard.sockets import SOON_S, Live, is_refused, message, opened, rooms, socket_of

MARGIN_S = 1.0  # of a busy machine

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize(
    "origin",
    [
        None,
        "",
        "null",
        "http://evil.example",
        "http://testserver.evil.example",
        "http://eviltestserver",
        "http://testserver:8001",
        "https://testserver",
        "ws://testserver",
        "testserver",
        "//testserver",
        "http://testserver/",
        "http://testserver@evil.example",
        "http://alice@testserver",
        "http://[",
        "http://[::1",
        "http://testserver\xff",
        "HTTP://TESTSERVER",
        "http://testserver http://evil.example",
    ],
)
async def test_another_origin_is_refused_before_it_is_accepted(live: Live, origin: str | None) -> None:
    assert await is_refused(socket_of(live.portfolio.pk, live.alice, origin))


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8000", "", "testserver:8000:1"])
async def test_a_foreign_name_for_this_machine_is_no_origin_of_ours(live: Live, host: str) -> None:
    assert await is_refused(socket_of(live.portfolio.pk, live.alice, f"http://{host}", host))


async def test_host_and_port_of_the_page_are_those_of_the_socket(live: Live) -> None:
    socket = socket_of(live.portfolio.pk, live.alice, "http://127.0.0.1:8123", "127.0.0.1:8123")
    assert (await socket.connect())[0]
    await socket.disconnect()


async def test_nobody_gets_in_without_signing_in(live: Live) -> None:
    for cookie in ("", "sessionid=nothing", "sessionid="):
        assert await is_refused(socket_of(live.portfolio.pk, cookie))


async def test_a_stranger_is_refused_as_for_a_portfolio_that_does_not_exist(live: Live) -> None:
    assert await is_refused(socket_of(live.portfolio.pk, live.stella))
    for number in (987_654, 2**63, 10**30):
        assert await is_refused(socket_of(number, live.alice))


async def test_a_closed_account_is_refused(live: Live) -> None:
    await sync_to_async(User.objects.filter(username="alice").update)(is_active=False)
    assert await is_refused(socket_of(live.portfolio.pk, live.alice))


@pytest.mark.parametrize("who", ["alice", "victor"])
async def test_a_member_is_greeted_with_the_version(live: Live, who: str) -> None:
    async with opened(live, getattr(live, who)) as socket:
        hello = await message(socket)
    assert hello | {"now_ms": 0} == {"type": "hello", "version": live.portfolio.version, "now_ms": 0}
    assert abs(hello["now_ms"] - time.time() * 1_000) < 5_000


@pytest.mark.parametrize(
    "said", ["{}", "ping", '{"type": "subscribe", "portfolio": 2}', b"\x00", b"1", "-1", "1.0", " 1", "1\n", "\u0661", "9" * 20]
)
async def test_whoever_speaks_is_shown_out(live: Live, said: str | bytes) -> None:
    async with opened(live) as socket:
        await message(socket)
        await socket.send_to(**({"text_data": said} if isinstance(said, str) else {"bytes_data": said}))
        closed = await socket.receive_output(timeout=SOON_S)
    assert (closed["type"], closed["code"]) == ("websocket.close", 4400)
    assert not rooms()


def sign_out(live: Live) -> None:
    UserSession.objects.get(session_key=live.alice.partition("=")[2]).delete()


def outlast(live: Live) -> None:
    UserSession.objects.filter(session_key=live.alice.partition("=")[2]).update(expire_date=timezone.now())


def leave_the_portfolio(live: Live) -> None:
    Membership.objects.filter(portfolio=live.portfolio, user__username="alice").delete()


def close_the_account(live: Live) -> None:
    User.objects.filter(username="alice").update(is_active=False)


def change_the_password(live: Live) -> None:
    alice = User.objects.get(username="alice")
    alice.set_password("a new horse, another battery")
    alice.save()


@pytest.mark.parametrize("end", [sign_out, outlast, leave_the_portfolio, close_the_account, change_the_password])
async def test_a_page_is_shown_out_within_two_seconds_of_what_let_it_in(live: Live, end: Callable[[Live], None]) -> None:
    """S06; and nobody else with it."""
    async with opened(live) as alice, opened(live, live.victor) as victor:
        await message(alice)
        await message(victor)
        await sync_to_async(end)(live)
        started = time.monotonic()
        bye = await message(alice, 5)
        closed = await alice.receive_output(timeout=SOON_S)
        assert time.monotonic() - started < 2 + MARGIN_S
        assert (bye["type"], closed["type"], closed["code"]) == ("bye", "websocket.close", 4401)
        assert "signed out" in bye["reason"]
        await alice.disconnect()
        await sync_to_async(live.change)(91_000)
        assert (await message(victor))["type"] == "patch"


async def test_a_page_that_may_stay_is_left_alone(live: Live) -> None:
    async with opened(live) as socket:
        await message(socket)
        await sync_to_async(Membership.objects.filter(user__username="alice").update)(role=Role.VIEWER)
        assert await socket.receive_nothing(timeout=2 * ADMIT_EVERY_S)
