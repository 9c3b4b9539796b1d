"""Symbol to exchanges: an exact rule before patterns, the pattern that says most before others, Binance where no rule matches.

Knows no account: who takes the order among the targets is for portfolio.execution.selection.
"""

from dataclasses import dataclass

from django.db import connections
from django.db.models import Case, Q, QuerySet, Value, When
from django.db.models.functions import Collate, Length, Replace

from exchanges.domain import ExchangeType
from exchanges.models import Exchange, RoutingRule
from exchanges.routing.patterns import literal_characters, matches

DEFAULT_EXCHANGE = ExchangeType.BINANCE
# As Python compares; the languages of databases have a mind of their own about *.
_BY_CHARACTER = {"postgresql": "C", "sqlite": "BINARY"}


@dataclass(frozen=True, slots=True)
class AppliedRule:
    """The rule that decided, as it was then."""

    id: int
    version: int
    pattern: str


@dataclass(frozen=True, slots=True)
class Route:
    """`targets` in the order in which they are tried, never empty; `reasons` are sentences for people; no rule where none matches."""

    symbol: str
    targets: tuple[ExchangeType, ...]
    rule: AppliedRule | None
    reasons: tuple[str, ...]


def route(symbol: str) -> Route:
    """Upper and lower case alike; what is no symbol goes where a symbol without a rule goes."""
    wanted = symbol.strip().upper()
    asked = Q(pattern__contains="*")
    if wanted.isascii() and wanted.isalnum():
        asked |= Q(pattern=wanted)
    found = [rule for rule in RoutingRule.objects.filter(asked).prefetch_related("targets") if matches(rule.pattern, wanted)]
    ranked = sorted(found, key=_precedence)
    switched_off = [rule for rule in ranked if not rule.is_enabled]
    chosen = next((rule for rule in ranked if rule.is_enabled), None)
    reasons = [
        f"Rule {rule.pattern} is switched off." for rule in switched_off if chosen is None or _precedence(rule) < _precedence(chosen)
    ]
    if chosen is None:
        reasons.append(f"No rule {'in force ' if switched_off else ''}matches {wanted}: the default is {Exchange(DEFAULT_EXCHANGE).label}.")
        return Route(wanted, (DEFAULT_EXCHANGE,), None, tuple(reasons))
    targets = tuple(ExchangeType(target.exchange) for target in chosen.targets.all())
    says = "names" if chosen.pattern == wanted else f"matches {wanted} and names"
    reasons.append(f"Rule {chosen.pattern} {says} {', then '.join(Exchange(target).label for target in targets)}.")
    return Route(wanted, targets, AppliedRule(chosen.pk, chosen.version, chosen.pattern), tuple(reasons))


def by_precedence(found: QuerySet[RoutingRule]) -> QuerySet[RoutingRule]:
    """As they are asked: exact rules first, then the patterns that say most."""
    literals = Case(When(pattern__contains="*", then=-Length(Replace("pattern", Value("*")))), default=Value(0))
    alphabetical = Collate("pattern", _BY_CHARACTER[connections[found.db].vendor])
    return found.order_by(Case(When(pattern__contains="*", then=Value(1)), default=Value(0)), literals, alphabetical)


def resolve_exchange_for_symbol(symbol: str) -> ExchangeType:
    """The first exchange of the route, whether or not somebody has an account there."""
    return route(symbol).targets[0]


def _precedence(rule: RoutingRule) -> tuple[bool, int, str]:
    """The smallest wins. An exact rule has no `*`."""
    return ("*" in rule.pattern, -literal_characters(rule.pattern), rule.pattern)
