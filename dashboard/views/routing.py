"""The routing rules in the page: to look at and to try for everyone, to change for those who may. Works by forms alone."""

import re
from dataclasses import dataclass, field

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from dashboard.requests import HtmxHttpRequest, id_from, symbol_in
from dashboard.routing_forms import ImportForm, RuleForm, digest_of
from dashboard.toasts import ToastTone
from exchanges.models import RoutingRule
from exchanges.routing import RuleTerms, WrongRules, history, policy, route, rules
from exchanges.routing.resolution import by_precedence
from exchanges.routing.rules import Door, NoSuchRule, RuleChanged
from portfolio import access, routing
from portfolio.execution.refusals import Refused
from portfolio.execution.selection import Routed, select_account

RULES_PER_PAGE = 100
VERSIONS_PER_PAGE = 50
EXPORT_NAME = "routing.yaml"


@dataclass(slots=True)
class Trial:
    """What became of the symbol that somebody tried. Without an account `trouble` says why, and `reasons` are those of the route."""

    symbol: str
    routed: Routed | None = None
    trouble: str = ""
    reasons: list[str] = field(default_factory=list)


@never_cache
@login_required
@require_GET
def rules_page(request: HtmxHttpRequest) -> HttpResponse:
    found = by_precedence(history.with_last_change(RoutingRule.objects.prefetch_related("targets")))
    page = Paginator(found, RULES_PER_PAGE).get_page(request.GET.get("page"))
    context = {
        "page": page,
        "rows": [(rule, rules.terms_of(rule)) for rule in page],
        "can_edit": routing.can_edit(request.user),
        "policy": settings.ROUTING_POLICY,
        "portfolios": access.portfolios_for(request.user),
        "trial": _trial(request),
        "tried": request.GET,
    }
    return render(request, "pages/routing.html", context)


@never_cache
@login_required
@require_http_methods(["GET", "POST"])
def rule_new(request: HtmxHttpRequest) -> HttpResponse:
    _require_editor(request)
    form = RuleForm(request.POST or None, initial={"pattern": request.GET.get("pattern", "")[:80]})
    return _edit(request, form)


@never_cache
@login_required
@require_http_methods(["GET", "POST"])
def rule_edit(request: HtmxHttpRequest, rule_id: int) -> HttpResponse:
    _require_editor(request)
    return _edit(request, RuleForm(request.POST or None, rule=_rule(rule_id)))


@never_cache
@login_required
@require_POST
def rule_switch(request: HtmxHttpRequest, rule_id: int) -> HttpResponse:
    """To what the button says, not to the other state: a second click changes nothing."""
    _require_editor(request)
    rule = _rule(rule_id)
    terms = rules.terms_of(rule)
    is_enabled = request.POST.get("is_enabled") == "1"
    try:
        routing.put(request.user, Door.PAGE, rule.pattern, RuleTerms(terms.targets, is_enabled, terms.note))
    except WrongRules as error:
        return _back(request, f"Nothing was changed: {error}", "danger")
    return _back(request, f"The rule {rule.pattern} is switched {'on' if is_enabled else 'off'}.")


@never_cache
@login_required
@require_http_methods(["GET", "POST"])
def rule_delete(request: HtmxHttpRequest, rule_id: int) -> HttpResponse:
    _require_editor(request)
    rule = _rule(rule_id)
    if request.method == "GET":
        return render(request, "pages/routing_delete.html", {"rule": rule, "terms": rules.terms_of(rule)})
    try:
        routing.delete(request.user, Door.PAGE, rule.pattern, seen_version=id_from(request.POST.get("version", "")) or 0)
    except (RuleChanged, NoSuchRule) as error:
        return _back(request, f"Nothing was deleted: {error} Look at it again.", "danger")
    return _back(request, f"The rule {rule.pattern} is deleted.")


@never_cache
@login_required
@require_GET
def rule_history(request: HtmxHttpRequest) -> HttpResponse:
    """Of one pattern, or of all; rules that are gone too."""
    pattern = request.GET.get("pattern", "").upper()
    number = max(1, id_from(request.GET.get("page", "")) or 1)
    # No database takes every character, and no pattern holds another one.
    is_pattern = re.fullmatch(r"[A-Z0-9*]*", pattern)
    offset = min((number - 1) * VERSIONS_PER_PAGE, 2**31)
    found, count = history.versions(pattern, offset=offset, limit=VERSIONS_PER_PAGE) if is_pattern else ([], 0)
    context = {"versions": found, "pattern": pattern, "number": number, "has_more": number * VERSIONS_PER_PAGE < count}
    return render(request, "pages/routing_history.html", context)


@never_cache
@login_required
@require_http_methods(["GET", "POST"])
def rules_import(request: HtmxHttpRequest) -> HttpResponse:
    """First what would change, then, once that was confirmed and is still the same, the change."""
    _require_editor(request)
    form = ImportForm(request.POST or None, request.FILES or None)
    context: dict[str, object] = {"form": form}
    if request.method == "POST" and form.is_valid():
        content = form.content()
        mapping = form.mapping(content)
        if mapping is not None:
            changes = rules.plan(mapping)
            context |= {"changes": [(policy.words_of(change), change) for change in changes], "has_plan": True}
            context |= {"text": content.decode("utf-8-sig"), "digest": digest_of(changes)}
            try:
                routing.require_reach_of(request.user, changes)
                if form.cleaned_data["agreed"] == digest_of(changes):
                    routing.apply(request.user, Door.IMPORT, mapping, agreed=changes)
                    return _back(request, f"Imported: {len(changes)} of the rules changed.")
                if form.cleaned_data["agreed"]:
                    form.add_error(None, "Nothing was changed: the rules are not those that were shown. Look at the changes again.")
            except WrongRules as error:
                context["has_plan"] = False
                form.add_error(None, str(error))
            except RuleChanged as error:
                form.add_error(None, f"{error} Look at the changes again.")
    return render(request, "pages/routing_import.html", context, status=422 if form.errors else 200)


@never_cache
@login_required
@require_GET
def rules_export(request: HtmxHttpRequest) -> HttpResponse:
    response = HttpResponse(policy.write_policy(rules.present()), content_type="application/yaml; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{EXPORT_NAME}"'
    return response


def _require_editor(request: HtmxHttpRequest) -> None:
    if not routing.can_edit(request.user):
        raise PermissionDenied("Changing routing rules needs the permission to change routing rules.")


def _rule(rule_id: int) -> RoutingRule:
    rule = RoutingRule.objects.prefetch_related("targets").filter(pk=rule_id).first()
    if rule is None:
        raise Http404("There is no such rule.")
    return rule


def _edit(request: HtmxHttpRequest, form: RuleForm) -> HttpResponse:
    wanted = form.to_rule() if form.is_bound and form.is_valid() else None
    if wanted is not None:
        pattern, terms = wanted
        try:
            routing.put(request.user, Door.PAGE, pattern, terms, seen_version=form.cleaned_data["version"])
            return _back(request, f"Orders for {pattern} now follow this rule: {policy.terms_in_words(terms)}.")
        except WrongRules as error:
            form.add_faults(error)
        except RuleChanged as error:
            form.add_error("pattern", f"{error} Nothing was changed: open it again to see what it says now.")
    return render(request, "pages/routing_rule.html", {"form": form}, status=422 if form.errors else 200)


def _trial(request: HtmxHttpRequest) -> Trial | None:
    text = request.GET.get("symbol", "")
    if not text.strip():
        return None
    try:
        trial = Trial(symbol_in(text))
    except ValueError as error:
        return Trial(text.strip(), trouble=str(error))
    try:
        trial.routed = select_account(request.user, symbol=trial.symbol, portfolio_id=id_from(request.GET.get("portfolio", "")))
        trial.reasons = list(trial.routed.reasons)
    except Refused as refusal:
        trial.trouble = refusal.message
        trial.reasons = list(route(trial.symbol).reasons)
    return trial


def _back(request: HtmxHttpRequest, text: str, tone: ToastTone = "ok") -> HttpResponse:
    messages.add_message(request, messages.INFO, text, extra_tags=tone)
    return redirect("routing")
