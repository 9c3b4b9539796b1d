"""Ask for an account's figures to be read now instead of at the next poll. A hint: where the broker is away the poll comes anyway."""

import logging

from django.db import transaction
from kombu.exceptions import OperationalError

from portfolio import tasks

logger = logging.getLogger(__name__)


def soon(account_id: int) -> None:
    """After the transaction at hand is committed."""
    transaction.on_commit(lambda: _ask(account_id))


def _ask(account_id: int) -> None:
    try:
        tasks.refresh_account.apply_async((account_id,), retry=False, expires=10)
    except OperationalError:
        logger.warning("broker away: account %s is read at its next poll", account_id)
