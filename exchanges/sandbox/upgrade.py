"""Reads what earlier versions wrote into the ledger: format 1, which knew one-way positions under cross margin and no statement. Pure."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from .accounts import Changes, Desk
from .model import ZERO, Entry, EntryKind, Leg, MarginMode

_OPENING_WALLET = Decimal(100_000)  # of every account of format 1
_SINCE_FORMAT_1 = {"hedge": False, "hedge_modes": {}, "margin_mode": MarginMode.CROSS, "margin_modes": {}, "totals": {}, "statement": []}


def entry_from_format_1(entry: Any) -> Any:
    """An entry of format 1 as this version writes it, but for the statement. Raises KeyError, TypeError or AttributeError if it is none."""
    leverage = {f"{symbol}/{leg}/{mode}": leverage for symbol, leverage in entry["leverage"].items() for mode in MarginMode for leg in Leg}
    return {**entry, **_SINCE_FORMAT_1, "leverage": leverage}


def give_statements(desks: Iterable[Desk]) -> None:
    """Makes up the statement of accounts that have none from their fills; what forgotten fills brought becomes one line."""
    for desk in desks:
        remembered = sum((fill.realized_pnl - fill.fee for fill in desk.fills), ZERO)
        account, entries = desk.account, list[Entry]()
        wallet, account.wallet = account.wallet, ZERO
        _add(desk, entries, EntryKind.DEPOSIT, _OPENING_WALLET)
        if forgotten := wallet - _OPENING_WALLET - remembered:
            _add(desk, entries, EntryKind.REALIZED, forgotten)
        for fill in desk.fills:
            for kind, amount in ((EntryKind.REALIZED, fill.realized_pnl), (EntryKind.FEE, -fill.fee)):
                if amount:
                    _add(desk, entries, kind, amount, symbol=fill.symbol, order_id=fill.order_id, fill_id=fill.id, time_ms=fill.time_ms)
        desk.keep(Changes(entries=entries))


def _add(
    desk: Desk,
    entries: list[Entry],
    kind: EntryKind,
    amount: Decimal,
    *,
    symbol: str = "",
    order_id: int = 0,
    fill_id: int = 0,
    time_ms: int | None = None,
) -> None:
    account = desk.account
    account.wallet += amount
    account.totals[kind] = account.totals.get(kind, ZERO) + amount
    at_ms = account.opened_ms if time_ms is None else time_ms
    number = len(entries) + 1  # below every id that was ever given
    entries.append(Entry(number, kind, symbol, Leg.NET, MarginMode.CROSS, amount, ZERO, account.wallet, order_id, fill_id, at_ms))
