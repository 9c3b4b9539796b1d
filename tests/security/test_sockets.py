"""The live sockets against the declared table, and whoever talks too much on one (S01, S36, S37)."""

import asyncio

import pytest
from asgiref.sync import sync_to_async
from channels.routing import URLRouter

from dashboard.asgi import sockets
from dashboard.consumers import MOST_MESSAGES_PER_S
from tests.dashboard.sockets import ORIGIN, SOON_S, Live, is_refused, opened, socket_of
from tests.security.conftest import Stage, set_stage
from tests.security.declared import SOCKET_LINES

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def open_stage(transactional_db: None) -> Stage:
    """Committed, for the threads that the sockets ask the database in."""
    return set_stage()


def routes() -> set[str]:
    inner = sockets
    while not isinstance(inner, URLRouter):
        inner = inner.inner
    return {f"/{route.pattern}" for route in inner.routes}


def test_every_socket_is_declared_and_nothing_else() -> None:
    assert routes() == {line.path for line in SOCKET_LINES}


async def test_a_socket_lets_in_whom_it_should(open_stage: Stage) -> None:
    for line in SOCKET_LINES:
        for role, declared in line.answers.items():
            cookie = f"sessionid={open_stage.cookies.get(role, '')}"
            refused = await is_refused(socket_of(open_stage.book.portfolio.pk, cookie))
            assert refused == (declared == "no"), role
        for role in ("viewer", "trader", "manager", "super"):
            cookie = f"sessionid={open_stage.cookies[role]}"
            assert await is_refused(socket_of(open_stage.strangers.portfolio.pk, cookie)), role
            assert await is_refused(socket_of(987_654, cookie)), role


async def test_a_bearer_token_opens_no_socket(open_stage: Stage) -> None:
    socket = socket_of(open_stage.book.portfolio.pk, "")
    socket.scope["headers"].append((b"authorization", f"Bearer {open_stage.bearers['admin']}".encode()))
    assert await is_refused(socket)
    socket = socket_of(open_stage.book.portfolio.pk, "")
    socket.scope["query_string"] = f"token={open_stage.bearers['admin']}&sessionid={open_stage.cookies['manager']}".encode()
    assert await is_refused(socket)


@pytest.fixture
def live(open_stage: Stage) -> Live:
    cookie = f"sessionid={open_stage.cookies['viewer']}"
    return Live(open_stage.book.portfolio, open_stage.book.position, cookie, cookie, cookie)


async def test_whoever_talks_all_the_time_is_shown_out(live: Live) -> None:
    async with opened(live) as socket:
        await socket.receive_from(timeout=SOON_S)
        for _ in range(2 * MOST_MESSAGES_PER_S + 1):  # the second may change once on the way
            await socket.send_to(text_data="1")
        closed = await socket.receive_output(timeout=SOON_S)
    assert (closed["type"], closed["code"]) == ("websocket.close", 4400)


async def test_whoever_says_what_a_page_says_may_stay(live: Live) -> None:
    async with opened(live) as socket:
        await socket.receive_from(timeout=SOON_S)
        for _ in range(8):
            await socket.send_to(text_data="1")
            await asyncio.sleep(0)
        assert await socket.receive_nothing(timeout=0.3)


async def test_two_headers_of_origin_are_no_origin(live: Live) -> None:
    socket = socket_of(live.portfolio.pk, live.alice)
    socket.scope["headers"] = [*socket.scope["headers"], (b"origin", b"http://evil.example")]
    assert await is_refused(socket)
    socket = socket_of(live.portfolio.pk, live.alice, "http://evil.example")
    socket.scope["headers"] = [*socket.scope["headers"], (b"host", b"evil.example"), (b"origin", ORIGIN.encode())]
    assert await is_refused(socket)
    assert await sync_to_async(lambda: live.portfolio.memberships.count())() > 0
