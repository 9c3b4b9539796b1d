"""Every write to the routing rules, whichever door it comes through: in one transaction, with who did it, each version kept.

Who may write is not known here (portfolio.routing).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.db.models import Max

from exchanges.domain import ExchangeType
from exchanges.models import RoutingRule, RoutingTarget
from exchanges.routing.entry import KEY, Fault, WrongRules, itemized, read_mapping
from exchanges.routing.patterns import RuleTerms, is_exact

MAX_RULES = 1_000
Row = TypeVar("Row", RoutingRule, RoutingTarget)


class Door(StrEnum):
    PAGE = "in the page"
    ADMIN = "in the admin"
    REST = "over REST"
    IMPORT = "import in the page"
    COMMAND = "manage.py routing import"
    START = "ROUTING_POLICY at the start"
    PROGRAM = "by a program"


@dataclass(frozen=True, slots=True)
class Author:
    """Who changes a rule, and by which door; no user where nobody is signed in."""

    user: User | None = None
    door: Door = Door.PROGRAM


@dataclass(frozen=True, slots=True)
class Change:
    """One rule of a mapping beside what is there: `before` is None for a new one, `after` for one that goes."""

    pattern: str
    before: RuleTerms | None
    after: RuleTerms | None


class RuleChanged(Exception):
    """Somebody was faster: the rule is not the one that the caller has seen. Nothing was changed."""


class NoSuchRule(Exception):
    """There is no rule for this pattern."""


def put(pattern: str, terms: RuleTerms, *, by: Author, seen_version: int | None = None) -> RoutingRule:
    """Makes the rule say this, and leaves one that says it already as it is. `seen_version` is what the caller has looked at, 0 where there
    was none; else RuleChanged."""
    try:
        with transaction.atomic():
            rule = _locked(pattern)
            _refuse_unseen(rule, pattern, seen_version)
            if rule is None:
                _refuse_too_many(1)
            return _write(rule, pattern, terms, by)
    except IntegrityError as error:
        raise RuleChanged(f"The rule {pattern} was made by somebody else just now.") from error


def delete(pattern: str, *, by: Author, seen_version: int | None = None) -> None:
    """Raises NoSuchRule or RuleChanged."""
    with transaction.atomic():
        rule = _locked(pattern)
        if rule is None:
            raise NoSuchRule(f"There is no rule {pattern}.")
        _refuse_unseen(rule, pattern, seen_version)
        _remove(rule, by)


def present() -> dict[str, RuleTerms]:
    return {rule.pattern: terms_of(rule) for rule in RoutingRule.objects.prefetch_related("targets")}


def plan(mapping: Mapping[str, RuleTerms]) -> list[Change]:
    """What `apply` would change: exact rules are replaced as a whole, patterns set one by one, and the other patterns stay."""
    before = present()
    gone = {pattern for pattern in before if is_exact(pattern)} - set(mapping)
    changes = [Change(pattern, before.get(pattern), mapping.get(pattern)) for pattern in sorted({*mapping, *gone})]
    return [change for change in changes if change.before != change.after]


def apply(mapping: Mapping[str, RuleTerms], *, by: Author, agreed: list[Change] | None = None) -> list[Change]:
    """Returns what was changed. `agreed` is the plan that somebody has read: another one is RuleChanged."""
    try:
        with transaction.atomic():
            rules = {rule.pattern: rule for rule in RoutingRule.objects.select_for_update()}
            changes = plan(mapping)
            if agreed is not None and agreed != changes:
                raise RuleChanged("The rules were changed by somebody else meanwhile.")
            _refuse_too_many(sum((change.before is None) - (change.after is None) for change in changes))
            for change in changes:
                rule = rules.get(change.pattern)
                if change.after is not None:
                    _write(rule, change.pattern, change.after, by)
                elif rule is None:  # made while this waited for the others, and not held
                    raise RuleChanged(f"The rule {change.pattern} was made by somebody else just now.")
                else:
                    _remove(rule, by)
            return changes
    except IntegrityError as error:
        raise RuleChanged("The rules were changed by somebody else just now.") from error


def set_symbol_exchange_mapping(mapping: Mapping[str, object], *, by: Author | None = None) -> None:
    """Symbol to exchange, or to a list of exchanges in order. Replaces the exact rules as a whole; a key with `*` sets that pattern, other
    patterns stay. Raises WrongRules, which names everything that is wrong: nothing was changed."""
    apply(read_mapping(itemized(mapping)), by=by or Author())


def load_symbol_mapping_from_policy(policy: Mapping[str, object], *, by: Author | None = None) -> None:
    """As `set_symbol_exchange_mapping`, from the key `symbol_exchange_mapping`. A policy without it says nothing of routing."""
    if not isinstance(policy, Mapping):
        raise WrongRules([Fault("policy", f"policy must be a mapping with the key {KEY}, was {type(policy).__name__}")])
    if KEY in policy:
        apply(read_mapping(itemized(policy[KEY])), by=by or Author())


def terms_of(rule: RoutingRule) -> RuleTerms:
    return RuleTerms(tuple(ExchangeType(target.exchange) for target in rule.targets.all()), rule.is_enabled, rule.note)


def _locked(pattern: str) -> RoutingRule | None:
    return RoutingRule.objects.select_for_update().filter(pattern=pattern).first()


def _refuse_too_many(more: int) -> None:
    """Every order looks at all patterns, and whatever is exported must be possible to import."""
    count = RoutingRule.objects.count() + more
    if more > 0 and count > MAX_RULES:
        raise WrongRules([Fault("pattern", f"there may be at most {MAX_RULES} rules, this would make {count}")])


def _refuse_unseen(rule: RoutingRule | None, pattern: str, seen_version: int | None) -> None:
    version = rule.version if rule else 0
    if seen_version is None or seen_version == version:
        return
    if seen_version == 0:
        raise RuleChanged(f"There is a rule {pattern} already.")
    raise RuleChanged(
        f"The rule {pattern} was changed meanwhile: it is at version {version}." if rule else f"The rule {pattern} was deleted meanwhile."
    )


def _write(rule: RoutingRule | None, pattern: str, terms: RuleTerms, by: Author) -> RoutingRule:
    if rule is None:
        rule = RoutingRule(pattern=pattern, version=_last_version(pattern) + 1)
    elif terms_of(rule) == terms:
        return rule
    else:
        rule.version += 1
        _remove_targets(rule, by)
    rule.is_enabled, rule.note = terms.is_enabled, terms.note
    _signed(rule, by).save()
    for rank, exchange in enumerate(terms.targets, 1):
        _signed(RoutingTarget(rule=rule, rule_version=rule.version, rank=rank, exchange=exchange.value), by).save()
    return rule


def _last_version(pattern: str) -> int:
    """A rule that is made again goes on counting: whoever has seen the one before must not take it for that one."""
    known: int | None = RoutingRule.history.filter(pattern=pattern).aggregate(last=Max("version"))["last"]
    return known or 0


def _remove(rule: RoutingRule, by: Author) -> None:
    _remove_targets(rule, by)
    _signed(rule, by).delete()


def _remove_targets(rule: RoutingRule, by: Author) -> None:
    """One by one: deleted with their rule they would be signed by nobody."""
    for target in rule.targets.all():
        _signed(target, by).delete()


def _signed(row: Row, by: Author) -> Row:
    """What django-simple-history keeps beside the row."""
    row._history_user = by.user  # type: ignore[attr-defined]
    row._change_reason = by.door.value  # type: ignore[attr-defined]
    return row
