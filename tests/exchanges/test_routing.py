"""Which exchange a symbol is routed to, and how the rules are kept: by the contract's names, and by every rule of precedence."""

import threading
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.contrib.auth.models import User
from django.db import connection, transaction

from exchanges.domain import ExchangeType
from exchanges.models import RoutingRule, RoutingTarget
from exchanges.routing import (
    RuleTerms,
    WrongRules,
    load_symbol_mapping_from_policy,
    resolve_exchange_for_symbol,
    route,
    rules,
    set_symbol_exchange_mapping,
)
from exchanges.routing.history import versions
from exchanges.routing.patterns import MAX_NOTE_LENGTH, MAX_PATTERN_LENGTH, matches
from exchanges.routing.resolution import by_precedence
from exchanges.routing.rules import Author, Door, NoSuchRule, RuleChanged
from tests.portfolio.desk import eventually, waits_for_a_lock

pytestmark = pytest.mark.postgresql

BINANCE, BYBIT, OKX = ExchangeType
BY = Author()


def put(pattern: str, *targets: ExchangeType, is_enabled: bool = True, note: str = "") -> RoutingRule:
    return rules.put(pattern, RuleTerms(targets, is_enabled, note), by=BY)


def test_symbol_routing_default(db: None) -> None:
    assert resolve_exchange_for_symbol("BTCUSDT") is ExchangeType.BINANCE
    way = route("BTCUSDT")
    assert (way.symbol, way.targets, way.rule) == ("BTCUSDT", (BINANCE,), None)
    assert way.reasons == ("No rule matches BTCUSDT: the default is Binance.",)


def test_symbol_routing_custom(db: None) -> None:
    set_symbol_exchange_mapping({"SOLUSDT": ExchangeType.BYBIT, "ADAUSDT": "okx", "ETHUSDT": ["okx", ExchangeType.BYBIT]})
    assert [resolve_exchange_for_symbol(symbol) for symbol in ("SOLUSDT", "ADAUSDT", "ETHUSDT", "BTCUSDT")] == [BYBIT, OKX, OKX, BINANCE]
    assert route("ETHUSDT").targets == (OKX, BYBIT)
    assert route("ETHUSDT").reasons == ("Rule ETHUSDT names OKX, then Bybit.",)


def test_symbol_routing_case_insensitive(db: None) -> None:
    set_symbol_exchange_mapping({"solUsdt": "ByBit"})
    put("*USDT", OKX)
    assert [resolve_exchange_for_symbol(symbol) for symbol in ("SOLUSDT", "solusdt", " SolUSDT ", "adausdt")] == [BYBIT, BYBIT, BYBIT, OKX]
    assert RoutingRule.objects.filter(pattern="SOLUSDT").exists()


@pytest.mark.parametrize(
    ("patterns", "symbol", "chosen"),
    [
        (["*USDT", "SOL*", "SOLUSDT"], "SOLUSDT", "SOLUSDT"),
        (["*USDT", "SOL*", "S*USDT"], "SOLUSDT", "S*USDT"),
        (["*USDT", "*"], "SOLUSDT", "*USDT"),
        (["*LUSDT", "SOLUSD*"], "SOLUSDT", "SOLUSD*"),
        (["SOLU*", "*USDT"], "SOLUSDT", "*USDT"),  # as many literal characters: alphabetical, and * comes before letters
        (["S*SDT", "SO*DT"], "SOLUSDT", "S*SDT"),
        (["1000*", "*PEPE*"], "1000PEPEUSDT", "*PEPE*"),
        (["ETH*"], "SOLUSDT", None),
    ],
)
def test_the_rule_that_says_most_decides(db: None, patterns: list[str], symbol: str, chosen: str | None) -> None:
    for order in (patterns, patterns[::-1]):
        RoutingRule.objects.all().delete()
        for pattern in order:
            put(pattern, OKX)
        applied = route(symbol).rule
        assert (applied.pattern if applied else None) == chosen


def test_rules_can_be_listed_as_they_are_asked(db: None) -> None:
    listed = ["ADAUSDT", "BTCUSDT", "1000PEPE*", "*USDT", "SOL*", "*"]
    for pattern in sorted(listed):
        put(pattern, OKX)
    assert [rule.pattern for rule in by_precedence(RoutingRule.objects.all())] == listed


def test_rules_are_listed_as_they_are_asked_whatever_the_language_of_the_database(db: None) -> None:
    """Most languages sort as if a * were not there."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("CREATE COLLATION blind (provider = icu, locale = 'en-u-ka-shifted')")
            cursor.execute("ALTER TABLE exchanges_routingrule ALTER COLUMN pattern TYPE varchar(24) COLLATE blind")
    for pattern in ("SOLU*", "*USDT"):
        put(pattern, OKX)
    assert [rule.pattern for rule in by_precedence(RoutingRule.objects.all())] == ["*USDT", "SOLU*"]
    assert route("SOLUSDT").reasons == ("Rule *USDT matches SOLUSDT and names OKX.",)


@pytest.mark.parametrize(
    ("pattern", "symbol", "does_match"),
    [
        ("*", "SOLUSDT", True),
        ("*USDT", "USDT", True),
        ("SOL*USDT", "SOLUSDT", True),
        ("SOL*LUSDT", "SOLUSDT", False),  # the same letter cannot be used twice
        ("*SOL*", "1000SOLUSDT", True),
        ("S*L*T", "SOLUSDT", True),
        ("S*USDT*T", "SOLUSDT", False),
        ("OL*", "SOLUSDT", False),
        ("SOLUSDT", "SOLUSDT1", False),
    ],
)
def test_a_star_stands_for_any_number_of_characters(pattern: str, symbol: str, does_match: bool) -> None:
    assert matches(pattern, symbol) is does_match


def test_a_rule_that_is_switched_off_decides_nothing_and_says_so(db: None) -> None:
    put("SOLUSDT", BYBIT, is_enabled=False)
    assert route("SOLUSDT").reasons == ("Rule SOLUSDT is switched off.", "No rule in force matches SOLUSDT: the default is Binance.")
    put("SOL*", OKX)
    put("*", BYBIT, is_enabled=False)  # would not have decided
    assert route("SOLUSDT").reasons == ("Rule SOLUSDT is switched off.", "Rule SOL* matches SOLUSDT and names OKX.")


@pytest.mark.parametrize("symbol", ["", "*", "x" * 5000, "\x00", "＊", "'; DROP TABLE", "SOL*"])
def test_what_is_no_symbol_goes_where_a_symbol_without_a_rule_goes(db: None, symbol: str) -> None:
    put("SOL*", OKX)
    assert resolve_exchange_for_symbol(symbol) is (OKX if symbol == "SOL*" else BINANCE)


def patterns() -> dict[str, tuple[ExchangeType, ...]]:
    return {pattern: terms.targets for pattern, terms in rules.present().items()}


def test_a_mapping_replaces_the_exact_rules_and_sets_its_patterns_one_by_one(db: None) -> None:
    put("SOLUSDT", BYBIT)
    put("*USDT", OKX)
    put("ETH*", OKX)
    set_symbol_exchange_mapping({"ADAUSDT": "okx", "ETH*": ["bybit", "okx"]})
    assert patterns() == {"*USDT": (OKX,), "ADAUSDT": (OKX,), "ETH*": (BYBIT, OKX)}
    set_symbol_exchange_mapping({})
    assert set(patterns()) == {"*USDT", "ETH*"}


def test_a_mapping_that_says_what_is_there_changes_nothing(db: None) -> None:
    for _ in range(2):
        set_symbol_exchange_mapping({"SOLUSDT": "bybit", "*USDT": ["okx", "binance"]})
    assert set(RoutingRule.objects.values_list("version", flat=True)) == {1}
    assert RoutingRule.history.count() == 2


WRONG: list[tuple[object, list[str]]] = [
    ({"SOLUSDT": "bitmex"}, ["SOLUSDT: exchange must be one of binance, bybit, okx, was 'bitmex'"]),
    ({"SOLUSDT": []}, ["SOLUSDT: targets must name at least one exchange"]),
    ({"SOLUSDT": ["okx", "OKX"]}, ["SOLUSDT: targets must name each exchange once, okx was there twice"]),
    ({"SOLUSDT": None}, ["SOLUSDT: exchange must be one of binance, bybit, okx, was None"]),
    ({"SOLUSDT": [["okx"]]}, ["SOLUSDT: exchange must be one of binance, bybit, okx, was a list"]),
    ({"SOLUSDT": {"exchange": "okx"}}, ["SOLUSDT: keys must be of targets", "SOLUSDT: targets is required"]),
    ({"SOLUSDT": "okx", "solusdt": "bybit"}, ["SOLUSDT must be there once, is there again"]),
    ({"SOL": "okx", 5: "okx", "": "okx"}, ["was 'SOL'", "was 5", "was ''"]),
    (
        {"***": "okx", "**": "okx", "*A*B*": "okx", "S-*": "okx", "A" * 21 + "USDT": "okx", "ＳOLUSDT": "okx"},
        ["pattern must be a symbol"] * 6,
    ),
    ([("SOLUSDT", "okx")], ["symbol_exchange_mapping must be a mapping"]),
    ({"X": "okx", "SOLUSDT": {"targets": "mtgox", "is_enabled": 1, "note": "a\nb"}}, ["'X'", "'mtgox'", "true or false", "one line"]),
]


@pytest.mark.parametrize(("mapping", "sentences"), WRONG)
def test_wrong_input_changes_nothing_and_all_that_is_wrong_is_named(db: None, mapping: object, sentences: list[str]) -> None:
    put("BNBUSDT", BYBIT)
    for call, value in ((set_symbol_exchange_mapping, mapping), (load_symbol_mapping_from_policy, {"symbol_exchange_mapping": mapping})):
        with pytest.raises(WrongRules) as refusal:
            call(value)  # type: ignore[arg-type]
        found = [fault.message for fault in refusal.value.faults]
        assert len(found) == len(sentences), found
        assert all(sentence in message for sentence, message in zip(sentences, found, strict=True)), found
    assert patterns() == {"BNBUSDT": (BYBIT,)}


def test_a_policy_may_say_other_things_and_nothing_of_routing(db: None) -> None:
    load_symbol_mapping_from_policy({"symbol_exchange_mapping": {"SOLUSDT": "bybit"}, "limits": {}})
    load_symbol_mapping_from_policy({"limits": {}})
    assert patterns() == {"SOLUSDT": (BYBIT,)}
    with pytest.raises(WrongRules, match="policy must be a mapping"):
        load_symbol_mapping_from_policy([])  # type: ignore[arg-type]


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


def test_the_columns_hold_what_the_rules_allow() -> None:
    lengths = {field.name: field.max_length for field in RoutingRule._meta.fields if field.name in ("pattern", "note")}
    assert lengths == {"pattern": MAX_PATTERN_LENGTH, "note": MAX_NOTE_LENGTH}
