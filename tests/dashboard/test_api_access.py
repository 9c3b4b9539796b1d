"""Who may call what: tokens and their scopes, browsers and their CSRF token, other people's objects."""

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from dashboard.api import api
from portfolio.models import ApiToken, Order, Role
from tests.dashboard import rows
from tests.dashboard.conftest import Desk

JSON = "application/json"
ORDER = {"symbol": "BTCUSDT", "side": "BUY", "order_type": "MARKET", "quantity": "0.01"}


def operations() -> Iterator[tuple[str, str]]:
    for path, methods in api.get_openapi_schema()["paths"].items():
        for method in methods:
            yield method, re.sub(r"{\w+}", "1", path)


PRIVATE = [(method, path) for method, path in operations() if path != "/api/v1/health"]
WRITES = [(method, path) for method, path in PRIVATE if method != "get"]


def call(client: Client, method: str, path: str, body: object = None, **headers: str) -> Any:
    return client.generic(method.upper(), path, data=b"{}" if body is None else body, content_type=JSON, **headers)  # type: ignore[arg-type]


@pytest.mark.parametrize(("method", "path"), PRIVATE)
def test_nobody_is_let_in_without_a_name(desk: Desk, method: str, path: str) -> None:
    answer = call(Client(), method, path)
    assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated")
    assert answer.headers["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize(
    "header",
    [
        "",
        "Bearer",
        "Bearer ",
        "Bearer cbk_00000000_wrong",
        "Basic YWRtaW46YWRtaW4=",
        "Token x",
        "Bearer cbk__",
        "Bearer \x7f\xff",
        "cbk_1_2",
    ],
)
def test_a_bad_header_beside_a_valid_cookie_is_refused(desk: Desk, header: str) -> None:
    client = desk.client(desk.alice)
    assert client.get("/api/v1/exposure").status_code == 200
    assert client.get("/api/v1/exposure", HTTP_AUTHORIZATION=header).status_code == 401


def test_a_token_acts_for_its_user(desk: Desk) -> None:
    answer = Client().get("/api/v1/orders", **rows.bearer(desk.alice, "read"))  # type: ignore[arg-type]
    assert [order["id"] for order in answer.json()["items"]] == [desk.order.pk]


def test_a_token_beside_anothers_cookie_acts_for_the_tokens_user(desk: Desk) -> None:
    answer = desk.client(desk.alice).get("/api/v1/orders", **rows.bearer(desk.stella, "read"))  # type: ignore[arg-type]
    assert [order["id"] for order in answer.json()["items"]] == [desk.foreign_order.pk]


@pytest.mark.parametrize(("method", "path"), WRITES)
def test_a_token_that_only_reads_writes_nothing(desk: Desk, method: str, path: str) -> None:
    answer = call(Client(), method, path, **rows.bearer(desk.alice, "read"))
    assert (answer.status_code, answer.json()["code"]) == (403, "scope_missing")
    assert answer.json()["message"] in ("This token lacks the scope trade.", "This token lacks the scope admin.")


def test_a_token_that_trades_may_see_what_became_of_it(desk: Desk) -> None:
    assert Client().get("/api/v1/orders", **rows.bearer(desk.alice, "trade")).status_code == 200  # type: ignore[arg-type]


def change_token(**fields: Any) -> None:
    assert ApiToken.objects.update(**fields) == 1


@pytest.mark.parametrize("end", ["revoked", "expired", "inactive", "deleted"])
def test_a_token_that_ended_is_refused_at_once(desk: Desk, end: str) -> None:
    header: Any = rows.bearer(desk.alice)
    assert Client().get("/api/v1/exposure", **header).status_code == 200
    if end == "revoked":
        change_token(revoked_at=rows.now())
    elif end == "expired":
        change_token(expires_at=rows.now() - timedelta(seconds=1))
    elif end == "inactive":
        User.objects.filter(pk=desk.alice.pk).update(is_active=False)
    else:
        ApiToken.objects.all().delete()
    assert Client().get("/api/v1/exposure", **header).status_code == 401


def test_a_token_is_kept_as_a_hash_alone(desk: Desk) -> None:
    text = rows.bearer(desk.alice)["HTTP_AUTHORIZATION"].removeprefix("Bearer ")
    secret = text.split("_", 2)[2]
    stored = ApiToken.objects.values().get()
    assert not [name for name, value in stored.items() if secret in str(value)]
    assert text.startswith(f"cbk_{stored['prefix']}_")


def test_one_changed_character_makes_it_another_token(desk: Desk) -> None:
    text = rows.bearer(desk.alice)["HTTP_AUTHORIZATION"]
    for wrong in (text[:-1], text + "A", text[:-1] + ("A" if text[-1] != "A" else "B"), text.replace("cbk_", "CBK_")):
        assert Client().get("/api/v1/exposure", HTTP_AUTHORIZATION=wrong).status_code == 401, wrong


def test_a_token_in_the_address_is_no_token(desk: Desk) -> None:
    text = rows.bearer(desk.alice)["HTTP_AUTHORIZATION"].removeprefix("Bearer ")
    for name in ("token", "access_token", "authorization", "Authorization", "api_key"):
        assert Client().get("/api/v1/exposure", {name: text}).status_code == 401
        assert desk.client(desk.alice).get("/api/v1/exposure", {name: text}).status_code == 422


@pytest.mark.parametrize(("method", "path"), WRITES)
def test_a_browsers_write_needs_its_csrf_token(desk: Desk, method: str, path: str) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(desk.alice)
    answer = call(client, method, path)
    assert (answer.status_code, answer.json()["code"]) == (403, "csrf_failed")
    wrong = call(client, method, path, HTTP_X_CSRFTOKEN="a" * 32)
    assert (wrong.status_code, wrong.json()["code"]) == (403, "csrf_failed")


def test_a_browser_with_its_csrf_token_may_write(desk: Desk) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(desk.alice)
    client.get("/")
    token = client.cookies["csrftoken"].value
    assert call(client, "post", "/api/v1/orders", HTTP_X_CSRFTOKEN=token).status_code == 422
    assert call(client, "delete", "/api/v1/orders/999999", HTTP_X_CSRFTOKEN=token).status_code == 404


def test_a_token_needs_no_csrf_token(desk: Desk) -> None:
    client = Client(enforce_csrf_checks=True)
    assert call(client, "delete", "/api/v1/orders/999999", **rows.bearer(desk.alice)).status_code == 404


@pytest.mark.parametrize("kind", ["session", "token"])
def test_another_persons_object_answers_exactly_as_a_missing_one(desk: Desk, kind: str) -> None:
    client = desk.client(desk.alice) if kind == "session" else Client()
    headers = {} if kind == "session" else rows.bearer(desk.alice)
    missing = 987_654
    for method, path, foreign, body in (
        ("get", "/api/v1/orders/{}", desk.foreign_order.pk, b""),
        ("delete", "/api/v1/orders/{}", desk.foreign_order.pk, b""),
        ("post", "/api/v1/positions/{}/close", desk.foreign_position.pk, b'{"fraction": "1"}'),
        ("get", "/api/v1/exposure?portfolio={}", desk.foreign_portfolio.pk, b""),
        ("get", "/api/v1/positions?account={}", desk.foreign_account.pk, b""),
        ("get", "/api/v1/orders?account={}", desk.foreign_account.pk, b""),
        ("get", "/api/v1/balances?account={}", desk.foreign_account.pk, b""),
    ):
        answers = [call(client, method, path.format(number), body, **headers) for number in (foreign, missing)]
        assert [answer.status_code for answer in answers] == [answers[0].status_code] * 2
        assert answers[0].content == answers[1].content, path
        assert answers[0].status_code == (200 if "account=" in path else 404)


def test_an_order_for_another_persons_account_answers_as_for_a_missing_one(desk: Desk) -> None:
    client = desk.client(desk.alice)
    for number in (desk.foreign_account.pk, 987_654):
        answer = client.post("/api/v1/orders", {**ORDER, "account": number}, content_type=JSON)
        message = f"account must be the id of an account of yours, was {number}"
        assert answer.status_code == 422
        assert answer.json() == {"code": "unknown_account", "message": message, "details": [{"field": "account", "message": message}]}
    assert not Order.objects.exclude(pk__in=[desk.order.pk, desk.foreign_order.pk]).exists()


def test_lists_and_totals_hold_nothing_of_others(desk: Desk) -> None:
    client = desk.client(desk.alice)
    for name in ("accounts", "positions", "balances", "orders", "exposure", "exchanges"):
        answer = client.get(f"/api/v1/{name}")
        assert "Foreign" not in answer.content.decode()
        assert f'"account": {desk.foreign_account.pk},' not in answer.content.decode(), name


@pytest.mark.parametrize(("who", "statuses"), [("victor", [403, 403, 403]), ("stella", [422, 404, 404])])
def test_who_only_watches_is_told_so_and_a_stranger_is_not(desk: Desk, who: str, statuses: list[int]) -> None:
    client = desk.client(getattr(desk, who))
    answers = [
        client.post("/api/v1/orders", {**ORDER, "account": desk.binance.pk}, content_type=JSON),
        client.delete(f"/api/v1/orders/{desk.order.pk}"),
        client.post(f"/api/v1/positions/{desk.position.pk}/close", {"fraction": "1"}, content_type=JSON),
    ]
    assert [answer.status_code for answer in answers] == statuses
    is_told = {answer.json()["code"] for answer in answers} == {"not_permitted"}
    assert is_told == (who == "victor")
    assert Order.objects.count() == 2


def test_a_role_taken_away_counts_from_the_next_request(desk: Desk) -> None:
    client = desk.client(desk.alice)
    desk.portfolio.memberships.filter(user=desk.alice).update(role=Role.VIEWER)
    assert client.delete(f"/api/v1/orders/{desk.order.pk}").status_code == 403
    desk.portfolio.memberships.filter(user=desk.alice).delete()
    assert client.delete(f"/api/v1/orders/{desk.order.pk}").status_code == 404
    assert client.get("/api/v1/exposure").status_code == 404


def test_somebody_without_a_portfolio_sees_empty_lists(desk: Desk) -> None:
    client = desk.client(rows.person("nina"))
    for name in ("accounts", "positions", "balances", "orders", "instruments"):
        assert client.get(f"/api/v1/{name}").json() == {"items": [], "count": 0}
    assert client.post("/api/v1/orders", ORDER, content_type=JSON).json()["code"] == "ambiguous_portfolio"


def test_an_account_at_another_exchange_than_the_one_named_is_refused(desk: Desk) -> None:
    body = {**ORDER, "account": desk.okx.pk, "exchange": "bybit"}
    answer = desk.client(desk.alice).post("/api/v1/orders", body, content_type=JSON)
    assert (answer.status_code, answer.json()["code"]) == (422, "account_mismatch")
    assert answer.json()["message"] == f"account {desk.okx.pk} must be at bybit, is at okx"


@pytest.mark.parametrize("header", ["HTTP_X_HTTP_METHOD_OVERRIDE", "HTTP_X_FORWARDED_USER", "HTTP_REMOTE_USER"])
def test_headers_that_other_servers_trust_change_nothing(desk: Desk, header: str) -> None:
    headers = {header: "DELETE" if "METHOD" in header else "alice"}
    assert Client().get("/api/v1/exposure", **headers).status_code == 401  # type: ignore[arg-type]
    assert desk.client(desk.alice).get(f"/api/v1/orders/{desk.order.pk}", **headers).json()["state"] == "NEW"  # type: ignore[arg-type]
