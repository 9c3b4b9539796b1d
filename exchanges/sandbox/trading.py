"""Orders from acceptance to what they take at once: checks, matching, amendment, cancellation. Each change is in the ledger before it
returns; what a resting order gets later is told by the settlement."""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

from . import filters, matching
from .accounts import Changes, Desk, end
from .books import Books
from .brackets import check_bracket
from .margin import leverage_of, order_margin
from .matching import Take
from .model import ZERO, Kind, Leg, Lifetime, Listing, MarginMode, Order, Reason, Refused, Side
from .prices import Prices
from .rules import RULES, Scope

MAX_OPEN_ORDERS = 200  # per symbol


class Trading:
    def __init__(self, prices: Prices, books: Books) -> None:
        self._prices = prices
        self._books = books

    def place(self, desk: Desk, order: Order) -> Order:
        """Takes what the order may take at once and rests or ends the remainder. `order` is new and becomes the account's."""
        listing, rules = self._prices.market.listing(order.venue, order.symbol), RULES[order.venue]
        mark = self._prices.mark(order.venue, order.symbol)
        self._check_modes(desk, order)
        self._check_new(desk, order)
        _check_filters(listing, order, mark)
        if order.closes:
            order.quantity = _closing_quantity(desk, order)
        takes = self._takes(desk, order)
        would_take = bool(takes) and order.lifetime is Lifetime.POST_ONLY
        if would_take and rules.post_only_is_refused:
            raise Refused(Reason.WOULD_TAKE)
        taken = sum((each.quantity for each in takes), ZERO)
        if would_take or (order.lifetime is Lifetime.FOK and taken < order.quantity):
            takes = []
        self._check_margin(desk, listing, order, takes)
        _check_bracket(desk, listing, order, order.quantity, mark)
        order.id = self._books.next_id()
        self._take(desk, listing, order, takes, would_take=would_take)
        return order

    def amend(self, desk: Desk, order: Order, *, quantity: Decimal, limit_price: Decimal, wire: dict[str, str]) -> Order:
        """Gives an open order another quantity (what it filled included) and price, and what it then may take. It ends instead where
        nothing is left of it or where it may only rest and would take. Refused changes leave it as it is."""
        if not order.status.is_open:
            raise Refused(Reason.ALREADY_FINAL, status=order.status.value)
        listing, now_ms = self._prices.market.listing(order.venue, order.symbol), self._prices.moment(desk)
        amended = replace(order, quantity=quantity, limit_price=limit_price)
        mark = self._prices.mark(order.venue, order.symbol)
        _check_filters(listing, amended, mark)
        if order.closes:
            amended.quantity = _closing_quantity(desk, amended)
        takes = self._takes(desk, amended)
        would_take = bool(takes) and order.lifetime is Lifetime.POST_ONLY
        if amended.remaining <= 0 or would_take:
            end(order, Lifetime.POST_ONLY if would_take else "user", now_ms)
            self._books.keep(desk, Changes([order]))
            return order
        if not order.closes:
            instead = [(order.side, -order.remaining, order.limit_price or ZERO), (order.side, amended.remaining, limit_price)]
            self._check_bound(desk, listing, order, instead, _cost(takes))
            _check_bracket(desk, listing, order, amended.remaining - order.remaining, mark)
        order.quantity, order.limit_price, order.updated_ms = amended.quantity, limit_price, now_ms
        order.wire |= wire
        self._take(desk, listing, order, takes, would_take=False)
        return order

    def cancel(self, desk: Desk, order: Order) -> Order:
        if not order.status.is_open:
            raise Refused(Reason.ALREADY_FINAL, status=order.status.value)
        self.cancel_all(desk, [order])
        return order

    def cancel_all(self, desk: Desk, orders: list[Order]) -> list[Order]:
        """All of these open orders are canceled, or none is where they cannot be written."""
        for order in orders:
            end(order, "user", self._prices.moment(desk))
        if orders:
            self._books.keep(desk, Changes(orders))
        return orders

    def _check_modes(self, desk: Desk, order: Order) -> None:
        """The leg and the margin mode must be those of the account's settings, where these decide."""
        account = desk.account
        if (order.leg is not Leg.NET) is not account.is_hedged(order.symbol):
            raise Refused(Reason.POSITION_SIDE, leg=order.leg.value)
        if RULES[order.venue].margin_mode_scope is not Scope.ORDER and order.margin_mode is not account.margin_mode_of(order.symbol):
            raise Refused(Reason.MARGIN_MODE, margin_mode=order.margin_mode.value)

    def _check_new(self, desk: Desk, order: Order) -> None:
        namesake = desk.newest_with(order.client_id) if order.client_id else None
        if namesake and (namesake.status.is_open or RULES[order.venue].client_id_is_unique_forever):
            raise Refused(Reason.DUPLICATE_CLIENT_ID, client_id=order.client_id)
        if not _may_not_rest(order) and len(desk.open_on(order.symbol)) >= MAX_OPEN_ORDERS:
            raise Refused(Reason.TOO_MANY_ORDERS, limit=str(MAX_OPEN_ORDERS))

    def _takes(self, desk: Desk, order: Order) -> list[Take]:
        quantity = min(order.remaining, desk.reducible(order.key, order.side)) if order.closes else order.remaining
        levels = self._prices.market.levels(order.venue, order.symbol, order.side, self._prices.market_ms())
        return matching.take(levels, order.side, quantity, order.limit_price)

    def _lapses(self, desk: Desk, order: Order, *, would_take: bool) -> str:
        """Why the remainder of an order may not rest; "" if it may."""
        if would_take:
            return Lifetime.POST_ONLY
        if order.closes and not desk.reducible(order.key, order.side):
            return "reduce_only"
        if order.kind is Kind.MARKET:
            return "no_liquidity"
        return order.lifetime if _may_not_rest(order) else ""

    def _check_margin(self, desk: Desk, listing: Listing, order: Order, takes: Sequence[Take]) -> None:
        """An order may not bind more than is available, its fee included; one that only closes may always."""
        if order.closes or (_may_not_rest(order) and not takes):
            return
        taken, cost = sum((each.quantity for each in takes), ZERO), _cost(takes)
        quantity = taken if _may_not_rest(order) else order.quantity
        price = order.limit_price or cost / taken
        if takes and order.margin_mode is MarginMode.ISOLATED:
            price = max(price, cost / taken)  # what goes into the position's wallet is the margin of what a sell really gets
        self._check_bound(desk, listing, order, [(order.side, quantity, price)], cost)

    def _check_bound(
        self, desk: Desk, listing: Listing, order: Order, extra: Sequence[tuple[Side, Decimal, Decimal]], cost: Decimal
    ) -> None:
        """`extra` is what the open orders get more (negative quantities: less), `cost` what is taken at once."""
        more = order_margin(desk, order.key, extra) - order_margin(desk, order.key)
        if more <= 0:
            return
        required, available = more + cost * listing.taker_fee, self._prices.available(desk)
        if required > available:
            raise Refused(Reason.INSUFFICIENT_MARGIN, required=format(required, "f"), available=format(available, "f"))

    def _take(self, desk: Desk, listing: Listing, order: Order, takes: Sequence[Take], *, would_take: bool) -> None:
        """Fills an order as of its last change and lets it rest or lapse; with that it is in the ledger."""
        changed_ms, changes = order.updated_ms, Changes([order])
        for each in takes:
            self._books.fill(desk, changes, listing, order, each, is_maker=False, time_ms=changed_ms)
        if order.status.is_open and (reason := self._lapses(desk, order, would_take=would_take)):
            order.status, order.cancel_reason = RULES[order.venue].unfilled, reason
        if takes:
            changes.orders += desk.end_pointless(order.key, changed_ms)
            self._books.make_good(desk, changes, changes.fills[-1])
        self._books.keep(desk, changes)


def _cost(takes: Sequence[Take]) -> Decimal:
    return sum((each.quantity * each.price for each in takes), ZERO)


def _may_not_rest(order: Order) -> bool:
    return order.kind is Kind.MARKET or order.lifetime in (Lifetime.IOC, Lifetime.FOK)


def _check_filters(listing: Listing, order: Order, mark: Decimal) -> None:
    filters.check_quantity(listing, order.quantity, kind=order.kind)
    if order.limit_price is not None:
        filters.check_price(listing, order.limit_price, side=order.side, mark=mark)
    if not order.closes:
        filters.check_notional(listing, order.quantity * (order.limit_price or mark))


def _check_bracket(desk: Desk, listing: Listing, order: Order, more: Decimal, mark: Decimal) -> None:
    """With everything open on that side and `more` than that, the position must stay within the brackets its leverage allows."""
    if order.closes or more <= 0:
        return
    resting = sum((each.remaining for each in desk.open_for(order.key) if each.side is order.side and not each.closes), ZERO)
    held = desk.quantity(order.key)
    reached = abs(held + order.side.sign * (resting + more))
    if reached > abs(held):
        check_bracket(listing.brackets, reached * mark, leverage_of(desk, order.key))


def _closing_quantity(desk: Desk, order: Order) -> Decimal:
    """The quantity (what is filled included) that an order gets which may only close."""
    rules, reducible = RULES[order.venue], desk.reducible(order.key, order.side)
    most = order.filled + reducible
    beyond = order.quantity > most and order.leg is not Leg.NET and rules.closing_beyond_is_refused
    if beyond or not reducible:
        raise Refused(Reason.REDUCE_ONLY)
    return min(order.quantity, most) if rules.reduce_only_is_cut else order.quantity
