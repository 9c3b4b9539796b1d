"""The accounts of a person's portfolios: all of them to look at, and for managers to connect, give new keys, switch and retire.

A key is taken in and never shown again, neither by a form that failed nor after it was tried: whoever connects sends the values once more,
and those that are tried then are the ones that are stored."""

from collections.abc import Callable
from datetime import UTC, datetime

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from dashboard.account_forms import SECRET_FIELDS, ConnectForm, KeyForm
from dashboard.account_rows import facts_of, row_of, sections_of
from dashboard.outcomes import words_of
from dashboard.requests import HtmxHttpRequest
from exchanges.errors import ExchangeAPIError
from exchanges.models import ExchangeAccount
from exchanges.vault import VaultError
from portfolio import access, connecting
from portfolio.access import NotPermitted
from portfolio.execution.refusals import NotFound, Refused
from portfolio.key_check import Findings, warnings_of
from portfolio.models import Order

_FAILURES = (Refused, ExchangeAPIError, VaultError)


@never_cache
@login_required
@require_GET
def accounts(request: HtmxHttpRequest) -> HttpResponse:
    portfolios = list(access.portfolios_for(request.user))
    found = access.accounts_for(request.user).select_related("credential", "state", "portfolio_link")
    managed = set(access.managed_portfolios_for(request.user).values_list("pk", flat=True))
    sections = sections_of([(each, each.pk in managed) for each in portfolios], found, datetime.now(UTC))
    return render(request, "pages/accounts.html", {"sections": sections, "portfolios": portfolios})


@never_cache
@sensitive_post_parameters(*SECRET_FIELDS)
@sensitive_variables()
@login_required
@require_http_methods(["GET", "POST"])
def account_new(request: HtmxHttpRequest) -> HttpResponse:
    managed = list(access.managed_portfolios_for(request.user))
    if not managed:
        raise PermissionDenied
    form = ConnectForm(managed, request.POST or None, initial={"portfolio": request.GET.get("portfolio", "")})
    context: dict[str, object] = {"form": form, "is_new": True}
    if request.method == "POST" and form.is_valid():
        portfolio, place, keys = form.to_portfolio(), form.to_place(), form.to_keys()
        try:
            if request.POST.get("step") == "connect":
                account, findings = connecting.connect(request.user, portfolio, place, form.cleaned_data["label"], keys)
                return _done(request, account, _connected(account, findings))
            findings = connecting.try_out(request.user, portfolio, place, keys)
            context |= {"facts": facts_of(findings), "warnings": findings.warnings}
        except _FAILURES as error:
            _add(form, error, renamed={"region": "venue", "environment": "venue"})
        except NotPermitted:
            raise PermissionDenied from None
    return _answer(request, "pages/account_new.html", context)


@never_cache
@login_required
@require_GET
def account(request: HtmxHttpRequest, account_id: int) -> HttpResponse:
    return _page(request, _visible(request, account_id))


@never_cache
@sensitive_post_parameters(*SECRET_FIELDS)
@sensitive_variables()
@login_required
@require_POST
def account_keys(request: HtmxHttpRequest, account_id: int) -> HttpResponse:
    found = _managed(request, account_id)
    form = KeyForm(request.POST)
    if form.is_valid():
        try:
            connecting.renew_keys(request.user, found, form.to_keys())
            return _done(request, found, f"{found} has new keys. Take the old key away at the exchange now.")
        except _FAILURES as error:
            _add(form, error)
        except NotFound:
            raise Http404 from None
        except NotPermitted:
            raise PermissionDenied from None
    if request.htmx:
        return _answer(request, "pages/account.html", {"form": form})
    return _page(request, found, form)


@never_cache
@login_required
@require_POST
def account_switch(request: HtmxHttpRequest, account_id: int) -> HttpResponse:
    """One of the switches that the page offers, by the name of its button."""
    found = _managed(request, account_id)
    switch, said = _SWITCHES.get(request.POST.get("switch", ""), (None, ""))
    if switch is None:
        return _done(request, found, f"switch must be one of {', '.join(_SWITCHES)}.", tone="danger")
    return _carry_out(request, found, lambda: switch(request, found), said)


@never_cache
@login_required
@require_POST
def account_rename(request: HtmxHttpRequest, account_id: int) -> HttpResponse:
    found = _managed(request, account_id)
    return _carry_out(request, found, lambda: connecting.rename(request.user, found, request.POST.get("label", "")), "now has this label")


@never_cache
@login_required
@require_POST
def account_archive(request: HtmxHttpRequest, account_id: int) -> HttpResponse:
    found = _managed(request, account_id)
    return _carry_out(
        request,
        found,
        lambda: connecting.archive(request.user, found, request.POST.get("label", "")),
        "is archived and its keys are erased; its history stays. Take the key away at the exchange as well.",
        is_gone=True,
    )


_SWITCHES: dict[str, tuple[Callable[[HtmxHttpRequest, ExchangeAccount], object], str]] = {
    "enable": (lambda request, found: connecting.set_enabled(request.user, found, is_enabled=True), "is enabled"),
    "disable": (lambda request, found: connecting.set_enabled(request.user, found, is_enabled=False), "is disabled"),
    "trading_on": (lambda request, found: connecting.set_trading(request.user, found, is_enabled=True), "may be traded"),
    "trading_off": (lambda request, found: connecting.set_trading(request.user, found, is_enabled=False), "is not traded any more"),
    "default": (lambda request, found: connecting.set_default(request.user, found), "is the default for its exchange"),
    "check": (lambda request, found: connecting.check_now(request.user, found), "has had its key checked"),
}


def _carry_out(
    request: HtmxHttpRequest, found: ExchangeAccount, change: Callable[[], object], said: str, *, is_gone: bool = False
) -> HttpResponse:
    name = str(found)
    try:
        change()
    except _FAILURES as error:
        return _done(request, found, f"{name} stays as it is: {words_of(error)}", tone="danger")
    except NotFound:
        raise Http404 from None
    except NotPermitted:
        raise PermissionDenied from None
    return _done(request, None if is_gone else found, f"{name} {said}.".replace("..", "."))


def _done(request: HtmxHttpRequest, found: ExchangeAccount | None, sentence: str, *, tone: str = "ok") -> HttpResponse:
    """On to the account, or to all of them where it is gone."""
    messages.add_message(request, messages.INFO, sentence, extra_tags=tone)
    response = redirect("account", found.pk) if found is not None else redirect("accounts")
    if not request.htmx:
        return response
    return HttpResponse(status=204, headers={"HX-Redirect": response.url})


def _answer(request: HtmxHttpRequest, page: str, context: dict[str, object]) -> HttpResponse:
    """What htmx asked for is the answer alone: the form stays in the browser as it was filled in."""
    form = context["form"]
    status = 422 if isinstance(form, KeyForm) and form.errors else 200
    return render(request, "panels/account_answer.html" if request.htmx else page, context, status=status)


def _page(request: HtmxHttpRequest, found: ExchangeAccount, form: KeyForm | None = None) -> HttpResponse:
    context = {
        "row": row_of(found, datetime.now(UTC)),
        "can_manage": access.can_manage_in(request.user, found.portfolio_link.portfolio),
        "form": form or KeyForm(),
        "open_orders": Order.objects.filter(account=found).open().count(),
        "open_positions": found.positions.count(),
    }
    return render(request, "pages/account.html", context, status=422 if form is not None and form.errors else 200)


def _add(form: KeyForm, error: Exception, *, renamed: dict[str, str] | None = None) -> None:
    field = getattr(error, "field", "")
    field = (renamed or {}).get(field, field)
    words = words_of(error)
    form.add_error(
        field if field in form.fields else None, f"{words} Nothing was stored." if isinstance(error, ExchangeAPIError) else words
    )


def _connected(found: ExchangeAccount, findings: Findings) -> str:
    """With what its page will not go on saying."""
    lasting = warnings_of(findings.permissions, findings.checked_at)
    may = "It may be traded." if found.is_trading_enabled else "It is read-only."
    return " ".join([f"{found} is connected. {may}", *(warning for warning in findings.warnings if warning not in lasting)])


def _visible(request: HtmxHttpRequest, account_id: int) -> ExchangeAccount:
    try:
        return connecting.account_for(request.user, account_id)
    except NotFound:
        raise Http404 from None


def _managed(request: HtmxHttpRequest, account_id: int) -> ExchangeAccount:
    found = _visible(request, account_id)
    if not access.can_manage_in(request.user, found.portfolio_link.portfolio):
        raise PermissionDenied
    return found
