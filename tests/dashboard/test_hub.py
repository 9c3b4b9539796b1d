"""What comes over a live socket and how fast, that a slow page holds nobody up, and that nothing stays behind."""

import asyncio
import time
from typing import Any

import orjson
import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import User
from django.db.models import F

from dashboard.admission import Admission
from dashboard.hub import COMPARE_EVERY_S, Hub
from portfolio import publish
from portfolio.models import Portfolio
from tests.dashboard import rows
from tests.dashboard.sockets import SOON_S, Live, message, opened, rooms, tasks_of_rooms, until

pytestmark = pytest.mark.django_db(transaction=True)


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


async def test_a_slow_page_has_one_patch_on_its_way_and_then_gets_the_newest(live: Live) -> None:
    async with opened(live) as slow, opened(live, live.victor) as quick:
        await message(slow)
        await message(quick)
        versions = []
        for price in (91_000, 92_000, 93_000):
            versions.append(await sync_to_async(live.change)(price))
            assert (await message(quick))["to"] == versions[-1]
        first = await message(slow, is_taken=False)
        assert (first["to"], await slow.receive_nothing(timeout=0.3)) == (versions[0], True)
        await slow.send_to(text_data=str(first["to"]))
        newest = await message(slow)
    assert (newest["from"], newest["to"]) == (versions[0], versions[2])
    assert newest["panels"]["positions"]["cells"][str(live.position.pk)]["mark"]["text"] == "93,000.00"


@pytest.mark.parametrize("version", [0, 1, 10**18])
async def test_a_version_that_was_not_sent_asks_for_nothing(live: Live, version: int) -> None:
    async with opened(live) as socket:
        await message(socket)
        last = await sync_to_async(live.change)(91_000)
        assert (await message(socket, is_taken=False))["to"] == last
        await sync_to_async(live.change)(92_000)
        await socket.send_to(text_data=str(version))
        assert await socket.receive_nothing(timeout=0.6)
        await socket.send_to(text_data=str(last))
        assert (await message(socket))["from"] == last


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

    admission = Admission(0, "", "")

    def __init__(self) -> None:
        self.texts: list[str] = []

    async def dismiss(self) -> None:
        self.texts.append("dismissed")

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
