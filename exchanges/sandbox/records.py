"""The written form of accounts, orders, fills and statements in the ledger: JSON objects, lines of a statement as lists in the order of
their fields, decimals as text. Pure."""

from dataclasses import fields
from decimal import Decimal
from operator import attrgetter
from typing import Any, get_args

import orjson

from .accounts import Changes, Desk
from .course import Pace, Shock
from .model import Account, Entry, EntryKind, Fill, Kind, Leg, Lifetime, MarginMode, Order, Position, PositionKey, Side, Status, Venue

_KINDS = (Order, Fill, Position)
_FIELDS = {kind: tuple(field.name for field in fields(kind)) for kind in _KINDS}
_VALUES_OF = {kind: attrgetter(*names) for kind, names in _FIELDS.items()}
_DECIMALS = frozenset(field.name for kind in _KINDS for field in fields(kind) if Decimal in (field.type, *get_args(field.type)))
_ENUMS = {"venue": Venue, "side": Side, "lifetime": Lifetime, "status": Status, "leg": Leg, "margin_mode": MarginMode}


def entry_of(desk: Desk, changes: Changes) -> dict[str, Any]:
    """What a change leaves behind: the whole account as it is now, the orders as they are now, the fills and the statement it made. To be
    written by `to_json`."""
    account = desk.account
    return {
        "venue": account.venue.value,
        "name": account.name,
        "wallet": account.wallet,
        "opened_ms": account.opened_ms,
        "settled_ms": desk.settled_ms,
        "leverage": {"/".join(key): leverage for key, leverage in account.leverage.items()},
        "hedge": account.hedge,
        "hedge_modes": account.hedge_modes,
        "margin_mode": account.margin_mode,
        "margin_modes": account.margin_modes,
        "totals": {kind.value: total for kind, total in account.totals.items()},
        "positions": list(account.positions.values()),
        "orders": changes.orders,
        "fills": changes.fills,
        "statement": [[*entry] for entry in changes.entries],
    }


def to_json(content: object) -> bytes:
    return orjson.dumps(content, default=_decimal_text)


def course_entry_of(departure: Pace | Shock) -> dict[str, Any]:
    return {"pace" if isinstance(departure, Pace) else "shock": list(departure)}


def read_course_entry(entry: Any) -> Pace | Shock | None:
    """None where it tells of an account. Raises TypeError or ValueError where it tells of nothing."""
    if "pace" in entry:
        clock_ms, path_ms, speed = entry["pace"]
        return Pace(int(clock_ms), int(path_ms), int(speed))
    if "shock" in entry:
        at_ms, asset, ratio = entry["shock"]
        return Shock(int(at_ms), str(asset), format(Decimal(ratio), "f"))
    return None


def order_row(order: Order) -> dict[str, Any]:
    return _row(order)


def fill_row(fill: Fill) -> dict[str, Any]:
    return _row(fill)


def position_row(position: Position) -> dict[str, Any]:
    return _row(position)


def statement_row(entry: Entry) -> dict[str, Any]:
    return {name: _text(value) for name, value in entry._asdict().items()}


def read_entry(desks: dict[tuple[Venue, str], Desk], entry: Any) -> None:
    """Applies an entry to the accounts read so far. Raises KeyError, TypeError, ValueError or ArithmeticError if it is none."""
    positions = [Position(**_values(row)) for row in entry["positions"]]
    account = Account(
        name=entry["name"],
        venue=Venue(entry["venue"]),
        wallet=Decimal(entry["wallet"]),
        opened_ms=entry["opened_ms"],
        leverage={_key(name): leverage for name, leverage in entry["leverage"].items()},
        positions={position.key: position for position in positions},
        hedge=entry["hedge"],
        hedge_modes=entry["hedge_modes"],
        margin_mode=MarginMode(entry["margin_mode"]),
        margin_modes={symbol: MarginMode(mode) for symbol, mode in entry["margin_modes"].items()},
        totals={EntryKind(kind): Decimal(total) for kind, total in entry["totals"].items()},
    )
    desk = desks.setdefault((account.venue, account.name), Desk(account, settled_ms=entry["settled_ms"]))
    desk.account, desk.settled_ms = account, entry["settled_ms"]
    orders = [Order(**_values(row) | {"kind": Kind(row["kind"])}) for row in entry["orders"]]
    fills = [Fill(**_values(row)) for row in entry["fills"]]
    desk.keep(Changes(orders, fills, [_entry(*row) for row in entry["statement"]]))


def _key(name: str) -> PositionKey:
    symbol, leg, mode = name.split("/")
    return PositionKey(symbol, Leg(leg), MarginMode(mode))


def _row(thing: Order | Fill | Position) -> dict[str, Any]:
    names, values = _FIELDS[type(thing)], _VALUES_OF[type(thing)](thing)
    return {name: _text(value) for name, value in zip(names, values, strict=True)}


def _decimal_text(value: object) -> str:
    if isinstance(value, Decimal):
        return format(value, "f")
    raise TypeError(f"{value!r} cannot be written")


def _text(value: Any) -> Any:
    return format(value, "f") if isinstance(value, Decimal) else value


def _entry(number: int, kind: str, symbol: str, leg: str, mode: str, amount: str, moved: str, balance: str, *rest: int) -> Entry:
    money = (Decimal(amount), Decimal(moved), Decimal(balance))
    return Entry(number, EntryKind(kind), symbol, Leg(leg), MarginMode(mode), *money, *rest)


def _values(row: dict[str, Any]) -> dict[str, Any]:
    return {name: _value(name, value) for name, value in row.items()}


def _value(name: str, value: Any) -> Any:
    if name in _DECIMALS and value is not None:
        return Decimal(value)
    return _ENUMS[name](value) if name in _ENUMS else value
