"""Whatever is wrong with a request, the answer is an error in one shape and one sentence, never a 500."""

import logging
from datetime import timedelta
from typing import Any

import orjson
import pytest
from django.db import connection
from django.test import Client

from exchanges.models import VenuePause
from tests.dashboard import rows
from tests.dashboard.answers import ORDER, credential, error_of, post
from tests.dashboard.conftest import Desk

# Whatever makes a client first decides which address the exchange has for the whole process.
pytestmark = pytest.mark.usefixtures("sandbox")


@pytest.fixture
def client(desk: Desk) -> Client:
    return desk.client(desk.alice)


@pytest.mark.parametrize("path", ["nothing", "orders/", "orders/abc", "orders/-1", "", "positions/1", "openapi.json/x", "health//", "%00"])
def test_an_unknown_path_is_an_error_in_the_same_shape(client: Client, path: str) -> None:
    assert error_of(client.get(f"/api/v1/{path}"), 404)["code"] == "not_found"


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("put", "orders", "GET, POST"),
        ("patch", "orders/1", "DELETE, GET"),
        ("get", "positions/1/close", "POST"),
        ("post", "exposure", "GET"),
    ],
)
def test_a_wrong_method_says_which_are_right(client: Client, method: str, path: str, allowed: str) -> None:
    answer = getattr(client, method)(f"/api/v1/{path}")
    assert error_of(answer, 405)["code"] == "method_not_allowed"
    assert ", ".join(sorted(answer.headers["Allow"].split(", "))) == allowed


@pytest.mark.parametrize("path", ["health", "exposure", "accounts", "orders", "openapi.json"])
def test_head_answers_like_get_without_the_body(client: Client, path: str) -> None:
    answer, whole = client.head(f"/api/v1/{path}"), client.get(f"/api/v1/{path}")
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["Content-Type"] == whole.headers["Content-Type"]


def test_head_is_refused_where_get_is(client: Client, desk: Desk) -> None:
    assert Client().head("/api/v1/exposure").status_code == 401
    assert client.head(f"/api/v1/positions/{desk.position.pk}/close").status_code == 405
    assert client.head("/api/v1/orders/987654").status_code == 404


def test_a_body_that_is_too_large_is_refused(client: Client) -> None:
    error = error_of(post(client, b'{"a": "' + b"x" * 70_000 + b'"}'), 413)
    assert error["code"] == "body_too_large"
    assert "64 KB" in error["message"]


@pytest.mark.parametrize(
    "content_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "image/png"]
)
def test_another_content_type_is_refused(client: Client, content_type: str) -> None:
    answer = client.post("/api/v1/orders", orjson.dumps(ORDER), content_type=content_type)
    error = error_of(answer, 415)
    assert error["code"] == "unsupported_media_type"
    assert error["message"].startswith("Content-Type must be application/json, was ")


def test_a_browsers_form_is_refused_before_its_csrf_token_is_looked_for(desk: Desk) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(desk.alice)
    for content_type in ("multipart/form-data; boundary=x", "multipart/form-data", "application/x-www-form-urlencoded"):
        answer = client.post("/api/v1/orders", b"--x\r\nbroken", content_type=content_type)
        assert error_of(answer, answer.status_code)
        assert answer.status_code in (403, 415), content_type


@pytest.mark.parametrize("number", [2**31, 2**53, 2**63, 2**64, 10**30])
def test_an_id_beyond_every_row_is_simply_missing(client: Client, number: int) -> None:
    error_of(client.get(f"/api/v1/orders/{number}"), 404)
    error_of(client.delete(f"/api/v1/orders/{number}"), 404)
    error_of(client.post(f"/api/v1/positions/{number}/close", {"fraction": "1"}, content_type="application/json"), 404)
    for path in ("positions?account", "exposure?portfolio"):
        assert client.get(f"/api/v1/{path}={number}").status_code in (200, 404, 422)


def test_an_account_without_keys_is_an_error_in_words(client: Client) -> None:
    error = error_of(post(client, ORDER), 422)
    assert error["code"] == "no_credential"


def test_a_read_only_account_takes_no_order(desk: Desk, client: Client) -> None:
    desk.binance.is_trading_enabled = False
    desk.binance.save()
    credential(desk)
    assert error_of(post(client, ORDER), 422)["code"] == "trading_disabled"
    assert error_of(client.delete(f"/api/v1/orders/{desk.order.pk}"), 422)["code"] == "trading_disabled"


def test_keys_that_no_longer_open_are_an_error_in_words(desk: Desk, client: Client, settings: Any) -> None:
    credential(desk)
    settings.VAULT_KEYS = []
    assert error_of(post(client, ORDER), 503)["code"] == "vault_unavailable"


def test_whoever_is_told_when_to_come_back_may_come_then(desk: Desk, client: Client) -> None:
    """Whole seconds, and never less than is left: whoever comes a moment too early makes a ban longer."""
    credential(desk)
    end = rows.now() + timedelta(seconds=20.4)
    VenuePause.objects.create(exchange="binance", environment="sandbox", until=end)
    answer = post(client, ORDER)
    assert error_of(answer, 503)["code"] == "rate_limited"
    assert rows.now() + timedelta(seconds=int(answer.headers["Retry-After"])) >= end


def test_a_final_order_cannot_be_canceled(desk: Desk, client: Client) -> None:
    order = rows.order(desk.binance, state="FILLED")
    assert error_of(client.delete(f"/api/v1/orders/{order.pk}"), 409)["code"] == "order_final"


def test_an_order_the_exchange_has_not_shown_yet_cannot_be_canceled(desk: Desk, client: Client) -> None:
    order = rows.order(desk.binance, state="UNKNOWN", exchange_order_id="")
    assert error_of(client.delete(f"/api/v1/orders/{order.pk}"), 409)["code"] == "order_outcome_unknown"


def test_another_host_is_refused_in_the_same_shape(client: Client) -> None:
    error_of(client.get("/api/v1/exposure", headers={"host": "evil.example"}), 400)


@pytest.mark.django_db(transaction=True)
def test_a_database_that_does_not_answer_is_said_so(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL)
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE portfolio_portfolio RENAME TO portfolio_away")
    try:
        client = Client()
        client.force_login(rows.person("late"))
        assert error_of(client.get("/api/v1/exposure"), 503)["code"] == "database_unavailable"
    finally:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE portfolio_away RENAME TO portfolio_portfolio")


def test_what_nobody_foresaw_is_a_500_in_the_same_shape(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL)
    # A row that no code of ours writes: the state has no name.
    rows.order(desk.binance, state="BROKEN")
    client = Client(raise_request_exception=False)
    client.force_login(desk.alice)
    error = error_of(client.get("/api/v1/orders"), 500)
    assert error["code"] == "internal_error"
    assert "BROKEN" not in error["message"]
