"""Which exchange a symbol is routed to: by the contract's names, and by every rule of precedence."""

import pytest
from django.db import connection

from exchanges.domain import ExchangeType
from exchanges.models import RoutingRule
from exchanges.routing import (
    RuleTerms,
    WrongRules,
    load_symbol_mapping_from_policy,
    resolve_exchange_for_symbol,
    route,
    rules,
    set_symbol_exchange_mapping,
)
from exchanges.routing.patterns import MAX_NOTE_LENGTH, MAX_PATTERN_LENGTH, matches
from exchanges.routing.resolution import by_precedence
from exchanges.routing.rules import Author

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


def test_the_columns_hold_what_the_rules_allow() -> None:
    lengths = {field.name: field.max_length for field in RoutingRule._meta.fields if field.name in ("pattern", "note")}
    assert lengths == {"pattern": MAX_PATTERN_LENGTH, "note": MAX_NOTE_LENGTH}
