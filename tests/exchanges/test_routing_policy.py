"""Rules as YAML: what reads back, what a wrong file says of its lines, and the command that brings files in and out."""

import io
import time
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from hypothesis import given, settings
from hypothesis import strategies as st

from exchanges.domain import ExchangeType
from exchanges.models import RoutingRule
from exchanges.routing import Fault, RuleTerms, WrongRules, load_symbol_mapping_from_policy, policy, rules
from exchanges.routing.history import versions
from exchanges.routing.rules import Author

BINANCE, BYBIT, OKX = ExchangeType

GOOD = """
# Where what goes.
symbol_exchange_mapping:
  SOLUSDT: bybit
  adausdt: [OKX, binance]
  "*USDT":
    - okx
    - bybit
  1000PEPEUSDT: {targets: okx, is_enabled: false, note: "mind the \\"unit\\": 1000"}
  '*': {targets: [binance], note: yes}
"""
READ = {
    "SOLUSDT": RuleTerms((BYBIT,)),
    "ADAUSDT": RuleTerms((OKX, BINANCE)),
    "*USDT": RuleTerms((OKX, BYBIT)),
    "1000PEPEUSDT": RuleTerms((OKX,), is_enabled=False, note='mind the "unit": 1000'),
    "*": RuleTerms((BINANCE,), note="yes"),
}

terms = st.builds(
    RuleTerms,
    st.lists(st.sampled_from(ExchangeType), min_size=1, max_size=3, unique=True).map(tuple),
    st.booleans(),
    st.text(max_size=40).map(str.strip).filter(str.isprintable),
)
names = st.from_regex(r"[A-Z0-9]{1,20}USDT|[A-Z0-9]{0,10}\*[A-Z0-9]{1,8}\*?", fullmatch=True)


def read(text: str) -> dict[str, RuleTerms]:
    return policy.read_policy(text.encode())


def test_a_file_says_which_symbols_go_where_in_short_and_in_long() -> None:
    assert read(GOOD) == READ
    assert read("\ufeff" + GOOD.replace("\n", "\r\n")) == READ


@settings(max_examples=40)
@given(st.dictionaries(names, terms, max_size=6))
def test_what_is_written_reads_back_as_what_it_was(mapping: dict[str, RuleTerms]) -> None:
    assert read(policy.write_policy(mapping)) == mapping


def test_a_short_rule_is_written_short_and_exact_rules_first() -> None:
    assert policy.write_policy(READ).splitlines()[1:] == [
        "symbol_exchange_mapping:",
        '  1000PEPEUSDT: {targets: okx, is_enabled: false, note: "mind the \\"unit\\": 1000"}',
        "  ADAUSDT: [okx, binance]",
        "  SOLUSDT: bybit",
        '  "*": {targets: binance, note: "yes"}',
        '  "*USDT": [okx, bybit]',
    ]
    assert read(policy.write_policy({})) == {}


KEY = "symbol_exchange_mapping:\n"
WRONG: list[tuple[str, list[str]]] = [
    ("", ["line 1: the file must be a mapping with the key symbol_exchange_mapping"]),
    ("- SOLUSDT", ["line 1: the file must be a mapping"]),
    ("# nothing\n{}", ["line 2: symbol_exchange_mapping is required"]),
    (KEY, ["line 1: symbol_exchange_mapping must be a mapping of symbols to exchanges, was ''"]),
    (KEY + "  SOLUSDT: bybit\n  ADAUSDT: [okx\n", ["line 4: this is no YAML: "]),
    (KEY + "  SOLUSDT: bybit\n\tADAUSDT: okx\n", ["line 3: this is no YAML: "]),
    (KEY + "  SOLUSDT: bybit\n  solusdt: okx\n", ["line 3: SOLUSDT must be there once, is there again"]),
    (
        KEY + "  SOLUSDT: bitmex\n  ADAUSDT:\n    - okx\n    - ftx\n",
        ["line 2: SOLUSDT: exchange must be one", "line 5: ADAUSDT: exchange must"],
    ),
    (KEY + "  SOL-USDT: okx\n  SOL: okx\n", ["line 2: pattern must be a symbol", "line 3: pattern must be a symbol"]),
    (KEY + "  SOLUSDT: {targets: okx,\n    exchange: okx}\n", ["line 3: SOLUSDT: keys must be of targets, is_enabled, note"]),
    (KEY + "  SOLUSDT: {targets: okx, targets: okx}\n", ["line 2: SOLUSDT: targets must be there once"]),
    (KEY + "  SOLUSDT: {note: x}\n", ["line 2: SOLUSDT: targets is required"]),
    (KEY + "  SOLUSDT: {targets: okx, is_enabled: on}\n", ["line 2: SOLUSDT: is_enabled must be true or false, was 'on'"]),
    (KEY + '  SOLUSDT: {targets: okx, note: "a\\nb"}\n', ["line 2: SOLUSDT: note must be one line of text"]),
    (KEY + '  SOLUSDT: {targets: okx, note: "\\u202ex"}\n', ["line 2: SOLUSDT: note must be one line of text"]),
    ("mapping: {}\n" + KEY + "  SOLUSDT: okx\n", ["line 1: keys must be symbol_exchange_mapping alone, one was 'mapping'"]),
    (KEY + "  SOLUSDT: okx\n" + KEY + "  ADAUSDT: okx\n", ["line 3: symbol_exchange_mapping must be there once"]),
    (KEY + "  SOLUSDT: okx\n---\nx: 1\n", ["line 3: this is no YAML: "]),
    (KEY + "  *USDT: okx\n", ["line 2: anchors and aliases (& and *) must be left out; a pattern that begins with * stands in quotes"]),
    (KEY + "  SOLUSDT: &a okx\n  ADAUSDT: *a\n", ["line 2: anchors and aliases"]),
    (KEY + "  <<: {SOLUSDT: okx}\n", ["line 2: pattern must be a symbol"]),
    (KEY + "  SOLUSDT: !!python/object/apply:os.system [true]\n", ["line 2: tags (!) must be left out"]),
    (KEY + "  SOLUSDT: !x okx\n", ["line 2: tags (!) must be left out"]),
    (KEY + "  ? [SOLUSDT]\n  : okx\n", ["line 2: pattern must be a symbol such as"]),
    (KEY + '  SOLUSDT: okx\n  ADAUSDT: "\\U00110000"\n', ["line 3: an escape (\\U) must name a character"]),
    (KEY + '  "\\UFFFFFFFF": okx\n', ["line 2: an escape (\\U) must name a character"]),
    (KEY + "  SOLUSDT: \x00\n", ["line 2: no character '\\x00' may be in the file"]),
    (KEY + "  SOLUSDT: " + "[" * 50_000, ["line 2: the file must have at most 4 levels"]),
    (KEY + "  SOLUSDT: okx\n" * 70_000, ["the file must have at most 1024 KB"]),
]


@pytest.mark.parametrize(("text", "sentences"), WRONG, ids=lambda value: repr(value)[:40])
def test_a_wrong_file_names_each_wrong_line(text: str, sentences: list[str]) -> None:
    with pytest.raises(WrongRules) as refusal:
        read(text)
    found = [str(fault) for fault in refusal.value.faults]
    assert [sentence for sentence, message in zip(sentences, found, strict=True) if not message.startswith(sentence)] == [], found


def test_what_is_no_utf_8_names_its_line() -> None:
    with pytest.raises(WrongRules, match=r"^line 2: the file must be UTF-8 text$"):
        policy.read_policy(KEY.encode() + b"  SOLUSDT: \xff\xfe\n")
    with pytest.raises(WrongRules, match="line 1: "):
        policy.read_policy(GOOD.encode("utf-16"))


def test_a_bomb_of_aliases_is_refused_before_it_grows() -> None:
    bomb = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
        f"{name}: &{name} [{','.join(['*' + before] * 9)}]\n" for before, name in zip("abcdefgh", "bcdefghi", strict=True)
    )
    began = time.process_time()
    with pytest.raises(WrongRules, match="line 1: anchors and aliases"):
        read(bomb)
    assert time.process_time() - began < 0.5


@given(st.text(max_size=80) | st.text("{}[]:,-*&!?|>'\"# \nabSOLUSDT\\Ux0123F", max_size=80).map(lambda text: KEY + "  " + text))
def test_no_text_breaks_the_reader(text: str) -> None:
    faults: tuple[Fault, ...] = ()
    try:
        read(text)
    except WrongRules as error:
        faults = error.faults
    assert all(fault.message.isprintable() for fault in faults)


def routing(what: str, file: Path | str) -> str:
    out = io.StringIO()
    call_command("routing", what, str(file), stdout=out)
    return out.getvalue()


def status_of(what: str, file: Path) -> int:
    try:
        routing(what, file)
    except SystemExit as end:
        return int(str(end.code))
    except CommandError as error:
        return error.returncode
    return 0


def test_the_command_imports_and_says_what_it_changed(db: None, tmp_path: Path) -> None:
    file = tmp_path / "policy.yaml"
    file.write_text(GOOD)
    rules.put("BNBUSDT", RuleTerms((OKX,)), by=Author())
    rules.put("SOLUSDT", RuleTerms((OKX,)), by=Author())
    lines = routing("import", file).splitlines()
    assert lines[1:] == [
        "+ *USDT: OKX, then Bybit",
        '+ 1000PEPEUSDT: OKX, switched off (mind the "unit": 1000)',
        "+ ADAUSDT: OKX, then Binance",
        "- BNBUSDT: OKX",
        "~ SOLUSDT: OKX -> Bybit",
        "6 of the rules changed.",
    ]
    assert rules.present() == READ
    assert routing("import", file) == "Nothing to change.\n"
    assert {each.door for each in versions("ADAUSDT")[0]} == {"manage.py routing import"}


def test_what_is_exported_imports_to_the_same(db: None, tmp_path: Path) -> None:
    for pattern, each in READ.items():
        rules.put(pattern, each, by=Author())
    file = tmp_path / "out.yaml"
    assert routing("export", file) == ""
    assert file.read_text() == routing("export", "-")
    assert status_of("diff", file) == 0
    load_symbol_mapping_from_policy({"symbol_exchange_mapping": {}})
    RoutingRule.objects.all().delete()
    routing("import", file)
    assert rules.present() == READ


def test_diff_changes_nothing_and_its_status_says_whether_an_import_would(db: None, tmp_path: Path, capsys: Any) -> None:
    file = tmp_path / "policy.yaml"
    file.write_text(KEY + "  SOLUSDT: okx\n")
    assert status_of("diff", file) == 1
    assert not RoutingRule.objects.exists()
    routing("import", file)
    assert status_of("diff", file) == 0
    file.write_text(KEY + "  SOLUSDT: bybit\n  ADAUSDT: nyse\n")
    assert status_of("diff", file) == 2


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (KEY + "  SOLUSDT: bybit\n  ADAUSDT: nyse\n", "is wrong, nothing was changed: line 3: ADAUSDT: exchange must be one of"),
        (KEY + "".join(f"  S{n}USDT: x\n" for n in range(15)), "; and 5 more"),
        (None, "the file cannot be read (No such file or directory)"),
    ],
)
def test_a_wrong_file_changes_nothing_and_is_one_line(db: None, tmp_path: Path, content: str | None, words: str) -> None:
    rules.put("BNBUSDT", RuleTerms((OKX,)), by=Author())
    file = tmp_path / "policy.yaml"
    if content is not None:
        file.write_text(content)
    for what in ("import", "diff"):
        with pytest.raises(CommandError) as refusal:
            routing(what, file)
        assert str(refusal.value).startswith(str(file))
        assert words in str(refusal.value)
        assert "\n" not in str(refusal.value)
    assert list(rules.present()) == ["BNBUSDT"]


def test_more_rules_than_there_may_be_are_refused_in_a_sentence(db: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rules, "MAX_RULES", 1)
    file = tmp_path / "policy.yaml"
    file.write_text(KEY + "  SOLUSDT: bybit\n  ADAUSDT: okx\n")
    with pytest.raises(CommandError, match=r"is wrong, nothing was changed: there may be at most 1 rules, this would make 2$") as refusal:
        routing("import", file)
    assert refusal.value.returncode == 2
    assert not rules.present()


def test_an_export_to_where_nothing_can_be_written_is_a_sentence(db: None, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=r"cannot be written \(Is a directory\)\.$"):
        routing("export", tmp_path)
