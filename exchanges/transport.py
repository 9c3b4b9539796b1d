"""The one way out to a venue: a shared aiohttp session with deadlines, a size cap, no redirects and no retries.

Knows HTTP, nothing of any venue. Its errors say whether a write can have happened: before a byte left it is NotSent, after that
OutcomeUnknown. Cancelling a call does not take the request back. Of a call it logs the path alone: query, headers and body hold keys and
signatures.
"""

import asyncio
import logging
import time
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import aiohttp
import orjson
from multidict import CIMultiDict, CIMultiDictProxy
from yarl import URL

from exchanges import measures
from exchanges.errors import BadVenueResponse, ExchangeAPIError, ExchangeUnavailable, NotSent, OutcomeUnknown

logger = logging.getLogger(__name__)

CONNECT_DEADLINE_S = 2.0
WRITE_DEADLINE_S = 5.0
READ_DEADLINE_S = 10.0
MAX_BODY_BYTES = 5 * 1024 * 1024
IDLE_CONNECTION_S = 30.0
CONNECTIONS_PER_VENUE = 100  # a shard polls 50 accounts at once, each with two questions
NEVER_ADDED = ("User-Agent", "Content-Type")


@lru_cache(maxsize=16)
def _timeout(total_s: float, connect_s: float) -> aiohttp.ClientTimeout:
    return aiohttp.ClientTimeout(total=total_s, connect=connect_s, sock_connect=connect_s)


@dataclass(frozen=True, slots=True)
class Response:
    status: int
    headers: CIMultiDictProxy[str]
    body: bytes


class Transport:
    """One session for the event loop that first uses it. Build it anywhere, use it on one loop, close it there."""

    def __init__(self) -> None:
        self._session: aiohttp.ClientSession | None = None

    async def request(
        self,
        method: str,
        url: str,
        *,
        exchange: str,
        headers: dict[str, str] | None = None,
        body: bytes | str | None = None,
        deadline_s: float | None = None,
    ) -> Response:
        """Send once; `url` is used exactly as given (already encoded, since it was signed so).

        A method other than GET is a write. Raises NotSent, OutcomeUnknown (writes) or ExchangeUnavailable (reads); any HTTP status but a
        redirect is a Response.
        """
        call = _Call(exchange, method, URL(url, encoded=True))
        try:
            response = await self._send(call, headers, body, deadline_s)
        except ExchangeAPIError as error:
            call.failed(type(error).__name__, error.http_status)
            raise
        except asyncio.CancelledError:
            call.failed("Cancelled", None)
            raise
        call.answered(response)
        return response

    async def _send(self, call: "_Call", headers: dict[str, str] | None, body: bytes | str | None, deadline_s: float | None) -> Response:
        exchange, is_write = call.exchange, call.method != "GET"
        timeout = _timeout(deadline_s or (WRITE_DEADLINE_S if is_write else READ_DEADLINE_S), CONNECT_DEADLINE_S)
        data = body.encode() if isinstance(body, str) else body
        try:
            session = self._session or self._open()
            answer = await session.request(call.method, call.url, headers=headers, data=data, timeout=timeout, allow_redirects=False)
            response = Response(answer.status, answer.headers, await _read_capped(answer, exchange))
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            raise NotSent(f"no connection to the exchange: {_describe(error)}", exchange=exchange, original_error=error) from error
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            lost = OutcomeUnknown if is_write else ExchangeUnavailable
            raise lost(f"no answer from the exchange: {_describe(error)}", exchange=exchange, original_error=error) from error
        if 300 <= response.status < 400:
            raise BadVenueResponse(
                "the exchange answered with a redirect, which is not followed", exchange=exchange, http_status=response.status
            )
        return response

    async def aclose(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    def _open(self) -> aiohttp.ClientSession:
        connector = aiohttp.TCPConnector(limit=0, limit_per_host=CONNECTIONS_PER_VENUE, keepalive_timeout=IDLE_CONNECTION_S)
        self._session = aiohttp.ClientSession(
            connector=connector, cookie_jar=aiohttp.DummyCookieJar(), skip_auto_headers=NEVER_ADDED, request_class=_Request
        )
        # aiohttp 3.14 resends PUT and DELETE when a kept connection turns out dead; a write is sent once or not at all.
        self._session._retry_connection = False
        return self._session


class _Call:
    """One call from its beginning to its end, for the log and the counts."""

    __slots__ = ("_began", "exchange", "method", "url")

    def __init__(self, exchange: str, method: str, url: URL) -> None:
        self.exchange, self.method, self.url = exchange, method, url
        self._began = time.monotonic()

    def answered(self, response: Response) -> None:
        measures.note_budget(self.exchange, self.url.raw_path, response.headers)
        self._note(logging.DEBUG if response.status < 400 else logging.WARNING, status=response.status)

    def failed(self, failure: str, status: int | None) -> None:
        self._note(logging.WARNING, status=status, failure=failure)

    def _note(self, level: int, *, status: int | None, failure: str = "") -> None:
        seconds = time.monotonic() - self._began
        measures.count_call(self.exchange, self.method, status=status, seconds=seconds, failure=failure)
        if logger.isEnabledFor(level):
            facts = {"exchange": self.exchange, "method": self.method, "path": self.url.raw_path, "status": status}
            logger.log(level, "venue_call", extra={**facts, "ms": round(seconds * 1_000), "failure": failure})


def decode_json(response: Response, *, exchange: str) -> Any:
    """The body as JSON. Raises BadVenueResponse for anything else (HTML of a proxy, an empty or truncated body)."""
    try:
        return orjson.loads(response.body)
    except orjson.JSONDecodeError as error:
        raise BadVenueResponse(
            f"the exchange answered HTTP {response.status} with something that is not JSON",
            exchange=exchange,
            original_error=error,
            http_status=response.status,
        ) from error


class _Request(aiohttp.ClientRequest):
    """aiohttp 3.14 works out anew for every request which headers never to add, at a twentieth of the request's price; they are the same
    for all. Where a later version does not call this, it does that work again."""

    _skipped = CIMultiDict((name, None) for name in NEVER_ADDED)

    def update_auto_headers(self, skip_auto_headers: Iterable[str] | None) -> None:
        self._skip_auto_headers = self._skipped
        for name, value in self.DEFAULT_HEADERS.items():
            self.headers.setdefault(name, value)


async def _read_capped(answer: aiohttp.ClientResponse, exchange: str) -> bytes:
    """The connection goes back to be used again when all was read, and is closed when not."""
    try:
        chunks, size = [], 0
        while not answer.content.at_eof():
            chunks.append(chunk := await answer.content.readany())
            size += len(chunk)
            if size > MAX_BODY_BYTES:
                raise BadVenueResponse(
                    f"the exchange's answer is larger than {MAX_BODY_BYTES // 1024 // 1024} MB and was cut",
                    exchange=exchange,
                    http_status=answer.status,
                )
        return b"".join(chunks)
    except BaseException:
        answer.close()
        raise


def _describe(error: BaseException) -> str:
    """A timeout's text is empty; a connector error's names host and reason and holds no header or query."""
    if isinstance(error, TimeoutError):
        return "the deadline passed"
    if isinstance(error, aiohttp.ClientConnectorError):
        return f"{error.host}: {error.os_error.strerror or error.os_error}"
    if isinstance(error, aiohttp.ServerDisconnectedError):
        return "it closed the connection"
    if isinstance(error, aiohttp.ClientPayloadError):
        return "it broke off in the middle"
    return type(error).__name__
