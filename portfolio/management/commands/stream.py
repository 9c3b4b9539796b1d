"""The keeper of the order protocol: finds out what became of orders whose outcome is not known. Needs the database and the venues only."""

import logging
import signal
import threading
from datetime import UTC, datetime
from typing import Any

from django.core.management.base import BaseCommand
from django.db import close_old_connections

from portfolio import reconcile

logger = logging.getLogger(__name__)

PERIOD_S = 1.0


class Command(BaseCommand):
    help = __doc__ or ""

    def handle(self, *_args: Any, **_options: Any) -> None:
        stopping = threading.Event()
        signal.signal(signal.SIGTERM, lambda *_: stopping.set())
        signal.signal(signal.SIGINT, lambda *_: stopping.set())
        while not stopping.wait(PERIOD_S):
            try:
                reconcile.tick(datetime.now(UTC))
            except Exception:
                logger.exception("a round of the order keeper failed; the next one follows")
            finally:
                close_old_connections()
