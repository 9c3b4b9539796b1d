"""Ask for an account's figures to be read now instead of at the next poll. A hint: where the broker is away the poll comes anyway.

Hints leave in a thread of their own: a broker that is gone or hangs must not hold up the answer to an order, and many hints for one account
in a short time are one. Each leaves with the context it was given in, so that the id of the request that caused it goes along.
"""

import contextvars
import logging
import threading
from functools import cache
from queue import SimpleQueue

from django.db import transaction
from kombu.exceptions import OperationalError

from portfolio import tasks

logger = logging.getLogger(__name__)


def soon(account_id: int) -> None:
    """After the transaction at hand is committed."""
    transaction.on_commit(lambda: _hints().add(account_id))


class _Hints:
    """Account ids on their way to the broker, each at most once."""

    def __init__(self) -> None:
        self._waiting: set[int] = set()
        self._queue: SimpleQueue[tuple[int, contextvars.Context]] = SimpleQueue()
        threading.Thread(target=self._send_all, name="refresh-hints", daemon=True).start()

    def add(self, account_id: int) -> None:
        if account_id not in self._waiting:
            self._waiting.add(account_id)
            self._queue.put((account_id, contextvars.copy_context()))

    def _send_all(self) -> None:
        while True:
            account_id, context = self._queue.get()
            # Before it is sent: what changes from now on wants a hint of its own.
            self._waiting.discard(account_id)
            context.run(_send, account_id)


@cache
def _hints() -> _Hints:
    """This process's hints, started at first use: never at import, never before a fork."""
    return _Hints()


def _send(account_id: int) -> None:
    try:
        tasks.refresh_account.apply_async((account_id,), retry=False, expires=10)
    except OperationalError:
        logger.warning("broker away: account %s is read at its next poll", account_id)
    except Exception:
        logger.exception("account %s: the hint to read it was not sent; it is read at its next poll", account_id)
