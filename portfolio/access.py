"""Who may see or trade what: the one place that decides. A stranger's object answers as a missing one.

A program comes as the owner of its token (portfolio.models.TokenOwner): what lies outside the accounts that the token names is as missing
for it as a stranger's."""

from django.contrib.auth.models import User
from django.db.models import F, Q, QuerySet

from exchanges.models import ExchangeAccount, ExchangeAccountQuerySet
from portfolio.models import Membership, Order, Portfolio, PortfolioAccount, Position, Role, TokenOwner

_TRADING_ROLES = (Role.TRADER, Role.MANAGER)


class NotPermitted(Exception):
    """The caller may see the object but not do this to it."""


def portfolios_for(user: User) -> QuerySet[Portfolio]:
    """Each with the `role` that `user` has in it."""
    return _portfolios(user, Q(memberships__user=user))


def managed_portfolios_for(user: User) -> QuerySet[Portfolio]:
    """Those whose members and accounts `user` decides on. A token with a list of accounts decides on none."""
    found = _portfolios(user, Q(memberships__user=user, memberships__role=Role.MANAGER))
    return found if _named_accounts(user) is None else found.none()


def members_of(portfolio_id: int) -> QuerySet[User]:
    """Whoever may see this portfolio now; nobody for a number that no database holds."""
    return User.objects.filter(is_active=True, memberships__portfolio__in=Portfolio.objects.filter(pk=portfolio_id))


def accounts_for(user: User) -> ExchangeAccountQuerySet:
    """Accounts of every portfolio that `user` is a member of, archived ones left out."""
    return accounts_ever_for(user).filter(archived_at=None)


def accounts_ever_for(user: User) -> ExchangeAccountQuerySet:
    """As accounts_for, with the archived ones: for what is told of the past."""
    found = ExchangeAccount.objects.filter(portfolio_link__portfolio__memberships__user=user).order_by("id")
    named = _named_accounts(user)
    return found if named is None else found.filter(pk__in=named)


def positions_for(user: User) -> QuerySet[Position]:
    return Position.objects.filter(account__in=accounts_for(user))


def orders_for(user: User) -> QuerySet[Order]:
    found = Order.objects.filter(account__portfolio_link__portfolio__memberships__user=user)
    named = _named_accounts(user)
    return found if named is None else found.filter(account__in=named)


def role_in(user: User, portfolio: Portfolio) -> Role | None:
    membership = Membership.objects.filter(user=user, portfolio=portfolio).first()
    return Role(membership.role) if membership else None


def can_trade_in(user: User, portfolio: Portfolio) -> bool:
    return role_in(user, portfolio) in _TRADING_ROLES


def can_manage_in(user: User, portfolio: Portfolio) -> bool:
    """Whether `user` may connect and retire accounts of `portfolio`, and say who is a member of it."""
    return _named_accounts(user) is None and role_in(user, portfolio) is Role.MANAGER


def require_managing_role(user: User, portfolio: Portfolio) -> None:
    """Raises NotPermitted unless `user` is manager of `portfolio`."""
    if not can_manage_in(user, portfolio):
        raise NotPermitted("This needs the role of manager in this portfolio.")


def require_trading_role(user: User, account: ExchangeAccount) -> None:
    """Raises NotPermitted unless `user` is trader or manager of the account's portfolio."""
    allowed = Q(user=user, role__in=_TRADING_ROLES, portfolio__account_links__account=account)
    named = _named_accounts(user)
    if (named is not None and account.pk not in named) or not Membership.objects.filter(allowed).exists():
        raise NotPermitted("Trading needs the role of trader or manager in this portfolio.")


def _portfolios(user: User, membership: Q) -> QuerySet[Portfolio]:
    """All that is asked of the membership must stand in one condition: a second one may be met by the membership of somebody else."""
    found = Portfolio.objects.filter(membership).annotate(role=F("memberships__role")).order_by("id")
    named = _named_accounts(user)
    return found if named is None else found.filter(pk__in=PortfolioAccount.objects.filter(account__in=named).values("portfolio"))


def _named_accounts(user: User) -> frozenset[int] | None:
    """The only accounts that a token lets its owner reach; None where nothing narrows them."""
    return user.account_ids if isinstance(user, TokenOwner) else None
