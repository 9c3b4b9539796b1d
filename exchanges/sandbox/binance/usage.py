"""How much of its rate limits a client has used: the numbers of the X-MBX-* headers. Counts; never refuses.

Windows are the venue's fixed ones: they start at the full minute and at each ten seconds.
"""

from collections import Counter

WEIGHT_PER_MINUTE = 2400
ORDERS_PER_MINUTE = 1200
ORDERS_PER_10_SECONDS = 300


class _Window:
    def __init__(self, length_ms: int) -> None:
        self._length_ms = length_ms
        self._index = -1
        self._used: Counter[str] = Counter()

    def add(self, subject: str, amount: int, wall_ms: int) -> int:
        index = wall_ms // self._length_ms
        if index != self._index:
            self._index = index
            self._used.clear()
        self._used[subject] += amount
        return self._used[subject]


class Usage:
    """Weight by address, orders by account."""

    def __init__(self) -> None:
        self._weight = _Window(60_000)
        self._orders_1m = _Window(60_000)
        self._orders_10s = _Window(10_000)

    def weight_headers(self, address: str, weight: int, wall_ms: int) -> dict[str, str]:
        return {"X-MBX-USED-WEIGHT-1M": str(self._weight.add(address, weight, wall_ms))}

    def order_headers(self, account: str, orders: int, wall_ms: int) -> dict[str, str]:
        return {
            "X-MBX-ORDER-COUNT-10S": str(self._orders_10s.add(account, orders, wall_ms)),
            "X-MBX-ORDER-COUNT-1M": str(self._orders_1m.add(account, orders, wall_ms)),
        }
