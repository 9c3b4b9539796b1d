"""Which exchange takes a symbol's orders: the rules, and what they come to for one symbol."""

from datetime import datetime
from typing import Annotated

from django.http import HttpRequest
from ninja import Query, Router, Schema
from ninja.responses import Status
from pydantic import Field, StrictBool

from dashboard.api.auth import BearerOrSession, caller_of
from dashboard.api.portfolios import portfolio_of
from dashboard.api.schemas import ErrorOut, PageOf, Paging, PortfolioId, Strict
from exchanges.domain import ExchangeType
from exchanges.models import RoutingRule
from exchanges.routing import rules
from exchanges.routing.entry import checked_rule
from exchanges.routing.patterns import MAX_NOTE_LENGTH, to_pattern
from exchanges.routing.rules import Door, NoSuchRule
from portfolio import routing, tokens
from portfolio.execution.refusals import NotFound, Refused
from portfolio.execution.selection import select_account

router = Router(tags=["routing"], auth=BearerOrSession(write_scope=tokens.ADMIN))

_READ = {401: ErrorOut, 403: ErrorOut, 404: ErrorOut, 422: ErrorOut}
_WRITE = {**_READ, 409: ErrorOut, 413: ErrorOut, 415: ErrorOut}
RoutedSymbol = Annotated[str, Field(pattern=r"^[A-Za-z0-9]{1,20}[Uu][Ss][Dd][Tt]$")]


class RuleIn(Strict):
    """`targets` in the order in which they are tried; what is left out is switched on and without a note."""

    targets: Annotated[list[ExchangeType], Field(min_length=1, max_length=len(ExchangeType))]
    is_enabled: StrictBool = True
    note: Annotated[str, Field(max_length=MAX_NOTE_LENGTH)] = ""


class RuleOut(Schema):
    """`pattern` is a symbol, or stands for many with `*`. `version` grows with each change."""

    id: int
    pattern: str
    targets: list[ExchangeType]
    version: int
    is_enabled: bool
    note: str
    updated_at: datetime


class AppliedRuleOut(Schema):
    id: int
    version: int
    pattern: str


class ResolvedOut(Schema):
    """Where an order for `symbol` would go now. `rule` is null where none matches; `reasons` say what was decided, in that order."""

    symbol: str
    portfolio: int
    exchange: ExchangeType
    account: int
    account_label: str
    rule: AppliedRuleOut | None
    targets: list[ExchangeType]
    reasons: list[str]


@router.get("/exchanges/routing", response={200: PageOf[RuleOut], **_READ}, summary="The routing rules")
def list_rules(request: HttpRequest, paging: Query[Paging]) -> PageOf[RuleOut]:
    """Before a pattern counts an exact rule, before another pattern the one with more literal characters; where no rule matches, orders
    go to Binance."""
    found = RoutingRule.objects.prefetch_related("targets").order_by("pattern")
    return PageOf(items=[_answer(row) for row in found[paging.offset : paging.offset + paging.limit]], count=found.count())


# Before the path of a rule: no pattern is called "resolve", since a symbol ends with USDT.
@router.get("/exchanges/routing/resolve", response={200: ResolvedOut, **_READ}, summary="Where an order for a symbol would go, and why")
def resolve(request: HttpRequest, symbol: RoutedSymbol, portfolio: PortfolioId | None = None) -> ResolvedOut:
    """Among the caller's own accounts. `portfolio` must be named by whoever is a member of several. 422 where no account can take it."""
    routed = select_account(caller_of(request), symbol=symbol.upper(), portfolio_id=portfolio_of(request, portfolio))
    return ResolvedOut(
        symbol=symbol.upper(),
        portfolio=routed.portfolio.pk,
        exchange=routed.exchange,
        account=routed.account.pk,
        account_label=routed.account.label,
        rule=AppliedRuleOut(id=routed.rule.id, version=routed.rule.version, pattern=routed.rule.pattern) if routed.rule else None,
        targets=list(routed.targets),
        reasons=list(routed.reasons),
    )


@router.put("/exchanges/routing/{symbol}", response={200: RuleOut, **_WRITE}, summary="Route a symbol or a pattern")
def put_rule(request: HttpRequest, symbol: str, body: RuleIn) -> RuleOut:
    """`symbol`: a symbol, or a pattern with `*`. Makes the rule or replaces all that it says; the same again changes nothing. Needs the
    scope admin and the permission to change routing rules, and for each target an account that the caller may trade."""
    user = caller_of(request)
    routing.require_editor(user)
    pattern, terms = checked_rule(symbol, body.targets, is_enabled=body.is_enabled, note=body.note)
    return _answer(routing.put(user, Door.REST, pattern, terms))


@router.delete("/exchanges/routing/{symbol}", response={204: None, **_WRITE}, summary="Delete a routing rule")
def delete_rule(request: HttpRequest, symbol: str) -> Status[None]:
    user = caller_of(request)
    routing.require_editor(user)
    try:
        routing.delete(user, Door.REST, to_pattern(symbol))
    except ValueError as error:
        raise Refused("invalid_rule", str(error), "pattern") from error
    except NoSuchRule as error:
        raise NotFound("rule") from error
    return Status(204, None)


def _answer(rule: RoutingRule) -> RuleOut:
    terms = rules.terms_of(rule)
    return RuleOut(
        id=rule.pk,
        pattern=rule.pattern,
        targets=list(terms.targets),
        version=rule.version,
        is_enabled=terms.is_enabled,
        note=terms.note,
        updated_at=rule.updated_at,
    )
