"""What a browser is protected by: no write without a CSRF token, none by looking, strict headers on every answer, nothing to trade with
where nobody may trade (S17, S20, S33 to S35, S38, S42 to S44)."""

import re
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.security import ways
from tests.security.conftest import Stage, fresh_client, undone
from tests.security.declared import ADMIN_LINES, PAGE_LINES, REST_LINES, Line
from tests.security.test_access_matrix import admin_path, schedules

__all__ = ["schedules"]  # a fixture

UNSAFE_PAGES = [line for line in PAGE_LINES if line.method not in ("GET", "HEAD")]
UNSAFE_OPERATIONS = [line for line in REST_LINES if line.method != "GET"]
READ_PAGES = [line for line in PAGE_LINES if line.method == "GET"]
# Signing in by a link is asked for with GET on purpose: the link itself is the secret, and works once.
READS = [line for line in READ_PAGES if "token" not in line.path]
_WRITES = re.compile(r"^\s*(?:INSERT|UPDATE|DELETE|REPLACE|CREATE|ALTER|DROP)\b", re.I)
_HTMX = {"HX-Request": "true"}


def refused_without_csrf(stage: Stage, line: Line, path: str, body: bytes, kind: str, headers: dict[str, str]) -> Any:
    client, _ = stage.client("manager", enforce_csrf_checks=True)
    with undone():
        return client.generic(line.method, path, body, content_type=kind, headers=headers)


@pytest.mark.parametrize("headers", [{}, _HTMX, {"X-CSRFToken": "a" * 64}, {"Origin": "http://evil.example"}], ids=str)
def test_no_form_is_taken_without_its_csrf_token(stage: Stage, headers: dict[str, str]) -> None:
    for line in UNSAFE_PAGES:
        path = ways.filled(line.path, stage.book.ids())
        body = ways.form_of(ways.page_body(line.path, stage.book))
        with CaptureQueriesContext(connection) as queries:
            answer = refused_without_csrf(stage, line, path, body, ways.FORM, headers)
        assert answer.status_code == 403
        assert not written(queries)


@pytest.mark.parametrize("headers", [{}, _HTMX, {"X-CSRFToken": "a" * 64}, {"X-Requested-With": "XMLHttpRequest"}], ids=str)
def test_no_operation_takes_a_cookie_without_the_csrf_token(stage: Stage, headers: dict[str, str]) -> None:
    for line in UNSAFE_OPERATIONS:
        path = f"{ways.API}{ways.filled(line.path, stage.book.ids())}"
        answer = refused_without_csrf(stage, line, path, ways.api_body(line.path, line.method, stage.book), "application/json", headers)
        assert (answer.status_code, answer.json()["code"]) == (403, "csrf_failed")


@pytest.mark.parametrize("kind", [ways.FORM, "text/plain", "multipart/form-data; boundary=x"])
def test_a_form_of_another_site_cannot_pass_for_json(stage: Stage, kind: str) -> None:
    """A form may be sent across sites without being asked; its types are the three that a form can have."""
    for line in UNSAFE_OPERATIONS:
        path = f"{ways.API}{ways.filled(line.path, stage.book.ids())}"
        answer = refused_without_csrf(stage, line, path, ways.api_body(line.path, line.method, stage.book), kind, {})
        assert answer.status_code in (403, 415)


def test_a_page_does_not_take_a_bearer_token_for_a_person(stage: Stage) -> None:
    """S34 from the other side: what is made for browsers knows cookies alone."""
    for line in UNSAFE_PAGES:
        client = fresh_client()
        path = ways.filled(line.path, stage.book.ids())
        with undone():
            body = ways.form_of(ways.page_body(line.path, stage.book))
            bearer = {"Authorization": f"Bearer {stage.bearers['admin']}"}
            answer = client.generic(line.method, path, body, content_type=ways.FORM, headers=bearer)
        assert answer.status_code in (200, 302)
        assert answer.status_code == 200 or answer.headers["Location"].startswith("/login")


def test_a_token_beside_a_cookie_is_not_helped_by_it(stage: Stage) -> None:
    """S17: the superuser's cookie lends nothing to a token that only reads, nor to one that is none."""
    for line in UNSAFE_OPERATIONS:
        client, _ = stage.client("super")
        path = f"{ways.API}{ways.filled(line.path, stage.book.ids())}"
        body = ways.api_body(line.path, line.method, stage.book)
        for header, status in ((f"Bearer {stage.bearers['read']}", 403), ("Bearer cbk_0_0", 401), ("", 401)):
            answer = client.generic(line.method, path, body, content_type="application/json", headers={"Authorization": header})
            assert answer.status_code == status, header


def written(queries: CaptureQueriesContext) -> list[str]:
    return [query["sql"][:200] for query in queries.captured_queries if _WRITES.match(query["sql"])]


@pytest.mark.parametrize("headers", [{}, _HTMX], ids=["page", "htmx"])
def test_looking_writes_nothing(stage: Stage, headers: dict[str, str]) -> None:
    for line in READS:
        for role in ("trader", "manager", "super"):
            client, _ = stage.client(role)
            with CaptureQueriesContext(connection) as queries:
                client.get(ways.filled(line.path, stage.book.ids()), headers=headers)
            assert not written(queries), role


def test_reading_over_rest_writes_nothing(stage: Stage) -> None:
    """But when a token was last used, to the minute."""
    for line in (line for line in REST_LINES if line.method == "GET"):
        path = f"{ways.API}{ways.filled(line.path, stage.book.ids())}{ways.api_query(line.path)}"
        for role in ("trader", "manager", "read", "trade", "admin"):
            client, headers = stage.client(role)
            with CaptureQueriesContext(connection) as queries:
                client.get(path, headers=headers)
            assert not [sql for sql in written(queries) if "last_used_at" not in sql], role


def test_looking_around_in_the_admin_writes_nothing(stage: Stage, schedules: None) -> None:
    for line in (line for line in ADMIN_LINES if line.method == "GET"):
        client, _ = stage.client("super")
        with CaptureQueriesContext(connection) as queries:
            client.get(f"/admin{admin_path(stage, line.path)}")
        assert not written(queries)


def test_a_way_that_writes_is_seen_by_these_tests(stage: Stage) -> None:
    client, _ = stage.client("trader")
    with CaptureQueriesContext(connection) as queries:
        client.post("/settings/tokens", {"name": "one", "scopes": "read", "reach": "all", "days": "90"})
    assert written(queries)


def assert_strict(answer: Any, what: str) -> None:
    headers = answer.headers
    assert headers["X-Frame-Options"] == "DENY", what
    assert headers["X-Content-Type-Options"] == "nosniff", what
    assert headers["Referrer-Policy"] == "same-origin", what
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin", what
    assert "geolocation=()" in headers["Permissions-Policy"], what
    policy = dict(part.strip().split(" ", 1) for part in headers["Content-Security-Policy"].split(";") if part.strip())
    for directive, value in {"default-src": "'self'", "object-src": "'none'", "base-uri": "'none'", "frame-ancestors": "'none'"}.items():
        assert policy[directive] == value, (what, directive)
    assert policy["form-action"] == "'self'", what
    assert "unsafe" not in str(policy), what
    assert "*" not in str(policy), what
    assert not any("http" in value for value in policy.values()), what
    assert "no-store" in headers["Cache-Control"], what
    assert {"HX-Request", "Cookie"} <= {name.strip() for name in headers.get("Vary", "").split(",")}, what


def test_every_answer_of_a_page_has_the_strict_headers(stage: Stage) -> None:
    for line in PAGE_LINES:
        body = ways.form_of(ways.page_body(line.path, stage.book))
        for role in ("nobody", "manager"):
            for headers in ({}, _HTMX):
                path = ways.filled(line.path, stage.book.ids())
                answer = stage.send(role, line.method, path, body, content_type=ways.FORM, **headers)
                assert_strict(answer, f"{role} {path}")


def test_every_answer_of_the_api_has_the_strict_headers(stage: Stage) -> None:
    for line in REST_LINES:
        path = f"{ways.API}{ways.filled(line.path, stage.book.ids())}{ways.api_query(line.path)}"
        for role in ("nobody", "manager", "read"):
            answer = stage.send(role, line.method, path, ways.api_body(line.path, line.method, stage.book))
            assert_strict(answer, f"{role} {path}")
            assert answer.status_code == 204 or answer.headers["Content-Type"].startswith("application/json")


@pytest.mark.parametrize("path", ["/nowhere", "/api/v1/nowhere", "/admin/", "/admin/nowhere/", "/accounts/1", "/orders/1/cancel", "/%00"])
def test_errors_have_the_strict_headers_too(stage: Stage, path: str) -> None:
    for role in ("nobody", "super"):
        for method in ("GET", "POST", "DELETE"):
            assert_strict(stage.send(role, method, path), f"{method} {path}")


def test_whoever_only_watches_gets_nothing_to_trade_with(stage: Stage) -> None:
    """S20: no form, not even a hidden one, and no address that would take an order."""
    tools = re.compile(rb"orders/new|ticket|/cancel|/close|idempotency_key|name=\"quantity\"", re.I)
    for path in ("/", "/panel/positions", "/panel/orders", "/panel/balances", "/panel/exposure", "/panel/topbar", "/accounts"):
        answer = stage.send("viewer", "GET", path)
        assert answer.status_code == 200
        scripts_and_styles = re.compile(rb"<(?:script|link)\b[^>]*>")
        assert not tools.search(scripts_and_styles.sub(b"", answer.content)), path
    assert tools.search(stage.send("trader", "GET", "/").content)


def test_whoever_does_not_manage_gets_no_form_of_a_manager(stage: Stage) -> None:
    for role in ("viewer", "trader"):
        for path in ("/accounts", f"/accounts/{stage.book.account.pk}", "/routing"):
            content = stage.send(role, "GET", path).content
            assert not re.search(rb"/(?:keys|switch|rename|archive|delete|import)\"|accounts/new|routing/new|members", content), (
                role,
                path,
            )
