"""Tell everyone who looks at a portfolio that it changed: after the commit, with its new version. The only sender to the channel layer.

A lost notice costs nothing but time: the hub also compares versions by itself.
"""

import logging
from collections.abc import Iterable
from concurrent.futures import Future
from functools import partial

from channels.layers import get_channel_layer
from django.db import transaction
from django.db.models import F

from exchanges.runtime import runtime
from portfolio.models import Portfolio

logger = logging.getLogger(__name__)

BOOK_CHANGED = "book.changed"


def group_of(portfolio_id: int) -> str:
    return f"portfolio.{portfolio_id}"


def book_changed(account_ids: Iterable[int]) -> None:
    """Raise the version of every portfolio that holds one of these accounts, and notify once the transaction at hand is committed."""
    portfolio_ids = list(Portfolio.objects.filter(account_links__account_id__in=list(account_ids)).values_list("id", flat=True).distinct())
    Portfolio.objects.filter(id__in=portfolio_ids).update(version=F("version") + 1)
    for portfolio_id in portfolio_ids:
        transaction.on_commit(partial(_notify, portfolio_id))


def _notify(portfolio_id: int) -> None:
    layer = get_channel_layer()
    if layer is not None:
        sent = runtime().submit(layer.group_send(group_of(portfolio_id), {"type": BOOK_CHANGED, "portfolio_id": portfolio_id}))
        sent.add_done_callback(_log_failure)


def _log_failure(sent: "Future[None]") -> None:
    error = None if sent.cancelled() else sent.exception()
    if error is not None:
        logger.warning("live notice not sent, open pages will follow within seconds: %s", type(error).__name__)
