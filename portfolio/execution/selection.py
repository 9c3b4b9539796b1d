"""Which account an order goes to: the one it names, else the portfolio's default account of the exchange it names."""

from django.contrib.auth.models import User

from exchanges.domain import ExchangeType
from exchanges.models import ExchangeAccount
from portfolio import access
from portfolio.execution.refusals import NotFound, Refused

DEFAULT_EXCHANGE = ExchangeType.BINANCE


def account_for(user: User, account_id: int) -> ExchangeAccount:
    """Raises NotFound for a missing account and for one that `user` may not see."""
    account = access.accounts_for(user).select_related("credential", "portfolio_link__portfolio").filter(pk=account_id).first()
    if account is None:
        raise NotFound("account")
    return account


def select_account(user: User, *, account_id: int | None, exchange: ExchangeType | None) -> ExchangeAccount:
    """Raises Refused where the account is missing or one that `user` may not see, where the portfolio is ambiguous, and where it has no
    default account at that exchange."""
    if account_id is not None:
        try:
            account = account_for(user, account_id)
        except NotFound:
            raise Refused("unknown_account", f"account must be the id of an account of yours, was {account_id}", "account") from None
        if exchange is not None and account.exchange != exchange:
            raise Refused("account_mismatch", f"account {account_id} must be at {exchange.value}, is at {account.exchange}", "exchange")
        return account
    portfolios = list(access.portfolios_for(user)[:2])
    if len(portfolios) != 1:
        raise Refused(
            "ambiguous_portfolio",
            f"account must be named: you are a member of {'several portfolios' if portfolios else 'no portfolio'}",
            "account",
        )
    wanted = exchange or DEFAULT_EXCHANGE
    accounts = access.accounts_for(user).active().filter(exchange=wanted).select_related("credential", "portfolio_link__portfolio")
    default = accounts.filter(portfolio_link__is_default=True).first()
    if default is None:
        raise Refused(
            "no_default_account", f"account must be named: {portfolios[0].name} has no default account at {wanted.value}", "account"
        )
    return default
