"""Ask venues how accounts stand: many at once, each with its own deadline, each succeeding or failing alone. Async, writes nothing."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Generic, TypeVar

from exchanges.domain import AccountSummary, Balance, OrderResult, PositionBook
from exchanges.errors import BadVenueResponse, ExchangeAPIError, ExchangeUnavailable
from exchanges.protocol import IExchangeClient
from portfolio import venue_clocks

logger = logging.getLogger(__name__)

ACCOUNT_DEADLINE_S = 12.0
CONCURRENT_ACCOUNTS = 50
FOLLOW_UP_ORDERS = 10

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Answer(Generic[T]):
    """What one account answered. `sent_at` is taken before the first request, so nothing in `content` is older. One of the two is set."""

    sent_at: datetime
    received_at: datetime
    content: T | None = None
    error: ExchangeAPIError | None = None


@dataclass(frozen=True, slots=True)
class Holdings:
    book: PositionBook
    balances: list[Balance]
    summary: AccountSummary


@dataclass(frozen=True, slots=True)
class KnownOrder:
    """An order that we believe to be resting."""

    symbol: str
    order_id: str


@dataclass(frozen=True, slots=True)
class OrderList:
    """`resting` is every open order; `settled` what became of known orders that are no longer among them, as far as those that were
    `asked` about were answered."""

    resting: list[OrderResult]
    settled: list[OrderResult]
    asked: list[KnownOrder]


async def fetch_holdings(client: IExchangeClient) -> Holdings:
    book, wallet = await asyncio.gather(client.get_position_book(), client.get_wallet())
    return Holdings(book, wallet.balances, wallet.account)


async def fetch_orders(client: IExchangeClient, known: Sequence[KnownOrder]) -> OrderList:
    """Open orders, then one query for each known order that is missing from them (at most ten a time; the others come next time)."""
    resting = await client.get_open_orders()
    seen = {(order.symbol, order.order_id) for order in resting}
    missing = [order for order in known if (order.symbol, order.order_id) not in seen][:FOLLOW_UP_ORDERS]
    settled = await asyncio.gather(*(client.get_order_status(order.symbol, order.order_id) for order in missing), return_exceptions=True)
    for order, outcome in zip(missing, settled, strict=True):
        if isinstance(outcome, BaseException):
            logger.warning("order %s of %s could not be followed up: %s", order.order_id, client.get_exchange_name(), outcome)
    return OrderList(resting, [outcome for outcome in settled if isinstance(outcome, OrderResult)], missing)


async def ask_all(
    clients: Mapping[int, IExchangeClient],
    question: Callable[[int, IExchangeClient], Awaitable[T]],
    *,
    concurrent: int = CONCURRENT_ACCOUNTS,
    deadline_s: float = ACCOUNT_DEADLINE_S,
) -> dict[int, Answer[T]]:
    """Put `question` to every account, keyed by account id. Never raises for one account's failure."""
    slots = asyncio.Semaphore(concurrent)

    async def ask(account_id: int, client: IExchangeClient) -> Answer[T]:
        async with slots:
            return await _ask_one(client, partial(question, account_id, client), deadline_s)

    answers = await asyncio.gather(*(ask(account_id, client) for account_id, client in clients.items()))
    return dict(zip(clients, answers, strict=True))


async def _ask_one(client: IExchangeClient, question: Callable[[], Awaitable[T]], deadline_s: float) -> Answer[T]:
    sent_at = datetime.now(UTC)
    try:
        async with asyncio.timeout(deadline_s):
            await venue_clocks.keep(client)
            content = await question()
    except ExchangeAPIError as error:
        return Answer(sent_at, datetime.now(UTC), error=error)
    except TimeoutError:
        late = ExchangeUnavailable(f"no complete answer within {deadline_s:g} s", exchange=client.get_exchange_name())
        return Answer(sent_at, datetime.now(UTC), error=late)
    except Exception as error:
        # A defect that one account's answer brings to light must not cost the others theirs.
        logger.exception("an answer of %s could not be read", client.get_exchange_name())
        defect = BadVenueResponse(f"the answer could not be read ({type(error).__name__})", exchange=client.get_exchange_name())
        return Answer(sent_at, datetime.now(UTC), error=defect)
    return Answer(sent_at, datetime.now(UTC), content=content)
