"""Changing pending orders in place, one by one and in batches. Each item is judged alone, as in placing."""

from exchanges.sandbox.model import Kind, Order, Reason, Refused, Venue
from exchanges.sandbox.okx import errors
from exchanges.sandbox.okx.endpoint import PrivateCall, Reply, Row
from exchanges.sandbox.okx.errors import Rejected, invalid, missing
from exchanges.sandbox.okx.parameters import Parameters
from exchanges.sandbox.okx.trade import BULK, existing, judged, refusal, summed_up
from exchanges.sandbox.okx.wire import quantity_of


def amend(call: PrivateCall) -> Reply:
    return summed_up([_row(call, call.parameters)])


def amend_batch(call: PrivateCall) -> Reply:
    if len(call.items) > BULK:
        raise errors.too_many_in_bulk(BULK)
    return summed_up([_row(call, item) for item in call.items])


def _row(call: PrivateCall, item: Parameters) -> Row:
    row = judged(call, item, _amended, "")
    del row["tag"]
    return {**row, "reqId": item.text("reqId")}


def _amended(call: PrivateCall, item: Parameters) -> Order:
    """A size counts what has filled already. cxlOnFail cancels an order whose new terms are refused, and the refusal stands."""
    if call.is_expired:
        raise Rejected(errors.EXPIRED)
    order = existing(call, item)
    _check_fields(item)
    if order is None or not order.status.is_open:
        raise Rejected(errors.NOTHING_TO_AMEND)
    listing = call.engine.listing(Venue.OKX, order.symbol)
    size = item.positive_decimal("newSz") if item.text("newSz") else None
    price = item.positive_decimal("newPx") if item.text("newPx") else None
    try:
        return call.engine.amend(call.account, order, quantity=None if size is None else quantity_of(listing, size), limit_price=price)
    except Refused as refused:
        if refused.reason is Reason.ALREADY_FINAL:
            raise Rejected(errors.NOTHING_TO_AMEND) from refused
        if item.choice("cxlOnFail", ("true", "false"), default="false") == "true":
            call.engine.cancel_all(call.account, lambda each: each is order)
        if refused.reason is Reason.INSUFFICIENT_MARGIN:
            raise Rejected(errors.AMENDED_BEYOND_MARGIN) from refused
        raise Rejected(refusal(call, listing, Kind.LIMIT, refused, order.key)) from refused


def _check_fields(item: Parameters) -> None:
    if item.value("attachAlgoOrds") not in (None, "", []):
        raise invalid("attachAlgoOrds")
    for name in ("newPxUsd", "newPxVol"):
        if item.text(name):
            raise invalid(name)
    if not (item.text("newSz") or item.text("newPx")):
        raise missing("newSz")
