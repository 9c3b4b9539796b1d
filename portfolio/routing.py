"""Who may change the routing rules, and towards which exchanges: every door behind which somebody is signed in writes through here."""

from collections.abc import Mapping, Sequence

from django.contrib.auth.models import User

from exchanges.domain import ExchangeType
from exchanges.models import RoutingRule
from exchanges.routing import Fault, RuleTerms, WrongRules, rules
from exchanges.routing.rules import Author, Change, Door
from portfolio import access
from portfolio.access import NotPermitted
from portfolio.models import Role

PERMISSION = "exchanges.change_routingrule"


def can_edit(user: User) -> bool:
    """Rules are for the whole installation, so no role in a portfolio is enough."""
    return user.has_perm(PERMISSION)


def require_editor(user: User) -> None:
    """Raises NotPermitted."""
    if not can_edit(user):
        raise NotPermitted("Changing routing rules needs the permission to change routing rules.")


def put(user: User, door: Door, pattern: str, terms: RuleTerms, *, seen_version: int | None = None) -> RoutingRule:
    """Raises NotPermitted, WrongRules for an exchange where `user` may trade no account, or what rules.put raises."""
    require_editor(user)
    _require_reach(user, {pattern: terms})
    return rules.put(pattern, terms, by=Author(user, door), seen_version=seen_version)


def delete(user: User, door: Door, pattern: str, *, seen_version: int | None = None) -> None:
    """Raises NotPermitted, or what rules.delete raises."""
    require_editor(user)
    rules.delete(pattern, by=Author(user, door), seen_version=seen_version)


def apply(user: User, door: Door, mapping: Mapping[str, RuleTerms], *, agreed: Sequence[Change]) -> list[Change]:
    """What `mapping` leaves as it is needs no right to trade. Raises as `put` does."""
    require_editor(user)
    require_reach_of(user, agreed)
    return rules.apply(mapping, by=Author(user, door), agreed=list(agreed))


def require_reach_of(user: User, changes: Sequence[Change]) -> None:
    """Raises WrongRules for an exchange where `user` may trade no account."""
    _require_reach(user, {change.pattern: change.after for change in changes if change.after is not None})


def _require_reach(user: User, terms_by_pattern: Mapping[str, RuleTerms]) -> None:
    """A rule that is switched off leads nowhere."""
    wanted = {target for terms in terms_by_pattern.values() if terms.is_enabled for target in terms.targets}
    beyond = wanted - _tradable_exchanges(user)
    faults = [
        Fault("targets", f"targets must be exchanges where you may trade an account, {target.value} in {pattern} is none")
        for pattern, terms in terms_by_pattern.items()
        for target in terms.targets
        if terms.is_enabled and target in beyond
    ]
    if faults:
        raise WrongRules(faults)


def _tradable_exchanges(user: User) -> set[ExchangeType]:
    membership = "portfolio_link__portfolio__memberships"
    mine = access.accounts_for(user).filter(**{f"{membership}__user": user, f"{membership}__role__in": (Role.TRADER, Role.MANAGER)})
    return {ExchangeType(exchange) for exchange in mine.values_list("exchange", flat=True)}
