"""What people do with orders in the page: preview and send one, cancel one."""

from typing import Any

from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from dashboard import ticket
from dashboard.forms import OrderTicket
from dashboard.outcomes import FAILURES, named, outcome_of, state_of, words_of
from dashboard.requests import HtmxHttpRequest
from dashboard.toasts import finish
from dashboard.views.home import home_context
from exchanges import accounts
from exchanges.domain import OrderRequest
from portfolio import access
from portfolio.access import NotPermitted
from portfolio.execution.cancel import cancel, order_for
from portfolio.execution.place import Idempotency, Intent, check, place
from portfolio.execution.refusals import NotFound
from portfolio.models import Origin


@never_cache
@login_required
@require_POST
def ticket_preview(request: HtmxHttpRequest) -> HttpResponse:
    """The ticket again: with the sentence to confirm, with its errors, or (refresh) with fresh facts and no judgement."""
    _require_some_trading_role(request.user)
    if request.POST.get("refresh"):
        form = OrderTicket(request.user, initial=_kept(request))
        ticket.describe(form)
        return _show(request, form)
    form = OrderTicket(request.user, request.POST)
    order = _checked(form)
    if order is not None:
        form.confirmation = ticket.confirmation_of(form.cleaned_data["account"], order)
    ticket.describe(form)
    return _show(request, form, status=200 if order is not None else 422)


@never_cache
@login_required
@require_POST
def order_create(request: HtmxHttpRequest) -> HttpResponse:
    _require_some_trading_role(request.user)
    form = OrderTicket(request.user, request.POST)
    order_request = form.to_request() if form.is_valid() else None
    if order_request is not None:
        account = form.cleaned_data["account"]
        body = {"page": order_request.model_dump(mode="json"), "account": account.pk}
        idempotency = Idempotency.of(form.cleaned_data["idempotency_key"], body)
        try:
            order, _ = place(Intent(request.user, account, order_request, Origin.PAGE, idempotency))
        except FAILURES as error:
            _add_failure(form, error)
        else:
            next_form = OrderTicket(request.user, initial={"account": account.pk, "symbol": order.symbol, "order_type": order.order_type})
            ticket.describe(next_form)
            next_form.starts_at = "quantity"  # who works by keys goes on from here
            text, tone = outcome_of(order)
            return finish(request, text, tone, fragment=render(request, "panels/ticket.html", {"ticket": next_form}))
    ticket.describe(form)
    return _show(request, form, status=422)


@never_cache
@login_required
@require_POST
def order_cancel(request: HtmxHttpRequest, order_id: int) -> HttpResponse:
    try:
        order = cancel(request.user, order_for(request.user, order_id))
    except NotFound as error:
        raise Http404(str(error)) from error
    except NotPermitted as error:
        raise PermissionDenied(str(error)) from error
    except FAILURES as error:
        return finish(request, f"Not canceled: {words_of(error)}", "danger", status=422)
    if order.is_open:
        return finish(request, f"{named(order)}: still open. {order.reason}", "warning")
    return finish(request, f"{named(order)}: {state_of(order)}.", "ok")


def _require_some_trading_role(user: User) -> None:
    """Who only watches gets no ticket by any door."""
    if not any(access.can_trade_in(user, portfolio) for portfolio in access.portfolios_for(user)):
        raise PermissionDenied("Trading needs the role of trader or manager.")


def _checked(form: OrderTicket) -> OrderRequest | None:
    """The order of the form after every check that place() makes; None with the errors added."""
    order = form.to_request() if form.is_valid() else None
    if order is None:
        return None
    account = form.cleaned_data["account"]
    try:
        check(account, order, accounts.client_for(account))
    except FAILURES as error:
        _add_failure(form, error)
        return None
    return order


def _add_failure(form: OrderTicket, error: Exception) -> None:
    field = getattr(error, "field", "")
    form.add_error(field if field in form.fields else None, words_of(error))


def _kept(request: HtmxHttpRequest) -> dict[str, Any]:
    """What was typed, as the start of a form that has not been judged."""
    return {name: request.POST[name] for name in OrderTicket.base_fields if name in request.POST}


def _show(request: HtmxHttpRequest, form: OrderTicket, status: int = 200) -> HttpResponse:
    if request.htmx:
        return render(request, "panels/ticket.html", {"ticket": form}, status=status)
    return render(request, "pages/home.html", home_context(request, form), status=status)
