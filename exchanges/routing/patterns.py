"""What a rule may say, and which symbols its pattern stands for. Pure: texts in, texts out. Every refusal is a ValueError whose sentence
begins with the field and ends with the value."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from exchanges.domain import ExchangeType
from exchanges.entry import SYMBOL_PATTERN

MAX_STARS = 2
MAX_PATTERN_LENGTH = 24
MAX_NOTE_LENGTH = 200
_SHOWN_CHARACTERS = 40
_EXACT = re.compile(SYMBOL_PATTERN)
_WITH_STARS = re.compile(r"[A-Z0-9*]+")
_FORM = (
    f"a symbol such as SOLUSDT, or letters, digits and at most {MAX_STARS} separate * such as *USDT, "
    f"{MAX_PATTERN_LENGTH} characters at most"
)


@dataclass(frozen=True, slots=True)
class RuleTerms:
    """What a rule says beside its pattern; `targets` in the order in which they are tried."""

    targets: tuple[ExchangeType, ...]
    is_enabled: bool = True
    note: str = ""


def to_pattern(text: object) -> str:
    """In upper case. Raises ValueError."""
    pattern = text.strip().upper() if isinstance(text, str) and text.isascii() else ""
    is_right = _EXACT.fullmatch(pattern) if is_exact(pattern) else _WITH_STARS.fullmatch(pattern) and "**" not in pattern
    if not is_right or len(pattern) > MAX_PATTERN_LENGTH or pattern.count("*") > MAX_STARS:
        raise ValueError(f"pattern must be {_FORM}, was {shown(text)}")
    return pattern


def to_exchange(value: object) -> ExchangeType:
    """Upper and lower case alike. Raises ValueError."""
    name = value.strip().lower() if isinstance(value, str) else ""
    if name not in list(ExchangeType):
        raise ValueError(f"targets must be of {', '.join(ExchangeType)}, one was {shown(value)}")
    return ExchangeType(name)


def to_targets(values: Iterable[object]) -> tuple[ExchangeType, ...]:
    """Raises ValueError unless they are exchanges, at least one, each once."""
    targets = tuple(to_exchange(value) for value in values)
    if not targets:
        raise ValueError("targets must name at least one exchange")
    twice = next((target for target in targets if targets.count(target) > 1), None)
    if twice is not None:
        raise ValueError(f"targets must name each exchange once, {twice} was there twice")
    return targets


def to_note(text: object) -> str:
    """Raises ValueError for what is no single line of text: a note is shown to everybody and must not break a file or turn a line round."""
    note = text.strip() if isinstance(text, str) else ""
    if not isinstance(text, str) or not note.isprintable():
        raise ValueError(f"note must be one line of text, was {shown(text)}")
    if len(note) > MAX_NOTE_LENGTH:
        raise ValueError(f"note must have at most {MAX_NOTE_LENGTH} characters, had {len(note)}")
    return note


def is_exact(pattern: str) -> bool:
    return "*" not in pattern


def literal_characters(pattern: str) -> int:
    return len(pattern) - pattern.count("*")


def matches(pattern: str, symbol: str) -> bool:
    """Both in upper case; a `*` stands for any number of characters, none too."""
    first, *others = pattern.split("*")
    if not others:
        return first == symbol
    *middle, last = others
    if len(symbol) < len(first) + len(last) or not symbol.startswith(first) or not symbol.endswith(last):
        return False
    inner = symbol[len(first) : len(symbol) - len(last)]
    return all(part in inner for part in middle)


def shown(value: object) -> str:
    """As a part of a sentence: short, in quotes, no character that could act."""
    text = "a list" if isinstance(value, tuple) else ascii(value)
    return text if len(text) <= _SHOWN_CHARACTERS else f"{text[:_SHOWN_CHARACTERS]}…"
