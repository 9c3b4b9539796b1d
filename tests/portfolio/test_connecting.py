"""Accounts are connected with keys that were tried, and no others (S1, S3, S54)."""

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.contrib.auth.models import User

from exchanges import accounts
from exchanges.domain import Environment, ExchangeType
from exchanges.errors import BadVenueResponse, ExchangeAPIError, ExchangeUnavailable, NotSent
from exchanges.models import Credential, ExchangeAccount, Instrument
from portfolio import connecting, key_check
from portfolio.access import NotPermitted
from portfolio.execution.refusals import Refused
from portfolio.models import EquityPoint, Membership, Portfolio, Role
from tests.dashboard import rows
from tests.portfolio.desk import in_thread
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
    assert kept.venue_account_id == findings.venue_account_id != ""
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
    behind = replace(findings, clock_offset_ms=42_300)
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


@pytest.mark.parametrize("exchange", VENUES)
def test_an_account_is_connected_once_in_a_portfolio_whichever_of_its_keys_is_brought(
    mary: User, marys_book: Portfolio, exchange: ExchangeType
) -> None:
    first = connected(mary, marys_book, exchange=exchange)
    connecting.set_enabled(mary, first, is_enabled=False)  # it can be enabled again and would then count twice
    for end in ("", "-ip", "-readonly"):
        with refusal("account_connected_already") as refused:
            connecting.connect(mary, marys_book, place(exchange), "Twin", keys(end, exchange))
        assert "connected already as 'Main'" in refused.value.message
        assert (refused.value.field, first.venue_account_id in refused.value.message) == ("api_key", False)
    assert (ExchangeAccount.objects.count(), Credential.objects.count()) == (1, 1)
    others = [venue for venue in VENUES if venue is not exchange]
    assert len({connected(mary, marys_book, exchange=venue).venue_account_id for venue in others}) == 2
    connected(mary, marys_book, "Another", exchange)
    elsewhere = connected(mary, rows.portfolio("Another book", {mary: Role.MANAGER}), exchange=exchange)
    assert elsewhere.venue_account_id == first.venue_account_id


def test_an_archived_account_may_be_connected_again(mary: User, marys_book: Portfolio) -> None:
    first = connected(mary, marys_book)
    EquityPoint.objects.create(account=first, minute=rows.now(), equity_usd=1, is_stale=False)
    assert connecting.archive(mary, first, "Main")
    again = connected(mary, marys_book)
    assert (again.pk != first.pk, again.venue_account_id) == (True, first.venue_account_id)


def test_an_answer_that_is_no_id_stops_and_an_empty_wallet_does_not(mary: User, marys_book: Portfolio, sandbox: Sandbox) -> None:
    def connect() -> ExchangeAccount:
        return connecting.connect(mary, marys_book, place(ExchangeType.BINANCE), "Main", keys(exchange=ExchangeType.BINANCE))[0]

    sandbox.fault("binance", {"kind": "body", "body": [{"asset": "USDT"}]}, path="/fapi/v3/balance")
    with pytest.raises(BadVenueResponse):
        connect()
    assert not ExchangeAccount.objects.exists()
    sandbox.fault("binance", {"kind": "body", "body": []}, path="/fapi/v3/balance")
    assert connect().venue_account_id == ""


@pytest.mark.postgresql
def test_one_account_cannot_be_connected_twice_at_the_same_moment(
    transactional_db: None, mary: User, marys_book: Portfolio, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both were tried before either was stored."""
    try_keys, both_tried = key_check.try_keys, threading.Barrier(2)

    def tried_together(*args: Any) -> key_check.Findings:
        found = try_keys(*args)
        both_tried.wait(10)
        return found

    def attempt(label: str) -> str:
        try:
            return str(connecting.connect(mary, marys_book, place(), label, keys())[0].label)
        except Refused as refused:
            return refused.code

    monkeypatch.setattr(key_check, "try_keys", tried_together)
    with ThreadPoolExecutor(2) as threads:
        done = [threads.submit(in_thread, partial(attempt, label)) for label in ("One", "Two")]
        outcomes = {each.result(30) for each in done}
    assert "account_connected_already" in outcomes
    assert outcomes & {"One", "Two"}
    assert ExchangeAccount.objects.count() == 1
