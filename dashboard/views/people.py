"""The members of a portfolio, for those who manage it."""

from collections.abc import Callable

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from dashboard.people_forms import MemberForm, RoleForm
from dashboard.requests import HtmxHttpRequest, id_from
from portfolio import access, people
from portfolio.models import Membership, Portfolio, Role


@never_cache
@login_required
@require_GET
def members(request: HtmxHttpRequest) -> HttpResponse:
    named = request.GET.get("portfolio", "")
    portfolio = _managed(request, named) if named else access.managed_portfolios_for(request.user).first()
    if portfolio is None:
        raise PermissionDenied
    return _page(request, portfolio, MemberForm())


@never_cache
@login_required
@require_POST
def member_add(request: HtmxHttpRequest) -> HttpResponse:
    portfolio = _managed(request, request.POST.get("portfolio", ""))
    form = MemberForm(request.POST)
    if not form.is_valid():
        return _page(request, portfolio, form, status=422)
    try:
        membership = people.add(request.user, portfolio, form.cleaned_data["username"], Role(form.cleaned_data["role"]))
    except people.MembershipRefused as refusal:
        form.add_error("username", str(refusal))
        return _page(request, portfolio, form, status=422)
    except access.NotPermitted:
        raise PermissionDenied from None
    return _done(request, portfolio, f"{membership.user} is a member now, as {membership.get_role_display().lower()}.")


@never_cache
@login_required
@require_POST
def member_change(request: HtmxHttpRequest, membership_id: int) -> HttpResponse:
    membership = _membership(request, membership_id)
    form = RoleForm(request.POST)
    if not form.is_valid():
        return _done(request, membership.portfolio, "role must be viewer, trader or manager.", tone="danger")
    role = Role(form.cleaned_data["role"])
    said = f"{membership.user} is {role.label.lower()} now."
    return _carry_out(request, membership, said, lambda: people.change_role(request.user, membership, role))


@never_cache
@login_required
@require_POST
def member_remove(request: HtmxHttpRequest, membership_id: int) -> HttpResponse:
    membership = _membership(request, membership_id)
    said = f"{membership.user} is no member any more."
    return _carry_out(request, membership, said, lambda: people.remove(request.user, membership))


def _carry_out(request: HtmxHttpRequest, membership: Membership, said: str, change: Callable[[], None]) -> HttpResponse:
    try:
        change()
    except people.MembershipRefused as refusal:
        return _done(request, membership.portfolio, str(refusal), tone="danger")
    except access.NotPermitted:
        raise PermissionDenied from None
    return _done(request, membership.portfolio, said)


def _done(request: HtmxHttpRequest, portfolio: Portfolio, sentence: str, *, tone: str = "ok") -> HttpResponse:
    """Back to the page, or home for whoever manages the portfolio no more."""
    messages.add_message(request, messages.INFO, sentence, extra_tags=tone)
    if not access.can_manage_in(request.user, portfolio):
        return redirect("home")
    return redirect(f"{reverse('members')}?portfolio={portfolio.pk}")


def _page(request: HtmxHttpRequest, portfolio: Portfolio, form: MemberForm, *, status: int = 200) -> HttpResponse:
    context = {
        "portfolio": portfolio,
        "managed": list(access.managed_portfolios_for(request.user)),
        "memberships": people.members_of(portfolio),
        "roles": Role.choices,
        "form": form,
    }
    return render(request, "pages/members.html", context, status=status)


def _managed(request: HtmxHttpRequest, named: str) -> Portfolio:
    """A portfolio that the person is no member of is as missing as one that does not exist; in one of theirs they must be manager."""
    number = id_from(named)
    portfolio = None if number is None else access.portfolios_for(request.user).filter(pk=number).first()
    if portfolio is None:
        raise Http404
    if not access.can_manage_in(request.user, portfolio):
        raise PermissionDenied
    return portfolio


def _membership(request: HtmxHttpRequest, membership_id: int) -> Membership:
    """Raises Http404, PermissionDenied as for its portfolio."""
    found = Membership.objects.select_related("portfolio", "user").filter(pk=membership_id).first()
    if found is None:
        raise Http404
    _managed(request, str(found.portfolio_id))
    return found
