"""What an execution does to a position: average entry price, realised PnL, fee, and the margin an isolated one binds and frees. Pure
arithmetic on exact decimals.

Money is rounded to 8 decimals, the precision of the venues' ledgers, so that every wallet is an exact sum. An isolated position takes
the initial margin of what it opens out of the account's cash, and gives back of its wallet the share that it closes.
"""

from dataclasses import replace
from decimal import ROUND_HALF_EVEN, Decimal
from typing import NamedTuple

from .model import ZERO, Account, Listing, MarginMode, Position, PositionKey, Side

CENT = Decimal("0.00000001")


class Effect(NamedTuple):
    """`freed` comes out of the isolated wallet for what was closed, `bound` goes into it for what was opened."""

    fee: Decimal
    closed: Decimal
    realized_pnl: Decimal
    freed: Decimal
    bound: Decimal


def execute(
    account: Account,
    listing: Listing,
    key: PositionKey,
    *,
    side: Side,
    quantity: Decimal,
    price: Decimal,
    fee_rate: Decimal,
    leverage: int,
    time_ms: int,
) -> Effect:
    """Changes the position by one execution; what crosses zero realises the old position and opens a new one. Moves no cash."""
    fee = to_cent(quantity * price * fee_rate)
    change = side.sign * quantity
    held = account.positions.get(key)
    old = held.quantity if held else ZERO
    closing = min(quantity, abs(old)) if old * change < 0 else ZERO
    realized = to_cent(closing * (price - held.entry_price) * (1 if old > 0 else -1)) if held and closing else ZERO
    freed = _share(held.margin, closing, abs(old)) if held and closing else ZERO
    opening = quantity - closing
    bound = to_cent(opening * price / leverage) if key.margin_mode is MarginMode.ISOLATED else ZERO
    if old + change == 0:
        account.positions.pop(key, None)
    elif held is None or closing == abs(old):
        account.positions[key] = Position(
            key.symbol, old + change, price, -opening_fee(fee, closing, quantity), time_ms, time_ms, key.leg, key.margin_mode, margin=bound
        )
    else:
        account.positions[key] = replace(
            held,
            quantity=old + change,
            entry_price=held.entry_price if closing else _average(held, change, price, listing),
            realized_pnl=held.realized_pnl + realized - fee,
            margin=held.margin - freed + bound,
            updated_ms=time_ms,
        )
    return Effect(fee, closing, realized, freed, bound)


def opening_fee(fee: Decimal, closing: Decimal, quantity: Decimal) -> Decimal:
    """What of an execution's fee is that of the part which opens; the rest belongs to the position that its other part closes."""
    return fee - to_cent(fee * closing / quantity)


def to_cent(amount: Decimal) -> Decimal:
    return amount.quantize(CENT, ROUND_HALF_EVEN)


def _share(margin: Decimal, closing: Decimal, held: Decimal) -> Decimal:
    return margin if closing == held else to_cent(margin * closing / held)


def _average(held: Position, change: Decimal, price: Decimal, listing: Listing) -> Decimal:
    value = held.quantity * held.entry_price + change * price
    return (value / (held.quantity + change)).quantize(listing.tick.scaleb(-6), ROUND_HALF_EVEN)
