"""The only bridge between synchronous code (views, tasks) and the async clients: one event loop in one thread per process, holding one warm
client per account, version of its keys and of its settings. Knows no Django."""

import asyncio
import threading
from collections.abc import Coroutine
from concurrent.futures import Future
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeVar

import uvloop

from exchanges.domain import ExchangeConfig
from exchanges.factory import get_exchange_client
from exchanges.protocol import IExchangeClient
from exchanges.venue import VenueRegistry

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class ClientKey:
    """A changed key (new version) gets a new client, and so does an account that is set otherwise; the old one is closed."""

    account_id: int
    version: int
    settings_version: int = 1


class Runtime:
    def __init__(self) -> None:
        self._registry = VenueRegistry()
        self._clients: dict[ClientKey, IExchangeClient] = {}
        self._lock = threading.Lock()
        self._loop = uvloop.new_event_loop()
        threading.Thread(target=self._loop.run_forever, name="exchanges", daemon=True).start()

    def client(self, key: ClientKey, config: ExchangeConfig) -> IExchangeClient:
        """The warm client of this account; use it on this runtime's loop alone."""
        with self._lock:
            if key not in self._clients:
                for stale in [known for known in self._clients if known.account_id == key.account_id]:
                    self.submit(self._clients.pop(stale).aclose())
                self._clients[key] = get_exchange_client(config, self._registry)
            return self._clients[key]

    def submit(self, work: Coroutine[Any, Any, T]) -> "Future[T]":
        """Start `work` on the loop and return at once."""
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    def run(self, work: Coroutine[Any, Any, T], *, deadline_s: float) -> T:
        """Wait for `work`. Raises TimeoutError after `deadline_s` (cancelling it); whatever `work` raises passes through."""
        future = self.submit(work)
        try:
            return future.result(deadline_s)
        except TimeoutError:
            future.cancel()
            raise


def runtime() -> Runtime:
    """This process's runtime, started at first use: never at import, never before a fork."""
    with _starting:  # two threads that are first at once must not start two loops
        return _the_runtime()


_starting = threading.Lock()


@cache
def _the_runtime() -> Runtime:
    return Runtime()
