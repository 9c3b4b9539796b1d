"""Mappings of symbols to exchanges as programs and files bring them in: checked as a whole, everything that is wrong named at once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from exchanges.domain import ExchangeType
from exchanges.routing.patterns import RuleTerms, shown, to_exchange, to_note, to_pattern, to_targets

KEY = "symbol_exchange_mapping"
_TERMS = ("targets", "is_enabled", "note")
_SHOWN_FAULTS = 10


@dataclass(frozen=True, slots=True)
class Fault:
    """`field`: the part of one rule, or the key of a mapping; `line` of the file it came from, if from one."""

    field: str
    message: str
    line: int | None = None

    def __str__(self) -> str:
        return self.message if self.line is None else f"line {self.line}: {self.message}"


class WrongRules(Exception):
    """Nothing was changed. `faults` is everything that is wrong, in the order in which it stands there."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        self.faults = tuple(faults)
        more = len(self.faults) - _SHOWN_FAULTS
        sentences = [str(fault) for fault in self.faults[:_SHOWN_FAULTS]]
        super().__init__("; ".join([*sentences, f"and {more} more"] if more > 0 else sentences))


class Pairs(tuple["tuple[Item, Item]", ...]):
    """A mapping as it stands there, keys that are there twice included."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Item:
    """A text or another plain value, a tuple of items, or Pairs; and the line it stands in."""

    value: object
    line: int | None = None


def itemized(value: object) -> Item:
    """What a program passes."""
    if isinstance(value, Mapping):
        return Item(Pairs((Item(key), itemized(each)) for key, each in value.items()))
    if isinstance(value, list | tuple):
        return Item(tuple(itemized(each) for each in value))
    return Item(value)


def checked_rule(pattern: object, targets: Sequence[object], *, is_enabled: bool = True, note: object = "") -> tuple[str, RuleTerms]:
    """One rule, as a form or a request gives it. Raises WrongRules with a fault for each field."""
    faults: list[Fault] = []
    name, text = "", ""
    exchanges: tuple[ExchangeType, ...] = ()
    try:
        name = to_pattern(pattern)
    except ValueError as error:
        faults.append(Fault("pattern", str(error)))
    try:
        exchanges = to_targets(targets)
    except ValueError as error:
        faults.append(Fault("targets", str(error)))
    try:
        text = to_note(note)
    except ValueError as error:
        faults.append(Fault("note", str(error)))
    if faults:
        raise WrongRules(faults)
    return name, RuleTerms(exchanges, is_enabled, text)


def read_mapping(item: Item) -> dict[str, RuleTerms]:
    """Pattern to terms. A value is an exchange, a list of exchanges in order, or an object with targets, is_enabled and note; what it does
    not say is switched on and without a note. Raises WrongRules."""
    if not isinstance(item.value, Pairs):
        raise WrongRules([Fault(KEY, f"{KEY} must be a mapping of symbols to exchanges, was {_kind(item)}", item.line)])
    faults: list[Fault] = []
    rules: dict[str, RuleTerms] = {}
    for key, value in item.value:
        try:
            pattern = to_pattern(key.value)
        except ValueError as error:
            faults.append(Fault(shown(key.value), str(error), key.line))
            continue
        if pattern in rules:
            faults.append(Fault(pattern, f"{pattern} must be there once, is there again", key.line))
        rules[pattern] = _Reader(pattern, faults).terms(value)
    if faults:
        raise WrongRules(faults)
    return rules


@dataclass(frozen=True, slots=True)
class _Reader:
    """Reads what stands behind one pattern and notes the faults it finds."""

    pattern: str
    faults: list[Fault]

    def terms(self, item: Item) -> RuleTerms:
        parts = {"targets": item}
        if isinstance(item.value, Pairs):
            parts = self._parts(item.value)
            if "targets" not in parts:
                self._fault("targets is required", item)
        targets = self._targets(parts["targets"]) if "targets" in parts else ()
        is_enabled = self._switch(parts["is_enabled"]) if "is_enabled" in parts else True
        note = self._note(parts["note"]) if "note" in parts else ""
        return RuleTerms(targets, is_enabled, note)

    def _parts(self, pairs: Pairs) -> dict[str, Item]:
        parts: dict[str, Item] = {}
        for key, value in pairs:
            if not isinstance(key.value, str) or key.value not in _TERMS:
                self._fault(f"keys must be of {', '.join(_TERMS)}, one was {shown(key.value)}", key)
            elif key.value in parts:
                self._fault(f"{key.value} must be there once, is there again", key)
            else:
                parts[key.value] = value
        return parts

    def _targets(self, item: Item) -> tuple[ExchangeType, ...]:
        values = item.value if isinstance(item.value, tuple) and not isinstance(item.value, Pairs) else (item,)
        exchanges = []
        for each in values:
            try:
                exchanges.append(to_exchange(each.value))
            except ValueError:
                self._fault(f"exchange must be one of {', '.join(ExchangeType)}, was {_kind(each)}", each)
        if len(exchanges) == len(values):
            try:
                return to_targets(exchanges)
            except ValueError as error:
                self._fault(str(error), item)
        return ()

    def _switch(self, item: Item) -> bool:
        if isinstance(item.value, bool):
            return item.value
        self._fault(f"is_enabled must be true or false, was {_kind(item)}", item)
        return True

    def _note(self, item: Item) -> str:
        try:
            return to_note(item.value)
        except ValueError as error:
            self._fault(str(error), item)
            return ""

    def _fault(self, message: str, item: Item) -> None:
        self.faults.append(Fault(self.pattern, f"{self.pattern}: {message}", item.line))


def _kind(item: Item) -> str:
    if isinstance(item.value, Pairs):
        return "a mapping"
    return "a list" if isinstance(item.value, tuple) else shown(item.value)
