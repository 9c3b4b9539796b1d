"""Placing, canceling and closing. Every item of a request is judged alone: its sCode tells, the envelope's code only sums up."""

import re
from collections.abc import Callable
from decimal import Decimal

from exchanges.sandbox.model import Kind, Leg, Lifetime, Listing, Order, PositionKey, Reason, Refused, Side, Venue
from exchanges.sandbox.okx import errors, history
from exchanges.sandbox.okx.endpoint import PrivateCall, Reply, Row
from exchanges.sandbox.okx.errors import Refusal, Rejected, invalid
from exchanges.sandbox.okx.modes import key_of
from exchanges.sandbox.okx.parameters import Parameters
from exchanges.sandbox.okx.wire import contracts, order_id, plain, price_limits, quantity_of, whole_lots

BULK = 20
_KINDS = {
    "market": (Kind.MARKET, Lifetime.IOC),
    "limit": (Kind.LIMIT, Lifetime.GTC),
    "post_only": (Kind.LIMIT, Lifetime.POST_ONLY),
    "ioc": (Kind.LIMIT, Lifetime.IOC),
    "fok": (Kind.LIMIT, Lifetime.FOK),
}
_CLIENT_ID = re.compile(r"[A-Za-z0-9]{1,32}")
_TAG = re.compile(r"[A-Za-z0-9]{1,16}")

Item = Callable[[PrivateCall, Parameters], Order]


def place(call: PrivateCall) -> Reply:
    return summed_up([judged(call, call.parameters, _placed, "Order placed")])


def place_batch(call: PrivateCall) -> Reply:
    if len(call.items) > BULK:
        raise errors.too_many_in_bulk(BULK)
    return summed_up([judged(call, item, _placed, "Order placed") for item in call.items])


def cancel(call: PrivateCall) -> Reply:
    return summed_up([judged(call, call.parameters, _canceled, "")])


def cancel_batch(call: PrivateCall) -> Reply:
    if len(call.items) > BULK:
        raise errors.too_many_to_cancel(BULK)
    return summed_up([judged(call, item, _canceled, "") for item in call.items])


def place_algo(call: PrivateCall) -> Reply:
    """Conditional orders do not exist on this account: their types are refused as unknown ones."""
    parameters = call.parameters
    named = {name: parameters.text(name) for name in ("algoClOrdId", "clOrdId", "tag")}
    refused = _refusal_of(lambda: _refuse_algo(call))
    return summed_up([{**named, "algoId": "", "sCode": refused.code, "sMsg": refused.message}])


def cancel_algos(call: PrivateCall) -> Reply:
    failed = errors.NOT_CANCELABLE
    return summed_up(
        [
            {
                "algoClOrdId": item.text("algoClOrdId"),
                "algoId": item.text("algoId"),
                "clOrdId": "",
                "sCode": failed.code,
                "sMsg": failed.message,
                "tag": "",
            }
            for item in call.items
        ]
    )


def close_position(call: PrivateCall) -> list[Row]:
    """The whole position, at market. Pending orders that would close it too must go first: by autoCxl, or by the client."""
    parameters = call.parameters
    listing = call.listing
    key = key_of(call, parameters, listing, "mgnMode")
    position = call.account.positions.get(key)
    if position is None:
        raise Rejected(errors.NO_POSITION)
    client_id, tag = _matching(parameters, "clOrdId", _CLIENT_ID), _matching(parameters, "tag", _TAG)
    cancels_first = parameters.choice("autoCxl", ("true", "false"), default="false") == "true"

    def stands_in_the_way(order: Order) -> bool:
        return order.closes and order.key == key

    if not cancels_first and any(map(stands_in_the_way, call.engine.open_orders(call.account))):
        raise Rejected(errors.CLOSE_ORDERS_PENDING)
    call.engine.cancel_all(call.account, stands_in_the_way)
    try:
        call.engine.place(
            call.account,
            symbol=listing.symbol,
            side=Side.SELL if position.quantity > 0 else Side.BUY,
            kind=Kind.MARKET,
            lifetime=Lifetime.IOC,
            quantity=abs(position.quantity),
            limit_price=None,
            reduce_only=key.leg is Leg.NET,
            client_id=client_id,
            wire=_wire(call, tag, key),
            leg=key.leg,
            margin_mode=key.margin_mode,
        )
    except Refused as refused:
        if refused.reason is Reason.ABOVE_MAXIMUM:
            raise Rejected(errors.CLOSE_TOO_LARGE) from refused
        raise
    return [{"clOrdId": client_id, "instId": listing.venue_symbol, "posSide": key.leg.value, "tag": tag}]


def judged(call: PrivateCall, item: Parameters, act: Item, success: str) -> Row:
    """One item's row: what became of it, and its order's id if it has one."""
    named = {"clOrdId": _echo(item, "clOrdId"), "tag": _echo(item, "tag"), "subCode": "", "ts": str(call.engine.now_ms())}
    try:
        order = act(call, item)
    except Rejected as rejected:
        refused = rejected.refusal
    except Refused as reason:
        refused = errors.of_reason(reason)
    else:
        return {**named, "clOrdId": order.client_id, "ordId": order_id(order.id), "sCode": "0", "sMsg": success}
    return {**named, "ordId": _echo(item, "ordId"), "sCode": refused.code, "sMsg": refused.message}


def _placed(call: PrivateCall, item: Parameters) -> Order:
    if call.is_expired:
        raise Rejected(errors.EXPIRED)
    listing = call.engine.listing_by_venue_symbol(Venue.OKX, item.required("instId"))
    key, side = key_of(call, item, listing, "tdMode"), Side(item.choice("side", ("buy", "sell")))
    kind, lifetime = _KINDS[item.choice("ordType", tuple(_KINDS))]
    size = item.positive_decimal("sz")
    if kind is Kind.LIMIT and not item.text("px"):
        raise invalid("px")
    if item.value("attachAlgoOrds") not in (None, "", []):
        raise invalid("attachAlgoOrds")
    reduce_only = item.choice("reduceOnly", ("true", "false"), default="false") == "true"
    client_id, tag = _matching(item, "clOrdId", _CLIENT_ID), _matching(item, "tag", _TAG)
    try:
        return call.engine.place(
            call.account,
            symbol=listing.symbol,
            side=side,
            kind=kind,
            lifetime=lifetime,
            quantity=quantity_of(listing, size),
            limit_price=item.positive_decimal("px") if kind is Kind.LIMIT else None,
            reduce_only=reduce_only and key.leg is Leg.NET,  # long/short mode knows no reduceOnly: the leg tells what closes
            client_id=client_id,
            wire=_wire(call, tag, key),
            leg=key.leg,
            margin_mode=key.margin_mode,
        )
    except Refused as refused:
        raise Rejected(refusal(call, listing, kind, refused, key)) from refused


def _canceled(call: PrivateCall, item: Parameters) -> Order:
    order = existing(call, item)
    if order is None or not order.status.is_open:
        raise Rejected(errors.NOT_CANCELABLE)
    return call.engine.cancel(call.account, symbol=order.symbol, order_id=order.id)


def existing(call: PrivateCall, item: Parameters) -> Order | None:
    listing = call.engine.listing_by_venue_symbol(Venue.OKX, item.required("instId"))
    return history.find_order(call, listing, item.integer("ordId"), item.text("clOrdId"))


def _refuse_algo(call: PrivateCall) -> None:
    call.engine.listing_by_venue_symbol(Venue.OKX, call.parameters.required("instId"))
    for name in ("tdMode", "side", "ordType"):
        call.parameters.required(name)
    raise invalid("ordType")


def _refusal_of(act: Callable[[], None]) -> Refusal:
    try:
        act()
    except Rejected as rejected:
        return rejected.refusal
    except Refused as refused:
        return errors.of_reason(refused)
    return errors.SYSTEM_ERROR


def refusal(call: PrivateCall, listing: Listing, kind: Kind, refused: Refused, key: PositionKey) -> Refusal:
    """What the venue words by circumstance: a band with its prices, a market order's own limit, which way a reduction fails, a tier."""
    mark = call.engine.mark(Venue.OKX, listing.symbol)
    if refused.reason is Reason.PRICE_OUT_OF_BAND:
        highest, lowest = price_limits(listing, mark)
        return errors.out_of_band(plain(highest), plain(lowest))
    if refused.reason is Reason.ABOVE_MAXIMUM and kind is Kind.MARKET:
        return errors.MARKET_ORDER_TOO_LARGE
    if refused.reason is Reason.REDUCE_ONLY and key.leg is Leg.NET and key in call.account.positions:
        return errors.REDUCING_WRONG_WAY
    if refused.reason is Reason.ABOVE_BRACKET:
        largest = contracts(listing, whole_lots(listing, Decimal(refused.detail["maximum"]) / mark))
        return errors.above_tier(listing.venue_symbol, key, largest, refused.detail["leverage"])
    return errors.of_reason(refused)


def _wire(call: PrivateCall, tag: str, key: PositionKey) -> dict[str, str]:
    return {"tag": tag, "lever": str(call.engine.leverage(call.account, key.symbol, key.margin_mode, key.leg))}


def _matching(item: Parameters, name: str, pattern: re.Pattern[str]) -> str:
    text = item.text(name)
    if text and not pattern.fullmatch(text):
        raise invalid(name)
    return text


def _echo(item: Parameters, name: str) -> str:
    value = item.value(name)
    return value if isinstance(value, str) else ""


def summed_up(items: list[Row]) -> Reply:
    failed = sum(item["sCode"] != "0" for item in items)
    if not failed:
        return Reply(items)
    if failed == len(items):
        return Reply(items, "1", "All operations failed")
    return Reply(items, "2", "Bulk operation partially succeeded.")
