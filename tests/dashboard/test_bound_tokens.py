"""What a token that names its accounts and addresses opens over REST: these, from there, and nothing else (A3, S16)."""

from decimal import Decimal
from typing import Any

import pytest
from django.conf import LazySettings
from django.test import Client

from exchanges.models import ExchangeAccount
from portfolio import tokens
from portfolio.models import Role
from tests.dashboard import rows
from tests.dashboard.conftest import Desk

JSON = "application/json"


def header_of(desk: Desk, *accounts: ExchangeAccount, addresses: tuple[str, ...] = (), who: str = "alice") -> Any:
    named = [account.pk for account in accounts] or None
    scopes = [tokens.READ, tokens.TRADE]
    text = tokens.create(getattr(desk, who), f"bound {named}", scopes, account_ids=named, addresses=addresses)
    return {"HTTP_AUTHORIZATION": f"Bearer {text}"}


def test_lists_hold_the_named_accounts_alone(desk: Desk) -> None:
    header = header_of(desk, desk.okx)
    rows.order(desk.okx)
    for name in ("positions", "balances", "orders"):
        items = Client().get(f"/api/v1/{name}", **header).json()["items"]
        assert {item["account"] for item in items} <= {desk.okx.pk}, name
    assert [item["id"] for item in Client().get("/api/v1/accounts", **header).json()["items"]] == [desk.okx.pk]
    named = [item["accounts"] for item in Client().get("/api/v1/exchanges", **header).json()["items"]]
    assert sorted(named) == [[], [], [desk.okx.pk]]


def test_the_exposure_is_that_of_the_named_accounts(desk: Desk) -> None:
    whole = Client().get("/api/v1/exposure", **header_of(desk)).json()
    part = Client().get("/api/v1/exposure", **header_of(desk, desk.okx)).json()
    assert [account["id"] for account in part["accounts"]] == [desk.okx.pk]
    assert (Decimal(whole["long_usd"]), Decimal(part["long_usd"])) == (Decimal(47_500), Decimal(0))
    assert Decimal(whole["short_usd"]) == Decimal(part["short_usd"]) == Decimal(19_000)
    assert (Decimal(whole["equity_usd"]), Decimal(part["equity_usd"])) == (Decimal(300_000), Decimal(100_000))


def test_what_lies_elsewhere_is_as_missing_as_a_strangers(desk: Desk) -> None:
    header = header_of(desk, desk.okx)
    for method, path, own, missing in (
        ("get", "/api/v1/orders/{}", desk.order.pk, 987_654),
        ("delete", "/api/v1/orders/{}", desk.order.pk, 987_654),
        ("post", "/api/v1/positions/{}/close", desk.position.pk, 987_654),
    ):
        bodies = []
        for number in (own, missing):
            answer = Client().generic(method.upper(), path.format(number), b'{"fraction": "1"}', content_type=JSON, **header)
            assert answer.status_code == 404, path
            bodies.append(answer.content)
        assert bodies[0] == bodies[1]


def test_an_order_for_an_account_that_is_not_named_answers_as_for_a_missing_one(desk: Desk) -> None:
    header = header_of(desk, desk.okx)
    for number in (desk.binance.pk, 987_654):
        body = {"symbol": "BTCUSDT", "side": "BUY", "order_type": "MARKET", "quantity": "0.01", "account": number}
        answer = Client().post("/api/v1/orders", body, content_type=JSON, **header)
        assert (answer.status_code, answer.json()["code"]) == (422, "unknown_account")
        assert answer.json()["message"] == f"account must be the id of an account of yours, was {number}"


def test_a_portfolio_without_a_named_account_is_not_there(desk: Desk) -> None:
    other = rows.portfolio("Second", {desk.alice: Role.MANAGER})
    rows.account(other)
    header = header_of(desk, desk.okx)
    assert Client().get("/api/v1/exposure", **header).status_code == 200  # not ambiguous: it sees one
    assert Client().get(f"/api/v1/exposure?portfolio={other.pk}", **header).status_code == 404


def test_a_token_whose_accounts_are_gone_opens_nothing(desk: Desk) -> None:
    header = header_of(desk, desk.okx)
    ExchangeAccount.objects.filter(pk=desk.okx.pk).delete()
    assert Client().get("/api/v1/accounts", **header).json() == {"items": [], "count": 0}
    assert Client().get("/api/v1/exposure", **header).status_code == 404


def test_a_token_of_an_account_that_its_user_left_opens_nothing(desk: Desk) -> None:
    header = header_of(desk, desk.okx)
    desk.portfolio.memberships.filter(user=desk.alice).delete()
    assert Client().get("/api/v1/positions", **header).json() == {"items": [], "count": 0}


@pytest.mark.parametrize(
    ("address", "status"),
    [
        ("192.0.2.7", 200),
        ("198.51.100.200", 200),
        ("::ffff:192.0.2.7", 200),
        ("192.0.2.8", 401),
        ("2001:db8::1", 401),
        ("", 401),
        ("x", 401),
    ],
)
def test_a_token_is_taken_from_its_addresses_alone(desk: Desk, address: str, status: int) -> None:
    header = header_of(desk, addresses=("192.0.2.7", "198.51.100.0/24"))
    answer = Client().get("/api/v1/orders", REMOTE_ADDR=address, HTTP_X_FORWARDED_FOR="192.0.2.7", **header)
    assert answer.status_code == status
    wrong = Client().get("/api/v1/orders", HTTP_AUTHORIZATION="Bearer cbk_00000000_x")
    assert status == 200 or answer.content == wrong.content


@pytest.mark.parametrize(
    ("forwarded", "status"), [("192.0.2.7", 200), ("10.0.0.1, 192.0.2.7", 200), ("192.0.2.7, 10.0.0.1", 401), ("", 401)]
)
def test_behind_a_proxy_it_is_the_address_that_the_proxy_saw(desk: Desk, settings: LazySettings, forwarded: str, status: int) -> None:
    settings.HTTPS = True
    header = header_of(desk, addresses=("192.0.2.7",))
    assert Client().get("/api/v1/orders", HTTP_X_FORWARDED_FOR=forwarded, **header).status_code == status
