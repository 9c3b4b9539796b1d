"""Placing, amending and canceling, singly, in batches and all at once.

Every answer is an acknowledgement: ids and nothing of the order's fate.
"""

import re
from collections.abc import Callable
from decimal import Decimal

from exchanges.sandbox.bybit import history, ids, legs, wire
from exchanges.sandbox.bybit.errors import (
    VenueError,
    bad_parameter,
    from_refused,
    illegal_category,
    nothing_to_reduce,
    unchanged_order,
    unknown_order,
    unsupported_order,
)
from exchanges.sandbox.bybit.params import Params
from exchanges.sandbox.bybit.serving import Call, Reply
from exchanges.sandbox.bybit.wire_order import acknowledgement
from exchanges.sandbox.model import ZERO, Kind, Leg, Lifetime, Listing, Order, PositionKey, Refused, Side, Venue

BATCH_MOST = 20
CANCEL_ALL_MOST = 500

_LIFETIMES = {"GTC": Lifetime.GTC, "IOC": Lifetime.IOC, "FOK": Lifetime.FOK, "PostOnly": Lifetime.POST_ONLY}
_LINK_ID = re.compile(r"[A-Za-z0-9_-]{0,36}")
_UNSUPPORTED = ("triggerPrice", "takeProfit", "stopLoss", "tpLimitPrice", "slLimitPrice", "slippageTolerance", "bboSideType")


def create(call: Call) -> Reply:
    return Reply(acknowledgement(_placed(call, call.params)))


def cancel(call: Call) -> Reply:
    return Reply(acknowledgement(_canceled(call, call.params)))


def amend(call: Call) -> Reply:
    return Reply(acknowledgement(_amended(call, call.params)))


def create_batch(call: Call) -> Reply:
    return _batch(call, _placed, with_time=True)


def cancel_batch(call: Call) -> Reply:
    return _batch(call, _canceled, with_time=False)


def amend_batch(call: Call) -> Reply:
    return _batch(call, _amended, with_time=False)


def cancel_all(call: Call) -> Reply:
    """Of a symbol, a base coin or the settle coin, at most 500. There are no conditional orders to cancel."""
    if not call.is_listed():
        return Reply({"list": [], "success": "1"})
    params = call.params
    symbol, base, settle = (params.text(name) for name in ("symbol", "baseCoin", "settleCoin"))
    if not (symbol or base or settle):
        raise bad_parameter("symbol")
    order_filter = params.choice("orderFilter", ("Order", "StopOrder", "OpenOrder"), "Order")
    if symbol:
        call.engine.listing_by_venue_symbol(Venue.BYBIT, symbol)

    def is_meant(order: Order) -> bool:
        return order_filter != "StopOrder" and _is_within(call.engine.listing(Venue.BYBIT, order.symbol), symbol, base, settle)

    canceled = call.engine.cancel_all(call.account, is_meant, most=CANCEL_ALL_MOST)
    return Reply({"list": [acknowledgement(order) for order in canceled], "success": "1"})


def _is_within(listing: Listing, symbol: str, base: str, settle: str) -> bool:
    if symbol:
        return listing.venue_symbol == symbol
    if base:
        return listing.base == base
    return settle == wire.QUOTE


def _placed(call: Call, params: Params) -> Order:
    listing = _tradable(call, params)
    side = Side.BUY if params.choice("side", ("Buy", "Sell")) == "Buy" else Side.SELL
    kind = Kind.LIMIT if params.choice("orderType", ("Market", "Limit")) == "Limit" else Kind.MARKET
    key = legs.chosen(call.account, listing.symbol, params)
    if any(params.has_value(name) for name in _UNSUPPORTED):
        raise unsupported_order()
    lifetime = _lifetime(params, kind)
    closes_whole = params.flag("closeOnTrigger")
    reduce_only = params.flag("reduceOnly") or closes_whole
    quantity = params.decimal("qty", VenueError(10001, "Qty invalid"))
    if quantity is None:
        raise bad_parameter("qty")
    held = history.held(call, key)
    if reduce_only or _closes_leg(key, side):
        _check_reduces(held, side)
    if quantity == ZERO and reduce_only and closes_whole:
        quantity = min(abs(held), listing.max_market_quantity if kind is Kind.MARKET else listing.max_quantity)
    return call.engine.place(
        call.account,
        symbol=listing.symbol,
        side=side,
        kind=kind,
        lifetime=lifetime,
        quantity=quantity,
        limit_price=_limit_price(params, kind),
        reduce_only=reduce_only,
        client_id=_link_id(params),
        wire=_remembered(call, listing, side, closes_whole=closes_whole),
        leg=key.leg,
    )


def _canceled(call: Call, params: Params) -> Order:
    listing = _tradable(call, params)
    order_id, link_id = _either_id(params)
    if order_id:
        return call.engine.cancel(call.account, symbol=listing.symbol, order_id=_number(order_id))
    return call.engine.cancel(call.account, symbol=listing.symbol, client_id=link_id)


def _amended(call: Call, params: Params) -> Order:
    """Quantity (what has filled included) and price; what is not sent, or is sent as 0, stays."""
    listing = _tradable(call, params)
    order_id, link_id = _either_id(params)
    if order_id:
        order = call.engine.order(call.account, symbol=listing.symbol, order_id=_number(order_id))
    else:
        order = call.engine.order(call.account, symbol=listing.symbol, client_id=link_id)
    if any(params.has_value(name) for name in _UNSUPPORTED):
        raise unsupported_order()
    if order is None or not order.status.is_open:
        raise unknown_order()
    quantity = params.decimal("qty", VenueError(10001, "Qty invalid")) or order.quantity
    price = params.decimal("price", VenueError(10001, "Price invalid")) or order.limit_price
    if (quantity, price) == (order.quantity, order.limit_price):
        raise unchanged_order()
    return call.engine.amend(call.account, order, quantity=quantity, limit_price=price)


def _batch(call: Call, act: Callable[[Call, Params], Order], *, with_time: bool) -> Reply:
    """Each item for itself: the envelope says OK and retExtInfo says what became of each."""
    category = call.category()
    items = call.params.rows("request")
    if not 1 <= len(items) <= BATCH_MOST:
        raise bad_parameter("request")
    rows, verdicts = [], []
    for item in items:
        row = {"category": category, "symbol": item.text("symbol"), "orderId": "", "orderLinkId": item.text("orderLinkId")}
        created_at = ""
        verdict: dict[str, object] = {"code": 0, "msg": "OK"}
        try:
            order = act(call, item)
            row |= {"orderId": ids.order_id(order.id), "orderLinkId": order.client_id}
            created_at = str(order.created_ms)
        except (VenueError, Refused) as error:
            refused = from_refused(error) if isinstance(error, Refused) else error
            verdict = {"code": refused.code, "msg": refused.message}
        rows.append(row | {"createAt": created_at} if with_time else row)
        verdicts.append(verdict)
    return Reply({"list": rows}, extra={"list": verdicts})


def _tradable(call: Call, params: Params) -> Listing:
    category = call.category()
    symbol = params.required("symbol")
    if category == "linear":
        return call.engine.listing_by_venue_symbol(Venue.BYBIT, symbol)
    if category == "spot":
        raise VenueError(170121, "Invalid symbol.")
    if category == "option":
        raise illegal_category()
    raise bad_parameter("symbol")


def _lifetime(params: Params, kind: Kind) -> Lifetime:
    """Market orders are IOC whatever was asked."""
    name = params.text("timeInForce", "GTC")
    if name == "RPI":
        raise VenueError(110119, "Order failed. RPI orders are restricted to approved market makers only")
    if name not in _LIFETIMES:
        raise bad_parameter("timeInForce")
    return Lifetime.IOC if kind is Kind.MARKET else _LIFETIMES[name]


def _limit_price(params: Params, kind: Kind) -> Decimal | None:
    """Market orders ignore a price."""
    if kind is Kind.MARKET:
        return None
    price = params.decimal("price", VenueError(10001, "Price invalid"))
    if not price:
        raise VenueError(10001, "Price invalid")
    return price


def _link_id(params: Params) -> str:
    link_id = params.text("orderLinkId")
    if not _LINK_ID.fullmatch(link_id):
        raise bad_parameter("orderLinkId")
    return link_id


def _either_id(params: Params) -> tuple[str, str]:
    order_id, link_id = params.text("orderId"), params.text("orderLinkId")
    if not order_id and not link_id:
        raise bad_parameter("orderId")
    return order_id, link_id


def _number(order_id: str) -> int:
    number = ids.order_number(order_id)
    if number is None:
        raise unknown_order()
    return number


def _closes_leg(key: PositionKey, side: Side) -> bool:
    """In hedge mode the leg and the side say whether an order opens or closes, whether it says reduceOnly or not."""
    return key.leg is not Leg.NET and (side is Side.BUY) is (key.leg is Leg.SHORT)


def _check_reduces(held: Decimal, side: Side) -> None:
    if not held:
        raise nothing_to_reduce()
    if held * side.sign > 0:
        raise VenueError(110017, "Reduce-only rule not satisfied")


def _remembered(call: Call, listing: Listing, side: Side, *, closes_whole: bool) -> dict[str, str]:
    """What the order's rows show later: the last price when it came, and the worst price a market order would have taken."""
    last = call.engine.ticker(Venue.BYBIT, listing.symbol).last
    worst = last * (1 + listing.price_band * side.sign)
    return {
        "last_price": wire.scaled(last, listing.tick),
        "worst_price": wire.scaled(worst, listing.tick),
        "close_on_trigger": "true" if closes_whole else "false",
    }
