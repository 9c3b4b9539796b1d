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
from portfolio.execution.completion import completed
from portfolio.execution.place import Idempotency, Intent, check, earlier_order, place
from portfolio.execution.refusals import NotFound, Refused
from portfolio.execution.selection import Routed
from portfolio.models import Order, Origin

_NOT_AGREED = "Nothing was sent: the route is not the one that was shown. Read it here and confirm."


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
    return _preview(request, form, form.to_request() if form.is_valid() else None)


@never_cache
@login_required
@require_POST
def order_create(request: HtmxHttpRequest) -> HttpResponse:
    _require_some_trading_role(request.user)
    form = OrderTicket(request.user, request.POST)
    wanted = form.to_request() if form.is_valid() else None
    if wanted is None:
        ticket.describe(form)
        return _show(request, form, status=422)
    try:
        order = _placed(request.user, form, wanted)
    except NotFound as error:
        raise Http404(str(error)) from error
    except FAILURES as error:
        _add_failure(form, error)
        ticket.describe(form)
        return _show(request, form, status=422)
    if order is None:
        return _preview(request, form, wanted, _NOT_AGREED)
    kept = {name: form.cleaned_data[name] for name in ("portfolio", "account")}
    next_form = OrderTicket(request.user, initial={**kept, "symbol": order.symbol, "order_type": order.order_type})
    ticket.describe(next_form)
    next_form.starts_at = "quantity"  # who works by keys goes on from here
    text, tone = outcome_of(order)
    return finish(request, text, tone, fragment=render(request, "panels/ticket.html", {"ticket": next_form}))


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


def _placed(user: User, form: OrderTicket, wanted: OrderRequest) -> Order | None:
    """None, and nothing sent, where the route is not the one that was confirmed."""
    agreed = form.cleaned_data["agreed"] if form.follows_route else ""
    body = {"page": wanted.model_dump(mode="json"), "account": form.cleaned_data["account"], "agreed": agreed}
    idempotency = Idempotency.of(form.cleaned_data["idempotency_key"], body)
    # A second click may find the route changed: what the first one sent is still the answer.
    earlier = earlier_order(user, idempotency)
    if earlier is not None:
        return order_for(user, earlier.pk)
    routed = _destination(form)
    if form.follows_route and routed.digest != agreed:
        return None
    request = completed(routed.account, wanted)
    order, _ = place(Intent(user, routed.account, request, Origin.PAGE, idempotency, routed.to_json()))
    return order


def _preview(request: HtmxHttpRequest, form: OrderTicket, wanted: OrderRequest | None, warning: str = "") -> HttpResponse:
    """The order in words after every check that place() makes, else the form with its errors. `warning`: why it was not sent."""
    if wanted is not None:
        try:
            routed = _destination(form)
            request_as_sent = completed(routed.account, wanted)
            check(routed.account, request_as_sent, accounts.client_for(routed.account))
        except FAILURES as error:
            _add_failure(form, error)
        else:
            form.confirmation = ticket.confirmation_of(routed, request_as_sent, warning)
    ticket.describe(form)
    return _show(request, form, status=422 if warning or form.confirmation is None else 200)


def _destination(form: OrderTicket) -> Routed:
    """Of a valid form. Raises Refused."""
    routed = form.destination()
    if routed is None:
        raise Refused("unknown_account", "account must be one of those offered", "account")
    return routed


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
