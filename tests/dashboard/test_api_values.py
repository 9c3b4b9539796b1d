"""A value that cannot be meant is refused with the field, the rule and the value: in a body, in a query, in a header."""

from typing import Any

import pytest
from django.test import Client

from tests.dashboard.answers import ORDER, credential, error_of, post
from tests.dashboard.conftest import Desk

# Whatever makes a client first decides which address the exchange has for the whole process.
pytestmark = pytest.mark.usefixtures("sandbox")


@pytest.fixture
def client(desk: Desk) -> Client:
    return desk.client(desk.alice)


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
        ({"quantity": True}, "quantity", "was true"),
        ({"quantity": ["1"]}, "quantity", "quantity must be a number, was a list"),
        ({"quantity": {}}, "quantity", "quantity must be a number, was an object"),
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
        ({"reduce_only": "yes"}, "reduce_only", "reduce_only must be a valid boolean, was yes"),
        ({"reduce_only": "true"}, "reduce_only", "reduce_only must be a valid boolean, was true"),
        ({"reduce_only": 1}, "reduce_only", "reduce_only must be a valid boolean, was 1"),
        ({"stop_price": "1"}, "stop_price", "stop_price is not supported yet and must be left out, was 1"),
        ({"take_profit_price": "1"}, "take_profit_price", "must be left out, was 1"),
        ({"stop_loss_price": "1"}, "stop_loss_price", "must be left out, was 1"),
        ({"trailing_stop_pct": "1"}, "trailing_stop_pct", "must be left out, was 1"),
        ({"margin_mode": "isolated"}, "margin_mode", "must be left out, was isolated"),
        ({"margin_mode": "portfolio"}, "margin_mode", "was portfolio"),
        ({"leverage": 0}, "leverage", "leverage must be greater than or equal to 1, was 0"),
        ({"leverage": 10**30}, "leverage", "leverage must be"),
        ({"leverage": "5"}, "leverage", "leverage must be a valid integer, was 5"),
        ({"leverage": 5.0}, "leverage", "leverage must be a valid integer, was 5.0"),
        ({"account": True}, "account", "account must be a valid integer, was true"),
        ({"account": "1"}, "account", "account must be a valid integer, was 1"),
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


@pytest.mark.parametrize("field", ["symbol", "side", "order_type", "quantity"])
def test_null_is_no_value_of_a_field_that_is_required(client: Client, field: str) -> None:
    error = error_of(post(client, {**ORDER, field: None}), 422)
    assert error["details"][0]["field"] == field
    assert error["message"].startswith(f"{field} must be ")
    assert error["message"].endswith(", was null")
    assert "Decimal object" not in error["message"]


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999999", "-1e999999", "1e9999999999999999999999"])
def test_a_number_that_is_none_is_named_with_its_field(client: Client, number: str) -> None:
    body = f'{{"symbol": "BTCUSDT", "side": "BUY", "order_type": "MARKET", "quantity": {number}}}'
    error = error_of(post(client, body), 422)
    assert error["details"] == [{"field": "quantity", "message": f"quantity must be a number, was {number}"}]


def test_a_parameter_given_twice_is_named_with_what_was_given(client: Client) -> None:
    error = error_of(client.get("/api/v1/orders?limit=5&limit=6"), 422)
    assert error["message"] == "limit must be given once, was 5 and 6"
    error = error_of(client.get("/api/v1/exposure?portfolio=1&portfolio=1"), 422)
    assert error["details"][0]["field"] == "portfolio"


def test_a_whole_number_in_an_address_is_said_to_be_one(client: Client) -> None:
    error = error_of(client.get("/api/v1/orders?limit=5_0"), 422)
    assert error["message"] == "limit must be a whole number in digits, was 5_0"


def test_every_wrong_field_is_named_at_once(client: Client) -> None:
    error = error_of(post(client, {"side": "HOLD", "quantity": "x", "owner": 1}), 422)
    assert {detail["field"] for detail in error["details"]} == {"symbol", "side", "order_type", "quantity", "owner"}


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("limit=abc", "limit"),
        ("limit=1e3", "limit"),
        ("limit=٣", "limit"),
        ("limit=5_0", "limit"),
        ("limit=%205", "limit"),
        ("limit=+5", "limit"),
        ("limit=5.0", "limit"),
        ("offset=1_0", "offset"),
        ("account=1_0", "account"),
        ("limit=5&limit=6", "limit"),
        ("symbol=BTCUSDT&symbol=BTCUSDT", "symbol"),
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
    assert error["message"].startswith("Idempotency-Key must have at most 100 characters, was kkk")
