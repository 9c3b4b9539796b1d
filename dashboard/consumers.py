"""The live socket of a page: who may open it, and handing the hub's messages on. It takes no commands: all that a page says is which
version it has taken."""

import re
import time

import orjson
from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncWebsocketConsumer
from django.conf import settings
from django.http.request import split_domain_port, validate_host

from dashboard.hub import hub
from portfolio import access

TAKEN = re.compile(r"[0-9]{1,19}", re.ASCII)
# Of the range for applications: the server refuses to send those that the protocol keeps for itself, 1008 among them.
NOT_OUR_PAGE = 4400


class BookConsumer(AsyncWebsocketConsumer):  # type: ignore[misc]  # channels has no types
    """Refused before it is accepted: another origin, nobody signed in, not a member."""

    portfolio_id = 0
    has_joined = False

    async def connect(self) -> None:
        self.portfolio_id = self.scope["url_route"]["kwargs"]["portfolio_id"]
        user = self.scope["user"]
        if not _is_same_origin(dict(self.scope["headers"])) or not user.is_authenticated or not await self._is_member():
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
        """Whoever says anything but a version is not our page."""
        if text_data is None or not TAKEN.fullmatch(text_data):
            await self.close(code=NOT_OUR_PAGE)
            return
        await hub().take(self.portfolio_id, self, int(text_data))

    async def deliver(self, text: str) -> None:
        await self.send(text_data=text)

    async def _is_member(self) -> bool:
        is_member: bool = await database_sync_to_async(access.portfolios_for(self.scope["user"]).filter(pk=self.portfolio_id).exists)()
        return is_member


def _is_same_origin(headers: dict[bytes, bytes]) -> bool:
    """The page must come from where this socket is, by scheme, host and port, and the host must be one of ours: a foreign name that
    resolves to this machine passes the first test."""
    host = headers.get(b"host", b"").decode("latin-1")
    scheme = "https" if settings.HTTPS else "http"
    is_ours = validate_host(split_domain_port(host)[0], settings.ALLOWED_HOSTS)
    return is_ours and headers.get(b"origin", b"").decode("latin-1") == f"{scheme}://{host}"
