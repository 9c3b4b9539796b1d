"""The written form of accounts, orders and fills in the ledger: JSON objects with decimals as text. Pure."""

from collections.abc import Sequence
from dataclasses import fields
from decimal import Decimal
from typing import Any

from .accounts import Desk
from .model import Account, Fill, Kind, Lifetime, Order, Position, Side, Status, Venue

_ORDER_FIELDS = tuple(field.name for field in fields(Order))
_FILL_FIELDS = tuple(field.name for field in fields(Fill))
_POSITION_FIELDS = tuple(field.name for field in fields(Position))
_DECIMALS = frozenset({"quantity", "limit_price", "filled", "filled_value", "fees", "realized_pnl", "price", "fee", "entry_price"})


def entry_of(desk: Desk, orders: Sequence[Order], fills: Sequence[Fill]) -> dict[str, Any]:
    """What a change leaves behind: the whole account as it is now, the orders as they are now, the fills it made."""
    account = desk.account
    return {
        "venue": account.venue.value,
        "name": account.name,
        "wallet": format(account.wallet, "f"),
        "opened_ms": account.opened_ms,
        "settled_ms": desk.settled_ms,
        "leverage": account.leverage,
        "positions": [_row(position, _POSITION_FIELDS) for position in account.positions.values()],
        "orders": [_row(order, _ORDER_FIELDS) for order in orders],
        "fills": [_row(fill, _FILL_FIELDS) for fill in fills],
    }


def order_row(order: Order) -> dict[str, Any]:
    return _row(order, _ORDER_FIELDS)


def fill_row(fill: Fill) -> dict[str, Any]:
    return _row(fill, _FILL_FIELDS)


def position_row(position: Position) -> dict[str, Any]:
    return _row(position, _POSITION_FIELDS)


def read_entry(desks: dict[tuple[Venue, str], Desk], entry: Any) -> None:
    """Applies an entry to the accounts read so far. Raises KeyError, TypeError, ValueError or ArithmeticError if it is none."""
    venue, name = Venue(entry["venue"]), entry["name"]
    positions = [Position(**_decimals(row)) for row in entry["positions"]]
    account = Account(
        name=name,
        venue=venue,
        wallet=Decimal(entry["wallet"]),
        opened_ms=entry["opened_ms"],
        leverage=entry["leverage"],
        positions={position.symbol: position for position in positions},
    )
    desk = desks.setdefault((venue, name), Desk(account, settled_ms=entry["settled_ms"]))
    desk.account, desk.settled_ms = account, entry["settled_ms"]
    desk.keep([_order(row) for row in entry["orders"]], [_fill(row) for row in entry["fills"]])


def _row(thing: object, names: tuple[str, ...]) -> dict[str, Any]:
    values = ((name, getattr(thing, name)) for name in names)
    return {name: format(value, "f") if isinstance(value, Decimal) else value for name, value in values}


def _decimals(row: dict[str, Any]) -> dict[str, Any]:
    return {name: Decimal(value) if name in _DECIMALS and value is not None else value for name, value in row.items()}


def _order(row: dict[str, Any]) -> Order:
    enums = {"venue": Venue(row["venue"]), "side": Side(row["side"]), "kind": Kind(row["kind"])}
    return Order(**_decimals(row) | enums | {"lifetime": Lifetime(row["lifetime"]), "status": Status(row["status"])})


def _fill(row: dict[str, Any]) -> Fill:
    return Fill(**_decimals(row) | {"venue": Venue(row["venue"]), "side": Side(row["side"])})
