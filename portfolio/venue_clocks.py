"""The venue's clock, measured once a minute before what is signed or judged with it; all accounts of a venue share the result."""

import asyncio
import logging

from exchanges.errors import ExchangeAPIError
from exchanges.protocol import IExchangeClient

logger = logging.getLogger(__name__)

PERIOD_S = 60.0
DEADLINE_S = 3.0


async def keep(client: IExchangeClient) -> None:
    """Measure where the last time is a minute ago or never was. What the venue answers instead of its time is raised."""
    if client.clock.is_older_than(PERIOD_S):
        await client.clock.measure(client.get_server_time_ms)


async def keep_if_answered(client: IExchangeClient) -> None:
    """As keep(), for orders and cancels, which do not wait for it: unanswered, the last offset serves."""
    try:
        async with asyncio.timeout(DEADLINE_S):
            await keep(client)
    except (ExchangeAPIError, TimeoutError) as error:
        logger.warning("%s: the clock was not measured: %s", client.get_exchange_name(), error or "no answer in time")
