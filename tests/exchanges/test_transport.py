"""One way out, against a server that misbehaves on purpose: deadlines, caps, no redirects, nothing sent twice."""

import asyncio
import ssl
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256

from exchanges import transport as transport_module
from exchanges.errors import BadVenueResponse, ExchangeAPIError, ExchangeUnavailable, NotSent, OutcomeUnknown, WriteEffect
from exchanges.transport import MAX_BODY_BYTES, Transport, decode_json
from tests.isolation import free_port

OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 11\r\n\r\n" + b'{"ok":true}'


async def hang(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
    """Says nothing until the other side is gone."""
    await reader.read()


async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Promises a million bytes and sends one every hundredth of a second, until the other side is gone."""
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
    while not reader.at_eof() and not writer.is_closing():
        writer.write(b" ")
        await asyncio.sleep(0.01)


Answer = bytes | Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]] | None


@dataclass
class Venue:
    """Answers each request with the next of `answers` (the last stays), byte for byte; None closes the connection."""

    answers: list[Answer] = field(default_factory=lambda: [OK])
    received: list[bytes] = field(default_factory=list)
    url: str = ""
    connections: list["asyncio.Task[None] | None"] = field(default_factory=list)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections.append(asyncio.current_task())
        try:
            while request := await self._read_request(reader):
                self.received.append(request)
                answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
                if not isinstance(answer, bytes):
                    await (answer(reader, writer) if answer else asyncio.sleep(0))
                    break
                writer.write(answer)
                await writer.drain()
        except ConnectionError:
            pass
        finally:
            writer.close()

    async def _read_request(self, reader: asyncio.StreamReader) -> bytes:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
        except asyncio.IncompleteReadError:
            return b""
        lengths = [line.split(b":")[1] for line in head.splitlines() if line.lower().startswith(b"content-length")]
        return head + await reader.readexactly(int(lengths[0]) if lengths else 0)


@asynccontextmanager
async def listening(venue: Venue, tls: ssl.SSLContext | None = None) -> AsyncIterator[Venue]:
    """Ends when every connection has ended: whoever uses it closes its side first."""
    server = await asyncio.start_server(venue.serve, "127.0.0.1", 0, ssl=tls)
    venue.url = f"{'https' if tls else 'http'}://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    yield venue
    server.close()
    async with asyncio.timeout(5):
        await asyncio.gather(*(connection for connection in venue.connections if connection))


@pytest.fixture
async def venue() -> AsyncIterator[Venue]:
    async with listening(Venue()) as venue:
        yield venue


@pytest.fixture
async def transport(venue: Venue) -> AsyncIterator[Transport]:
    transport = Transport()
    yield transport
    await transport.aclose()


@pytest.fixture
def own_certificate(tmp_path: Path) -> ssl.SSLContext:
    """Signed by nobody but itself, for the right address."""
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(issuer_name=name, subject_name=name, public_key=key.public_key(), serial_number=x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))]), critical=False)
        .sign(key, SHA256())
    )
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (tmp_path / "server.pem").write_bytes(pem + certificate.public_bytes(serialization.Encoding.PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "server.pem")
    return context


METHODS = ("GET", "POST", "PUT", "DELETE")


def lost(method: str) -> type[ExchangeAPIError]:
    return ExchangeUnavailable if method == "GET" else OutcomeUnknown


async def test_a_request_leaves_as_it_was_signed(venue: Venue, transport: Transport) -> None:
    """The URL is not encoded again and no header is invented that a venue might mind."""
    target = "/fapi/v1/order?symbol=BTCUSDT&id=a%2Bb%20c&list=[1,2]"
    headers = {"X-KEY": "k"}
    response = await transport.request("POST", venue.url + target, exchange="binance", headers=headers, body=b"a=1&b=%20")
    assert (response.status, response.body) == (200, b'{"ok":true}')
    head, _, body = venue.received[0].partition(b"\r\n\r\n")
    assert head.startswith(b"POST " + target.encode() + b" HTTP/1.1\r\n")
    assert body == b"a=1&b=%20"
    names = {line.split(b":")[0].lower() for line in head.splitlines()[1:]}
    assert names == {b"host", b"accept", b"accept-encoding", b"content-length", b"x-key"}


@pytest.mark.parametrize("method", METHODS)
async def test_nobody_listening_means_that_nothing_was_sent(transport: Transport, method: str) -> None:
    with pytest.raises(NotSent, match=r"no connection to the exchange: 127\.0\.0\.1") as failure:
        await transport.request(method, f"http://127.0.0.1:{free_port()}/x?signature=abc", exchange="okx")
    assert (failure.value.write_effect, failure.value.exchange) == (WriteEffect.NONE, "okx")
    assert "signature" not in str(failure.value)


async def test_a_name_that_does_not_exist_means_that_nothing_was_sent(transport: Transport) -> None:
    with pytest.raises(NotSent):
        await transport.request("POST", "http://no-such-host.invalid/x", exchange="okx", body=b"{}")


async def test_a_certificate_that_is_not_trusted_means_that_nothing_was_sent(own_certificate: ssl.SSLContext, transport: Transport) -> None:
    async with listening(Venue(), own_certificate) as impostor:
        with pytest.raises(NotSent):
            await transport.request("POST", impostor.url, exchange="okx", body=b"{}")
        assert impostor.received == []


@pytest.mark.parametrize("method", METHODS)
async def test_a_connection_that_closes_without_an_answer_is_lost_and_not_tried_again(
    venue: Venue, transport: Transport, method: str
) -> None:
    venue.answers = [None]
    with pytest.raises(lost(method)) as failure:
        await transport.request(method, venue.url, exchange="bybit")
    assert type(failure.value) is lost(method)
    assert len(venue.received) == 1


@pytest.mark.parametrize("method", METHODS)
async def test_a_kept_connection_that_closes_is_not_tried_again_either(venue: Venue, transport: Transport, method: str) -> None:
    """The HTTP client would by itself send the idempotent methods a second time here."""
    venue.answers = [OK, None, OK]
    await transport.request("GET", venue.url, exchange="bybit")
    with pytest.raises(lost(method)):
        await transport.request(method, venue.url, exchange="bybit")
    assert len(venue.received) == 2


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"this is no HTTP\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 7\r\n\r\nno gzip",
    ],
)
async def test_a_broken_answer_is_a_lost_answer(venue: Venue, transport: Transport, method: str, answer: bytes) -> None:
    venue.answers = [answer, None]
    with pytest.raises(lost(method)) as failure:
        await transport.request(method, venue.url, exchange="bybit", deadline_s=0.3)
    assert failure.value.original_error is not None


@pytest.mark.parametrize("method", METHODS)
async def test_the_deadline_ends_a_request_that_is_not_answered(venue: Venue, transport: Transport, method: str) -> None:
    venue.answers = [hang]
    started = time.monotonic()
    with pytest.raises(lost(method), match="the deadline passed"):
        await transport.request(method, venue.url, exchange="bybit", deadline_s=0.1)
    assert time.monotonic() - started < 3


async def test_an_endless_drip_does_not_outlive_the_deadline(venue: Venue, transport: Transport) -> None:
    venue.answers = [drip]
    started = time.monotonic()
    with pytest.raises(OutcomeUnknown, match="the deadline passed"):
        await transport.request("POST", venue.url, exchange="bybit", deadline_s=0.3)
    assert time.monotonic() - started < 3


def test_deadlines_are_five_seconds_for_writes_and_ten_for_reads() -> None:
    """That they hold is shown over the sandbox, see contract/test_writes_under_faults.py."""
    assert (transport_module.WRITE_DEADLINE_S, transport_module.READ_DEADLINE_S, transport_module.CONNECT_DEADLINE_S) == (5, 10, 2)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_not_followed(venue: Venue, transport: Transport, method: str, status: int) -> None:
    venue.answers = [f"HTTP/1.1 {status} Elsewhere\r\nLocation: {venue.url}/other\r\nContent-Length: 0\r\n\r\n".encode()]
    with pytest.raises(BadVenueResponse, match="redirect") as failure:
        await transport.request(method, venue.url, exchange="okx")
    assert failure.value.http_status == status
    assert len(venue.received) == 1


@pytest.mark.parametrize("status", [200, 201, 204, 400, 401, 403, 418, 429, 451, 500, 502, 503])
async def test_any_other_status_is_an_answer_for_the_adapter_to_judge(venue: Venue, transport: Transport, status: int) -> None:
    venue.answers = [f"HTTP/1.1 {status} Whatever\r\nRetry-After: 7\r\nContent-Length: 0\r\n\r\n".encode()]
    response = await transport.request("POST", venue.url, exchange="okx")
    assert (response.status, response.headers["retry-after"], response.body) == (status, "7", b"")


async def test_a_body_of_the_largest_size_passes_and_one_byte_more_is_cut(venue: Venue, transport: Transport) -> None:
    def answer(size: int) -> bytes:
        return f"HTTP/1.1 200 OK\r\nContent-Length: {size}\r\n\r\n".encode() + b" " * size

    venue.answers = [answer(MAX_BODY_BYTES), answer(MAX_BODY_BYTES + 1)]
    assert len((await transport.request("GET", venue.url, exchange="okx")).body) == MAX_BODY_BYTES
    with pytest.raises(BadVenueResponse, match="larger than 5 MB"):
        await transport.request("GET", venue.url, exchange="okx")


async def test_cookies_are_not_kept(venue: Venue, transport: Transport) -> None:
    venue.answers = [b"HTTP/1.1 200 OK\r\nSet-Cookie: a=b\r\nContent-Length: 0\r\n\r\n"]
    for _ in range(2):
        await transport.request("GET", venue.url, exchange="okx")
    assert b"cookie" not in venue.received[1].lower()


async def test_a_closed_transport_opens_again_when_used(venue: Venue, transport: Transport) -> None:
    await transport.request("GET", venue.url, exchange="okx")
    await transport.aclose()
    await transport.aclose()
    assert (await transport.request("GET", venue.url, exchange="okx")).status == 200


@pytest.mark.parametrize("body", [b"", b"<html>", b'{"a":', b"{'a': 1}", b"NaN", b"\xff\xfe", b"[" * 10_000])
async def test_what_is_no_json_is_a_bad_answer(venue: Venue, transport: Transport, body: bytes) -> None:
    venue.answers = [f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body]
    response = await transport.request("GET", venue.url, exchange="okx")
    with pytest.raises(BadVenueResponse, match="HTTP 200 with something that is not JSON") as failure:
        decode_json(response, exchange="okx")
    assert failure.value.exchange == "okx"
