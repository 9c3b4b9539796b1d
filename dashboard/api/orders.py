"""What programs do: place, cancel, close; and what they see of their orders."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from ninja import Header, Query, Router
from ninja.responses import Status

from dashboard.api import answers
from dashboard.api.auth import caller_of
from dashboard.api.schemas import AccountId, CloseIn, ErrorOut, OrderIn, OrderOut, PageOf, Paging, SymbolText
from portfolio import access
from portfolio.execution.cancel import cancel, order_for
from portfolio.execution.close import close, position_for
from portfolio.execution.place import Idempotency, Intent, earlier_order, place
from portfolio.execution.selection import select_account
from portfolio.models import Order, Origin
from portfolio.states import OrderState

router = Router(tags=["orders"])

KEY_HEADER: Any = Header("", alias="Idempotency-Key", max_length=100, description="The same key and body answer the first order again")  # type: ignore[type-arg]  # ninja types it as a class

_ERRORS = dict.fromkeys((401, 403, 404, 409, 413, 415, 422, 502, 503), ErrorOut)
_PLACED = {201: OrderOut, 202: OrderOut, **_ERRORS}


@router.get("/orders", response={200: PageOf[OrderOut], **_ERRORS}, summary="Orders, newest first")
def list_orders(
    request: HttpRequest,
    paging: Query[Paging],
    state: OrderState | None = None,
    account: AccountId | None = None,
    symbol: SymbolText | None = None,
) -> PageOf[OrderOut]:
    found = access.orders_for(caller_of(request)).select_related("account").order_by("-created_at", "-id")
    if state is not None:
        found = found.filter(state=state)
    if account is not None:
        found = found.filter(account_id=account)
    if symbol is not None:
        found = found.filter(symbol=symbol.upper())
    rows = found[paging.offset : paging.offset + paging.limit]
    return PageOf(items=[answers.order(row) for row in rows], count=found.count())


@router.get("/orders/{int:order_id}", response={200: OrderOut, **_ERRORS}, summary="One order")
def get_order(request: HttpRequest, order_id: int) -> OrderOut:
    return answers.order(order_for(caller_of(request), order_id))


@router.post("/orders", response=_PLACED, summary="Place an order")
def post_order(request: HttpRequest, response: HttpResponse, body: OrderIn, idempotency_key: str = KEY_HEADER) -> Status[OrderOut]:
    """201 accepted, also where the exchange rejected it (state REJECTED with its reason); 202 while the outcome is unknown: do not repeat,
    read the order until it is resolved; 422 refused by us, nothing was stored."""
    user = caller_of(request)
    idempotency = Idempotency.of(idempotency_key, {"order": body.model_dump(mode="json")})
    # The same request again must find its order also where the route leads elsewhere by now; it may be at an account that this token
    # does not name.
    earlier = earlier_order(user, idempotency)
    if earlier is not None:
        return _answer(response, order_for(user, earlier.pk), is_replay=True)
    request_ = body.to_request()
    routed = select_account(user, symbol=request_.symbol, account_id=body.account, exchange=body.exchange, portfolio_id=body.portfolio)
    order, is_replay = place(Intent(user, routed.account, request_, Origin.API, idempotency, routed.to_json()))
    return _answer(response, order_for(user, order.pk) if is_replay else order, is_replay=is_replay)


@router.delete("/orders/{int:order_id}", response={200: OrderOut, 202: OrderOut, **_ERRORS}, summary="Cancel an order")
def delete_order(request: HttpRequest, order_id: int) -> Status[OrderOut]:
    """200 with the order as it ended. 202 where the cancel was sent and may not have arrived: the order is still open and `reason` says so
    until the outcome is known; an order that is open without that reason was not canceled. Safe to repeat while the order is open; 409 for
    one that is final."""
    user = caller_of(request)
    order = cancel(user, order_for(user, order_id))
    return Status(202 if order.is_open else 200, answers.order(order))


@router.post("/positions/{int:position_id}/close", response=_PLACED, summary="Close a fraction of a position at market")
def close_position(
    request: HttpRequest, response: HttpResponse, position_id: int, body: CloseIn, idempotency_key: str = KEY_HEADER
) -> Status[OrderOut]:
    """Reduce-only; the position is read anew first and the quantity rounded down to the lot."""
    user = caller_of(request)
    idempotency = Idempotency.of(idempotency_key, {"position": position_id, "fraction": format(body.fraction.normalize(), "f")})
    earlier = earlier_order(user, idempotency)
    if earlier is not None:
        return _answer(response, order_for(user, earlier.pk), is_replay=True)
    order, is_replay = close(user, position_for(user, position_id), body.fraction, origin=Origin.API, idempotency=idempotency)
    return _answer(response, order, is_replay=is_replay)


def _answer(response: HttpResponse, order: Order, *, is_replay: bool) -> Status[OrderOut]:
    if is_replay:
        response["Idempotent-Replayed"] = "true"
    return Status(202 if order.state in (OrderState.UNKNOWN, OrderState.SUBMITTING) else 201, answers.order(order))
