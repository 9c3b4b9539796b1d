"""What people do with a position in the page: close a part of it, after reading what will be sent."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from dashboard import numbers, ticket
from dashboard.forms import MAX_KEY_LENGTH, new_idempotency_key
from dashboard.outcomes import FAILURES, outcome_of, words_of
from dashboard.requests import HtmxHttpRequest
from dashboard.toasts import finish
from exchanges.decimals import plain, to_decimal
from exchanges.domain import OrderRequest, OrderSide, PositionSide
from portfolio import access
from portfolio.access import NotPermitted
from portfolio.execution.cancel import order_for
from portfolio.execution.close import Agreed, close, close_request, position_for
from portfolio.execution.place import Idempotency, earlier_order
from portfolio.execution.refusals import NotFound, Refused
from portfolio.exposure import describe_age
from portfolio.models import Origin, Position
from portfolio.valuation import signed

_FRACTIONS = ("0.25", "0.5", "0.75", "1")
_NOT_AGREED = "Nothing was sent: what would be sent was not confirmed. Read it here and confirm."


@dataclass(slots=True)
class CloseDialog:
    """What the close dialog shows; `fraction` as in the buttons. `side` and `quantity` are what a person agrees to with Send, empty where
    there is nothing to send."""

    id: int
    title: str
    fraction: str
    idempotency_key: str
    side: str = ""
    quantity: str = ""
    sentence: str = ""
    facts: list[tuple[str, str]] = field(default_factory=list)
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
            return finish(request, *outcome_of(order_for(request.user, earlier.pk)))
        position = position_for(request.user, position_id)
        access.require_trading_role(request.user, position.account)
    except NotFound as error:
        raise Http404(str(error)) from error
    except NotPermitted as error:
        raise PermissionDenied(str(error)) from error
    except Refused as error:
        return finish(request, words_of(error), "danger", status=422)
    if request.method == "GET":
        return _show(request, _dialog(position, fraction, key))
    agreed = _agreed(request)
    if agreed is None:
        return _show(request, _dialog(position, fraction, key, error=_NOT_AGREED), status=422)
    try:
        order, _ = close(request.user, position, Decimal(fraction), origin=Origin.PAGE, agreed=agreed, idempotency=idempotency)
    except FAILURES as error:
        return _show(request, _dialog_again(position, fraction, key, words_of(error)), status=422)
    return finish(request, *outcome_of(order))


def _agreed(request: HtmxHttpRequest) -> Agreed | None:
    """The side and quantity that the dialog showed; None where the form does not say them."""
    try:
        quantity = to_decimal(request.POST.get("quantity", ""))
        return Agreed(OrderSide(request.POST.get("side", "")), quantity) if quantity > 0 else None
    except ValueError:
        return None


def _show(request: HtmxHttpRequest, dialog: CloseDialog, status: int = 200) -> HttpResponse:
    template = "panels/position_close.html" if request.htmx else "pages/position_close.html"
    return render(request, template, {"close": dialog}, status=status)


def _dialog_again(position: Position, fraction: str, key: str, error: str) -> CloseDialog:
    """Of the position as the book has it now: what could not be closed may be another one, or gone."""
    now = Position.objects.select_related("account").filter(pk=position.pk).first()
    if now is None:
        return CloseDialog(position.pk, _title(position), fraction, key, error=error)
    return _dialog(now, fraction, key, error=error)


def _dialog(position: Position, fraction: str, key: str, *, error: str = "") -> CloseDialog:
    """A preview from the last known figures; the order itself is made from the position as the venue shows it then."""
    dialog = CloseDialog(position.pk, _title(position), fraction, key, error=error)
    side, share = PositionSide(position.side), to_decimal(fraction)
    try:
        order = close_request(position, share, position.quantity, side)
    except Refused as refusal:
        dialog.error = error or refusal.message
        return dialog
    dialog.side, dialog.quantity = order.side.value, plain(order.quantity)
    dialog.sentence = f"{ticket.sentence_of(position.account, order)}."
    dialog.facts = _facts(position, order, share)
    return dialog


def _title(position: Position) -> str:
    return f"Close {position.symbol} on {position.account}"


def _facts(position: Position, order: OrderRequest, share: Decimal) -> list[tuple[str, str]]:
    side = PositionSide(position.side)
    part = order.quantity / position.quantity
    left = signed(position.quantity - order.quantity, side)
    age = describe_age(datetime.now(UTC) - position.as_of)
    return [
        ("Position", f"{side.value.capitalize()} {ticket.grouped(position.quantity)}, entry {ticket.grouped(position.entry_price)}"),
        ("Closes", f"{plain(share * 100)} %, about {numbers.money(order.quantity * position.mark_price)} USDT"),
        ("PnL of this part", f"about {numbers.signed_money(position.unrealized_pnl * part)} USDT before fees"),
        ("Leaves", ticket.position_in_words(left)),
        ("Mark", f"{ticket.grouped(position.mark_price)}, {age} old"),
        ("Sent as", "Market, reduce-only; the position is read again first, and no more than this is sent"),
    ]
