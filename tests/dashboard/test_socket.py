"""The live socket through the real ASGI application and a real Valkey: who gets in, what comes, how fast, and that nothing stays behind."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import orjson
import pytest
from asgiref.sync import sync_to_async
from channels.testing import WebsocketCommunicator
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import F
from django.test import Client

from dashboard.asgi import application
from dashboard.hub import COMPARE_EVERY_S, Hub, hub
from portfolio import publish
from portfolio.models import Portfolio, Position, Role
from tests.dashboard import rows

pytestmark = pytest.mark.django_db(transaction=True)

HOST = "testserver"
ORIGIN = f"http://{HOST}"
SOON_S = 1.0


@dataclass(frozen=True, slots=True)
class Live:
    portfolio: Portfolio
    position: Position
    alice: str
    victor: str
    stella: str

    def change(self, price: int) -> int:
        """Another mark, published as a poll would. Returns the version."""
        with transaction.atomic():
            Position.objects.filter(pk=self.position.pk).update(mark_price=Decimal(price))
            publish.book_changed([self.position.account_id])
        return Portfolio.objects.get(pk=self.portfolio.pk).version


def cookie_of(user: User) -> str:
    client = Client()
    client.force_login(user)
    return f"sessionid={client.cookies['sessionid'].value}"


@pytest.fixture
def live(transactional_db: None) -> Live:
    alice, victor, stella = (rows.person(name) for name in ("alice", "victor", "stella"))
    book = rows.portfolio("Alice's book", {alice: Role.TRADER, victor: Role.VIEWER})
    account = rows.account(book, label="Main")
    rows.state(account)
    rows.portfolio("Stella's book", {stella: Role.MANAGER})
    return Live(book, rows.position(account), *(cookie_of(user) for user in (alice, victor, stella)))


def socket_of(portfolio_id: int, cookie: str, origin: str | None = ORIGIN, host: str = HOST) -> Any:
    headers = [(b"host", host.encode()), (b"cookie", cookie.encode())]
    if origin is not None:
        headers.append((b"origin", origin.encode("latin-1")))
    return WebsocketCommunicator(application, f"/ws/portfolio/{portfolio_id}/?v=1", headers)


@asynccontextmanager
async def opened(live: Live, cookie: str = "") -> AsyncIterator[Any]:
    socket = socket_of(live.portfolio.pk, cookie or live.alice)
    is_in, _ = await socket.connect()
    assert is_in
    try:
        yield socket
    finally:
        await socket.disconnect()


async def message(socket: Any, timeout_s: float = SOON_S) -> dict[str, Any]:
    found: dict[str, Any] = orjson.loads(await socket.receive_from(timeout=timeout_s))
    return found


async def is_refused(socket: Any) -> bool:
    is_in, _ = await socket.connect()
    await socket.disconnect()
    return not is_in


async def until(condition: Callable[[], bool | Awaitable[bool]], deadline_s: float = 3.0) -> None:
    deadline = time.monotonic() + deadline_s
    while time.monotonic() < deadline:
        outcome = condition()
        if outcome if isinstance(outcome, bool) else await outcome:
            return
        await asyncio.sleep(0.02)
    raise AssertionError("it did not come true in time")


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


async def test_a_change_arrives_within_a_second_as_a_patch(live: Live) -> None:
    async with opened(live) as socket:
        hello = await message(socket)
        version = await sync_to_async(live.change)(96_000)
        patch = await message(socket)
    assert (patch["type"], patch["from"], patch["to"]) == ("patch", hello["version"], version)
    cells = patch["panels"]["positions"]["cells"][str(live.position.pk)]
    assert cells["mark"]["text"] == "96,000.00"
    assert patch["topbar"]["figures"]["net"]["text"] == "+48,000.00"


async def test_many_changes_are_at_most_four_messages_a_second_and_the_last_one_counts(live: Live) -> None:
    async with opened(live) as socket:
        await message(socket)
        got: list[dict[str, Any]] = []
        started, version = time.monotonic(), 0
        for price in range(40):
            version = await sync_to_async(live.change)(90_000 + price)
            await asyncio.sleep(0.04)
        while not got or got[-1]["to"] < version:
            got.append(await message(socket, 2 * COMPARE_EVERY_S))
        passed_s = time.monotonic() - started
    assert len(got) <= passed_s * 4 + 2, (len(got), passed_s)
    assert [patch["from"] for patch in got[1:]] == [patch["to"] for patch in got[:-1]]
    assert got[-1]["panels"]["positions"]["cells"][str(live.position.pk)]["mark"]["text"] == "90,039.00"


async def test_a_lost_notice_is_made_up_for_by_comparing_versions(live: Live) -> None:
    async with opened(live) as socket:
        hello = await message(socket)
        await sync_to_async(Portfolio.objects.filter(pk=live.portfolio.pk).update)(version=F("version") + 1)
        patch = await message(socket, 2 * COMPARE_EVERY_S)
    assert patch["to"] == hello["version"] + 1


async def test_every_page_of_a_portfolio_gets_the_same_message_whatever_its_role(live: Live) -> None:
    async with opened(live) as first, opened(live, live.victor) as second:
        await message(first)
        await message(second)
        await sync_to_async(live.change)(97_000)
        texts = [await socket.receive_from(timeout=SOON_S) for socket in (first, second)]
    assert texts[0] == texts[1]
    assert "close" not in orjson.loads(texts[0]).get("panels", {}).get("positions", {})


async def test_one_portfolio_hears_nothing_of_another(live: Live) -> None:
    def other_book() -> int:
        stella = User.objects.get(username="stella")
        account = rows.account(Portfolio.objects.get(memberships__user=stella), label="Hers")
        rows.state(account)
        return account.pk

    account_id = await sync_to_async(other_book)()
    async with opened(live) as socket:
        await message(socket)
        await sync_to_async(publish.book_changed)([account_id])
        assert await socket.receive_nothing(timeout=0.5)


@pytest.mark.parametrize("said", ["{}", "ping", '{"type": "subscribe", "portfolio": 2}', b"\x00"])
async def test_whoever_speaks_is_shown_out(live: Live, said: str | bytes) -> None:
    socket = socket_of(live.portfolio.pk, live.alice)
    assert (await socket.connect())[0]
    await message(socket)
    await socket.send_to(**({"text_data": said} if isinstance(said, str) else {"bytes_data": said}))
    closed = await socket.receive_output(timeout=SOON_S)
    assert (closed["type"], closed["code"]) == ("websocket.close", 1008)
    await socket.disconnect()
    assert not rooms()


def rooms() -> dict[int, Any]:
    return hub()._rooms


def tasks_of_rooms() -> list[str]:
    names = (task.get_coro().__qualname__ for task in asyncio.all_tasks())  # type: ignore[union-attr]
    return [name for name in names if name.startswith("Room.")]


async def test_the_last_page_to_leave_turns_off_the_light(live: Live) -> None:
    async with opened(live) as first:
        await message(first)
        async with opened(live, live.victor) as second:
            await message(second)
            assert list(rooms()) == [live.portfolio.pk]
        assert list(rooms()) == [live.portfolio.pk]
        await sync_to_async(live.change)(98_000)
        assert (await message(first))["type"] == "patch"
    assert not rooms()
    await until(lambda: not tasks_of_rooms())


class Listener:
    """A page that keeps what it is sent."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    async def deliver(self, text: str) -> None:
        self.texts.append(text)


class Gone(Listener):
    async def deliver(self, text: str) -> None:
        raise ConnectionResetError("the browser is gone")


async def test_a_page_that_leaves_while_another_enters_does_not_take_the_room_with_it(live: Live) -> None:
    site, first, second = Hub(), Listener(), Listener()
    entering = asyncio.create_task(site.join(live.portfolio.pk, first))
    await asyncio.sleep(0)
    late = asyncio.create_task(site.join(live.portfolio.pk, second))
    await entering
    site.leave(live.portfolio.pk, first)
    await late
    await sync_to_async(live.change)(99_000)
    await until(lambda: bool(second.texts))
    site.leave(live.portfolio.pk, second)
    assert not site._rooms
    await until(lambda: not tasks_of_rooms())
    assert not first.texts


async def test_a_page_that_cannot_enter_leaves_no_room_behind(live: Live) -> None:
    site = Hub()
    with pytest.raises(Portfolio.DoesNotExist):
        await site.join(987_654, Listener())
    assert not site._rooms
    assert not tasks_of_rooms()


async def test_a_page_that_is_gone_keeps_nobody_else_from_hearing(live: Live) -> None:
    site, gone, there = Hub(), Gone(), Listener()
    for page in (gone, there):
        await site.join(live.portfolio.pk, page)
    await sync_to_async(live.change)(99_500)  # at once: perhaps before the subscription stands
    await until(lambda: bool(there.texts), SOON_S)
    for page in (gone, there):
        site.leave(live.portfolio.pk, page)


async def test_a_round_that_fails_does_not_end_the_pushes(live: Live) -> None:
    book = Portfolio.objects.filter(pk=live.portfolio.pk)
    async with opened(live) as socket:
        await message(socket)
        await sync_to_async(book.update)(environment="nowhere")
        await sync_to_async(live.change)(91_000)
        assert await socket.receive_nothing(timeout=0.6)
        await sync_to_async(book.update)(environment="sandbox")
        await sync_to_async(live.change)(92_000)
        patch = await message(socket, 2 * COMPARE_EVERY_S)
    assert patch["panels"]["positions"]["cells"][str(live.position.pk)]["mark"]["text"] == "92,000.00"
