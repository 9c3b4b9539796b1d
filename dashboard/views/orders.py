"""What people do in the page: preview and send an order, cancel one, close a part of a position."""

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from dashboard import numbers, ticket
from dashboard.forms import MAX_KEY_LENGTH, OrderTicket, new_idempotency_key
from dashboard.requests import HtmxHttpRequest
from dashboard.toasts import ToastTone, finish
from dashboard.views.home import home_context
from exchanges import accounts
from exchanges.decimals import plain, to_decimal
from exchanges.domain import OrderRequest, PositionSide
from exchanges.errors import ExchangeAPIError
from exchanges.models import Credential
from exchanges.vault import VaultError
from portfolio import access
from portfolio.access import NotPermitted
from portfolio.execution.cancel import cancel, order_for
from portfolio.execution.close import close, close_request, position_for
from portfolio.execution.place import Idempotency, Intent, check, earlier_order, place
from portfolio.execution.refusals import NotFound, Refused
from portfolio.exposure import describe_age
from portfolio.models import Order, Origin, Position
from portfolio.states import OrderState
from portfolio.valuation import signed

_FAILURES = (Refused, ExchangeAPIError, NotPermitted, VaultError, Credential.DoesNotExist, TimeoutError)
_FRACTIONS = ("0.25", "0.5", "0.75", "1")


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
        except _FAILURES as error:
            _add_failure(form, error)
        else:
            next_form = OrderTicket(request.user, initial={"account": account.pk, "symbol": order.symbol, "order_type": order.order_type})
            ticket.describe(next_form)
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
    except _FAILURES as error:
        return finish(request, f"Not canceled: {_words(error)}", "danger", status=422)
    if order.is_open:
        return finish(request, f"{_named(order)}: cancel sent; the exchange has not confirmed it yet.", "warning")
    return finish(request, f"{_named(order)}: {_state_of(order)}.", "ok")


@dataclass(slots=True)
class CloseDialog:
    """What the close dialog shows; `fraction` as in the buttons."""

    id: int
    title: str
    side: str
    fraction: str
    sentence: str
    facts: list[tuple[str, str]]
    warnings: list[str]
    idempotency_key: str
    error: str = ""


@never_cache
@login_required
@require_http_methods(["GET", "POST"])
def position_close(request: HtmxHttpRequest, position_id: int) -> HttpResponse:
    fraction = (request.GET if request.method == "GET" else request.POST).get("fraction", "1")
    if fraction not in _FRACTIONS:
        raise Http404
    key = request.POST.get("idempotency_key", "")[:MAX_KEY_LENGTH] or new_idempotency_key()
    idempotency = Idempotency.of(key, {"position": position_id, "fraction": fraction})
    try:
        # A second click may find the position gone: what the first one sent is still the answer.
        earlier = earlier_order(request.user, idempotency)
        if earlier is not None:
            return finish(request, *outcome_of(earlier))
        position = position_for(request.user, position_id)
        access.require_trading_role(request.user, position.account)
    except NotFound as error:
        raise Http404(str(error)) from error
    except NotPermitted as error:
        raise PermissionDenied(str(error)) from error
    except Refused as error:
        return finish(request, _words(error), "danger", status=422)
    dialog = _close_dialog(position, fraction, key)
    if request.method == "GET":
        return _show_close(request, dialog)
    try:
        order, _ = close(request.user, position, Decimal(fraction), origin=Origin.PAGE, idempotency=idempotency)
    except _FAILURES as error:
        dialog.error = _words(error)
        return _show_close(request, dialog, status=422)
    return finish(request, *outcome_of(order))


def outcome_of(order: Order) -> tuple[str, ToastTone]:
    """What became of a sent order, in one sentence."""
    what = _named(order)
    if order.state in (OrderState.UNKNOWN, OrderState.SUBMITTING):
        return f"{what}: outcome unknown, the exchange is being asked. Do not repeat it. Open orders will show it.", "warning"
    if order.state in (OrderState.REJECTED, OrderState.NOT_SENT, OrderState.NOT_PLACED):
        return f"{what} {_state_of(order)}: {order.reason}", "danger"
    is_filled = order.filled_quantity == order.quantity
    tone: ToastTone = "ok" if order.is_open or is_filled else "warning"  # canceled or expired at once: not all of it was traded
    if order.filled_quantity:
        price = f" at {ticket.grouped(order.average_price)}" if order.average_price is not None else ""
        rest = "" if is_filled else f", the rest is {'open' if order.is_open else _state_of(order)}"
        return f"{what}: {ticket.grouped(order.filled_quantity)} filled{price}{rest}.", tone
    return f"{what}: {_state_of(order)}. {order.reason}".strip(), tone


def _named(order: Order) -> str:
    """`Buy 0.05 BTCUSDT at 101,000 on OKX · Demo`."""
    price = f" at {ticket.grouped(order.price)}" if order.price is not None else ""
    return f"{order.side.capitalize()} {ticket.grouped(order.quantity)} {order.symbol}{price} on {order.account}"


def _state_of(order: Order) -> str:
    return "open" if order.state == OrderState.NEW else order.get_state_display().lower().replace("_", " ")


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
    except _FAILURES as error:
        _add_failure(form, error)
        return None
    return order


def _add_failure(form: OrderTicket, error: Exception) -> None:
    field = getattr(error, "field", "")
    form.add_error(field if field in form.fields else None, _words(error))


def _words(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return "The exchange did not answer in time; nothing was sent."
    if isinstance(error, Credential.DoesNotExist):
        return "account must have keys, this one has none"
    return error.user_message if isinstance(error, ExchangeAPIError) else str(error)


def _kept(request: HtmxHttpRequest) -> dict[str, Any]:
    """What was typed, as the start of a form that has not been judged."""
    return {name: request.POST[name] for name in OrderTicket.base_fields if name in request.POST}


def _show(request: HtmxHttpRequest, form: OrderTicket, status: int = 200) -> HttpResponse:
    if request.htmx:
        return render(request, "panels/ticket.html", {"ticket": form}, status=status)
    return render(request, "pages/home.html", home_context(request, form), status=status)


def _show_close(request: HtmxHttpRequest, dialog: CloseDialog, status: int = 200) -> HttpResponse:
    template = "panels/position_close.html" if request.htmx else "pages/position_close.html"
    return render(request, template, {"close": dialog}, status=status)


def _close_dialog(position: Position, fraction: str, key: str) -> CloseDialog:
    """A preview from the last known figures; the order itself is made from the position as the venue shows it then."""
    side, share = PositionSide(position.side), to_decimal(fraction)
    title = f"Close {position.symbol} on {position.account}"
    try:
        order = close_request(position, share, position.quantity, side)
    except Refused as error:
        return CloseDialog(position.pk, title, "", fraction, "", [], [], key, error=error.message)
    part = order.quantity / position.quantity
    left = signed(position.quantity - order.quantity, side)
    age = describe_age(datetime.now(UTC) - position.as_of)
    facts = [
        ("Position", f"{side.value.capitalize()} {ticket.grouped(position.quantity)}, entry {ticket.grouped(position.entry_price)}"),
        ("Closes", f"{plain(share * 100)} %, about {numbers.money(order.quantity * position.mark_price)} USDT"),
        ("PnL of this part", f"about {numbers.signed_money(position.unrealized_pnl * part)} USDT before fees"),
        ("Leaves", ticket.position_in_words(left)),
        ("Mark", f"{ticket.grouped(position.mark_price)}, {age} old"),
        ("Sent as", "Market, reduce-only; the position is read again first and the quantity rounded down"),
    ]
    return CloseDialog(position.pk, title, order.side.value, fraction, f"{ticket.sentence_of(position.account, order)}.", facts, [], key)
