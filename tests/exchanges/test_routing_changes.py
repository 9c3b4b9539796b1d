"""How routing rules change: each version is kept with who, when and what it was, and nobody writes over what they have not seen."""

import threading
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.contrib.auth.models import User
from django.db import connection, transaction

from exchanges.domain import ExchangeType
from exchanges.models import RoutingTarget
from exchanges.routing import RuleTerms, WrongRules, rules, set_symbol_exchange_mapping
from exchanges.routing.history import versions
from exchanges.routing.rules import Author, Door, NoSuchRule, RuleChanged
from tests.exchanges.test_routing import BINANCE, BY, BYBIT, OKX, patterns, put
from tests.portfolio.desk import eventually, waits_for_a_lock

pytestmark = pytest.mark.postgresql


def test_each_change_is_kept_with_who_when_and_what_it_was(db: None) -> None:
    alice = User.objects.create(username="alice")
    by_alice = Author(alice, Door.PAGE)
    rules.put("SOLUSDT", RuleTerms((BYBIT, OKX), note="first"), by=by_alice)
    rules.put("SOLUSDT", RuleTerms((BYBIT, OKX), note="first"), by=by_alice)  # says it already
    rules.put("SOLUSDT", RuleTerms((OKX,), is_enabled=False), by=Author(door=Door.COMMAND))
    rules.delete("SOLUSDT", by=by_alice)
    kept = versions("SOLUSDT")[0]
    assert [(each.version, each.what, each.who, each.door) for each in kept] == [
        (2, "deleted", "alice", "in the page"),
        (2, "changed", "", "manage.py routing import"),
        (1, "added", "alice", "in the page"),
    ]
    assert [each.terms for each in kept] == [
        RuleTerms((OKX,), is_enabled=False),
        RuleTerms((OKX,), is_enabled=False),
        RuleTerms((BYBIT, OKX), note="first"),
    ]
    assert kept[0].at >= kept[1].at >= kept[2].at
    # Every row of it is signed, those of the targets too.
    assert {row.history_change_reason for row in RoutingTarget.history.all()} == {"in the page", "manage.py routing import"}


def test_a_rule_made_again_is_another_rule(db: None) -> None:
    first = put("SOLUSDT", BYBIT)
    rules.delete("SOLUSDT", by=BY)
    again = put("SOLUSDT", OKX)
    assert again.pk != first.pk
    assert [(each.version, each.terms.targets) for each in versions("SOLUSDT")[0]] == [(2, (OKX,)), (1, (BYBIT,)), (1, (BYBIT,))]


def test_a_rule_that_was_deleted_and_made_again_is_not_taken_for_the_one_that_was_seen(db: None) -> None:
    seen = put("SOLUSDT", BYBIT).version
    rules.delete("SOLUSDT", by=BY)
    put("SOLUSDT", OKX)
    with pytest.raises(RuleChanged, match="changed meanwhile"):
        rules.put("SOLUSDT", RuleTerms((BINANCE,)), by=BY, seen_version=seen)
    with pytest.raises(RuleChanged):
        rules.delete("SOLUSDT", by=BY, seen_version=seen)
    assert patterns() == {"SOLUSDT": (OKX,)}


def test_what_was_changed_meanwhile_is_not_written_over(db: None) -> None:
    put("SOLUSDT", BYBIT)
    put("SOLUSDT", OKX)
    terms = RuleTerms((BINANCE,))
    for seen, words in ((1, "changed meanwhile: it is at version 2"), (0, "There is a rule SOLUSDT already")):
        with pytest.raises(RuleChanged, match=words):
            rules.put("SOLUSDT", terms, by=BY, seen_version=seen)
    with pytest.raises(RuleChanged):
        rules.delete("SOLUSDT", by=BY, seen_version=1)
    with pytest.raises(RuleChanged, match="deleted meanwhile"):
        rules.put("ADAUSDT", terms, by=BY, seen_version=3)
    with pytest.raises(NoSuchRule):
        rules.delete("ADAUSDT", by=BY)
    assert patterns() == {"SOLUSDT": (OKX,)}


def test_a_plan_that_no_longer_holds_is_not_carried_out(db: None) -> None:
    mapping = {"SOLUSDT": RuleTerms((BYBIT,))}
    agreed = rules.plan(mapping)
    put("ADAUSDT", OKX)
    with pytest.raises(RuleChanged):
        rules.apply(mapping, by=BY, agreed=agreed)
    assert set(patterns()) == {"ADAUSDT"}
    assert len(rules.apply(mapping, by=BY, agreed=rules.plan(mapping))) == 2


def test_there_are_not_more_rules_than_can_be_exported(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rules, "MAX_RULES", 2)
    set_symbol_exchange_mapping({"SOLUSDT": "bybit", "ADAUSDT": "okx"})
    with pytest.raises(WrongRules, match="at most 2 rules, this would make 3"):
        put("BTCUSDT", OKX)
    with pytest.raises(WrongRules, match="this would make 4"):
        set_symbol_exchange_mapping({"BTCUSDT": "okx", "BNBUSDT": "okx", "*USDT": "okx", "ETH*": "okx"})
    put("SOLUSDT", OKX)
    set_symbol_exchange_mapping({"BTCUSDT": "okx", "BNBUSDT": "okx"})
    assert set(patterns()) == {"BTCUSDT", "BNBUSDT"}


@pytest.mark.django_db(transaction=True)
def test_writers_at_the_same_time_leave_whole_rules_with_a_version_each() -> None:
    def write(targets: Iterable[ExchangeType]) -> None:
        try:
            for _ in range(3):
                put("SOLUSDT", *targets)
        finally:
            connection.close()

    put("SOLUSDT", BINANCE)
    with ThreadPoolExecutor(2) as threads:
        assert list(threads.map(write, ((BYBIT, OKX), (OKX, BINANCE, BYBIT)))) == [None, None]  # raises what a writer has raised
    kept = versions("SOLUSDT")[0]
    assert len(kept) >= 3
    assert [each.version for each in kept] == list(range(len(kept), 0, -1))
    assert all(each.terms.targets in ((BINANCE,), (BYBIT, OKX), (OKX, BINANCE, BYBIT)) for each in kept)
    assert rules.present()["SOLUSDT"] == kept[0].terms


@pytest.mark.django_db(transaction=True)
def test_an_import_says_what_it_did_though_a_rule_was_made_while_it_waited() -> None:
    """The other one holds a rule of the import, and makes another before it lets go."""
    put("SOLUSDT", BINANCE)
    is_held = threading.Event()

    def hold() -> None:
        try:
            with transaction.atomic():
                put("SOLUSDT", BYBIT)
                is_held.set()
                put("ADAUSDT", OKX)
                eventually(lambda: connection.vendor == "sqlite" or waits_for_a_lock(), "the import waits for the rule")
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as threads:
        other = threads.submit(hold)
        assert is_held.wait(10)
        try:
            said = {change.pattern for change in rules.apply({"SOLUSDT": RuleTerms((OKX,))}, by=BY) if change.after is None}
        except RuleChanged:
            said = set()
        other.result(10)
    assert said == {"ADAUSDT"} - set(patterns())
