"""Which executions an order gets: what it takes from a book, and what a moving price gives it while it rests. Pure."""

from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import NamedTuple

from .model import Order, Side
from .views import Level

_DEEPER = Decimal(10_000)  # each hundredth of a percent beyond its price gives a resting order another level's worth


class Take(NamedTuple):
    price: Decimal
    quantity: Decimal


def take(levels: Iterable[Level], side: Side, quantity: Decimal, limit_price: Decimal | None) -> list[Take]:
    """What an order takes from the other side of a book, best price first: never worse than its limit, never more than there is."""
    takes = []
    for level in levels:
        if quantity <= 0 or not (limit_price is None or reaches(level.price, side, limit_price)):
            break
        taken = min(quantity, level.quantity)
        takes.append(Take(level.price, taken))
        quantity -= taken
    return takes


def reaches(price: Decimal, side: Side, limit_price: Decimal) -> bool:
    """Whether an order of that side may trade at a price."""
    return price <= limit_price if side is Side.BUY else price >= limit_price


def resting_capacity(order: Order, best: Decimal, level_quantity: Decimal, lot: Decimal) -> Decimal:
    """How much of a resting order is filled when the price got as far as `best`: a level's worth at a touch, more beyond it."""
    limit = order.limit_price or best
    beyond = abs(limit - best) / limit * _DEEPER
    lots = level_quantity * (1 + beyond) // lot
    return min(order.remaining, max(lots, Decimal(1)) * lot)


def first_reach(extremes: Callable[[int, int], tuple[Decimal, Decimal]], order: Order, start_ms: int, end_ms: int) -> int:
    """When the price first reached an order that it reached by `end_ms`."""
    limit, origin = order.limit_price, start_ms
    if limit is None:
        return start_ms
    while start_ms < end_ms:
        middle = (start_ms + end_ms) // 2
        low, high = extremes(origin, middle)
        if reaches(low if order.side is Side.BUY else high, order.side, limit):
            end_ms = middle
        else:
            start_ms = middle + 1
    return start_ms
