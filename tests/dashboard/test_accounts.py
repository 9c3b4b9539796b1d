"""The pages of accounts: looked at by members, worked with by managers; a key goes in and never comes out again (S1, S4, S53)."""

import os
import re
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.contrib.messages import get_messages
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from exchanges import accounts
from exchanges.accounts import config_for
from exchanges.models import Credential, Environment, Exchange, ExchangeAccount
from exchanges.vault import VaultError
from portfolio import connecting, key_check
from portfolio.models import EquityPoint, Membership, Portfolio, PortfolioAccount, Role
from tests.dashboard import rows
from tests.simulated import Sandbox

KEY = f"sandbox-w{os.getpid()}"
CANARY = "zK9canaryQ7"


@pytest.fixture
def mary(db: None) -> User:
    return rows.person("mary")


@pytest.fixture
def book(mary: User) -> Portfolio:
    return rows.portfolio("Mary's book", {mary: Role.MANAGER})


def browser(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def filled(book: Portfolio, exchange: str = "bybit", **other: str) -> dict[str, str]:
    key = other.get("api_key", KEY)
    right = {"api_key": KEY, "api_secret": f"{key}-secret", "passphrase": f"{key}-passphrase" if exchange == "okx" else ""}
    place = {"portfolio": str(book.pk), "venue": f"{exchange}/sandbox/", "label": "Main", "step": "connect"}
    return {**place, **right, **other}


def said(answer: Any) -> str:
    """The newest message."""
    return str(list(get_messages(answer.wsgi_request))[-1])


def without_csrf(answer: Any) -> str:
    return re.sub(r'(X-CSRFToken": |value=)"[A-Za-z0-9]{64}"', "", answer.content.decode())


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
        ({"api_secret": "a-wrong-secret"}, "api_secret must be the one that belongs to this key"),
        ({"api_key": "a-key-of-nobody"}, "does not accept this API key"),
        ({"api_key": f"{KEY}-withdraw", "api_secret": f"{KEY}-withdraw-secret"}, "The key may withdraw money"),
        ({"venue": "okx/sandbox/"}, "passphrase is required: an OKX key has one"),
        ({"venue": "okx/sandbox/", "passphrase": "wrong-words"}, "passphrase must be the one that was chosen"),
        ({"passphrase": "too-many-words"}, "passphrase must be left out"),
        ({"venue": "bybit/live/"}, "venue must be one of those offered"),
        ({"venue": "https://evil.example/"}, "venue must be one of those offered"),
        ({"api_secret": ""}, "api_secret is required"),
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


@pytest.fixture
def account(mary: User, book: Portfolio, sandbox: Sandbox) -> ExchangeAccount:
    browser(mary).post(reverse("account_new"), filled(book))
    return ExchangeAccount.objects.get()


def test_keys_are_renewed_in_the_page(mary: User, account: ExchangeAccount) -> None:
    client, path = browser(mary), reverse("account_keys", args=[account.pk])
    wrong = client.post(path, {"api_key": KEY, "api_secret": "a-wrong-secret"})
    assert wrong.status_code == 422
    assert "belongs to this key" in wrong.content.decode()
    assert "a-wrong-secret" not in wrong.content.decode()
    key = f"{KEY}-ip"
    done = client.post(path, {"api_key": key, "api_secret": f"{key}-secret"})
    assert done.headers["Location"] == f"/accounts/{account.pk}"
    assert Credential.objects.get().version == 2
    page = client.get(done.headers["Location"]).content.decode()
    assert "has new keys. Take the old key away" in page
    assert "bound to IP" in page


def test_switches_label_and_archive(mary: User, book: Portfolio, account: ExchangeAccount) -> None:
    client = browser(mary)

    def press(switch: str) -> str:
        answer = client.post(reverse("account_switch", args=[account.pk]), {"switch": switch})
        assert answer.headers["Location"] == f"/accounts/{account.pk}"
        return said(answer)

    assert press("disable") == "Bybit · Main is disabled."
    assert ExchangeAccount.objects.filter(is_enabled=False).exists()
    assert press("enable") == "Bybit · Main is enabled."
    press("trading_off")
    assert ExchangeAccount.objects.filter(is_enabled=True, is_trading_enabled=False).exists()
    press("trading_on")
    assert ExchangeAccount.objects.filter(is_trading_enabled=True).exists()
    assert press("check") == "Bybit · Main has had its key checked."
    assert press("withdraw").startswith("switch must be one of")
    other = rows.account(book, Exchange.BYBIT, label="Other", is_default=False)
    client.post(reverse("account_switch", args=[other.pk]), {"switch": "default"})
    assert PortfolioAccount.objects.get(is_default=True).account == other
    taken = client.post(reverse("account_rename", args=[account.pk]), {"label": "other"})
    assert "stays as it is: label must be new" in said(taken)
    client.post(reverse("account_rename", args=[account.pk]), {"label": "<b>Bold</b>"})
    page = client.get("/accounts").content.decode()
    assert "<b>Bold" not in page
    assert "&lt;b&gt;Bold&lt;/b&gt;" in page
    EquityPoint.objects.create(account=account, minute=rows.now(), equity_usd=1, is_stale=False)
    refused = client.post(reverse("account_archive", args=[account.pk]), {"label": "Bold"})
    assert "label must be typed as it is" in said(refused)
    gone = client.post(reverse("account_archive", args=[account.pk]), {"label": "<b>Bold</b>"})
    assert gone.headers["Location"] == "/accounts"
    assert not Credential.objects.filter(account=account).exists()
    assert client.get(f"/accounts/{account.pk}").status_code == 404


def test_an_account_whose_key_can_withdraw_now_says_so(mary: User, account: ExchangeAccount) -> None:
    Credential.objects.update(can_withdraw=True, trouble="The key may withdraw money: take that permission away.")
    ExchangeAccount.objects.update(is_trading_enabled=False)
    for path in ("/accounts", f"/accounts/{account.pk}"):
        page = browser(mary).get(path).content.decode()
        assert "The key may withdraw money" in page
        assert "can withdraw" in page
        assert "trading off" in page


POSTS: list[tuple[str, dict[str, str]]] = [
    ("account_keys", {"api_key": KEY, "api_secret": f"{KEY}-secret"}),
    ("account_switch", {"switch": "disable"}),
    ("account_rename", {"label": "Mine"}),
    ("account_archive", {"label": "Main"}),
]


def test_members_look_and_managers_act(mary: User, book: Portfolio, account: ExchangeAccount) -> None:
    tom, victor = rows.person("tom"), rows.person("victor")
    for user, role in ((tom, Role.TRADER), (victor, Role.VIEWER)):
        Membership.objects.create(portfolio=book, user=user, role=role)
        client = browser(user)
        for path in ("/accounts", f"/accounts/{account.pk}"):
            page = client.get(path)
            assert page.status_code == 200
            forms = re.findall(r'<form [^>]*action="(/accounts[^"]*)"', page.content.decode())
            assert forms == []
            assert "Connect an account" not in page.content.decode()
        assert client.get(reverse("account_new")).status_code == 403
        assert client.post(reverse("account_new"), filled(book)).status_code == 403
        for name, content in POSTS:
            assert client.post(reverse(name, args=[account.pk]), content).status_code == 403
    assert ExchangeAccount.objects.filter(pk=account.pk, label="Main", is_enabled=True).exists()


def test_a_strangers_account_answers_as_a_missing_one(mary: User, account: ExchangeAccount) -> None:
    stella = rows.person("stella")
    own = rows.portfolio("Stella's book", {stella: Role.MANAGER})
    client = browser(stella)
    pairs = [[client.get(f"/accounts/{key}") for key in (account.pk, account.pk + 1_000)]]
    pairs += [[client.post(reverse(name, args=[key]), content) for key in (account.pk, account.pk + 1_000)] for name, content in POSTS]
    for foreign, missing in pairs:
        assert (foreign.status_code, missing.status_code) == (404, 404)
        assert without_csrf(foreign) == without_csrf(missing)
    assert "Main" not in client.get("/accounts").content.decode()
    book = connecting.account_for(mary, account.pk).portfolio_link.portfolio
    assert client.post(reverse("account_new"), filled(book)).status_code == 422
    assert client.post(reverse("account_new"), filled(own)).status_code == 302  # and may have the label that another portfolio uses


def test_the_list_asks_the_database_as_often_for_many_accounts_as_for_one(
    mary: User, book: Portfolio, django_assert_max_num_queries: Callable[[int], CaptureQueriesContext]
) -> None:
    for number in range(6):
        rows.state(rows.account(book, Exchange.OKX, label=f"Number {number}", is_default=number == 0))
    client = browser(mary)
    with django_assert_max_num_queries(8):
        page = client.get("/accounts").content.decode()
    assert page.count('class="actions"') == 6
    nobody = browser(rows.person("nobody")).get("/accounts")
    assert "You are a member of no portfolio" in nobody.content.decode()


def test_a_vault_that_does_not_open_says_what_to_do(mary: User, book: Portfolio, sandbox: Sandbox, settings: Any) -> None:
    settings.VAULT_KEYS = []
    answer = browser(mary).post(reverse("account_new"), filled(book))
    assert "The vault key is missing" in answer.content.decode()
    assert not ExchangeAccount.objects.exists()


def test_the_admin_shows_no_secret_and_leads_to_the_page(account: ExchangeAccount) -> None:
    root = rows.person("root", is_staff=True, is_superuser=True)
    client = browser(root)
    page = client.get(f"/admin/exchanges/exchangeaccount/{account.pk}/change/").content.decode()
    assert f"/accounts/{account.pk}" in page
    credential = Credential.objects.get()
    for hidden in (credential.ciphertext, credential.wrapped_key, credential.key_id, KEY):
        assert hidden not in page
    assert client.post(f"/admin/exchanges/exchangeaccount/{account.pk}/change/", {"is_trading_enabled": "on"}).status_code == 403
    assert client.get("/admin/exchanges/credential/").status_code == 404


def test_no_sentence_of_the_vault_holds_a_secret(account: ExchangeAccount) -> None:
    Credential.objects.update(ciphertext="tampered")
    with pytest.raises(VaultError) as refusal:
        config_for(ExchangeAccount.objects.select_related("credential").get())
    assert KEY not in str(refusal.value)
