"""Accounts are connected with keys that were tried, looked after by managers alone, and retired without a trace of their keys (S1, S3, S53,
S54)."""

import itertools
import json
import os
from datetime import timedelta
from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.contrib.auth.models import User
from pydantic import SecretStr

from exchanges import accounts, runtime
from exchanges.domain import Environment, ExchangeType
from exchanges.errors import ExchangeAPIError, ExchangeUnavailable, NotSent
from exchanges.models import Credential, Exchange, ExchangeAccount, Instrument
from portfolio import connecting, key_check, key_watch, schedule
from portfolio.access import NotPermitted
from portfolio.connecting import Place
from portfolio.execution.refusals import NotFound, Refused
from portfolio.key_check import Keys
from portfolio.models import EquityPoint, Membership, Portfolio, PortfolioAccount, Role
from tests.dashboard import rows
from tests.simulated import Sandbox

VENUES = list(ExchangeType)


def place(exchange: ExchangeType = ExchangeType.BYBIT, environment: Environment = Environment.SANDBOX, region: str = "") -> Place:
    return Place(exchange, environment, region)


def name(end: str = "") -> str:
    return f"c{os.getpid()}{end}"


def keys(end: str = "", exchange: ExchangeType = ExchangeType.BYBIT, **wrong: str) -> Keys:
    key = f"sandbox-{name(end)}"
    right = {"api_key": key, "api_secret": f"{key}-secret", "passphrase": f"{key}-passphrase"}
    values = {field: SecretStr(value) for field, value in {**right, **wrong}.items()}
    return Keys(values["api_key"], values["api_secret"], values["passphrase"] if exchange is ExchangeType.OKX else None)


# A rolled back test gives its account ids back, and this process knows its warm clients by id and version of the keys.
_ids = itertools.count(1_000_000, 1_000)


@pytest.fixture
def mary(db: None, sandbox: Sandbox) -> User:
    ExchangeAccount.objects.create(pk=next(_ids), exchange=Exchange.OKX, environment=Environment.DEMO.value, label="Id").delete()
    return rows.person("mary")


@pytest.fixture
def book(mary: User) -> Portfolio:
    return rows.portfolio("Mary's book", {mary: Role.MANAGER})


def refusal(code: str) -> Any:
    return pytest.raises(Refused, check=lambda error: error.code == code)


def connected(mary: User, book: Portfolio, label: str = "Main", exchange: ExchangeType = ExchangeType.BYBIT) -> ExchangeAccount:
    return connecting.connect(mary, book, place(exchange), label, keys(exchange=exchange))[0]


@pytest.mark.parametrize("exchange", VENUES)
def test_keys_are_tried_and_stored_with_what_the_venue_said(mary: User, book: Portfolio, exchange: ExchangeType) -> None:
    account, findings = connecting.connect(mary, book, place(exchange), " Main ", keys(exchange=exchange))
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
    mary: User, book: Portfolio, exchange: ExchangeType
) -> None:
    with refusal("key_can_withdraw"):
        connecting.connect(mary, book, place(exchange), "Main", keys("-withdraw", exchange))
    assert not ExchangeAccount.objects.exists()
    account, _ = connecting.connect(mary, book, place(exchange), "Main", keys("-readonly", exchange))
    assert not account.is_trading_enabled
    with refusal("key_cannot_trade"):
        connecting.set_trading(mary, account, is_enabled=True)
    assert key_check.warnings_of(connecting.try_out(mary, book, place(exchange), keys("-ip", exchange)).permissions, rows.now()) == []


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
    mary: User, book: Portfolio, exchange: ExchangeType, wrong: dict[str, str], field: str
) -> None:
    with pytest.raises(Refused) as refused:
        connecting.connect(mary, book, place(exchange), "Main", keys(exchange=exchange, **wrong))
    assert refused.value.field == field
    for value in wrong.values():
        assert not value or value not in refused.value.message
    assert not ExchangeAccount.objects.exists()


def test_what_a_venue_repeats_of_a_key_is_left_out(mary: User, book: Portfolio, sandbox: Sandbox) -> None:
    said = {"code": "50111", "msg": f"Invalid key sandbox-{name()}", "data": []}
    sandbox.fault("okx", {"kind": "body", "body": said}, path="/api/v5/account/config")
    with refusal("key_refused") as refused:
        connecting.try_out(mary, book, place(ExchangeType.OKX), keys(exchange=ExchangeType.OKX))
    assert refused.value.message.endswith("Invalid key …")


def test_a_venue_that_is_down_or_slow_is_no_wrong_key(
    mary: User, book: Portfolio, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(key_check, "DEADLINE_S", 0.5)
    sandbox.fault("bybit", {"kind": "hang"}, path="/v5/user/query-api")
    with pytest.raises(ExchangeUnavailable, match=r"no complete answer within 0\.5 s"):
        connecting.connect(mary, book, place(), "Main", keys())
    sandbox.control("POST", "venue", {"venue": "bybit", "up": False})
    with pytest.raises(ExchangeAPIError) as failure:
        connecting.connect(mary, book, place(), "Main", keys())
    assert failure.value.is_transient
    assert not ExchangeAccount.objects.exists()
    monkeypatch.setenv("SANDBOX_URL", "http://127.0.0.1:9")
    with pytest.raises(NotSent):
        connecting.connect(mary, book, place(), "Main", keys())


def test_a_clock_that_differs_is_measured_and_said(mary: User, book: Portfolio, monkeypatch: pytest.MonkeyPatch) -> None:
    findings = connecting.try_out(mary, book, place(), keys("-ip"))
    assert findings.warnings == []
    behind = key_check.Findings(findings.permissions, findings.account, 42_300, findings.checked_at)
    assert behind.warnings == ["This server's clock is 42.3 s behind the exchange's: set it by NTP."]


def test_places_that_do_not_exist_and_labels_that_are_taken(mary: User, book: Portfolio) -> None:
    with refusal("unknown_region"):
        connecting.connect(mary, book, place(region="moon"), "Main", keys())
    with refusal("environment_mismatch"):
        connecting.connect(mary, book, place(environment=Environment.LIVE), "Main", keys())
    with refusal("passphrase_missing"):
        connecting.connect(mary, book, place(ExchangeType.OKX), "Main", keys())
    with refusal("passphrase_unknown"):
        connecting.connect(mary, book, place(), "Main", keys(exchange=ExchangeType.OKX))
    for label in ("", "  ", "x" * 61, "two\nlines", "zero\u0000"):
        with refusal("invalid_label"):
            connecting.connect(mary, book, place(), label, keys())
    account = connected(mary, book)
    with refusal("label_taken"):
        connecting.connect(mary, book, place(), "MAIN", keys())
    other = rows.portfolio("Another book", {mary: Role.MANAGER})
    stranger = connected(mary, other)  # what one portfolio calls its accounts is no matter of another
    assert stranger.label == account.label
    second = connected(mary, book, "Second")
    assert (account.portfolio_link.is_default, second.portfolio_link.is_default) == (True, False)
    with refusal("label_taken"):
        connecting.rename(mary, second, "main")
    connecting.rename(mary, second, "Zweites")
    connecting.rename(mary, second, "zweites")
    assert ExchangeAccount.objects.get(pk=second.pk).label == "zweites"


def test_only_managers_do_any_of_it(mary: User, book: Portfolio) -> None:
    account = connected(mary, book)
    tom, stella = rows.person("tom"), rows.person("stella")
    membership = Membership.objects.create(portfolio=book, user=tom, role=Role.TRADER)
    version = Credential.objects.get().version
    for attempt in (
        lambda: connecting.try_out(tom, book, place(), keys()),
        lambda: connecting.connect(tom, book, place(), "Mine", keys()),
        lambda: connecting.renew_keys(tom, account, keys()),
        lambda: connecting.set_enabled(tom, account, is_enabled=False),
        lambda: connecting.set_trading(tom, account, is_enabled=False),
        lambda: connecting.set_trading(tom, account, is_enabled=True),
        lambda: connecting.check_now(tom, account),
        lambda: connecting.set_default(tom, account),
        lambda: connecting.rename(tom, account, "Mine"),
        lambda: connecting.archive(tom, account, "Main"),
        lambda: connecting.managed_account(tom, account.pk),
    ):
        with pytest.raises(NotPermitted):
            attempt()
    assert connecting.account_for(tom, account.pk) == account
    for missing in (account.pk, account.pk + 1_000):
        with pytest.raises(NotFound, match="There is no such account"):
            connecting.managed_account(stella, missing)
    membership.delete()
    assert (Credential.objects.get().version, ExchangeAccount.objects.count()) == (version, 1)


def test_a_role_that_ends_while_the_venue_is_asked_stores_nothing(mary: User, book: Portfolio, monkeypatch: pytest.MonkeyPatch) -> None:
    try_keys = key_check.try_keys

    def asked_too_long(*args: Any) -> key_check.Findings:
        found = try_keys(*args)
        Membership.objects.filter(user=mary).update(role=Role.TRADER)
        return found

    monkeypatch.setattr(key_check, "try_keys", asked_too_long)
    with pytest.raises(NotPermitted):
        connecting.connect(mary, book, place(), "Main", keys())
    assert not ExchangeAccount.objects.exists()


def test_keys_are_renewed_after_they_were_tried(mary: User, book: Portfolio) -> None:
    account = connected(mary, book)
    before = connecting.account_for(mary, account.pk)
    client = accounts.client_for(before)
    with refusal("key_can_withdraw"):
        connecting.renew_keys(mary, before, keys("-withdraw"))
    assert accounts.client_for(connecting.account_for(mary, account.pk)) is client
    connecting.renew_keys(mary, before, keys("-ip"))
    after = connecting.account_for(mary, account.pk)
    assert after.credential.version == 2
    assert after.credential.is_ip_bound
    assert after.credential.key_hint == name("-ip")[-4:]
    assert accounts.client_for(after) is not client
    assert accounts.config_for(after).api_key.get_secret_value() == f"sandbox-{name('-ip')}"
    connecting.renew_keys(mary, after, keys("-readonly"))
    assert not connecting.account_for(mary, account.pk).is_trading_enabled


def test_switches(mary: User, book: Portfolio) -> None:
    account = connected(mary, book)
    second = connected(mary, book, "Second")
    connecting.set_enabled(mary, account, is_enabled=False)
    connecting.set_trading(mary, account, is_enabled=False)
    kept = ExchangeAccount.objects.get(pk=account.pk)
    assert (kept.is_enabled, kept.is_trading_enabled) == (False, False)
    connecting.set_enabled(mary, account, is_enabled=True)
    connecting.set_trading(mary, account, is_enabled=True)
    kept = ExchangeAccount.objects.get(pk=account.pk)
    assert (kept.is_enabled, kept.is_trading_enabled) == (True, True)
    connecting.set_default(mary, second)
    assert list(PortfolioAccount.objects.filter(is_default=True).values_list("account_id", flat=True)) == [second.pk]


def test_trading_is_not_switched_on_for_a_live_account(mary: User) -> None:
    real = rows.portfolio("Real money", {mary: Role.MANAGER}, Environment.LIVE)  # type: ignore[arg-type]
    account = rows.account(real, can_trade=False)
    accounts.store_credential(account, api_key="key-of-nobody", api_secret="secret")
    with refusal("live_is_read_only"):
        connecting.set_trading(mary, connecting.account_for(mary, account.pk), is_enabled=True)


def test_an_account_without_history_is_gone_and_one_with_history_is_kept_without_its_keys(mary: User, book: Portfolio) -> None:
    fresh, used = connected(mary, book, "Fresh"), connected(mary, book, "Used")
    EquityPoint.objects.create(account=used, minute=rows.now(), equity_usd=1, is_stale=False)
    rows.position(used)
    with refusal("label_mismatch"):
        connecting.archive(mary, used, "Main")
    assert not connecting.archive(mary, fresh, " Fresh ")
    assert connecting.archive(mary, used, "Used")
    kept = ExchangeAccount.objects.get()
    assert (kept.label, kept.is_enabled, kept.is_trading_enabled, kept.portfolio_link.is_default) == ("Used", False, False, False)
    assert kept.archived_at is not None
    assert not Credential.objects.exists()
    assert not kept.positions.exists()
    with pytest.raises(NotFound):
        connecting.set_enabled(mary, used, is_enabled=True)
    assert connected(mary, book, "Used").portfolio_link.is_default  # the label is free again


def test_an_account_whose_order_is_being_sent_is_not_archived(mary: User, book: Portfolio) -> None:
    account = connected(mary, book)
    rows.order(account, state="SUBMITTING")
    with refusal("order_under_way"):
        connecting.archive(mary, account, "Main")
    assert Credential.objects.exists()


def posture(account: ExchangeAccount) -> tuple[bool, str]:
    kept = ExchangeAccount.objects.select_related("credential").get(pk=account.pk)
    return kept.is_trading_enabled, kept.credential.trouble


def store(account: ExchangeAccount, end: str) -> None:
    tried = keys(end)
    accounts.store_credential(account, api_key=tried.api_key.get_secret_value(), api_secret=tried.api_secret.get_secret_value())


def test_the_daily_check_ends_trading_for_a_key_that_can_withdraw_now_or_is_refused(
    mary: User, book: Portfolio, sandbox: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    account = connected(mary, book)
    store(account, "-withdraw")
    version = Portfolio.objects.get().version
    key_watch.check_keys([account.pk], rows.now())
    is_trading, trouble = posture(account)
    assert not is_trading
    assert trouble.startswith("The key may withdraw money")
    assert Portfolio.objects.get().version > version
    assert "Trading is switched off" in caplog.text
    with refusal("key_unfit"):
        connecting.set_trading(mary, account, is_enabled=True)
    store(account, "")
    connecting.set_trading(mary, account, is_enabled=True)
    assert posture(account) == (True, "")
    refused = {"retCode": 10003, "retMsg": "API key is invalid.", "result": {}, "retExtInfo": {}, "time": 1}
    sandbox.fault("bybit", {"kind": "body", "body": refused}, path="/v5/user/query-api")
    key_watch.check_keys([account.pk], rows.now())
    assert posture(account) == (False, "The exchange refused the key. The exchange does not accept this API key. API key is invalid.")


def test_the_daily_check_changes_nothing_where_the_venue_does_not_answer(mary: User, book: Portfolio, sandbox: Sandbox) -> None:
    account = connected(mary, book)
    checked_at = Credential.objects.get().checked_at
    sandbox.fault("bybit", {"kind": "reset"}, path="/v5/user/query-api", times=None)
    key_watch.check_keys([account.pk], rows.now())
    assert posture(account) == (True, "")
    assert Credential.objects.get().checked_at == checked_at
    with pytest.raises(ExchangeUnavailable, match="could not be checked now"):
        connecting.set_trading(mary, account, is_enabled=True)
    sandbox.clear()
    Credential.objects.update(can_trade=None, checked_at=None, key_id="", wrapped_key="", ciphertext="not ours")
    key_watch.check_keys([account.pk], rows.now())
    assert Credential.objects.get().checked_at is None


def test_the_daily_check_puts_tokens_of_the_first_kind_into_envelopes(mary: User, book: Portfolio, settings: Any) -> None:
    account = connected(mary, book)
    content = {"account": account.pk, "api_key": f"sandbox-{name()}", "api_secret": f"sandbox-{name()}-secret", "passphrase": ""}
    token = Fernet(settings.VAULT_KEYS[0]).encrypt(json.dumps(content).encode()).decode()
    Credential.objects.update(key_id="", wrapped_key="", ciphertext=token, checked_at=None)
    key_watch.check_keys([account.pk], rows.now())
    kept = Credential.objects.get()
    assert (kept.key_id != "", kept.checked_at is not None) == (True, True)
    assert accounts.config_for(connecting.account_for(mary, account.pk)).api_key.get_secret_value() == f"sandbox-{name()}"


def test_an_answer_about_a_key_that_was_renewed_meanwhile_does_not_count(
    mary: User, book: Portfolio, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = connected(mary, book)
    store(account, "-withdraw")
    run = runtime.Runtime.run

    def renewed_meanwhile(self: runtime.Runtime, work: Any, *, deadline_s: float) -> Any:
        answer = run(self, work, deadline_s=deadline_s)
        store(account, "-ip")
        return answer

    with monkeypatch.context() as patched:
        patched.setattr(runtime.Runtime, "run", renewed_meanwhile)
        key_watch.check_keys([account.pk], rows.now())
    assert posture(account) == (True, "")


def test_stored_keys_are_checked_daily_and_at_every_start(mary: User, book: Portfolio) -> None:
    assert schedule.entries()["keys of every account"] == ("portfolio.tasks.check_all_keys", 86_400)
    account = connected(mary, book)
    connecting.set_enabled(mary, account, is_enabled=False)
    assert key_watch.shards() == [[account.pk]]


def test_a_key_that_expires_soon_is_warned_of(mary: User, book: Portfolio) -> None:
    permissions = connecting.try_out(mary, book, place(), keys()).permissions
    assert permissions.expires_at is not None
    soon = permissions.expires_at - timedelta(days=3)
    assert key_check.warnings_of(permissions, soon)[-1] == f"The key expires on {permissions.expires_at:%d %B %Y}."
    assert len(key_check.warnings_of(permissions, rows.now())) == 1
