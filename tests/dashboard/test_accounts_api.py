"""Accounts over REST: for programs of managers, with secrets that come in and never go out (S1, S53)."""

import json
import os
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from exchanges.models import Credential, Environment, ExchangeAccount
from portfolio.models import Membership, Portfolio, Role
from tests.dashboard import rows
from tests.dashboard.answers import error_of
from tests.simulated import Sandbox

KEY = f"sandbox-r{os.getpid()}"


def body(**other: Any) -> dict[str, Any]:
    values = {"exchange": "bybit", "environment": "sandbox", "label": "Main", "api_key": KEY, "api_secret": f"{KEY}-secret"}
    return {name: value for name, value in {**values, **other}.items() if value is not None}


def post(path: str, user: User, content: Any = None, *scopes: str) -> Any:
    text = content if isinstance(content, str) else json.dumps(content if content is not None else {})
    headers = rows.bearer(user, *(scopes or ("admin",)))
    return Client().post(f"/api/v1/{path}", text, content_type="application/json", **headers)  # type: ignore[arg-type]


@pytest.fixture
def mary(db: None, sandbox: Sandbox) -> User:
    return rows.person("mary")


@pytest.fixture
def book(mary: User) -> Portfolio:
    return rows.portfolio("Mary's book", {mary: Role.MANAGER})


def test_keys_are_tried_then_connected_and_told_without_their_secrets(mary: User, book: Portfolio) -> None:
    tried = post("accounts/test", mary, body(label=None))
    assert tried.status_code == 200, tried.content
    found = tried.json()
    assert (found["equity_usd"], found["position_mode"]) == ("100000", "one_way")
    assert (found["key"]["can_trade"], found["key"]["can_withdraw"], found["key"]["is_ip_bound"]) == (True, False, False)
    assert not ExchangeAccount.objects.exists()
    made = post("accounts", mary, body())
    assert made.status_code == 201, made.content
    account = made.json()
    assert (account["label"], account["is_default"], account["trading_enabled"], account["enabled"]) == ("Main", True, True, True)
    assert account["key_hint"] == KEY[-4:]
    for answer in (tried, made):
        assert KEY not in answer.content.decode()
    listed = Client().get("/api/v1/accounts", **rows.bearer(mary, "read")).json()  # type: ignore[arg-type]
    assert [each["id"] for each in listed["items"]] == [account["id"]]
    off = post(f"accounts/{account['id']}/disable", mary)
    assert (off.status_code, off.json()["enabled"]) == (200, False)
    assert post(f"accounts/{account['id']}/enable", mary).json()["enabled"] is True


@pytest.mark.parametrize(
    ("change", "status", "code", "field"),
    [
        ({"api_secret": "wrong-secret-of-nobody"}, 422, "key_refused", "api_secret"),
        ({"api_key": f"{KEY}-withdraw", "api_secret": f"{KEY}-withdraw-secret"}, 422, "key_can_withdraw", "api_key"),
        ({"exchange": "okx"}, 422, "passphrase_missing", "passphrase"),
        ({"environment": "live"}, 422, "environment_mismatch", "environment"),
        ({"region": "moon"}, 422, "unknown_region", "region"),
        ({"label": "two\nlines"}, 422, "invalid_label", "label"),
        ({"portfolio": 2**40}, 404, "not_found", ""),
        ({"api_secret": "s3cret" * 100}, 422, "invalid_request", "api_secret"),
        ({"api_secret": 5_550_123}, 422, "invalid_request", "api_secret"),
        ({"secret": "a-misspelt-s3cret"}, 422, "invalid_request", "secret"),
        ({"api_secret": None}, 422, "invalid_request", "api_secret"),
        ({"is_trading_enabled": True}, 422, "invalid_request", "is_trading_enabled"),
    ],
)
def test_what_is_wrong_is_said_without_repeating_a_secret(
    mary: User, book: Portfolio, change: dict[str, Any], status: int, code: str, field: str
) -> None:
    answer = post("accounts", mary, body(**change))
    error = error_of(answer, status)
    assert error["code"] == code
    assert [detail["field"] for detail in error["details"]] == ([field] if field else [])
    said = answer.content.decode()
    for secret in (KEY, "s3cret", "wrong-secret-of-nobody", "5550123"):
        assert secret not in said
    assert not ExchangeAccount.objects.exists()


def test_an_account_that_is_connected_already_is_refused_under_another_label(mary: User, book: Portfolio) -> None:
    assert post("accounts", mary, body()).status_code == 201
    error = error_of(post("accounts", mary, body(label="Twin")), 422)
    assert (error["code"], [detail["field"] for detail in error["details"]]) == ("account_connected_already", ["api_key"])
    assert "'Main'" in error["message"]
    account = ExchangeAccount.objects.get()
    for shown in (error["message"], Client().get("/api/v1/accounts", **rows.bearer(mary, "read")).content.decode()):  # type: ignore[arg-type]
        assert account.venue_account_id not in shown


def test_a_body_that_is_no_json_repeats_nothing(mary: User, book: Portfolio) -> None:
    for text in (f'{{"api_secret": "{KEY}-secret"', f'["{KEY}-secret"]', f'{{"api_secret": "{KEY}-a", "api_secret": "{KEY}-b"}}'):
        answer = post("accounts", mary, text)
        error_of(answer, 422)
        assert KEY not in answer.content.decode()


def test_a_venue_that_is_down_is_503_and_nothing_is_stored(mary: User, book: Portfolio, sandbox: Sandbox) -> None:
    sandbox.control("POST", "venue", {"venue": "bybit", "up": False})
    assert error_of(post("accounts", mary, body()), 503)["code"] == "exchange_unavailable"
    assert not ExchangeAccount.objects.exists()


def test_it_needs_the_scope_and_the_role(mary: User, book: Portfolio) -> None:
    tom, stella = rows.person("tom"), rows.person("stella")
    Membership.objects.create(portfolio=book, user=tom, role=Role.TRADER)
    account = rows.account(book)
    for path in ("accounts", "accounts/test", f"accounts/{account.pk}/disable", f"accounts/{account.pk}/enable"):
        content = body(label=None) if path.endswith("test") else body() if path == "accounts" else None
        assert error_of(post(path, mary, content, "read", "trade"), 403)["code"] == "scope_missing"
        assert error_of(post(path, tom, content), 403)["code"] == "not_permitted"
    for user in (tom, mary):
        missing = error_of(post(f"accounts/{account.pk + 1_000}/disable", user), 404)
        assert missing == error_of(post(f"accounts/{account.pk}/disable", stella), 404)
    assert error_of(post("accounts", stella, body(portfolio=book.pk)), 404)["message"] == "There is no such portfolio."
    assert error_of(post("accounts", tom, body(portfolio=book.pk)), 403)["code"] == "not_permitted"
    rows.portfolio("Another", {mary: Role.MANAGER}, Environment.DEMO)
    assert error_of(post("accounts", mary, body()), 422)["code"] == "ambiguous_portfolio"
    assert post("accounts", mary, body(portfolio=book.pk)).status_code == 201
    assert Credential.objects.count() == 1


def test_the_description_marks_secrets_as_written_only(mary: User, book: Portfolio) -> None:
    fields = Client().get("/api/v1/openapi.json", **rows.bearer(mary)).json()["components"]["schemas"]["AccountIn"]["properties"]  # type: ignore[arg-type]
    assert fields["api_secret"]["writeOnly"]
    assert fields["api_key"]["format"] == "password"
