"""What the rules were before: every version with its targets, who made it, when, and by which door. Read only."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import OuterRef, Q, QuerySet, Subquery

from exchanges.domain import ExchangeType
from exchanges.models import RoutingRule, RoutingTarget
from exchanges.routing.patterns import RuleTerms
from exchanges.routing.policy import targets_in_words

_WORDS = {"+": "added", "~": "changed", "-": "deleted"}


@dataclass(frozen=True, slots=True)
class Version:
    """`who` is empty where nobody was signed in; `what` is added, changed or deleted; `terms` as they were from then on, or until then
    where the rule was deleted."""

    pattern: str
    version: int
    what: str
    at: datetime
    who: str
    door: str
    terms: RuleTerms

    @property
    def targets_in_words(self) -> str:
        return targets_in_words(self.terms.targets)


def versions(pattern: str = "", *, offset: int = 0, limit: int = 100) -> tuple[list[Version], int]:
    """Newest first, of one pattern or of all, and how many there are; those of a rule that was deleted too."""
    found = RoutingRule.history.select_related("history_user")
    if pattern:
        found = found.filter(pattern=pattern)
    rows = list(found[offset : offset + limit])
    targets = _targets_of(rows)
    return [_version(row, targets[row.id, row.version]) for row in rows], found.count()


def with_last_change(found: QuerySet[RoutingRule]) -> QuerySet[RoutingRule]:
    """Each with `changed_by` (None where nobody was signed in) and `changed_in`."""
    last = RoutingRule.history.filter(id=OuterRef("pk"), version=OuterRef("version")).exclude(history_type="-")
    return found.annotate(
        changed_by=Subquery(last.values("history_user__username")[:1]), changed_in=Subquery(last.values("history_change_reason")[:1])
    )


def _targets_of(rows: Iterable[Any]) -> dict[tuple[int, int], list[str]]:
    asked = Q()
    for rule_id, version in {(row.id, row.version) for row in rows}:
        asked |= Q(rule_id=rule_id, rule_version=version)
    targets: dict[tuple[int, int], list[str]] = defaultdict(list)
    for row in RoutingTarget.history.filter(asked, history_type="+").order_by("rank") if asked else ():
        targets[row.rule_id, row.rule_version].append(row.exchange)
    return targets


def _version(row: Any, targets: list[str]) -> Version:
    return Version(
        pattern=row.pattern,
        version=row.version,
        what=_WORDS[row.history_type],
        at=row.history_date,
        who=row.history_user.username if row.history_user else "",
        door=row.history_change_reason or "",
        terms=RuleTerms(tuple(ExchangeType(target) for target in targets), row.is_enabled, row.note),
    )
