"""Connecting an account in the page: the keys are tried first, and what went in never comes out again (S1, S4, S53)."""

import re
from types import ModuleType
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.urls import reverse

from exchanges import accounts
from exchanges.accounts import config_for
from exchanges.models import Environment, Exchange, ExchangeAccount
from portfolio import key_check
from portfolio.models import Portfolio, Role
from tests.dashboard import rows
from tests.dashboard.account_pages import KEY, browser, filled, said
from tests.simulated import Sandbox

CANARY = "zK9canaryQ7"


@pytest.mark.parametrize("exchange", list(Exchange))
def test_a_key_is_tested_then_connected(mary: User, book: Portfolio, sandbox: Sandbox, exchange: Exchange) -> None:
    client = browser(mary)
    tested = client.post(reverse("account_new"), filled(book, exchange, step="test"))
    page = tested.content.decode()
    assert tested.status_code == 200
    for shown in ("accepts these keys", "read and trade; not withdraw", "one-way", "100,000.00 USD", "bound to no IP address"):
        assert shown in page
    assert not ExchangeAccount.objects.exists()
    connected = client.post(reverse("account_new"), filled(book, exchange))
    account = ExchangeAccount.objects.select_related("credential").get()
    assert connected.headers["Location"] == f"/accounts/{account.pk}"
    assert said(connected) == f"{account} is connected. It may be traded."
    assert "bound to no IP address" in client.get(f"/accounts/{account.pk}").content.decode()  # the warning stays
    assert config_for(account).api_secret.get_secret_value() == f"{KEY}-secret"
    for answer in (tested, client.get(connected.headers["Location"]), client.get("/accounts")):
        assert KEY not in answer.content.decode()
        assert "no-store" in answer.headers["Cache-Control"]
    assert f"…{KEY[-4:]}" in client.get("/accounts").content.decode()


def test_htmx_gets_the_answer_alone_and_is_sent_on(mary: User, book: Portfolio, sandbox: Sandbox) -> None:
    client, htmx = browser(mary), {"HTTP_HX_REQUEST": "true"}
    tested = client.post(reverse("account_new"), filled(book, step="test"), **htmx)  # type: ignore[arg-type]
    assert tested.status_code == 200
    assert "<form" not in tested.content.decode()
    wrong = client.post(reverse("account_new"), filled(book, api_secret="not-the-secret"), **htmx)  # type: ignore[arg-type]
    assert wrong.status_code == 422
    assert "belongs to this key" in wrong.content.decode()
    connected = client.post(reverse("account_new"), filled(book), **htmx)  # type: ignore[arg-type]
    assert (connected.status_code, connected.headers["HX-Redirect"]) == (204, f"/accounts/{ExchangeAccount.objects.get().pk}")


@pytest.mark.parametrize("step", ["test", "connect"])
@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"api_secret": "a-wrong-secret"}, "API secret must be the one that belongs to this key"),
        ({"api_key": "a-key-of-nobody"}, "does not accept this API key"),
        ({"api_key": f"{KEY}-withdraw", "api_secret": f"{KEY}-withdraw-secret"}, "The key may withdraw money"),
        ({"venue": "okx/sandbox/"}, "passphrase is required: an OKX key has one"),
        ({"venue": "okx/sandbox/", "passphrase": "wrong-words"}, "passphrase must be the one that was chosen"),
        ({"passphrase": "too-many-words"}, "passphrase must be left out"),
        ({"venue": "bybit/live/"}, "exchange must be one of those offered"),
        ({"venue": "https://evil.example/"}, "exchange must be one of those offered"),
        ({"api_secret": ""}, "API secret is required"),
        ({"api_secret": "s3cret" * 100}, "at most 512 characters"),
        ({"portfolio": "999"}, "portfolio must be one of those offered"),
    ],
)
def test_what_is_wrong_is_one_sentence_and_no_secret_comes_back(
    mary: User, book: Portfolio, sandbox: Sandbox, change: dict[str, str], sentence: str, step: str
) -> None:
    answer = browser(mary).post(reverse("account_new"), filled(book, **{**change, "step": step}))
    page = answer.content.decode()
    assert answer.status_code == 422
    assert sentence in page
    for typed in (KEY, "s3cret", "a-wrong-secret", "a-key-of-nobody", "wrong-words", "too-many-words"):
        assert typed not in page
    assert not ExchangeAccount.objects.exists()


def test_a_label_that_is_none_is_refused_where_it_is_to_be_stored(mary: User, book: Portfolio, sandbox: Sandbox) -> None:
    answer = browser(mary).post(reverse("account_new"), filled(book, label="two\nlines"))
    assert "label must be 1 to 60 printable characters" in answer.content.decode()
    assert not ExchangeAccount.objects.exists()


def test_a_venue_that_is_down_slow_or_out_of_time_is_said_and_nothing_is_stored(
    mary: User, book: Portfolio, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = browser(mary)

    def answer() -> str:
        page = client.post(reverse("account_new"), filled(book))
        assert page.status_code == 422
        return page.content.decode()

    late = {"retCode": 10002, "retMsg": "invalid request, please check your server timestamp", "result": {}, "retExtInfo": {}, "time": 1}
    sandbox.fault("bybit", {"kind": "body", "body": late}, path="/v5/user/query-api")
    assert "This server&#x27;s clock differs from the exchange&#x27;s" in answer()
    monkeypatch.setattr(key_check, "DEADLINE_S", 0.5)
    sandbox.fault("bybit", {"kind": "hang"}, path="/v5/user/query-api")
    assert "No complete answer within 0.5 s Nothing was stored." in answer().replace("s. N", "s N")
    sandbox.control("POST", "venue", {"venue": "bybit", "up": False})
    assert "Nothing was stored." in answer()
    assert not ExchangeAccount.objects.exists()


def _with_a_defect(*_: Any) -> None:
    raise ZeroDivisionError("a defect of ours")


@pytest.mark.parametrize("debug", [True, False])
@pytest.mark.parametrize(("module", "name"), [(key_check, "_config"), (accounts, "hold_vault")])
def test_a_secret_is_in_no_page_about_a_crash(
    mary: User,
    book: Portfolio,
    sandbox: Sandbox,
    settings: Any,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    module: ModuleType,
    name: str,
    debug: bool,
) -> None:
    """With DEBUG on Django shows what was posted and every variable of every frame."""
    settings.DEBUG = debug
    monkeypatch.setattr(module, name, _with_a_defect)
    client = browser(mary)
    client.raise_request_exception = False
    form = filled(book, "okx", api_key=f"sandbox-{CANARY}")
    secrets = {field: form[field] for field in ("api_key", "api_secret", "passphrase")}
    account = rows.account(book, Exchange.OKX, label="Another")
    body = {"exchange": "okx", "environment": "sandbox", "label": "x", **secrets}
    answers = [
        client.post(reverse("account_new"), form),
        client.post(reverse("account_keys", args=[account.pk]), form),
        client.post("/api/v1/accounts", body, content_type="application/json", **rows.bearer(mary, "admin")),  # type: ignore[arg-type]
    ]
    for answer in answers:
        assert answer.status_code == 500
        assert CANARY not in answer.content.decode()
    assert ("ZeroDivisionError" in answers[0].content.decode()) is debug
    assert "ZeroDivisionError" in caplog.text
    assert CANARY not in caplog.text


def test_the_form_asks_browsers_to_keep_nothing(mary: User, book: Portfolio) -> None:
    page = browser(mary).get(reverse("account_new")).content.decode()
    assert re.search(r'<form [^>]*autocomplete="off"', page)
    for name in ("api_secret", "passphrase"):
        assert re.search(rf'<input [^>]*name="{name}" type="password"[^>]*autocomplete="new-password"', page)
    assert not re.search(r'name="(api_key|api_secret|passphrase)"[^>]*value=', page)


def test_only_places_that_exist_are_offered(mary: User, book: Portfolio) -> None:
    page = browser(mary).get(reverse("account_new")).content.decode()
    assert re.findall(r'<option value="(\w+/\w+/\w*)"', page) == ["binance/sandbox/", "bybit/sandbox/", "okx/sandbox/"]
    rows.portfolio("Real money", {mary: Role.MANAGER}, Environment.LIVE)
    page = browser(mary).get(reverse("account_new")).content.decode()
    assert {"binance/live/", "bybit/live/eu", "okx/live/eea", "okx/live/us"} < set(re.findall(r'<option value="(\w+/\w+/\w*)"', page))


def test_a_vault_that_does_not_open_says_what_to_do(mary: User, book: Portfolio, sandbox: Sandbox, settings: Any) -> None:
    settings.VAULT_KEYS = []
    answer = browser(mary).post(reverse("account_new"), filled(book))
    assert "The vault key is missing" in answer.content.decode()
    assert not ExchangeAccount.objects.exists()
