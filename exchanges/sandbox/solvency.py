"""At which price positions of one symbol meet what they must keep, and at which nothing is left of what carries them. Pure.

Equity is a straight line over the price of the symbol, maintenance margin one with a bend wherever a position enters another bracket.
"""

from collections.abc import Sequence
from decimal import Decimal

from .model import ZERO, Listing


def liquidation_price(listing: Listing, quantities: Sequence[Decimal], *, mark: Decimal, equity: Decimal) -> Decimal | None:
    """The price nearest to the mark at which equity is what the positions (signed quantities) must keep; None if there is none. `equity`
    is that at the mark, less what other symbols must keep."""
    brackets, total, sizes = listing.brackets, sum(quantities, ZERO), [abs(quantity) for quantity in quantities]
    bends = sorted((bracket.cap / size, size, rank) for rank, bracket in enumerate(brackets[:-1]) for size in sizes)
    offset, slope = equity - total * mark, total - sum(sizes) * brackets[0].maintenance_rate
    roots, left = [], offset
    for bend, size, rank in bends:
        right = slope * bend + offset  # what is left of the equity where the size enters its next bracket
        if slope and (left * right < 0 or not right):
            roots.append(-offset / slope)
        left, entered, before = right, brackets[rank + 1], brackets[rank]
        slope -= size * (entered.maintenance_rate - before.maintenance_rate)
        offset += entered.maintenance_amount - before.maintenance_amount
    if left * slope < 0:
        roots.append(-offset / slope)
    return _on_tick(listing, min(roots, key=lambda root: abs(root - mark), default=None))


def bankruptcy_price(listing: Listing, quantities: Sequence[Decimal], *, mark: Decimal, equity: Decimal) -> Decimal | None:
    """The price at which the equity is 0; None if there is none."""
    total = sum(quantities, ZERO)
    return _on_tick(listing, mark - equity / total if total else None)


def _on_tick(listing: Listing, price: Decimal | None) -> Decimal | None:
    return price.quantize(listing.tick) if price is not None and price >= listing.tick else None
