"""What an execution does to an account: average entry price, realised PnL, fee. Pure arithmetic on exact decimals.

Fees and realised PnL are rounded to 8 decimals, the precision of the venues' ledgers, so that the wallet is their exact sum.
"""

from dataclasses import replace
from decimal import ROUND_HALF_EVEN, Decimal
from typing import NamedTuple

from .model import ZERO, Account, Listing, Position, Side

CENT = Decimal("0.00000001")


class Effect(NamedTuple):
    fee: Decimal
    realized_pnl: Decimal


def execute(account: Account, listing: Listing, *, side: Side, quantity: Decimal, price: Decimal, is_maker: bool, time_ms: int) -> Effect:
    """Books one execution on the account's position and wallet; what crosses zero realises the old position and opens a new one."""
    fee = (quantity * price * (listing.maker_fee if is_maker else listing.taker_fee)).quantize(CENT, ROUND_HALF_EVEN)
    change = side.sign * quantity
    held = account.positions.get(listing.symbol)
    old = held.quantity if held else ZERO
    closing = min(quantity, abs(old)) if old * change < 0 else ZERO
    realized = (closing * (price - held.entry_price) * (1 if old > 0 else -1)).quantize(CENT, ROUND_HALF_EVEN) if held else ZERO
    account.wallet += realized - fee
    if old + change == 0:
        account.positions.pop(listing.symbol, None)
    elif held is None or closing == abs(old):
        account.positions[listing.symbol] = Position(listing.symbol, old + change, price, -fee, time_ms, time_ms)
    else:
        entry = held.entry_price if closing else _average(held, change, price, listing)
        net = held.realized_pnl + realized - fee
        account.positions[listing.symbol] = replace(held, quantity=old + change, entry_price=entry, realized_pnl=net, updated_ms=time_ms)
    return Effect(fee, realized)


def _average(held: Position, change: Decimal, price: Decimal, listing: Listing) -> Decimal:
    value = held.quantity * held.entry_price + change * price
    return (value / (held.quantity + change)).quantize(listing.tick.scaleb(-6), ROUND_HALF_EVEN)
