"""What the venues say of their markets, asked for live through an account of the caller: public figures, but no stranger's keys.

Knows nothing of pages. A venue that fails raises; it never reads as an empty market.
"""

from collections.abc import Callable, Coroutine
from datetime import UTC, datetime
from typing import Any, TypeVar

from django.contrib.auth.models import User

from exchanges import accounts, pauses
from exchanges.domain import ExchangeType
from exchanges.errors import ExchangeAPIError
from exchanges.models import ExchangeAccount
from exchanges.protocol import IExchangeClient
from exchanges.runtime import runtime
from portfolio import access, rate_limits, venue_clocks
from portfolio.execution.refusals import NotFound, Refused

READ_DEADLINE_S = 12.0

T = TypeVar("T")


def reader_for(user: User, exchange: ExchangeType, portfolio_id: int | None = None) -> ExchangeAccount:
    """The account through which `user` asks this exchange: of the portfolio named, its default one first.

    Raises NotFound for a portfolio that is missing or foreign; Refused where the exchange lists other instruments in another environment
    (several portfolios, none named), and where there is no account to ask with."""
    mine = access.portfolios_for(user)
    if portfolio_id is not None:
        mine = mine.filter(pk=portfolio_id)
        if not mine.exists():
            raise NotFound("portfolio")
    if len(set(mine.values_list("environment", flat=True))) > 1:
        raise Refused("ambiguous_portfolio", "portfolio must be named: yours are of several environments", "portfolio")
    found = access.accounts_for(user).active().filter(exchange=exchange, portfolio_link__portfolio__in=mine)
    account = found.select_related("credential").order_by("-portfolio_link__is_default", "id").first()
    if account is None:
        raise Refused("no_account", f"exchange must be one where you have an account, was {exchange.value}", "exchange")
    return account


def readers_for(user: User, portfolio_id: int | None = None) -> list[ExchangeAccount]:
    """One account for each exchange that `user` can ask. Raises as reader_for, Refused where there is no account at all."""
    readers = []
    for exchange in ExchangeType:
        try:
            readers.append(reader_for(user, exchange, portfolio_id))
        except Refused as refused:
            if refused.code != "no_account":
                raise
    if not readers:
        raise Refused("no_account", "exchange must be one where you have an account: you have none", "exchange")
    return readers


def ask(account: ExchangeAccount, question: Callable[[IExchangeClient], Coroutine[Any, Any, T]]) -> T:
    """The venue's answer. Raises what the adapter raises, RateLimited while the venue is paused, TimeoutError where it takes too long."""
    pauses.refuse_while_paused(account.exchange, account.environment, datetime.now(UTC))
    client = accounts.client_for(account)
    try:
        return runtime().run(_asked(client, question), deadline_s=READ_DEADLINE_S)
    except ExchangeAPIError as error:
        rate_limits.note_venue(account, error, datetime.now(UTC))
        raise


async def _asked(client: IExchangeClient, question: Callable[[IExchangeClient], Coroutine[Any, Any, T]]) -> T:
    await venue_clocks.keep_if_answered(client)
    return await question(client)
