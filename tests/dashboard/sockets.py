"""Live sockets as the tests open them: through the real ASGI application and a real Valkey."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import orjson
from channels.testing import WebsocketCommunicator
from django.contrib.auth.models import User
from django.db import transaction
from django.test import Client

from dashboard.asgi import application
from dashboard.hub import hub
from portfolio import publish
from portfolio.models import Portfolio, Position

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


async def message(socket: Any, timeout_s: float = SOON_S, *, is_taken: bool = True) -> dict[str, Any]:
    """The next message; as a page does, a patch is said to be taken."""
    found: dict[str, Any] = orjson.loads(await socket.receive_from(timeout=timeout_s))
    if is_taken and found["type"] == "patch":
        await socket.send_to(text_data=str(found["to"]))
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


def rooms() -> dict[int, Any]:
    return hub()._rooms


def tasks_of_rooms() -> list[str]:
    names = (task.get_coro().__qualname__ for task in asyncio.all_tasks())  # type: ignore[union-attr]
    return [name for name in names if name.startswith("Room.")]
