"""An account with everything that belongs to it: its orders, its fills, what is open and what each client id names.

Knows no prices and no rules; final orders and fills are forgotten once there are too many of them.
"""

from collections import deque
from collections.abc import Iterable
from decimal import Decimal

from .model import ZERO, Account, Fill, Order, Side

KEPT = 2_000  # final orders, and fills, that one account remembers


class Desk:
    def __init__(self, account: Account, *, settled_ms: int) -> None:
        """`settled_ms`: until when the price path has been compared with the resting orders."""
        self.account = account
        self.settled_ms = settled_ms
        self.orders: dict[int, Order] = {}  # oldest first
        self.open: dict[int, Order] = {}  # oldest first
        self.fills: deque[Fill] = deque(maxlen=KEPT)  # oldest first
        self._newest: dict[str, int] = {}

    def keep(self, orders: Iterable[Order], fills: Iterable[Fill]) -> None:
        """Files orders that are new or have changed, and new fills."""
        for order in orders:
            self.orders[order.id] = order
            if order.status.is_open:
                self.open[order.id] = order
            else:
                self.open.pop(order.id, None)
            if order.client_id and order.id >= self._newest.get(order.client_id, 0):
                self._newest[order.client_id] = order.id
        self.fills.extend(fills)
        if len(self.orders) - len(self.open) > KEPT + KEPT // 10:
            self._forget()

    def newest_with(self, client_id: str) -> Order | None:
        order_id = self._newest.get(client_id)
        return None if order_id is None else self.orders[order_id]

    def open_on(self, symbol: str) -> list[Order]:
        return [order for order in self.open.values() if order.symbol == symbol]

    def quantity(self, symbol: str) -> Decimal:
        """Signed, 0 when flat."""
        position = self.account.positions.get(symbol)
        return position.quantity if position else ZERO

    def reducible(self, symbol: str, side: Side) -> Decimal:
        """How much an order of that side can take off the position."""
        return max(ZERO, -side.sign * self.quantity(symbol))

    def _forget(self) -> None:
        final = [order for order in self.orders.values() if not order.status.is_open]
        for order in final[:-KEPT]:
            del self.orders[order.id]
            if self._newest.get(order.client_id) == order.id:
                del self._newest[order.client_id]
