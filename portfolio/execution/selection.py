"""Which account an order goes to, and why: the account it names, else the default account at the exchange it names, else along the route of
its symbol to the first exchange whose default account can take it."""

from dataclasses import dataclass

from django.contrib.auth.models import User

from exchanges.domain import ExchangeType
from exchanges.models import Exchange, ExchangeAccount
from exchanges.routing import AppliedRule, Route, route
from portfolio import access
from portfolio.execution.place import instrument_for, refuse_without_trading
from portfolio.execution.refusals import NotFound, Refused
from portfolio.models import Portfolio

# Why an exchange is passed over, by the code that an order sent there by name would be refused with.
_PASSED_OVER = {
    "no_default_account": "there is no default account there",
    "account_disabled": "the default account there is switched off",
    "trading_disabled": "the default account there is read-only",
    "unknown_symbol": "it does not list this symbol",
}


@dataclass(frozen=True, slots=True)
class Routed:
    """Where an order goes. `named` is what its sender said: "account", "exchange", or "" for the route; `rule` is None where none matched
    and where the route was not asked. `reasons` are sentences for people, in the order in which things were decided; `passed_over` are
    those of them that say why an earlier exchange of the route does not take the order."""

    account: ExchangeAccount
    portfolio: Portfolio
    reasons: tuple[str, ...]
    named: str = ""
    rule: AppliedRule | None = None
    targets: tuple[ExchangeType, ...] = ()
    passed_over: tuple[str, ...] = ()

    @property
    def exchange(self) -> ExchangeType:
        return ExchangeType(self.account.exchange)

    @property
    def digest(self) -> str:
        """The same as long as nothing that was agreed to has changed: the account, the rule and its version."""
        return f"{self.account.pk}-{self.rule.id}-{self.rule.version}" if self.rule else str(self.account.pk)

    def to_json(self) -> dict[str, object]:
        """What an order keeps: the rule as it was, and what went into the decision."""
        return {
            "named_by_sender": self.named,
            "rule": self.rule.id if self.rule else None,
            "version": self.rule.version if self.rule else None,
            "pattern": self.rule.pattern if self.rule else None,
            "targets": [target.value for target in self.targets],
            "portfolio": self.portfolio.pk,
            "exchange": self.exchange.value,
            "account": self.account.pk,
            "reasons": list(self.reasons),
        }


def account_for(user: User, account_id: int) -> ExchangeAccount:
    """Raises NotFound for a missing account and for one that `user` may not see."""
    account = access.accounts_for(user).select_related("credential", "portfolio_link__portfolio").filter(pk=account_id).first()
    if account is None:
        raise NotFound("account")
    return account


def select_account(
    user: User,
    *,
    symbol: str,
    account_id: int | None = None,
    exchange: ExchangeType | None = None,
    portfolio_id: int | None = None,
) -> Routed:
    """Raises Refused where the account or portfolio is missing or one that `user` may not see, where the portfolio is ambiguous, and where
    no account can take the order; then it says why for each exchange of the route. Whether `user` may trade is not asked here."""
    if account_id is not None:
        return _named_account(user, account_id, exchange, portfolio_id)
    portfolio = _portfolio(user, portfolio_id)
    if exchange is not None:
        account = _default_account(user, portfolio, exchange)
        return Routed(account, portfolio, (f"The sender named {Exchange(exchange).label}.", _goes_to(account, portfolio)), "exchange")
    return _along(route(symbol), user, portfolio)


def _named_account(user: User, account_id: int, exchange: ExchangeType | None, portfolio_id: int | None) -> Routed:
    try:
        account = account_for(user, account_id)
    except NotFound:
        raise Refused("unknown_account", f"account must be the id of an account of yours, was {account_id}", "account") from None
    if exchange is not None and account.exchange != exchange:
        raise Refused("account_mismatch", f"account {account_id} must be at {exchange.value}, is at {account.exchange}", "exchange")
    portfolio = account.portfolio_link.portfolio
    if portfolio_id is not None and _portfolio(user, portfolio_id) != portfolio:
        raise Refused("account_mismatch", f"account {account_id} must be in portfolio {portfolio_id}, is in {portfolio.pk}", "portfolio")
    return Routed(account, portfolio, (f"The sender named {account}.",), "account")


def _portfolio(user: User, portfolio_id: int | None) -> Portfolio:
    mine = access.portfolios_for(user)
    if portfolio_id is not None:
        named = mine.filter(pk=portfolio_id).first()
        if named is None:
            raise Refused("unknown_portfolio", f"portfolio must be the id of a portfolio of yours, was {portfolio_id}", "portfolio")
        return named
    found = list(mine[:2])
    if len(found) != 1:
        whose = "several portfolios" if found else "no portfolio"
        raise Refused("ambiguous_portfolio", f"account must be named, or portfolio: you are a member of {whose}", "account")
    return found[0]


def _default_account(user: User, portfolio: Portfolio, exchange: ExchangeType) -> ExchangeAccount:
    """Raises Refused. One that is switched off is still the default: it is said so, and not that there is none."""
    found = access.accounts_for(user).filter(portfolio_link__portfolio=portfolio, portfolio_link__is_default=True, exchange=exchange)
    account = found.select_related("credential", "portfolio_link__portfolio").first()
    if account is None:
        raise Refused(
            "no_default_account",
            f"account must be named: {portfolio.name} has no default account at {Exchange(exchange).label}",
            "account",
        )
    return account


def _along(way: Route, user: User, portfolio: Portfolio) -> Routed:
    obstacles: dict[str, str] = {}
    for exchange in way.targets:
        try:
            account = _taker(user, portfolio, exchange, way.symbol)
        except Refused as refusal:
            if way.rule is None:
                raise
            obstacles[Exchange(exchange).label] = _PASSED_OVER.get(refusal.code, refusal.message)
        else:
            passed_over = tuple(f"{label} was passed over: {words}." for label, words in obstacles.items())
            reasons = (*way.reasons, *passed_over, _goes_to(account, portfolio))
            return Routed(account, portfolio, reasons, rule=way.rule, targets=way.targets, passed_over=passed_over)
    pattern = way.rule.pattern if way.rule else ""
    tried = ", ".join(f"{label} ({words})" for label, words in obstacles.items())
    raise Refused("no_route", f"symbol must be one that an account can take: rule {pattern} leads {way.symbol} to {tried}", "symbol")


def _taker(user: User, portfolio: Portfolio, exchange: ExchangeType, symbol: str) -> ExchangeAccount:
    """The default account at `exchange`; raises Refused where it cannot take an order for `symbol`."""
    account = _default_account(user, portfolio, exchange)
    refuse_without_trading(account)
    try:
        instrument_for(account, symbol)
    except Refused as refusal:
        # What an exchange lists is not known right after a start: no reason to send the order somewhere else.
        if refusal.code != "instruments_unknown":
            raise
    return account


def _goes_to(account: ExchangeAccount, portfolio: Portfolio) -> str:
    return f"{account} is the default account of {portfolio.name} there."
