"""Who is a member of a portfolio, in which role: managers decide, and at least one of them always stays (A1, S09)."""

import logging

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import QuerySet

from portfolio import access
from portfolio.models import Membership, Portfolio, Role

logger = logging.getLogger(__name__)


class MembershipRefused(Exception):
    """The sentence says why; nothing was changed."""


def members_of(portfolio: Portfolio) -> QuerySet[Membership]:
    return Membership.objects.filter(portfolio=portfolio).select_related("user").order_by("user__username")


@transaction.atomic
def add(manager: User, portfolio: Portfolio, username: str, role: Role) -> Membership:
    """Raises access.NotPermitted, MembershipRefused where nobody has that name or they are a member already."""
    _lock(manager, portfolio)
    user = User.objects.filter(username=username, is_active=True).first()
    if user is None:
        raise MembershipRefused(f"There is no active user named {username}. An administrator can create one.")
    membership, is_new = Membership.objects.get_or_create(portfolio=portfolio, user=user, defaults={"role": role})
    if not is_new:
        raise MembershipRefused(f"{user} is a member already, as {membership.get_role_display().lower()}.")
    logger.info("portfolio %s: user %s made user %s a %s", portfolio.pk, manager.pk, user.pk, role)
    return membership


@transaction.atomic
def change_role(manager: User, membership: Membership, role: Role) -> None:
    """Raises access.NotPermitted, MembershipRefused for the last manager."""
    row = _locked(manager, membership)
    if role is not Role.MANAGER:
        _refuse_without_manager(row)
    row.role = role
    row.save(update_fields=["role"])
    logger.info("portfolio %s: user %s made user %s a %s", row.portfolio_id, manager.pk, row.user_id, role)


@transaction.atomic
def remove(manager: User, membership: Membership) -> None:
    """Raises access.NotPermitted, MembershipRefused for the last manager."""
    row = _locked(manager, membership)
    _refuse_without_manager(row)
    row.delete()
    logger.info("portfolio %s: user %s removed user %s", row.portfolio_id, manager.pk, row.user_id)


def _locked(manager: User, membership: Membership) -> Membership:
    """As it is now, which may not be as it was shown."""
    _lock(manager, membership.portfolio)
    row = Membership.objects.select_related("user", "portfolio").filter(pk=membership.pk).first()
    if row is None:
        raise MembershipRefused(f"{membership.user} is no member any more.")
    return row


def _lock(manager: User, portfolio: Portfolio) -> None:
    """One change of a portfolio's members after the other: two managers who remove each other at once must not both succeed."""
    Portfolio.objects.select_for_update().get(pk=portfolio.pk)
    access.require_managing_role(manager, portfolio)


def _refuse_without_manager(leaving: Membership) -> None:
    """A manager whose account is closed manages nothing."""
    others = Membership.objects.filter(portfolio=leaving.portfolio, role=Role.MANAGER, user__is_active=True).exclude(pk=leaving.pk)
    if leaving.role == Role.MANAGER and not others.exists():
        raise MembershipRefused(f"{leaving.user} is the last manager of {leaving.portfolio}: make somebody else a manager first.")
