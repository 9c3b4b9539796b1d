"""From an order's parameters to a ticket the engine can take, refused in the venue's order of checks: parameters, then the price and
quantity filters, then the price band and the smallest notional, at last the position side. Of the account it knows the position mode.
"""

import re
import secrets
from dataclasses import dataclass
from decimal import Decimal

from exchanges.sandbox.binance import errors
from exchanges.sandbox.binance.endpoint import VENUE
from exchanges.sandbox.binance.errors import VenueError
from exchanges.sandbox.binance.instruments import ORDER_TYPES, TIMES_IN_FORCE
from exchanges.sandbox.binance.legs import check_leg, sent_leg
from exchanges.sandbox.binance.numbers import at_least_one_decimal, fixed, plain, price_places, quantity_places
from exchanges.sandbox.binance.params import Params
from exchanges.sandbox.engine import Engine
from exchanges.sandbox.model import Account, Kind, Leg, Lifetime, Listing, Order, Side

_LEGAL_CLIENT_ID = r"^[\.A-Z\:/a-z0-9_-]{1,36}$"
_LONGEST_CLIENT_ID = 36
_CONDITIONAL_TYPES = ("STOP", "STOP_MARKET", "TAKE_PROFIT", "TAKE_PROFIT_MARKET", "TRAILING_STOP_MARKET")
_CONDITIONAL_ONLY = ("stopPrice", "activationPrice", "callbackRate")
_SELF_TRADE_MODES = ("NONE", "EXPIRE_TAKER", "EXPIRE_MAKER", "EXPIRE_BOTH")
_SIDES = {"BUY": Side.BUY, "SELL": Side.SELL}
_KINDS = {"LIMIT": Kind.LIMIT, "MARKET": Kind.MARKET}
_LIFETIMES = {"GTC": Lifetime.GTC, "IOC": Lifetime.IOC, "FOK": Lifetime.FOK, "GTX": Lifetime.POST_ONLY}


@dataclass(frozen=True, slots=True)
class Ticket:
    listing: Listing
    side: Side
    leg: Leg
    kind: Kind
    lifetime: Lifetime
    quantity: Decimal
    limit_price: Decimal | None
    reduce_only: bool
    client_id: str
    wants_result: bool
    self_trade_mode: str

    @property
    def closes(self) -> bool:
        """Whether it may only make a position smaller: it says so, or it goes against its leg."""
        return self.reduce_only or (self.leg is Leg.LONG and self.side is Side.SELL) or (self.leg is Leg.SHORT and self.side is Side.BUY)


def ticket(params: Params, engine: Engine, account: Account) -> Ticket:
    """A ticket that passes every check this venue makes before it looks at what the account has."""
    listing = engine.listing_by_venue_symbol(VENUE, params.required("symbol"))
    side = _side(params)
    kind = _kind(params)
    _check_unused(params, kind)
    _check_reduce_only(params, account)
    limit_price, lifetime = _limit_terms(params, kind)
    quantity = params.number("quantity")
    if quantity is None:
        raise errors.missing("quantity")
    made = Ticket(
        listing=listing,
        side=side,
        leg=sent_leg(params),
        kind=kind,
        lifetime=lifetime,
        quantity=quantity,
        limit_price=limit_price,
        reduce_only=params.flag("reduceOnly") or False,
        client_id=_client_id(params),
        wants_result=_response_type(params) == "RESULT",
        self_trade_mode=_self_trade_mode(params),
    )
    _check_quantity(made)
    _check_price(made)
    _check_against_mark(made, engine.mark(VENUE, listing.symbol))
    check_leg(made.leg, account)
    return made


def amended_terms(params: Params, engine: Engine, order: Order, listing: Listing) -> tuple[Decimal, Decimal]:
    """Quantity and price that an open order is to have: both must be sent, and pass what a new order's have to pass."""
    if _side(params) is not order.side:
        raise VenueError(-1117, "Invalid side.")
    if params.text("priceMatch") not in (None, "NONE"):
        raise VenueError(-5037, "Invalid price match")
    quantity, limit_price = params.number("quantity"), params.number("price")
    if quantity is None or limit_price is None:
        raise errors.missing("quantity" if quantity is None else "price")
    made = Ticket(
        listing=listing,
        side=order.side,
        leg=order.leg,
        kind=order.kind,
        lifetime=order.lifetime,
        quantity=quantity,
        limit_price=limit_price,
        reduce_only=order.reduce_only,
        client_id=order.client_id,
        wants_result=True,
        self_trade_mode="NONE",
    )
    _check_quantity(made)
    _check_price(made)
    _check_against_mark(made, engine.mark(VENUE, listing.symbol))
    return quantity, limit_price


def _side(params: Params) -> Side:
    side = params.required("side")
    if side not in _SIDES:
        raise VenueError(-1117, "Invalid side.")
    return _SIDES[side]


def _kind(params: Params) -> Kind:
    kind = params.required("type")
    if kind in _CONDITIONAL_TYPES:
        raise VenueError(-4120, "Order type not supported for this endpoint. Please use the Algo Order API endpoints instead.")
    if kind not in ORDER_TYPES:
        raise VenueError(-1116, "Invalid orderType.")
    return _KINDS[kind]


def _check_unused(params: Params, kind: Kind) -> None:
    """What belongs to other kinds of order than limit and market ones."""
    for name in _CONDITIONAL_ONLY:
        if params.has(name):
            raise errors.not_required(name)
    if params.flag("closePosition"):
        raise VenueError(-4136, f"Target strategy invalid for orderType {kind.name},closePosition true")
    if params.text("priceMatch") not in (None, "NONE"):
        raise VenueError(-5037, "Invalid price match")
    if params.integer("goodTillDate"):
        raise errors.not_required("goodTillDate")


def _check_reduce_only(params: Params, account: Account) -> None:
    """In hedge mode it may not be sent, whatever its value: the position side says what is closed."""
    if account.hedge and params.has("reduceOnly"):
        raise errors.not_required("reduceOnly")


def _limit_terms(params: Params, kind: Kind) -> tuple[Decimal | None, Lifetime]:
    time_in_force = params.choice("timeInForce", TIMES_IN_FORCE, VenueError(-1115, "Invalid timeInForce."))
    if kind is Kind.MARKET:
        for name in ("timeInForce", "price"):
            if params.has(name):
                raise errors.not_required(name)
        return None, Lifetime.IOC
    if time_in_force is None:
        raise errors.missing("timeInForce")
    limit_price = params.number("price")
    if limit_price is None:
        raise errors.missing("price")
    return limit_price, _LIFETIMES[time_in_force]


def _client_id(params: Params) -> str:
    client_id = params.text("newClientOrderId")
    if client_id is None:
        return secrets.token_hex(11)
    if len(client_id) > _LONGEST_CLIENT_ID:
        raise VenueError(-4015, "Client order id length should be less than 36 chars")
    if not re.fullmatch(_LEGAL_CLIENT_ID, client_id):
        raise errors.illegal_characters("newClientOrderId", _LEGAL_CLIENT_ID)
    return client_id


def _response_type(params: Params) -> str:
    return params.choice("newOrderRespType", ("ACK", "RESULT"), VenueError(-1136, "Invalid newOrderRespType.")) or "ACK"


def _self_trade_mode(params: Params) -> str:
    refusal = VenueError(-5039, "Invalid self trade prevention mode")
    return params.choice("selfTradePreventionMode", _SELF_TRADE_MODES, refusal) or "NONE"


def _check_quantity(made: Ticket) -> None:
    listing, quantity = made.listing, made.quantity
    if quantity <= 0:
        raise VenueError(-4003, "Quantity less than or equal to zero.")
    if _has_more_places(quantity, quantity_places(listing)):
        raise VenueError(-1111, "Precision is over the maximum defined for this asset.")
    if quantity < listing.min_quantity:
        raise VenueError(-4004, "Quantity less than min quantity.")
    if quantity > (listing.max_market_quantity if made.kind is Kind.MARKET else listing.max_quantity):
        raise VenueError(-4005, "Quantity greater than max quantity.")
    if quantity % listing.lot:
        raise VenueError(-4023, "Qty not increased by step size.")


def _check_price(made: Ticket) -> None:
    listing, limit_price = made.listing, made.limit_price
    if limit_price is None:
        return
    if limit_price <= 0:
        raise VenueError(-4001, "Price less than or equal to zero.")
    if _has_more_places(limit_price, price_places(listing)):
        raise VenueError(-1111, "Precision is over the maximum defined for this asset.")
    if limit_price > listing.max_price:
        raise VenueError(-4002, "Price greater than max price.")
    if limit_price < listing.min_price:
        raise VenueError(-4013, "Price less than min price.")
    if limit_price % listing.tick:
        raise VenueError(-4014, "Price not increased by tick size.")


def _check_against_mark(made: Ticket, mark: Decimal) -> None:
    """PERCENT_PRICE bounds a buy from above and a sell from below; MIN_NOTIONAL takes the mark where there is no price."""
    listing, limit_price = made.listing, made.limit_price
    if limit_price is not None:
        cap, floor = mark * (1 + listing.price_band), mark * (1 - listing.price_band)
        decimals = price_places(listing)
        if made.side is Side.BUY and limit_price > cap:
            raise VenueError(-4016, f"Limit price can't be higher than {fixed(cap, decimals)}.")
        if made.side is Side.SELL and limit_price < floor:
            raise VenueError(-4024, f"Limit price can't be lower than {fixed(floor, decimals)}.")
    notional = made.quantity * (limit_price or mark)
    if notional < listing.min_notional and not made.closes:
        smallest = at_least_one_decimal(listing.min_notional)
        raise VenueError(-4164, f"Order's notional must be no smaller than {smallest} (unless you choose reduce only)")


def _has_more_places(value: Decimal, decimals: int) -> bool:
    _, _, text = plain(value).partition(".")
    return len(text) > decimals
