"""Programs that trade over REST as fast as they are told, and as stubbornly as programs do: an answer that did not come is asked for again
with the same Idempotency-Key and the same body, so each intent must end as exactly one order."""

import itertools
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from uuid import uuid4

import httpx

from tests.journeys.crossbook import eventually
from tests.journeys.venues import VENUES

ORDERS_PER_S = 20
SENDERS = 16
STUBBORN_FOR_S = 25.0
RETRY_AFTER_S = 0.25


@dataclass(slots=True)
class Sent:
    """One intent: when it was first sent, how often it had to be repeated, and the order that Crossbook made of it."""

    key: str
    body: dict[str, Any]
    began: float
    repeats: int = 0
    order: dict[str, Any] | None = None
    refusals: list[str] = field(default_factory=list)


class Load:
    """Buys and sells at the market and resting orders, most of them canceled again, in turn on the three exchanges. `earlier`: ids of the
    orders that were there before it."""

    def __init__(self, client: httpx.Client, earlier: set[int], symbol: str, prices: dict[str, Decimal]) -> None:
        self.sent: list[Sent] = []
        self.earlier = earlier
        self._client, self._symbol, self._prices = client, symbol, prices
        self._numbers = itertools.count()
        self._stopping = threading.Event()
        self._next_at, self._pacing = time.monotonic(), threading.Lock()

    def answered(self, *, since: float = 0.0) -> int:
        """How many intents begun after `since` (epoch seconds) have become orders."""
        return sum(1 for sent in list(self.sent) if sent.order is not None and sent.began >= since)

    def wait_until_answered(self, number: int, *, since: float = 0.0, within_s: float = 20.0) -> None:
        eventually(lambda: self.answered(since=since) >= number, within_s=within_s, what=f"{number} orders answered")

    @contextmanager
    def running(self) -> Iterator["Load"]:
        """Sends until the block is left, then lets those under way finish."""
        with ThreadPoolExecutor(SENDERS) as pool:
            senders = [pool.submit(self._send_on) for _ in range(SENDERS)]
            try:
                yield self
            finally:
                self.stop()
        for sender in senders:
            sender.result()

    def stop(self) -> None:
        """Begin nothing more."""
        self._stopping.set()

    def _send_on(self) -> None:
        while self._turn():
            number = next(self._numbers)
            sent = Sent(str(uuid4()), self._body(number), time.time())
            self.sent.append(sent)
            self._insist(sent)
            if sent.order is not None and sent.order["order_type"] == "LIMIT" and number % 5:
                self._cancel(sent.order["id"])

    def _turn(self) -> bool:
        """Waits for this sender's next moment; False once the load has ended."""
        with self._pacing:
            self._next_at = max(self._next_at + 1 / ORDERS_PER_S, time.monotonic())
            wait_s = self._next_at - time.monotonic()
        return not self._stopping.wait(wait_s)

    def _body(self, number: int) -> dict[str, Any]:
        venue, kind = VENUES[number % 3], number // 3 % 3
        body: dict[str, Any] = {"exchange": venue, "symbol": self._symbol, "side": "SELL" if kind == 1 else "BUY", "quantity": "0.3"}
        return body | ({"order_type": "LIMIT", "price": f"{self._prices[venue]:f}"} if kind == 2 else {"order_type": "MARKET"})

    def _insist(self, sent: Sent) -> None:
        deadline = time.monotonic() + STUBBORN_FOR_S
        while time.monotonic() < deadline:
            answer = self._ask("POST", "/orders", json=sent.body, headers={"Idempotency-Key": sent.key})
            if answer is not None and answer.status_code in (201, 202):
                sent.order = answer.json()
                return
            if answer is not None and answer.status_code < 500:
                sent.refusals.append(answer.text)
                return
            sent.repeats += 1
            time.sleep(RETRY_AFTER_S)

    def _cancel(self, order_id: int) -> None:
        """Until it is canceled, or the answer says that there is nothing to cancel any more."""
        deadline = time.monotonic() + STUBBORN_FOR_S
        while time.monotonic() < deadline:
            answer = self._ask("DELETE", f"/orders/{order_id}")
            # 202 says that the cancel may not have arrived: it is sent again.
            if answer is not None and (answer.status_code == 200 or answer.json().get("code") == "order_final"):
                return
            time.sleep(RETRY_AFTER_S)

    def _ask(self, method: str, path: str, **arguments: Any) -> httpx.Response | None:
        try:
            return self._client.request(method, path, **arguments)
        except httpx.TransportError:
            return None
