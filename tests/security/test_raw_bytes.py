"""Bytes as nobody's client sends them, to the web process as it is run: a body without end is cut off before it fills a disk, a message of
the socket before it fills the memory (S37, S61)."""

import base64
import os
import socket
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from portfolio.models import Role
from tests.dashboard import rows
from tests.security.conftest import fresh_client
from tests.security.site import running_site

MB = 1_024 * 1_024
DEADLINE_S = 20.0


@pytest.fixture
def port(transactional_db: None, tmp_path: Path) -> Iterator[int]:
    with running_site(tmp_path) as found:
        yield found


def talk(port: int, head: str, *, body: bytes = b"", times: int = 1) -> tuple[bytes, int]:
    """What the server said until it closed or answered, and how much of the body it took."""
    taken, said = 0, b""
    with closing(socket.create_connection(("127.0.0.1", port), DEADLINE_S)) as line:
        line.sendall(head.replace("\n", "\r\n").encode())
        try:
            for _ in range(times):
                line.sendall(body)
                taken += len(body)
            said = line.recv(65_536)
        except ConnectionError:
            pass  # cut off while it was still being sent
        return said, taken


def head(path: str, port: int, *lines: str) -> str:
    return "\n".join([f"POST {path} HTTP/1.1", f"Host: 127.0.0.1:{port}", *lines, "", ""])


def test_neither_a_body_nor_a_message_without_end_is_taken(port: int) -> None:
    for path in ("/login", "/api/v1/orders", "/routing/import", "/nowhere"):
        said, _ = talk(port, head(path, port, "Content-Length: 10000000000", "Content-Type: multipart/form-data; boundary=x"))
        assert said.startswith(b"HTTP/1.1 413 "), (path, said[:80])
        chunk = b"100000\r\n" + b"x" * MB + b"\r\n"
        said, taken = talk(port, head(path, port, "Transfer-Encoding: chunked"), body=chunk, times=64)
        assert said.startswith(b"HTTP/1.1 413 ") or (not said and taken < 64 * MB), (path, said[:80], taken)
    # What a form may have is read as ever.
    said, _ = talk(port, head("/api/v1/orders", port, "Content-Length: 2", "Content-Type: application/json"), body=b"{}")
    assert said.startswith(b"HTTP/1.1 401 ")
    said, _ = talk(port, head("/api/v1/orders", port, "Content-Length: 100000"), body=b"x" * 100_000)
    assert said.startswith((b"HTTP/1.1 401 ", b"HTTP/1.1 413 "))
    send_a_long_message(port)


def frame(content: bytes) -> bytes:
    """A masked text frame; the mask of zeros changes nothing."""
    return b"\x81\xff" + len(content).to_bytes(8, "big") + b"\0\0\0\0" + content


def send_a_long_message(port: int) -> None:
    user = rows.person("wendy")
    portfolio = rows.portfolio("Wendy's book", {user: Role.VIEWER})
    client = fresh_client()
    client.force_login(user)
    upgrade = "\n".join(
        [
            f"GET /ws/portfolio/{portfolio.pk}/ HTTP/1.1",
            f"Host: 127.0.0.1:{port}",
            f"Origin: http://127.0.0.1:{port}",
            f"Cookie: sessionid={client.cookies['sessionid'].value}",
            "Upgrade: websocket",
            "Connection: Upgrade",
            "Sec-WebSocket-Version: 13",
            f"Sec-WebSocket-Key: {base64.b64encode(os.urandom(16)).decode()}",
            *("", ""),
        ]
    )
    with closing(socket.create_connection(("127.0.0.1", port), DEADLINE_S)) as line:
        line.sendall(upgrade.replace("\n", "\r\n").encode())
        assert line.recv(65_536).startswith(b"HTTP/1.1 101 ")
        line.sendall(frame(b"1" * 20_000)[:14])  # its head alone: it must not be waited for
        assert ended(line)


def ended(line: socket.socket) -> bool:
    """Whether the other side closes, by frame or at all, before the deadline."""
    deadline = time.monotonic() + DEADLINE_S
    while time.monotonic() < deadline:
        try:
            said = line.recv(65_536)
        except TimeoutError:
            return False
        except OSError:
            return True
        if not said or b"\x88" in said:
            return True
    return False
