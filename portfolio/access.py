"""Who may see or trade what: the one place that decides. A stranger's object answers as a missing one."""

from django.contrib.auth.models import User
from django.db.models import Q, QuerySet

from exchanges.models import ExchangeAccount, ExchangeAccountQuerySet
from portfolio.models import Membership, Order, Portfolio, Position, Role

_TRADING_ROLES = (Role.TRADER, Role.MANAGER)


class NotPermitted(Exception):
    """The caller may see the object but not do this to it."""


def portfolios_for(user: User) -> QuerySet[Portfolio]:
    return Portfolio.objects.filter(memberships__user=user).order_by("id")


def members_of(portfolio_id: int) -> QuerySet[User]:
    """Whoever may see this portfolio now; nobody for a number that no database holds."""
    return User.objects.filter(is_active=True, memberships__portfolio__in=Portfolio.objects.filter(pk=portfolio_id))


def accounts_for(user: User) -> ExchangeAccountQuerySet:
    """Accounts of every portfolio that `user` is a member of, archived ones left out."""
    return ExchangeAccount.objects.filter(archived_at=None, portfolio_link__portfolio__memberships__user=user).order_by("id")


def positions_for(user: User) -> QuerySet[Position]:
    return Position.objects.filter(account__in=accounts_for(user))


def orders_for(user: User) -> QuerySet[Order]:
    return Order.objects.filter(account__portfolio_link__portfolio__memberships__user=user)


def role_in(user: User, portfolio: Portfolio) -> Role | None:
    membership = Membership.objects.filter(user=user, portfolio=portfolio).first()
    return Role(membership.role) if membership else None


def can_trade_in(user: User, portfolio: Portfolio) -> bool:
    return role_in(user, portfolio) in _TRADING_ROLES


def can_manage_in(user: User, portfolio: Portfolio) -> bool:
    """Whether `user` may connect and retire accounts of `portfolio`, and say who is a member of it."""
    return role_in(user, portfolio) is Role.MANAGER


def require_managing_role(user: User, portfolio: Portfolio) -> None:
    """Raises NotPermitted unless `user` is manager of `portfolio`."""
    if not can_manage_in(user, portfolio):
        raise NotPermitted("This needs the role of manager in this portfolio.")


def require_trading_role(user: User, account: ExchangeAccount) -> None:
    """Raises NotPermitted unless `user` is trader or manager of the account's portfolio."""
    allowed = Q(user=user, role__in=_TRADING_ROLES, portfolio__account_links__account=account)
    if not Membership.objects.filter(allowed).exists():
        raise NotPermitted("Trading needs the role of trader or manager in this portfolio.")
