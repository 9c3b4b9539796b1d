"""An account that is there: looked at by members, worked with by managers, its keys never shown again (S1, S4, S53)."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from exchanges.accounts import config_for
from exchanges.models import Credential, Exchange, ExchangeAccount
from exchanges.vault import VaultError
from portfolio import connecting
from portfolio.models import EquityPoint, Membership, Portfolio, PortfolioAccount, Role
from tests.dashboard import rows
from tests.dashboard.account_pages import KEY, browser, filled, said
from tests.simulated import Sandbox


def without_csrf(answer: Any) -> str:
    return re.sub(r'(X-CSRFToken": |value=)"[A-Za-z0-9]{64}"', "", answer.content.decode())


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


def test_keys_of_another_account_are_refused_in_the_page(mary: User, book: Portfolio, account: ExchangeAccount) -> None:
    client, key = browser(mary), f"{KEY}-other"
    renewed = client.post(reverse("account_keys", args=[account.pk]), {"api_key": key, "api_secret": f"{key}-secret"})
    assert renewed.status_code == 422
    assert "keys must be of the same bybit account" in renewed.content.decode()
    twin = client.post(reverse("account_new"), filled(book, label="Twin"))
    assert twin.status_code == 422
    assert "that of these keys is connected already as &#x27;Main&#x27;" in twin.content.decode()
    for page in (renewed, twin):
        assert KEY not in page.content.decode()
    assert (ExchangeAccount.objects.count(), Credential.objects.get().version) == (1, 1)


def test_managers_alone_are_shown_the_id_at_the_venue(mary: User, book: Portfolio, account: ExchangeAccount) -> None:
    victor, path = rows.person("victor"), f"/accounts/{account.pk}"
    Membership.objects.create(portfolio=book, user=victor, role=Role.VIEWER)
    assert f"<code>{account.venue_account_id}</code>" in browser(mary).get(path).content.decode()
    assert account.venue_account_id not in browser(victor).get(path).content.decode()


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
