"""Stored keys are asked about once a day, and one that may withdraw or is refused ends trading (S3, S54)."""

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.contrib.auth.models import User
from django.db import OperationalError, connection

from exchanges import accounts, runtime
from exchanges.domain import ExchangeType
from exchanges.errors import ExchangeUnavailable
from exchanges.models import Credential, ExchangeAccount
from portfolio import connecting, key_watch, rounds, schedule
from portfolio.models import AccountState, Portfolio, Role
from tests.dashboard import rows
from tests.portfolio.desk import eventually, in_thread, waits_for_a_lock
from tests.portfolio.managing import VENUES, connected, keys, name, refusal, store
from tests.simulated import Sandbox


def posture(account: ExchangeAccount) -> tuple[bool, str]:
    kept = ExchangeAccount.objects.select_related("credential").get(pk=account.pk)
    return kept.is_trading_enabled, kept.credential.trouble


def check_while_renewed(account: ExchangeAccount, end: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The daily check; what the venue says of the key arrives when another one has taken its place."""
    run = runtime.Runtime.run

    def renewed_meanwhile(self: runtime.Runtime, work: Any, *, deadline_s: float) -> Any:
        answer = run(self, work, deadline_s=deadline_s)
        store(account, end)
        return answer

    with monkeypatch.context() as patched:
        patched.setattr(runtime.Runtime, "run", renewed_meanwhile)
        key_watch.check_keys([account.pk], rows.now())


def test_the_daily_check_ends_trading_for_a_key_that_can_withdraw_now_or_is_refused(
    mary: User, marys_book: Portfolio, sandbox: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    account = connected(mary, marys_book)
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


def test_the_daily_check_changes_nothing_where_the_venue_does_not_answer(mary: User, marys_book: Portfolio, sandbox: Sandbox) -> None:
    account = connected(mary, marys_book)
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


def test_the_daily_check_puts_tokens_of_the_first_kind_into_envelopes(mary: User, marys_book: Portfolio, settings: Any) -> None:
    account = connected(mary, marys_book)
    content = {"account": account.pk, "api_key": f"sandbox-{name()}", "api_secret": f"sandbox-{name()}-secret", "passphrase": ""}
    token = Fernet(settings.VAULT_KEYS[0]).encrypt(json.dumps(content).encode()).decode()
    Credential.objects.update(key_id="", wrapped_key="", ciphertext=token, checked_at=None)
    key_watch.check_keys([account.pk], rows.now())
    kept = Credential.objects.get()
    assert (kept.key_id != "", kept.checked_at is not None) == (True, True)
    assert accounts.config_for(connecting.account_for(mary, account.pk)).api_key.get_secret_value() == f"sandbox-{name()}"


def test_an_answer_about_a_key_that_was_renewed_meanwhile_does_not_count(
    mary: User, marys_book: Portfolio, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = connected(mary, marys_book)
    store(account, "-withdraw")
    check_while_renewed(account, "-ip", monkeypatch)
    assert posture(account) == (True, "")


@pytest.mark.parametrize("exchange", VENUES)
def test_the_daily_check_fills_in_an_id_that_is_missing(
    mary: User, marys_book: Portfolio, sandbox: Sandbox, exchange: ExchangeType
) -> None:
    account = connected(mary, marys_book, exchange=exchange)
    known = account.venue_account_id
    ExchangeAccount.objects.update(venue_account_id="")
    key_watch.check_keys([account.pk], rows.now())
    assert ExchangeAccount.objects.get().venue_account_id == known


def test_an_account_whose_id_is_known_is_not_asked_for_it(mary: User, marys_book: Portfolio, sandbox: Sandbox) -> None:
    account = connected(mary, marys_book, exchange=ExchangeType.BINANCE)

    def asked() -> int:
        seen = sandbox.control("GET", "requests?venue=binance")["requests"]
        return len([each for each in seen if (each["account"], each["path"]) == (name(), "/fapi/v3/balance")])

    before = asked()
    assert before > 0
    key_watch.check_keys([account.pk], rows.now())
    assert asked() == before


def test_a_key_is_judged_where_no_id_can_be_read(
    mary: User, marys_book: Portfolio, sandbox: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    account = connected(mary, marys_book, exchange=ExchangeType.BINANCE)
    store(account, "-withdraw")
    ExchangeAccount.objects.update(venue_account_id="")
    sandbox.fault("binance", {"kind": "body", "body": []}, path="/fapi/v3/balance", times=None)
    key_watch.check_keys([account.pk], rows.now())
    assert posture(account)[1].startswith("The key may withdraw money")
    assert ExchangeAccount.objects.get().venue_account_id == ""
    assert f"account {account.pk} has no id of its venue yet" in caplog.text


def test_accounts_that_turn_out_to_be_one_are_named_in_the_log(mary: User, marys_book: Portfolio, caplog: pytest.LogCaptureFixture) -> None:
    first, second = connected(mary, marys_book), connected(mary, marys_book, "Second")
    elsewhere = connected(mary, rows.portfolio("Another book", {mary: Role.MANAGER}))
    store(second, "")
    ExchangeAccount.objects.filter(pk=second.pk).update(venue_account_id="")
    key_watch.check_keys([first.pk, second.pk, elsewhere.pk], rows.now())
    assert ExchangeAccount.objects.get(pk=second.pk).venue_account_id == first.venue_account_id
    assert f"accounts {second.pk} and {first.pk} are one at the exchange" in caplog.text
    assert caplog.text.count("are one at the exchange") == 1


def test_an_id_told_for_keys_that_were_renewed_meanwhile_is_not_kept(
    mary: User, marys_book: Portfolio, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = connected(mary, marys_book)
    ExchangeAccount.objects.update(venue_account_id="")
    check_while_renewed(account, "-second", monkeypatch)
    assert ExchangeAccount.objects.get().venue_account_id == ""


def test_an_id_that_became_known_while_the_venue_was_asked_stays(
    mary: User, marys_book: Portfolio, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = connected(mary, marys_book)
    ExchangeAccount.objects.update(venue_account_id="")
    run = runtime.Runtime.run

    def known_meanwhile(self: runtime.Runtime, work: Any, *, deadline_s: float) -> Any:
        answer = run(self, work, deadline_s=deadline_s)
        ExchangeAccount.objects.update(venue_account_id="told-before")
        return answer

    with monkeypatch.context() as patched:
        patched.setattr(runtime.Runtime, "run", known_meanwhile)
        key_watch.check_keys([account.pk], rows.now())
    assert ExchangeAccount.objects.get().venue_account_id == "told-before"


def test_stored_keys_are_checked_daily_and_at_every_start(mary: User, marys_book: Portfolio) -> None:
    assert schedule.entries()["keys of every account"] == ("portfolio.tasks.check_all_keys", 86_400)
    account = connected(mary, marys_book)
    connecting.set_enabled(mary, account, is_enabled=False)
    assert key_watch.shards() == [[account.pk]]


def test_what_was_said_of_one_key_is_kept_though_that_of_another_cannot_be(
    mary: User, marys_book: Portfolio, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    first, second = connected(mary, marys_book, "First"), connected(mary, marys_book, "Second")
    for account in (first, second):
        store(account, "-withdraw")
    keep = key_watch.keep

    def locked_for_the_first(account: ExchangeAccount, *args: Any, **kwargs: Any) -> bool:
        if account == first:
            raise OperationalError("deadlock detected")
        return keep(account, *args, **kwargs)

    monkeypatch.setattr(key_watch, "keep", locked_for_the_first)
    key_watch.check_keys([first.pk, second.pk], rows.now())
    assert [posture(account)[0] for account in (first, second)] == [True, False]
    assert f"the key of account {first.pk}" in caplog.text


@pytest.mark.postgresql
def test_a_key_may_be_renewed_while_the_daily_check_writes(
    transactional_db: None, mary: User, marys_book: Portfolio, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever waits for the other: nobody waits for somebody who waits for them."""
    account = connected(mary, marys_book)
    store(account, "-withdraw")
    keep, is_writing = key_watch.keep, threading.Event()

    def keep_slowly(*args: Any, **kwargs: Any) -> bool:
        kept = keep(*args, **kwargs)
        if not is_writing.is_set():
            is_writing.set()
            eventually(lambda: connection.vendor == "sqlite" or waits_for_a_lock(), "the other one waits")
        return kept

    monkeypatch.setattr(key_watch, "keep", keep_slowly)
    with ThreadPoolExecutor(1) as threads:
        check = threads.submit(in_thread, lambda: key_watch.check_keys([account.pk], rows.now()))
        assert is_writing.wait(10)
        connecting.renew_keys(mary, connecting.account_for(mary, account.pk), keys("-ip"))
        check.result(10)
    assert posture(account) == (False, "")  # the check was about the key before: it ended trading, and its trouble went with that key


def test_what_a_venue_repeats_of_a_key_is_kept_nowhere(mary: User, marys_book: Portfolio, sandbox: Sandbox) -> None:
    """OKX names the key where it refuses an address."""
    account = connected(mary, marys_book, exchange=ExchangeType.OKX)
    said = {"code": "50110", "msg": f"Your IP 192.0.2.7 is not included in your API key's sandbox-{name()} IP whitelist.", "data": []}
    sandbox.fault("okx", {"kind": "body", "body": said}, times=None)
    key_watch.check_keys([account.pk], rows.now())
    rounds.poll_holdings([account.pk])
    kept = [posture(account)[1], AccountState.objects.get(account=account).error_message]
    assert all("API key's … IP whitelist" in words for words in kept), kept
