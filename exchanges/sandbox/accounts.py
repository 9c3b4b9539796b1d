"""An account with everything that belongs to it: its orders, its fills, its statement, what is open and what each client id names.

Knows no prices and no rules; final orders, fills and lines of the statement are forgotten once there are too many of them.
"""

from collections import deque
from dataclasses import dataclass, field
from decimal import Decimal

from .model import ZERO, Account, Entry, Fill, Order, PositionKey, Side, Status

KEPT = 2_000  # final orders, and fills, that one account remembers
KEPT_ENTRIES = 5_000


@dataclass(slots=True)
class Changes:
    """What one event leaves behind besides the account: orders as they are now, new fills and lines of the statement, oldest first."""

    orders: list[Order] = field(default_factory=list)
    fills: list[Fill] = field(default_factory=list)
    entries: list[Entry] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.orders or self.fills or self.entries)


class Desk:
    def __init__(self, account: Account, *, settled_ms: int) -> None:
        """`settled_ms`: until when the price path has been compared with the resting orders."""
        self.account = account
        self.settled_ms = settled_ms
        self.orders: dict[int, Order] = {}  # oldest first
        self.open: dict[int, Order] = {}  # oldest first
        self.fills: deque[Fill] = deque(maxlen=KEPT)  # oldest first
        self.statement: deque[Entry] = deque(maxlen=KEPT_ENTRIES)  # oldest first
        self.changed_ms = 0  # when its cash or a position last changed, by the newest time of its statement
        self._newest: dict[str, int] = {}

    def keep(self, changes: Changes) -> None:
        """Files orders that are new or have changed, new fills and new lines of the statement."""
        for order in changes.orders:
            self.orders[order.id] = order
            if order.status.is_open:
                self.open[order.id] = order
            else:
                self.open.pop(order.id, None)
            if order.client_id and order.id >= self._newest.get(order.client_id, 0):
                self._newest[order.client_id] = order.id
        self.fills.extend(changes.fills)
        self.statement.extend(changes.entries)
        for entry in changes.entries:
            self.changed_ms = max(self.changed_ms, entry.time_ms)
        if len(self.orders) - len(self.open) > KEPT + KEPT // 10:
            self._forget()

    def newest_with(self, client_id: str) -> Order | None:
        order_id = self._newest.get(client_id)
        return None if order_id is None else self.orders[order_id]

    def open_on(self, symbol: str) -> list[Order]:
        return [order for order in self.open.values() if order.symbol == symbol]

    def open_for(self, key: PositionKey) -> list[Order]:
        return [order for order in self.open.values() if order.symbol == key.symbol and order.key == key]

    def quantity(self, key: PositionKey) -> Decimal:
        """Signed, 0 when flat."""
        position = self.account.positions.get(key)
        return position.quantity if position else ZERO

    def reducible(self, key: PositionKey, side: Side) -> Decimal:
        """How much an order of that side can take off the position."""
        return max(ZERO, -side.sign * self.quantity(key))

    def end_pointless(self, key: PositionKey, time_ms: int) -> list[Order]:
        """Cancels the resting orders that may only close and have nothing left to close."""
        pointless = [order for order in self.open_for(key) if order.closes and order.status.is_open]
        ended = [order for order in pointless if not self.reducible(key, order.side)]
        for order in ended:
            end(order, "reduce_only", time_ms)
        return ended

    def _forget(self) -> None:
        final = [order for order in self.orders.values() if not order.status.is_open]
        for order in final[:-KEPT]:
            del self.orders[order.id]
            if self._newest.get(order.client_id) == order.id:
                del self._newest[order.client_id]


def end(order: Order, reason: str, time_ms: int) -> None:
    order.status, order.cancel_reason = Status.CANCELED, reason
    order.updated_ms = max(order.updated_ms, time_ms)
