"""The engine's statement as the venue keeps it: lines that it tells as one bill, with what each left of the account's cash, of the
margin set aside for an isolated position, and of the position itself."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from typing import NamedTuple

from exchanges.sandbox.model import ZERO, Entry, EntryKind, Fill, MarginMode, PositionKey
from exchanges.sandbox.okx.endpoint import PrivateCall
from exchanges.sandbox.okx.wire import bill_id


class Bill(NamedTuple):
    """`fill` is the execution that brought it, if one did; `cash` (without the margin of isolated positions), `margin` (of its position,
    where that is isolated) and `held` (signed) are those after it."""

    entries: Sequence[Entry]  # oldest first
    fill: Fill | None
    cash: Decimal
    margin: Decimal
    held: Decimal

    @property
    def kind(self) -> EntryKind:
        return self.entries[0].kind

    @property
    def key(self) -> PositionKey:
        return entry_key(self.entries[0])

    @property
    def number(self) -> int:
        return int(bill_id(self.fill.id if self.fill else self.entries[0].id))

    @property
    def time_ms(self) -> int:
        return self.entries[0].time_ms

    @property
    def moved(self) -> Decimal:
        """Of the cash into the margin."""
        return sum(map(_moved, self.entries), ZERO)

    def amount(self, *kinds: EntryKind) -> Decimal:
        """Of these kinds, or of all."""
        return sum((entry.amount for entry in self.entries if not kinds or entry.kind in kinds), ZERO)


def entry_key(entry: Entry) -> PositionKey:
    return PositionKey(entry.symbol, entry.leg, entry.margin_mode)


def statement(call: PrivateCall) -> Iterator[Bill]:
    """Oldest first, as far back as the fills that they tell of are remembered."""
    account, entries = call.account, call.engine.statement(call.account)[::-1]
    fills = {fill.id: fill for fill in call.engine.fills(account)}
    margins, held = defaultdict[PositionKey, Decimal](Decimal), defaultdict[PositionKey, Decimal](Decimal)
    for key, position in account.positions.items():
        margins[key] += position.margin
        held[key] += position.quantity
    for entry in entries:
        margins[entry_key(entry)] -= _moved(entry)
    for fill in fills.values():
        held[fill.key] -= fill.side.sign * fill.quantity
    for group in _groups(entries):
        key, last = entry_key(group[0]), group[-1]
        brought_by = fills.get(last.fill_id) if _is_of_fill(last) else None
        margins[key] += sum(map(_moved, group), ZERO)
        if brought_by:
            held[key] += brought_by.side.sign * brought_by.quantity
        if brought_by or not _is_of_fill(last):
            yield Bill(group, brought_by, last.balance - sum(margins.values(), ZERO), margins[key], held[key])


def _groups(entries: Iterable[Entry]) -> Iterator[list[Entry]]:
    """Oldest first."""
    group: list[Entry] = []
    for entry in entries:
        if group and not _belongs(group[0], entry):
            yield group
            group = []
        group.append(entry)
    if group:
        yield group


def _belongs(first: Entry, entry: Entry) -> bool:
    """Whether an entry is told together with the one before it."""
    return _is_of_fill(first) and _is_of_fill(entry) and first.fill_id == entry.fill_id


def _moved(entry: Entry) -> Decimal:
    """Funding of an isolated position is paid by, and to, its margin."""
    return entry.amount if entry.kind is EntryKind.FUNDING and entry.margin_mode is MarginMode.ISOLATED else entry.moved


def _is_of_fill(entry: Entry) -> bool:
    return entry.fill_id != 0 and entry.kind is not EntryKind.INSURANCE
