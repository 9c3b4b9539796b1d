"""Tokens as their owner makes and ends them on the settings page (A3, S27, S28)."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from portfolio import tokens
from portfolio.models import ApiToken
from tests.dashboard import rows
from tests.dashboard.conftest import Desk

GOOD: dict[str, Any] = {"name": "bot", "scopes": ["read", "trade"], "reach": "all", "addresses": "", "days": "90"}


def make(client: Client, **changes: Any) -> Any:
    return client.post("/settings/tokens", {**GOOD, **changes})


def token_on(html: str) -> str:
    found = re.search(r"cbk_[0-9a-f]{8}_[\w-]{43}", html)
    assert found
    return found[0]


def test_a_token_is_made_and_shown_once(desk: Desk) -> None:
    client = desk.client(desk.alice)
    answer = make(client)
    text = token_on(answer.content.decode())
    token = tokens.owner_of(text, rows.now())
    assert token is not None
    assert (token.user, token.name, token.scopes, token.account_ids, token.addresses) == (desk.alice, "bot", ["read", "trade"], None, [])
    assert token.expires_at is not None
    assert abs(token.expires_at - rows.now() - timedelta(days=90)) < timedelta(minutes=1)
    assert "no-store" in answer.headers["Cache-Control"]
    again = client.get("/settings").content.decode()
    assert f"cbk_{token.prefix}_…" in again
    assert text not in again
    assert text.split("_", 2)[2] not in str(client.cookies)


def test_a_token_for_some_accounts_from_some_addresses(desk: Desk) -> None:
    addresses = "192.0.2.7 198.51.100.0/24,2001:db8::/32, 192.0.2.7/32"
    make(desk.client(desk.alice), reach="some", accounts=[desk.okx.pk, desk.bybit.pk], addresses=addresses, days="")
    token = ApiToken.objects.get()
    assert token.account_ids == sorted([desk.bybit.pk, desk.okx.pk])
    assert token.addresses == ["192.0.2.7", "198.51.100.0/24", "2001:db8::/32"]
    assert token.expires_at is None


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"name": ""}, "name is required"),
        ({"name": "x" * 61}, "at most 60 characters"),
        ({"name": "a\u202eb"}, "can be seen"),
        ({"scopes": []}, "scope is required"),
        ({"scopes": ["root"]}, "scope must be one of those offered, was root"),
        ({"reach": "most"}, "reach must be one of those offered, was most"),
        ({"reach": "some"}, "accounts must name at least one account"),
        ({"accounts": ["own"]}, "choose “Only these”"),
        ({"reach": "some", "accounts": ["foreign"]}, "accounts must be one of those offered, was "),
        ({"reach": "some", "accounts": ["own"], "scopes": ["admin"]}, "scopes must leave out admin"),
        ({"addresses": "192.0.2.7/24"}, "one was 192.0.2.7/24"),
        ({"addresses": "localhost"}, "one was localhost"),
        ({"addresses": "<b>"}, "one was &lt;b&gt;"),
        ({"addresses": " ".join(f"192.0.2.{number}" for number in range(21))}, "at most 20"),
        ({"days": "99999999"}, "days must be one of those offered, was 99999999"),
    ],
)
def test_what_no_token_can_be_is_said_and_none_is_made(desk: Desk, changes: dict[str, Any], words: str) -> None:
    ids = {"own": desk.okx.pk, "foreign": desk.foreign_account.pk}
    if "accounts" in changes:
        changes = {**changes, "accounts": [ids[name] for name in changes["accounts"]]}
    answer = make(desk.client(desk.alice), **changes)
    assert answer.status_code == 422
    assert words in answer.content.decode()
    assert not ApiToken.objects.exists()


def test_a_name_is_taken_also_by_a_token_that_ended(desk: Desk) -> None:
    client = desk.client(desk.alice)
    make(client)
    ApiToken.objects.update(revoked_at=rows.now())
    assert "you have a token of this name" in make(client).content.decode()
    assert make(desk.client(desk.victor)).status_code == 200
    assert ApiToken.objects.count() == 2


def test_a_revoked_token_opens_nothing_from_the_next_request(desk: Desk) -> None:
    client = desk.client(desk.alice)
    text = token_on(make(client).content.decode())
    assert Client().get("/api/v1/orders", headers={"authorization": f"Bearer {text}"}).status_code == 200
    answer = client.post(f"/settings/tokens/{ApiToken.objects.get().pk}/revoke", follow=True)
    assert "The token is revoked" in answer.content.decode()
    assert "revoked</span>" in answer.content.decode()
    assert Client().get("/api/v1/orders", headers={"authorization": f"Bearer {text}"}).status_code == 401


def test_other_peoples_tokens_are_not_there(desk: Desk) -> None:
    tokens.create(desk.stella, "theirs", [tokens.READ])
    client = desk.client(desk.alice)
    assert "theirs" not in client.get("/settings").content.decode()
    number = ApiToken.objects.get().pk
    assert client.post(f"/settings/tokens/{number}/revoke").status_code == 404
    assert client.post(f"/settings/tokens/{10**30}/revoke").status_code == 404
    assert ApiToken.objects.get().revoked_at is None


@pytest.mark.parametrize("path", ["", "/1/revoke"])
def test_it_takes_a_form_of_ours_and_no_link(desk: Desk, path: str) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(desk.alice)
    assert client.post(f"/settings/tokens{path}", GOOD).status_code == 403
    assert client.get(f"/settings/tokens{path}").status_code == 405
    header: Any = rows.bearer(desk.alice)
    assert Client().post(f"/settings/tokens{path}", GOOD, **header).headers["Location"].startswith("/login")


def test_a_page_without_tokens_or_accounts_says_so(db: None) -> None:
    client = Client()
    client.force_login(rows.person("nina"))
    html = client.get("/settings").content.decode()
    assert "You have none. A token lets a program" in html
    assert "You have no accounts yet." in html
