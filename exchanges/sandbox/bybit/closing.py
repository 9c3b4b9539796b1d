"""What fills did to a position: how much each one closed, at which entry, and which part of the opening fees it took with it. Pure.

The engine says what a fill realised; the venue's lists also want the size it closed, the entry it closed it against and both ends' fees.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from exchanges.sandbox.model import ZERO, Fill


@dataclass(frozen=True, slots=True)
class Effect:
    """One fill's effect. `fee` is all that the fill cost, a liquidation's fee included; `closed` is in base units, 0 for a fill that only
    opened; `open_fee` is the closed part's share of the fees paid at opening; `size_after` is the signed position behind it."""

    fill: Fill
    fee: Decimal
    closed: Decimal
    entry_price: Decimal
    open_fee: Decimal
    close_fee: Decimal
    size_after: Decimal


def effects(fills: Iterable[Fill], *, size_before: Decimal = ZERO, extra_fees: Mapping[int, Decimal] | None = None) -> list[Effect]:
    """Effects of one position's fills, both oldest first. `size_before` is what was held before the first; its opening fees are forgotten.
    `extra_fees` by fill: what was paid beside the trading fee."""
    size, opening_fees = size_before, ZERO
    found = []
    for fill in fills:
        change = fill.quantity * fill.side.sign
        closed = min(abs(size), fill.quantity) if size * change < 0 else ZERO
        open_fee = opening_fees * closed / abs(size) if closed else ZERO
        fee = fill.fee + (extra_fees or {}).get(fill.id, ZERO)
        close_fee = fee * closed / fill.quantity
        opening_fees += fee - close_fee - open_fee
        size += change
        found.append(Effect(fill, fee, closed, _entry_price(fill, closed), open_fee, close_fee, size))
    return found


def _entry_price(fill: Fill, closed: Decimal) -> Decimal:
    """The entry that makes the fill's realised PnL what it is: a sell closes a long, a buy a short."""
    return fill.price + fill.side.sign * fill.realized_pnl / closed if closed else ZERO
