"""Rules as a YAML file with the key `symbol_exchange_mapping`: read to the line, written so that it reads back as what it was.

The file is taken apart node by node: nothing in it is ever built into an object, and anchors, aliases and tags are refused, so that no
file of a few lines grows into more than it is.
"""

import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

import yaml

from exchanges.models import Exchange
from exchanges.routing.entry import KEY, Fault, Item, Pairs, WrongRules, read_mapping
from exchanges.routing.patterns import RuleTerms, is_exact, shown
from exchanges.routing.rules import Change

MAX_BYTES = 1024 * 1024  # as many rules as there may be, with the longest notes
_MOST_LEVELS = 4
_BEYOND_UNICODE = re.compile(r"\\U(?!000|0010)[0-9A-Fa-f]{8}")
_BOOLEAN = "tag:yaml.org,2002:bool"


def read_file(path: Path) -> dict[str, RuleTerms]:
    """Raises WrongRules, also for a file that cannot be read."""
    try:
        with path.open("rb") as file:
            return read_policy(file.read(MAX_BYTES + 1))
    except OSError as error:
        raise WrongRules([Fault("file", f"the file cannot be read ({error.strerror})")]) from error


def read_policy(content: bytes, *, at_most: int = MAX_BYTES) -> dict[str, RuleTerms]:
    """Pattern to terms. Raises WrongRules, which names each wrong line."""
    if len(content) > at_most:
        raise WrongRules([Fault("file", f"the file must have at most {at_most // 1024} KB")])
    return read_mapping(_mapping_of(_composed(_decoded(content))))


def write_policy(rules: Mapping[str, RuleTerms]) -> str:
    """The shortest form of each rule."""
    lines = [f"  {_key(pattern)}: {_value(terms)}" for pattern, terms in sorted(rules.items(), key=lambda rule: _standing(rule[0]))]
    head = "# Routing rules: a symbol, or a pattern with *, and the exchanges that take its orders, the first one first.\n"
    return f"{head}{KEY}:\n" + "\n".join(lines) + "\n" if lines else f"{head}{KEY}: {{}}\n"


def words_of(change: Change) -> str:
    """One line: `+` new, `-` gone, `~` changed, before and after."""
    if change.before is None:
        return f"+ {change.pattern}: {terms_in_words(change.after)}"
    if change.after is None:
        return f"- {change.pattern}: {terms_in_words(change.before)}"
    return f"~ {change.pattern}: {terms_in_words(change.before)} -> {terms_in_words(change.after)}"


def terms_in_words(terms: RuleTerms | None) -> str:
    if terms is None:
        return ""
    return targets_in_words(terms.targets) + ("" if terms.is_enabled else ", switched off") + (f" ({terms.note})" if terms.note else "")


def targets_in_words(targets: Iterable[str]) -> str:
    return ", then ".join(Exchange(target).label for target in targets)


def _decoded(content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise WrongRules([Fault("file", "the file must be UTF-8 text", line)]) from error


def _composed(text: str) -> yaml.Node | None:
    """None for an empty file. Raises WrongRules for what is no YAML, or more of it than rules need."""
    try:
        _refuse_growth(text)
        root: yaml.Node | None = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise WrongRules([Fault("file", f"this is no YAML: {error.problem or error.context}", mark.line + 1 if mark else None)]) from error
    except yaml.reader.ReaderError as error:
        line = text[: error.position].count("\n") + 1
        raise WrongRules([Fault("file", f"no character {chr(error.character)!a} may be in the file", line)]) from error
    except (ValueError, OverflowError) as error:  # what PyYAML 6.0 makes of an escape beyond Unicode
        found = _BEYOND_UNICODE.search(text)
        where = text[: found.start()].count("\n") + 1 if found else None
        raise WrongRules([Fault("file", "an escape (\\U) must name a character", where)]) from error
    return root


def _refuse_growth(text: str) -> None:
    """Raises WrongRules; a file that goes deeper than any rule would also exhaust what puts it together."""
    level = 0
    for event in yaml.parse(text, Loader=yaml.SafeLoader):
        line = event.start_mark.line + 1 if event.start_mark else None
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise WrongRules(
                [Fault("file", "anchors and aliases (& and *) must be left out; a pattern that begins with * stands in quotes", line)]
            )
        if getattr(event, "tag", None):
            raise WrongRules([Fault("file", "tags (!) must be left out", line)])
        level += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if level > _MOST_LEVELS:
            raise WrongRules([Fault("file", f"the file must have at most {_MOST_LEVELS} levels", line)])


def _mapping_of(root: yaml.Node | None) -> Item:
    whole = _item(root) if root is not None else Item("", 1)
    if not isinstance(whole.value, Pairs):
        raise WrongRules([Fault("file", f"the file must be a mapping with the key {KEY}", whole.line)])
    faults = [
        Fault("file", f"keys must be {KEY} alone, one was {shown(key.value)}", key.line) for key, _ in whole.value if key.value != KEY
    ]
    found = [(key, value) for key, value in whole.value if key.value == KEY]
    faults += [Fault("file", f"{KEY} must be there once, is there again", key.line) for key, _ in found[1:]]
    if not found:
        faults.append(Fault("file", f"{KEY} is required", whole.line))
    if faults:
        raise WrongRules(sorted(faults, key=lambda fault: fault.line or 0))
    return found[0][1]


def _item(node: yaml.Node) -> Item:
    """Scalars as they are written, but for truth values; what a key is made of is judged where it is read."""
    line = node.start_mark.line + 1
    if isinstance(node, yaml.MappingNode):
        return Item(Pairs((_item(key), _item(value)) for key, value in node.value), line)
    if isinstance(node, yaml.SequenceNode):
        return Item(tuple(_item(each) for each in node.value), line)
    is_truth_value = node.tag == _BOOLEAN and node.value.lower() in ("true", "false")
    return Item(node.value.lower() == "true" if is_truth_value else node.value, line)


def _standing(pattern: str) -> tuple[bool, str]:
    return (not is_exact(pattern), pattern)


def _key(pattern: str) -> str:
    return pattern if is_exact(pattern) else json.dumps(pattern)


def _value(terms: RuleTerms) -> str:
    targets = _exchanges(terms.targets)
    if terms.is_enabled and not terms.note:
        return targets
    parts = [f"targets: {targets}"]
    if not terms.is_enabled:
        parts.append("is_enabled: false")
    if terms.note:
        parts.append(f"note: {json.dumps(terms.note, ensure_ascii=False)}")
    return f"{{{', '.join(parts)}}}"


def _exchanges(targets: Iterable[str]) -> str:
    names = [str(target) for target in targets]
    return names[0] if len(names) == 1 else f"[{', '.join(names)}]"
