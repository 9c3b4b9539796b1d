"""Connected accounts are looked after by managers alone, and retired without a trace of their keys (S1, S53)."""

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection

from exchanges import accounts
from exchanges.models import Credential, Environment, ExchangeAccount
from portfolio import connecting, key_check, publish, rounds
from portfolio.access import NotPermitted
from portfolio.execution.refusals import NotFound
from portfolio.models import Balance, EquityPoint, Membership, Portfolio, PortfolioAccount, Role
from tests.dashboard import rows
from tests.portfolio.desk import eventually, in_thread, waits_for_a_lock
from tests.portfolio.managing import connected, keys, name, place, refusal


def test_only_managers_do_any_of_it(mary: User, marys_book: Portfolio) -> None:
    account = connected(mary, marys_book)
    tom, stella = rows.person("tom"), rows.person("stella")
    membership = Membership.objects.create(portfolio=marys_book, user=tom, role=Role.TRADER)
    version = Credential.objects.get().version
    for attempt in (
        lambda: connecting.try_out(tom, marys_book, place(), keys()),
        lambda: connecting.connect(tom, marys_book, place(), "Mine", keys()),
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


def test_keys_are_renewed_after_they_were_tried(mary: User, marys_book: Portfolio) -> None:
    account = connected(mary, marys_book)
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


def test_keys_of_another_account_are_not_put_in_the_place_of_these(mary: User, marys_book: Portfolio) -> None:
    account = connected(mary, marys_book)
    known = account.venue_account_id
    with refusal("another_account") as refused:
        connecting.renew_keys(mary, connecting.account_for(mary, account.pk), keys("-second"))
    assert "same bybit account" in refused.value.message
    kept = connecting.account_for(mary, account.pk)
    assert (kept.venue_account_id, kept.credential.version) == (known, 1)


def test_an_account_that_was_not_known_by_id_is_from_its_next_keys_on(mary: User, marys_book: Portfolio) -> None:
    account, second = connected(mary, marys_book), connected(mary, marys_book, "Second")
    known = account.venue_account_id
    ExchangeAccount.objects.filter(pk=account.pk).update(venue_account_id="")
    with refusal("account_connected_already") as refused:
        connecting.renew_keys(mary, connecting.account_for(mary, account.pk), keys("-second"))
    assert second.label in refused.value.message
    assert Credential.objects.get(account=account).version == 1
    connecting.renew_keys(mary, connecting.account_for(mary, account.pk), keys("-ip"))
    assert ExchangeAccount.objects.get(pk=account.pk).venue_account_id == known


def test_accounts_of_which_the_venue_tells_no_id_are_not_taken_for_one(
    mary: User, marys_book: Portfolio, monkeypatch: pytest.MonkeyPatch
) -> None:
    named = connected(mary, marys_book)
    try_keys = key_check.try_keys
    monkeypatch.setattr(key_check, "try_keys", lambda *args: replace(try_keys(*args), venue_account_id=""))
    connecting.renew_keys(mary, connecting.account_for(mary, named.pk), keys("-ip"))
    assert ExchangeAccount.objects.get(pk=named.pk).venue_account_id == named.venue_account_id
    nameless = [connected(mary, marys_book, label) for label in ("Second", "Third")]
    assert [account.venue_account_id for account in nameless] == ["", ""]


def test_an_id_that_became_known_while_the_venue_was_asked_counts(
    mary: User, marys_book: Portfolio, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = connected(mary, marys_book)
    ExchangeAccount.objects.update(venue_account_id="")
    before, try_keys = connecting.account_for(mary, account.pk), key_check.try_keys

    def known_meanwhile(*args: Any) -> key_check.Findings:
        found = try_keys(*args)
        ExchangeAccount.objects.update(venue_account_id=account.venue_account_id)
        return found

    monkeypatch.setattr(key_check, "try_keys", known_meanwhile)
    with refusal("another_account"):
        connecting.renew_keys(mary, before, keys("-second"))


def test_switches(mary: User, marys_book: Portfolio) -> None:
    account = connected(mary, marys_book)
    second = connected(mary, marys_book, "Second")
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
    real = rows.portfolio("Real money", {mary: Role.MANAGER}, Environment.LIVE)
    account = rows.account(real, can_trade=False)
    accounts.store_credential(account, api_key="key-of-nobody", api_secret="secret")
    with refusal("live_is_read_only"):
        connecting.set_trading(mary, connecting.account_for(mary, account.pk), is_enabled=True)


def test_an_account_without_history_is_gone_and_one_with_history_is_kept_without_its_keys(mary: User, marys_book: Portfolio) -> None:
    fresh, used = connected(mary, marys_book, "Fresh"), connected(mary, marys_book, "Used")
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
    assert connected(mary, marys_book, "Used").portfolio_link.is_default  # the label is free again


def test_an_account_whose_order_is_being_sent_is_not_archived(mary: User, marys_book: Portfolio) -> None:
    account = connected(mary, marys_book)
    rows.order(account, state="SUBMITTING")
    with refusal("order_under_way"):
        connecting.archive(mary, account, "Main")
    assert Credential.objects.exists()


@pytest.mark.postgresql
def test_an_account_may_be_archived_while_a_poll_of_it_is_stored(
    transactional_db: None, mary: User, marys_book: Portfolio, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Whoever waits for the other: nobody waits for somebody who waits for them."""
    account = connected(mary, marys_book)
    rounds.poll_holdings([account.pk])
    EquityPoint.objects.create(account=account, minute=rows.now(), equity_usd=1, is_stale=False)
    book_changed, is_storing = publish.book_changed, threading.Event()

    def tell_slowly(account_ids: list[int]) -> None:
        if threading.current_thread().name.startswith("poll"):
            is_storing.set()
            eventually(lambda: connection.vendor == "sqlite" or waits_for_a_lock(), "the other one waits")
        book_changed(account_ids)

    monkeypatch.setattr(publish, "book_changed", tell_slowly)
    with ThreadPoolExecutor(1, "poll") as threads:
        poll = threads.submit(in_thread, lambda: rounds.poll_holdings([account.pk]))
        assert is_storing.wait(10)
        assert connecting.archive(mary, account, "Main")
        poll.result(10)
    assert "could not be stored" not in caplog.text
    assert not Balance.objects.exists()
