"""Accounts are connected with keys that were tried, and no others (S1, S3, S54)."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User

from exchanges import accounts
from exchanges.domain import Environment, ExchangeType
from exchanges.errors import ExchangeAPIError, ExchangeUnavailable, NotSent
from exchanges.models import ExchangeAccount, Instrument
from portfolio import connecting, key_check
from portfolio.access import NotPermitted
from portfolio.execution.refusals import Refused
from portfolio.models import Membership, Portfolio, Role
from tests.dashboard import rows
from tests.portfolio.managing import VENUES, connected, keys, name, place, refusal
from tests.simulated import Sandbox


@pytest.mark.parametrize("exchange", VENUES)
def test_keys_are_tried_and_stored_with_what_the_venue_said(mary: User, marys_book: Portfolio, exchange: ExchangeType) -> None:
    account, findings = connecting.connect(mary, marys_book, place(exchange), " Main ", keys(exchange=exchange))
    assert (findings.permissions.can_read, findings.permissions.can_trade, findings.permissions.can_withdraw) == (True, True, False)
    assert findings.equity_usd == 100_000
    assert abs(findings.clock_offset_ms) < 1_000
    assert "bound to no IP address" in findings.warnings[0]
    kept = ExchangeAccount.objects.select_related("credential").get(pk=account.pk)
    assert (kept.label, kept.is_trading_enabled, kept.portfolio_link.is_default) == ("Main", True, True)
    assert (kept.credential.can_trade, kept.credential.can_withdraw, kept.credential.is_ip_bound) == (True, False, False)
    assert accounts.config_for(kept).api_key.get_secret_value() == f"sandbox-{name()}"
    assert Instrument.objects.filter(exchange=exchange).exists()  # the first order need not wait for the hourly reading


@pytest.mark.parametrize("exchange", VENUES)
def test_a_key_that_can_withdraw_is_refused_and_one_that_reads_only_does_not_trade(
    mary: User, marys_book: Portfolio, exchange: ExchangeType
) -> None:
    with refusal("key_can_withdraw"):
        connecting.connect(mary, marys_book, place(exchange), "Main", keys("-withdraw", exchange))
    assert not ExchangeAccount.objects.exists()
    account, _ = connecting.connect(mary, marys_book, place(exchange), "Main", keys("-readonly", exchange))
    assert not account.is_trading_enabled
    with refusal("key_cannot_trade"):
        connecting.set_trading(mary, account, is_enabled=True)
    assert key_check.warnings_of(connecting.try_out(mary, marys_book, place(exchange), keys("-ip", exchange)).permissions, rows.now()) == []


@pytest.mark.parametrize(
    ("exchange", "wrong", "field"),
    [
        *[(exchange, {"api_secret": "not-the-secret"}, "api_secret") for exchange in VENUES],
        *[(exchange, {"api_key": "unknown-key-of-nobody"}, "api_key") for exchange in VENUES],
        (ExchangeType.OKX, {"passphrase": "not-the-words"}, "passphrase"),
        (ExchangeType.BYBIT, {"api_key": "two\nlines"}, "api_key"),
        (ExchangeType.BYBIT, {"api_secret": ""}, "api_secret"),
        (ExchangeType.BYBIT, {"api_secret": "x" * 513}, "api_secret"),
        (ExchangeType.BINANCE, {"api_key": "schlüssel"}, "api_key"),
    ],
)
def test_wrong_keys_are_refused_in_a_sentence_without_them(
    mary: User, marys_book: Portfolio, exchange: ExchangeType, wrong: dict[str, str], field: str
) -> None:
    with pytest.raises(Refused) as refused:
        connecting.connect(mary, marys_book, place(exchange), "Main", keys(exchange=exchange, **wrong))
    assert refused.value.field == field
    for value in wrong.values():
        assert not value or value not in refused.value.message
    assert not ExchangeAccount.objects.exists()


def test_what_a_venue_repeats_of_a_key_is_left_out(mary: User, marys_book: Portfolio, sandbox: Sandbox) -> None:
    said = {"code": "50111", "msg": f"Invalid key sandbox-{name()}", "data": []}
    sandbox.fault("okx", {"kind": "body", "body": said}, path="/api/v5/account/config")
    with refusal("key_refused") as refused:
        connecting.try_out(mary, marys_book, place(ExchangeType.OKX), keys(exchange=ExchangeType.OKX))
    assert refused.value.message.endswith("Invalid key …")


def test_a_venue_that_is_down_or_slow_is_no_wrong_key(
    mary: User, marys_book: Portfolio, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(key_check, "DEADLINE_S", 0.5)
    sandbox.fault("bybit", {"kind": "hang"}, path="/v5/user/query-api")
    with pytest.raises(ExchangeUnavailable, match=r"no complete answer within 0\.5 s"):
        connecting.connect(mary, marys_book, place(), "Main", keys())
    sandbox.control("POST", "venue", {"venue": "bybit", "up": False})
    with pytest.raises(ExchangeAPIError) as failure:
        connecting.connect(mary, marys_book, place(), "Main", keys())
    assert failure.value.is_transient
    assert not ExchangeAccount.objects.exists()
    monkeypatch.setenv("SANDBOX_URL", "http://127.0.0.1:9")
    with pytest.raises(NotSent):
        connecting.connect(mary, marys_book, place(), "Main", keys())


def test_a_clock_that_differs_is_measured_and_said(mary: User, marys_book: Portfolio, monkeypatch: pytest.MonkeyPatch) -> None:
    findings = connecting.try_out(mary, marys_book, place(), keys("-ip"))
    assert findings.warnings == []
    behind = key_check.Findings(findings.permissions, findings.account, 42_300, findings.checked_at)
    assert behind.warnings == ["This server's clock is 42.3 s behind the exchange's: set it by NTP."]


def test_places_that_do_not_exist_and_labels_that_are_taken(mary: User, marys_book: Portfolio) -> None:
    with refusal("unknown_region"):
        connecting.connect(mary, marys_book, place(region="moon"), "Main", keys())
    with refusal("environment_mismatch"):
        connecting.connect(mary, marys_book, place(environment=Environment.LIVE), "Main", keys())
    with refusal("passphrase_missing"):
        connecting.connect(mary, marys_book, place(ExchangeType.OKX), "Main", keys())
    with refusal("passphrase_unknown"):
        connecting.connect(mary, marys_book, place(), "Main", keys(exchange=ExchangeType.OKX))
    for label in ("", "  ", "x" * 61, "two\nlines", "zero\u0000"):
        with refusal("invalid_label"):
            connecting.connect(mary, marys_book, place(), label, keys())
    account = connected(mary, marys_book)
    with refusal("label_taken"):
        connecting.connect(mary, marys_book, place(), "MAIN", keys())
    other = rows.portfolio("Another book", {mary: Role.MANAGER})
    stranger = connected(mary, other)  # what one portfolio calls its accounts is no matter of another
    assert stranger.label == account.label
    second = connected(mary, marys_book, "Second")
    assert (account.portfolio_link.is_default, second.portfolio_link.is_default) == (True, False)
    with refusal("label_taken"):
        connecting.rename(mary, second, "main")
    connecting.rename(mary, second, "Zweites")
    connecting.rename(mary, second, "zweites")
    assert ExchangeAccount.objects.get(pk=second.pk).label == "zweites"


def test_a_role_that_ends_while_the_venue_is_asked_stores_nothing(
    mary: User, marys_book: Portfolio, monkeypatch: pytest.MonkeyPatch
) -> None:
    try_keys = key_check.try_keys

    def asked_too_long(*args: Any) -> key_check.Findings:
        found = try_keys(*args)
        Membership.objects.filter(user=mary).update(role=Role.TRADER)
        return found

    monkeypatch.setattr(key_check, "try_keys", asked_too_long)
    with pytest.raises(NotPermitted):
        connecting.connect(mary, marys_book, place(), "Main", keys())
    assert not ExchangeAccount.objects.exists()


def test_a_key_that_expires_soon_is_warned_of(mary: User, marys_book: Portfolio) -> None:
    permissions = connecting.try_out(mary, marys_book, place(), keys()).permissions
    assert permissions.expires_at is not None
    soon = permissions.expires_at - timedelta(days=3)
    assert key_check.warnings_of(permissions, soon)[-1] == f"The key expires on {permissions.expires_at:%d %B %Y}."
    assert len(key_check.warnings_of(permissions, rows.now())) == 1
