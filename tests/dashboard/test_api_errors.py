"""Whatever is wrong with a request, the answer is an error in one shape and one sentence, never a 500."""

import json
import logging
from typing import Any

import orjson
import pytest
from django.db import connection
from django.test import Client

from exchanges.accounts import store_credential
from tests.dashboard import rows
from tests.dashboard.conftest import Desk

# Whatever makes a client first decides which address the exchange has for the whole process.
pytestmark = pytest.mark.usefixtures("sandbox")

ORDER = {"symbol": "BTCUSDT", "side": "BUY", "order_type": "LIMIT", "quantity": "0.010", "price": "90000.0"}


@pytest.fixture
def client(desk: Desk) -> Client:
    return desk.client(desk.alice)


def error_of(answer: Any, status: int) -> dict[str, Any]:
    assert answer.status_code == status, (answer.status_code, answer.content[:300])
    assert answer.headers["Content-Type"].startswith("application/json")
    error: dict[str, Any] = answer.json()
    assert set(error) == {"code", "message", "details"}
    assert isinstance(error["code"], str)
    assert error["message"]
    assert all(set(detail) == {"field", "message"} for detail in error["details"])
    return error


def post(client: Client, body: object, **headers: str) -> Any:
    content = body if isinstance(body, bytes | str) else json.dumps(body)
    return client.post("/api/v1/orders", content, content_type="application/json", **headers)  # type: ignore[arg-type]


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


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"not json",
        b"[]",
        b'"text"',
        b"null",
        b"1",
        b"\xff\xfe",
        b"\x00",
        b'{"a": NaN}',
        b'{"quantity": Infinity}',
        b'{"quantity": -Infinity}',
        b'{"symbol": "BTCUSDT"} trailing',
        b'{"symbol": "\\ud800"}',
        b'{"symbol": "\xed\xa0\x80"}',
        b"[" * 30_000,
        b'{"a":' * 12_000 + b"1" + b"}" * 4,
        b'{"quantity": ' + b"9" * 20_000 + b"}",
        b'{"quantity": 1e999999}',
        b'{"quantity": "0.01", "quantity": "100"}',
    ],
)
def test_a_body_that_is_no_order_is_refused_in_words(client: Client, body: bytes) -> None:
    error_of(post(client, body), 422)


def test_a_field_given_twice_is_not_the_last_one_silently(client: Client) -> None:
    body = b'{"symbol":"BTCUSDT","side":"BUY","order_type":"MARKET","quantity":"0.01","quantity":"100"}'
    assert "quantity" in error_of(post(client, body), 422)["message"]


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


@pytest.mark.parametrize(
    ("change", "field", "sentence"),
    [
        ({"quantity": None}, "quantity", "quantity "),
        ({"quantity": "0"}, "quantity", "quantity must be greater than 0, was 0"),
        ({"quantity": "-1"}, "quantity", "quantity must be greater than 0, was -1"),
        ({"quantity": "0.0015"}, "quantity", "quantity must be a multiple of 0.001, was 0.0015"),
        ({"quantity": 0.0015}, "quantity", "quantity must be a multiple of 0.001, was 0.0015"),
        ({"quantity": "1000"}, "quantity", "quantity must be at most 100, was 1000"),
        ({"quantity": "NaN"}, "quantity", "was NaN"),
        ({"quantity": "Infinity"}, "quantity", "was Infinity"),
        ({"quantity": "１"}, "quantity", "was １"),
        ({"quantity": "1_000"}, "quantity", "was 1_000"),
        ({"quantity": "0x10"}, "quantity", "was 0x10"),
        ({"quantity": " 1"}, "quantity", "quantity must be"),
        ({"quantity": ""}, "quantity", "quantity must be"),
        ({"quantity": "1e999999"}, "quantity", "was 1e999999"),
        ({"quantity": "1e-999999"}, "quantity", "was 1e-999999"),
        ({"quantity": "9" * 10_000}, "quantity", "999…"),
        ({"quantity": True}, "quantity", "was True"),
        ({"quantity": ["1"]}, "quantity", "quantity must be"),
        ({"quantity": {"a": 1}}, "quantity", "quantity must be"),
        ({"price": "90000.05"}, "price", "price must be a multiple of 0.1, was 90000.05"),
        ({"price": None}, "price", "price is required for a LIMIT order"),
        ({"order_type": "MARKET"}, "price", "price must be empty for a MARKET order, was 90000.0"),
        ({"symbol": "DOGEUSDT"}, "symbol", "was DOGEUSDT"),
        ({"symbol": "BTC\x00USDT"}, "symbol", "symbol must match"),
        ({"symbol": "ＢＴＣUSDT"}, "symbol", "symbol must match"),
        ({"symbol": 7}, "symbol", "was 7"),
        ({"side": "HOLD"}, "side", "side must be 'BUY' or 'SELL', was HOLD"),
        ({"order_type": "STOP_MARKET"}, "order_type", "order_type must be"),
        ({"time_in_force": "GTD"}, "time_in_force", "was GTD"),
        ({"reduce_only": "perhaps"}, "reduce_only", "was perhaps"),
        ({"stop_price": "1"}, "stop_price", "stop_price is not supported yet and must be left out, was 1"),
        ({"take_profit_price": "1"}, "take_profit_price", "must be left out, was 1"),
        ({"stop_loss_price": "1"}, "stop_loss_price", "must be left out, was 1"),
        ({"trailing_stop_pct": "1"}, "trailing_stop_pct", "must be left out, was 1"),
        ({"leverage": 5}, "leverage", "must be left out, was 5"),
        ({"leverage": 0}, "leverage", "leverage must be greater than or equal to 1, was 0"),
        ({"leverage": 10**30}, "leverage", "leverage must be"),
        ({"client_order_id": "has space"}, "client_order_id", "client_order_id must match"),
        ({"client_order_id": "a" * 33}, "client_order_id", "client_order_id must match"),
        ({"account": 0}, "account", "account must be"),
        ({"account": 10**30}, "account", "account must be"),
        ({"exchange": "kraken"}, "exchange", "was kraken"),
        ({"state": "FILLED"}, "state", "state must be left out: it is not a field of this request, was FILLED"),
        ({"account_id": 1}, "account_id", "account_id must be left out"),
        ({"is_staff": True}, "is_staff", "is_staff must be left out"),
    ],
)
def test_the_sentence_names_field_rule_and_value(desk: Desk, client: Client, change: dict[str, Any], field: str, sentence: str) -> None:
    credential(desk)
    body = {name: value for name, value in {**ORDER, **change}.items() if value is not None}
    error = error_of(post(client, body), 422)
    assert error["details"][0]["field"] == field, error
    assert sentence in error["message"]
    assert len(error["message"]) < 400


def credential(desk: Desk) -> None:
    """Keys that open; no test here gets as far as sending."""
    store_credential(desk.binance, api_key="sandbox-none", api_secret="none")


def test_every_wrong_field_is_named_at_once(client: Client) -> None:
    error = error_of(post(client, {"side": "HOLD", "quantity": "x", "owner": 1}), 422)
    assert {detail["field"] for detail in error["details"]} == {"symbol", "side", "order_type", "quantity", "owner"}


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("limit=abc", "limit"),
        ("limit=1e3", "limit"),
        ("limit=٣", "limit"),
        ("account=x", "account"),
        ("account=99999999999999999999999", "account"),
        ("account=-1", "account"),
        ("state=OPEN", "state"),
        ("symbol=%00", "symbol"),
        ("symbol=" + "A" * 100, "symbol"),
        ("token=cbk_x", "token"),
        ("Limit=1", "Limit"),
        ("access_token=x", "access_token"),
        ("ordering=-price", "ordering"),
    ],
)
def test_a_query_that_cannot_be_meant_is_refused(client: Client, query: str, field: str) -> None:
    error = error_of(client.get(f"/api/v1/orders?{query}"), 422)
    assert error["details"][0]["field"] == field


@pytest.mark.parametrize("path", ["exchanges", "accounts", "positions", "balances", "exposure", "instruments", "orders", "orders/{order}"])
def test_no_path_takes_a_parameter_it_does_not_know(desk: Desk, client: Client, path: str) -> None:
    error = error_of(client.get(f"/api/v1/{path.format(order=desk.order.pk)}?colour=red"), 422)
    assert error["message"] == "colour must be left out: it is not a parameter of this request, was red"


@pytest.mark.parametrize("number", [2**31, 2**53, 2**63, 2**64, 10**30])
def test_an_id_beyond_every_row_is_simply_missing(client: Client, number: int) -> None:
    error_of(client.get(f"/api/v1/orders/{number}"), 404)
    error_of(client.delete(f"/api/v1/orders/{number}"), 404)
    error_of(client.post(f"/api/v1/positions/{number}/close", {"fraction": "1"}, content_type="application/json"), 404)
    for path in ("positions?account", "exposure?portfolio"):
        assert client.get(f"/api/v1/{path}={number}").status_code in (200, 404, 422)


@pytest.mark.parametrize(
    ("fraction", "sentence"),
    [
        ("0", "fraction must be greater than 0, was 0"),
        ("1.01", "fraction must be less than or equal to 1, was 1.01"),
        ("-1", "was -1"),
        ("NaN", "was NaN"),
        ("x", "was x"),
        ("１", "was １"),
        ("0.1111111111111111111111", "fraction must have no more than 20 digits"),
        (True, "fraction must"),
    ],
)
def test_a_fraction_is_above_zero_and_at_most_one(desk: Desk, client: Client, fraction: object, sentence: str) -> None:
    path = f"/api/v1/positions/{desk.position.pk}/close"
    error = error_of(client.post(path, {"fraction": fraction}, content_type="application/json"), 422)
    assert sentence in error["message"]
    assert error["details"][0]["field"] == "fraction"


def test_an_idempotency_key_has_at_most_100_characters(client: Client) -> None:
    error = error_of(post(client, ORDER, HTTP_IDEMPOTENCY_KEY="k" * 101), 422)
    assert error["details"][0]["field"] == "Idempotency-Key"


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
