"""The live side of a web process: one subscription per portfolio with open pages, one reading of the book per change, the same message to
every page that has taken the last one. At most four messages a second; at once when idle. Without a notice the version is compared every
two seconds, so that a lost Valkey slows pages down and stops nothing."""

import asyncio
import logging
import time
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Protocol

import orjson
from channels.db import database_sync_to_async
from channels.layers import get_channel_layer

from dashboard.admission import Admission, admitted
from dashboard.book import read_book
from dashboard.patches import PageState, page_state, patch
from portfolio.models import Portfolio
from portfolio.publish import group_of

logger = logging.getLogger(__name__)

SHORTEST_INTERVAL_S = 0.25
COMPARE_EVERY_S = 2.0
ADMIT_EVERY_S = 1.5
RESUBSCRIBE_AFTER_S = 1.0


class Page(Protocol):
    """One open page; `deliver` takes finished text, `dismiss` says that it ends here and closes."""

    @property
    def admission(self) -> Admission: ...

    async def deliver(self, text: str) -> None: ...

    async def dismiss(self) -> None: ...


@dataclass(slots=True)
class Seat:
    """`state` is what a page was brought to last, None until it is greeted; `is_free` says that nothing is on its way to it."""

    state: PageState | None = None
    is_free: bool = True


class Room:
    """The open pages of one portfolio, the newest state, and what each page was sent.

    One patch at most is on its way to a page: the web server takes whatever it is given for a browser, however slow, so the page itself
    says when it has taken it. Until then nothing is made for it, and what it gets next leads to the newest state at once."""

    def __init__(self, portfolio_id: int) -> None:
        self._portfolio_id = portfolio_id
        self._seats: dict[Page, Seat] = {}
        self._state: PageState | None = None
        self._noticed = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def is_empty(self) -> bool:
        return not self._seats

    async def join(self, page: Page) -> int:
        """Add a page and return the version that further messages build on. It is added first: a room that somebody is entering is not
        empty, whoever else leaves meanwhile."""
        seat = self._seats[page] = Seat()
        if self._state is None:
            state = await _read_state(self._portfolio_id)
            self._state = self._state or state
        if not self._tasks:
            self._tasks = [asyncio.create_task(work) for work in (self._listen(), self._follow(), self._guard())]
        seat.state = self._state
        return self._state.version

    async def take(self, page: Page, version: int) -> None:
        """The page has taken the message that led to `version`; if the book went on meanwhile, the next one leaves now."""
        seat = self._seats.get(page)
        if seat is None or seat.state is None or seat.state.version != version:
            return
        seat.is_free = True
        await self._send_to([page])

    def leave(self, page: Page) -> None:
        self._seats.pop(page, None)
        if self.is_empty:
            for task in self._tasks:
                task.cancel()
            self._tasks = []
            self._state = None

    async def _listen(self) -> None:
        """Turn notices of the channel layer into the event; a broken connection is taken up again."""
        layer = get_channel_layer()
        while layer is not None:
            try:
                channel = await layer.new_channel()
                await layer.group_add(group_of(self._portfolio_id), channel)
                self._noticed.set()  # what was published before this was not heard
                while True:
                    await layer.receive(channel)
                    self._noticed.set()
            except asyncio.CancelledError:
                raise
            except Exception as error:
                logger.warning("live notices interrupted: %s", type(error).__name__)
                await asyncio.sleep(RESUBSCRIBE_AFTER_S)

    async def _follow(self) -> None:
        while True:
            is_noticed = await self._wait_for_notice()
            started = time.monotonic()
            try:
                if is_noticed or await self._is_behind():
                    await self._send_changes()
            except Exception:
                # A round that fails must not end the loop: its pages would stand still without a word.
                logger.exception("the book of portfolio %s could not be read; its pages keep what they show", self._portfolio_id)
            await asyncio.sleep(max(0.0, SHORTEST_INTERVAL_S - (time.monotonic() - started)))

    async def _guard(self) -> None:
        """Show out every page whose session or membership has ended, within two seconds (S06)."""
        while True:
            await asyncio.sleep(ADMIT_EVERY_S)
            pages = list(self._seats)
            try:
                kept = await _admitted(self._portfolio_id, {page.admission for page in pages})
                await asyncio.gather(*(page.dismiss() for page in pages if page.admission not in kept), return_exceptions=True)
            except Exception:
                logger.exception("who may still see portfolio %s could not be asked; it is asked again", self._portfolio_id)

    async def _wait_for_notice(self) -> bool:
        """False after the time in which a lost notice may go unseen."""
        try:
            await asyncio.wait_for(self._noticed.wait(), COMPARE_EVERY_S)
        except TimeoutError:
            return False
        self._noticed.clear()
        return True

    async def _is_behind(self) -> bool:
        return self._state is None or await _version(self._portfolio_id) != self._state.version

    async def _send_changes(self) -> None:
        self._state = await _read_state(self._portfolio_id)
        await self._send_to(list(self._seats))

    async def _send_to(self, pages: Iterable[Page]) -> None:
        """Bring every free page of `pages` to the newest state; pages that show the same get the same text."""
        new, texts, deliveries = self._state, dict[int, str](), []
        for page in pages:
            seat = self._seats[page]
            if new is None or seat.state is None or not seat.is_free or seat.state.version == new.version:
                continue
            version = seat.state.version
            if version not in texts:
                texts[version] = orjson.dumps(patch(seat.state, new, round(time.time() * 1_000))).decode()
            seat.state, seat.is_free = new, False
            deliveries.append(page.deliver(texts[version]))
        await asyncio.gather(*deliveries, return_exceptions=True)


class Hub:
    def __init__(self) -> None:
        self._rooms: dict[int, Room] = {}

    async def join(self, portfolio_id: int, page: Page) -> int:
        room = self._rooms.setdefault(portfolio_id, Room(portfolio_id))
        try:
            return await room.join(page)
        except BaseException:
            self.leave(portfolio_id, page)
            raise

    async def take(self, portfolio_id: int, page: Page, version: int) -> None:
        if room := self._rooms.get(portfolio_id):
            await room.take(page, version)

    def leave(self, portfolio_id: int, page: Page) -> None:
        room = self._rooms.get(portfolio_id)
        if room is None:
            return
        room.leave(page)
        if room.is_empty:
            del self._rooms[portfolio_id]


@cache
def hub() -> Hub:
    """This process's hub; all its pages live on one event loop."""
    return Hub()


async def _read_state(portfolio_id: int) -> PageState:
    state: PageState = await database_sync_to_async(lambda: page_state(read_book(portfolio_id)))()
    return state


async def _admitted(portfolio_id: int, admissions: set[Admission]) -> set[Admission]:
    kept: set[Admission] = await database_sync_to_async(admitted)(portfolio_id, admissions)
    return kept


async def _version(portfolio_id: int) -> int:
    version: int = await database_sync_to_async(lambda: Portfolio.objects.values_list("version", flat=True).get(pk=portfolio_id))()
    return version
