"""Keep the tables of instruments and mark prices true to what each venue in use lists."""

import logging
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime
from typing import Any, TypeVar

from exchanges import accounts, domain, pauses
from exchanges.errors import ExchangeAPIError
from exchanges.models import Credential, ExchangeAccount, Instrument, MarkPrice
from exchanges.protocol import IExchangeClient
from exchanges.runtime import runtime
from exchanges.vault import VaultError

logger = logging.getLogger(__name__)

T = TypeVar("T")

READ_DEADLINE_S = 20.0

_FIGURES = (
    "venue_symbol",
    "underlying",
    "multiplier",
    "tick",
    "lot",
    "market_lot",
    "min_quantity",
    "max_quantity",
    "max_market_quantity",
    "min_notional",
    "contract_size",
    "max_leverage",
    "status",
)
_KEY = ("exchange", "environment", "symbol")


def venues_in_use() -> list[tuple[str, str]]:
    """(exchange, environment) of every venue with an enabled account."""
    return list(ExchangeAccount.objects.active().values_list("exchange", "environment").distinct().order_by("exchange"))


def read_instruments(exchange: str, environment: str) -> None:
    """Instruments that are gone stay, as halted: positions and orders in them must remain readable."""
    listed = _ask(exchange, environment, lambda client: client.get_instruments())
    if not listed:
        if listed is not None:
            logger.warning("%s: its list of instruments is empty, the known ones stay as they are", exchange)
        return
    rows = [Instrument(exchange=exchange, environment=environment, **_row(instrument)) for instrument in listed]
    Instrument.objects.bulk_create(rows, update_conflicts=True, unique_fields=_KEY, update_fields=[*_FIGURES, "updated_at"])
    gone = Instrument.objects.filter(exchange=exchange, environment=environment).exclude(symbol__in=[row.symbol for row in rows])
    gone.update(status=domain.InstrumentStatus.HALTED.value)


def read_marks(exchange: str, environment: str) -> None:
    asked_at = datetime.now(UTC)
    marks = _ask(exchange, environment, lambda client: client.get_mark_prices())
    if marks is None:
        return
    key = {"exchange": exchange, "environment": environment, "as_of": asked_at}
    rows = [MarkPrice(symbol=mark.symbol, mark_price=mark.mark_price, **key) for mark in marks]
    MarkPrice.objects.bulk_create(rows, update_conflicts=True, unique_fields=_KEY, update_fields=["mark_price", "as_of"])


def _row(instrument: domain.Instrument) -> dict[str, Any]:
    return {name: getattr(instrument, name) for name in ("symbol", *_FIGURES)} | {"status": instrument.status.value}


def _any_client(exchange: str, environment: str) -> IExchangeClient | None:
    """Public data may be asked for by any account of the venue whose keys open."""
    rows = ExchangeAccount.objects.active().filter(exchange=exchange, environment=environment).select_related("credential")
    for row in rows.order_by("state__error_class", "id"):
        try:
            return accounts.client_for(row)
        except (VaultError, Credential.DoesNotExist, ValueError) as error:
            logger.warning("%s cannot be used: %s", row, error)
    return None


def _ask(exchange: str, environment: str, question: Callable[[IExchangeClient], Coroutine[Any, Any, T]]) -> T | None:
    """The answer, or None after saying in the log what went wrong: the next round asks again. Nothing is sent to a venue that limits this
    server's address."""
    if pauses.end_of(exchange, environment, datetime.now(UTC)) is not None:
        return None
    client = _any_client(exchange, environment)
    if client is None:
        return None
    try:
        return runtime().run(question(client), deadline_s=READ_DEADLINE_S)
    except (ExchangeAPIError, TimeoutError) as error:
        if isinstance(error, ExchangeAPIError):
            pauses.note(exchange, environment, error, datetime.now(UTC))
        logger.warning("%s: %s", client.get_exchange_name(), error or "no answer in time")
        return None
