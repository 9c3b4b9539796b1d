"""The keeper of the order protocol: finds out what became of orders whose outcome is not known. Needs the database and the venues only."""

import logging
import signal
import threading
import time
from datetime import UTC, datetime
from typing import Any

from django.core.management.base import BaseCommand
from django.db import close_old_connections

from portfolio import reconcile

logger = logging.getLogger(__name__)

PERIOD_S = 1.0


class Command(BaseCommand):
    help = __doc__ or ""
    requires_system_checks = ()  # they import every page and form; a start should not wait for that

    def handle(self, *_args: Any, **_options: Any) -> None:
        stopping = threading.Event()
        signal.signal(signal.SIGTERM, lambda *_: stopping.set())
        signal.signal(signal.SIGINT, lambda *_: stopping.set())
        keeper, pause_s = reconcile.Keeper(), PERIOD_S
        while not stopping.wait(pause_s):
            started = time.monotonic()
            try:
                keeper.ask(datetime.now(UTC))
                keeper.conclude(within_s=PERIOD_S)
            except Exception:
                logger.exception("a round of the order keeper failed; the next one follows")
            finally:
                close_old_connections()
            # What a venue that hangs made this round wait is not waited again: the rounds keep their period.
            pause_s = max(0.0, PERIOD_S - (time.monotonic() - started))
