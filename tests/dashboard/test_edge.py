"""Whose word is taken for where a request comes from (S18), and the headers of every answer (S78)."""

from typing import Any

import pytest
from django.test import Client

from dashboard import edge, operation
from dashboard.environment import ConfigurationError

FORWARDED = [
    *((b"x-forwarded-proto", b"https"), (b"x-forwarded-for", b"192.0.2.7"), (b"X-Forwarded-Host", b"evil.example")),
    *((b"forwarded", b"for=192.0.2.7"), (b"x-real-ip", b"192.0.2.7"), (b"x-forwarded-port", b"443")),
]
OTHERS = [(b"host", b"book.example.com"), (b"cookie", b"a=b")]


async def passed_on(client: Any, *, proxies: str, monkeypatch: pytest.MonkeyPatch, kind: str = "http") -> list[tuple[bytes, bytes]]:
    """The headers that reach the site."""
    monkeypatch.setenv("TRUSTED_PROXIES", proxies)
    seen: list[Any] = []

    async def site(scope: dict[str, Any], _receive: Any, _send: Any) -> None:
        seen.append(scope)

    scope = {"type": kind, "path": "/", "headers": [*FORWARDED, *OTHERS], "client": client}
    await edge.behind_proxy(site, operation.trusted_proxies())(scope, None, None)
    assert scope["headers"] == [*FORWARDED, *OTHERS]
    headers: list[tuple[bytes, bytes]] = seen[0]["headers"]
    return headers


@pytest.mark.parametrize("client", [["127.0.0.1", 5], ("::1", 5), ("::ffff:127.0.0.1", 5), ("127.8.9.10", 5)])
async def test_a_proxy_on_this_machine_is_believed_unless_another_is_named(client: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    assert await passed_on(client, proxies="", monkeypatch=monkeypatch) == [*FORWARDED, *OTHERS]
    assert await passed_on(client, proxies="10.0.0.0/24", monkeypatch=monkeypatch) == OTHERS


@pytest.mark.parametrize("client", [("192.0.2.1", 5), ("10.0.1.1", 5), ("::2", 5), None, [], ("", 0), ("no address", 1)])
@pytest.mark.parametrize("kind", ["http", "websocket"])
async def test_what_anybody_else_forwards_is_left_out(client: Any, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert await passed_on(client, proxies="127.0.0.1, 10.0.0.0/24", monkeypatch=monkeypatch, kind=kind) == OTHERS


async def test_what_has_no_headers_passes() -> None:
    seen: list[Any] = []

    async def site(scope: dict[str, Any], _receive: Any, _send: Any) -> None:
        seen.append(scope)

    await edge.behind_proxy(site, [])({"type": "lifespan"}, None, None)
    assert seen == [{"type": "lifespan"}]


@pytest.mark.parametrize("text", ["proxy", "10.0.0.1/24", "10.0.0.0/33", "10.0.0", "127.0.0.1;::1"])
def test_a_wrong_proxy_is_one_sentence(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRUSTED_PROXIES", text)
    with pytest.raises(ConfigurationError, match=r"^TRUSTED_PROXIES must be addresses or networks separated by commas, such as "):
        operation.check()


@pytest.mark.parametrize(
    ("path", "host"), [("/healthz", b"book.example.com"), ("/metrics", b"book.example.com"), ("/login", b"10.0.0.5:8000")]
)
async def test_machines_may_come_by_address_and_people_by_name(path: str, host: bytes) -> None:
    seen: list[Any] = []

    async def site(scope: dict[str, Any], _receive: Any, _send: Any) -> None:
        seen.append(dict(scope["headers"]))

    scope = {"type": "http", "path": path, "headers": [(b"host", b"10.0.0.5:8000"), (b"accept", b"*/*")]}
    await edge.for_machines(site, "book.example.com")(scope, None, None)
    assert seen == [{b"host": host, b"accept": b"*/*"}]


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/login", "/healthz", "/api/v1/health", "/no/such/path"])
def test_every_answer_bears_the_headers(client: Client, path: str) -> None:
    headers = client.get(path).headers
    assert headers["Permissions-Policy"].startswith("accelerometer=(), ")
    assert "camera=()" in headers["Permissions-Policy"]
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
