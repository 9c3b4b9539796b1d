"""The live socket of a page: who may open it, and handing the hub's messages on. It takes no commands: all that a page says is which
version it has taken."""

import re
import time

import orjson
from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncWebsocketConsumer
from django.conf import settings
from django.http.request import split_domain_port, validate_host

from dashboard.admission import ENDED, Admission, admission_of, admitted
from dashboard.hub import hub

# A page says at most four times a second what it has taken.
MOST_MESSAGES_PER_S = 20
TAKEN = re.compile(r"[0-9]{1,19}", re.ASCII)
# Of the range for applications: the server refuses to send those that the protocol keeps for itself, 1008 among them.
NOT_OUR_PAGE = 4400
NO_LONGER_ADMITTED = 4401


class BookConsumer(AsyncWebsocketConsumer):  # type: ignore[misc]  # channels has no types
    """Refused before it is accepted: another origin, nobody signed in, not a member. Shown out when that ends."""

    portfolio_id = 0
    has_joined = False
    heard_in = heard = 0
    admission: Admission

    async def connect(self) -> None:
        self.portfolio_id = self.scope["url_route"]["kwargs"]["portfolio_id"]
        user = self.scope["user"]
        if not _is_same_origin(dict(self.scope["headers"])) or not user.is_authenticated:
            await self.close()
            return
        self.admission = await database_sync_to_async(admission_of)(user, self.scope["session"])
        if not await database_sync_to_async(admitted)(self.portfolio_id, [self.admission]):
            await self.close()
            return
        await self.accept()
        self.has_joined = True
        version = await hub().join(self.portfolio_id, self)
        await self.deliver(orjson.dumps({"type": "hello", "version": version, "now_ms": round(time.time() * 1_000)}).decode())

    async def disconnect(self, code: int) -> None:
        if self.has_joined:
            hub().leave(self.portfolio_id, self)

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        """Whoever says anything but a version, or says it all the time, is not our page."""
        if text_data is None or not TAKEN.fullmatch(text_data) or self._is_heard_too_often():
            await self.close(code=NOT_OUR_PAGE)
            return
        await hub().take(self.portfolio_id, self, int(text_data))

    def _is_heard_too_often(self) -> bool:
        second = int(time.monotonic())
        if second != self.heard_in:
            self.heard_in, self.heard = second, 0
        self.heard += 1
        return self.heard > MOST_MESSAGES_PER_S

    async def deliver(self, text: str) -> None:
        await self.send(text_data=text)

    async def dismiss(self) -> None:
        await self.deliver(orjson.dumps({"type": "bye", "reason": ENDED}).decode())
        await self.close(code=NO_LONGER_ADMITTED)


def _is_same_origin(headers: dict[bytes, bytes]) -> bool:
    """The page must come from where this socket is, by scheme, host and port, and the host must be one of ours: a foreign name that
    resolves to this machine passes the first test."""
    host = headers.get(b"host", b"").decode("latin-1")
    scheme = "https" if settings.HTTPS else "http"
    is_ours = validate_host(split_domain_port(host)[0], settings.ALLOWED_HOSTS)
    return is_ours and headers.get(b"origin", b"").decode("latin-1") == f"{scheme}://{host}"
