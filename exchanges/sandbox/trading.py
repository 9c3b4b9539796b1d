"""Orders from acceptance to their last fill: checks, matching, settlement, cancellation. Each change is in the ledger before it returns.

What came due while nobody looked (a resting order that the price reached) is settled when somebody looks, as of when it happened.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from decimal import Decimal

from . import filters, matching
from .accounts import Desk
from .demo import NAME, demo_orders
from .ledger import Ledger
from .margin import DEFAULT_LEVERAGE, order_margin, value
from .market import Market
from .matching import Take
from .model import ZERO, Account, AccountView, Fill, Kind, Lifetime, Listing, Order, Reason, Refused, Side, Status, Venue
from .positions import execute
from .rules import RULES

OPENING_WALLET = Decimal(100_000)
MAX_OPEN_ORDERS = 200  # per symbol


class Trading:
    def __init__(self, market: Market, ledger: Ledger, now_ms: Callable[[], int]) -> None:
        self._market = market
        self._ledger = ledger
        self._now_ms = now_ms
        self._last_id = ledger.last_id

    def market_ms(self) -> int:
        """The second the market is in; it stands still within it."""
        now_ms = self._now_ms()
        return now_ms - now_ms % 1000

    def desk(self, venue: Venue, name: str) -> Desk:
        """The account, opened if it is new, with everything settled that came due."""
        desk = self._ledger.desks.get((venue, name))
        if desk is None:
            return self._open(venue, name)
        self.settle(desk)
        return desk

    def settle_all(self) -> None:
        for desk in list(self._ledger.desks.values()):
            self.settle(desk)

    def view(self, desk: Desk) -> AccountView:
        venue, at_ms = desk.account.venue, self.market_ms()
        return value(desk, lambda symbol: self._market.listing(venue, symbol), lambda symbol: self._market.price(venue, symbol, at_ms))

    def place(self, desk: Desk, order: Order) -> Order:
        """Takes what the order may take at once and rests or ends the remainder. `order` is new and becomes the account's."""
        listing, rules = self._market.listing(order.venue, order.symbol), RULES[order.venue]
        self._check_new(desk, order)
        self._check_filters(listing, order)
        if order.reduce_only:
            self._check_reduce_only(desk, order)
        takes = self._takes(desk, order)
        would_take = bool(takes) and order.lifetime is Lifetime.POST_ONLY
        if would_take and rules.post_only_is_refused:
            raise Refused(Reason.WOULD_TAKE)
        taken = sum((each.quantity for each in takes), ZERO)
        if would_take or (order.lifetime is Lifetime.FOK and taken < order.quantity):
            takes = []
        self._check_margin(desk, listing, order, takes)
        order.id = self._next_id()
        self._take(desk, listing, order, takes, would_take=would_take)
        return order

    def amend(self, desk: Desk, order: Order, *, quantity: Decimal, limit_price: Decimal, wire: dict[str, str]) -> Order:
        """Gives an open order another quantity (what it filled included) and price, and what it then may take. It ends instead where
        nothing is left of it or where it may only rest and would take. Refused changes leave it as it is."""
        if not order.status.is_open:
            raise Refused(Reason.ALREADY_FINAL, status=order.status.value)
        listing, now_ms = self._market.listing(order.venue, order.symbol), self._now_ms()
        amended = replace(order, quantity=quantity, limit_price=limit_price)
        self._check_filters(listing, amended)
        if order.reduce_only and RULES[order.venue].reduce_only_is_cut:
            amended.quantity = min(quantity, order.filled + desk.reducible(order.symbol, order.side))
        takes = self._takes(desk, amended)
        would_take = bool(takes) and order.lifetime is Lifetime.POST_ONLY
        if amended.remaining <= 0 or would_take:
            self._end(order, Lifetime.POST_ONLY if would_take else "user", now_ms)
            self._ledger.keep(desk, [order])
            return order
        if not order.reduce_only:
            instead = [(order.side, -order.remaining, order.limit_price or ZERO), (order.side, amended.remaining, limit_price)]
            self._check_bound(desk, listing, instead, _cost(takes))
        order.quantity, order.limit_price, order.updated_ms = amended.quantity, limit_price, now_ms
        order.wire |= wire
        self._take(desk, listing, order, takes, would_take=False)
        return order

    def cancel(self, desk: Desk, order: Order) -> Order:
        if not order.status.is_open:
            raise Refused(Reason.ALREADY_FINAL, status=order.status.value)
        self._end(order, "user", self._now_ms())
        self._ledger.keep(desk, [order])
        return order

    def set_leverage(self, desk: Desk, listing: Listing, leverage: int) -> None:
        if not 1 <= leverage <= listing.max_leverage:
            raise Refused(Reason.LEVERAGE_TOO_HIGH, leverage=str(leverage), maximum=str(listing.max_leverage))
        previous = desk.account.leverage.get(listing.symbol)
        desk.account.leverage[listing.symbol] = leverage
        view = self.view(desk)
        if view.position_margin + view.order_margin > view.equity and leverage < (previous or DEFAULT_LEVERAGE):
            desk.account.leverage[listing.symbol] = previous or DEFAULT_LEVERAGE
            raise Refused(Reason.INSUFFICIENT_MARGIN, required=format(view.position_margin + view.order_margin, "f"))
        self._ledger.keep(desk)

    def settle(self, desk: Desk) -> None:
        """Gives resting orders what the price path brought since the last time, in the order in which it reached them."""
        since_ms, until_ms = desk.settled_ms, self.market_ms()
        if until_ms <= since_ms:
            return
        desk.settled_ms = until_ms
        due = []
        for order in desk.open.values():
            start_ms, extremes = max(since_ms, order.updated_ms), self._extremes_of(order)
            best = _best(order, *extremes(start_ms, until_ms))
            if start_ms < until_ms and order.limit_price is not None and matching.reaches(best, order.side, order.limit_price):
                due.append((matching.first_reach(extremes, order, start_ms, until_ms), order, best))
        orders, fills = [], []
        for time_ms, order, best in sorted(due, key=lambda each: each[0]):
            if order.status.is_open:
                fills.append(self._fill_resting(desk, order, best, time_ms))
                orders += [order, *self._end_pointless(desk, order.symbol, time_ms)]
        if fills:
            self._ledger.keep(desk, orders, fills)  # at once: the entry also says that everything until now is settled

    def _open(self, venue: Venue, name: str) -> Desk:
        now_ms = self._now_ms()
        desk = Desk(Account(name=name, venue=venue, wallet=OPENING_WALLET, opened_ms=now_ms), settled_ms=self.market_ms())
        orders, fills = [], []
        for each in demo_orders(self._market, venue, now_ms) if name == NAME else ():
            resting = each.kind is Kind.LIMIT
            order = Order(
                id=self._next_id(),
                client_id="",
                account=name,
                venue=venue,
                symbol=each.listing.symbol,
                side=each.side,
                kind=each.kind,
                lifetime=Lifetime.GTC,
                quantity=each.quantity,
                limit_price=each.price if resting else None,
                reduce_only=False,
                created_ms=each.time_ms,
                updated_ms=each.time_ms,
            )
            if not resting:
                fills.append(
                    self._execute(desk, each.listing, order, Take(each.price, each.quantity), is_maker=False, time_ms=each.time_ms)
                )
            orders.append(order)
        if fills:
            desk.account.opened_ms = min(fill.time_ms for fill in fills)
        self._ledger.keep(desk, orders, fills)
        return desk

    def _check_new(self, desk: Desk, order: Order) -> None:
        namesake = desk.newest_with(order.client_id) if order.client_id else None
        if namesake and (namesake.status.is_open or RULES[order.venue].client_id_is_unique_forever):
            raise Refused(Reason.DUPLICATE_CLIENT_ID, client_id=order.client_id)
        if not _may_not_rest(order) and len(desk.open_on(order.symbol)) >= MAX_OPEN_ORDERS:
            raise Refused(Reason.TOO_MANY_ORDERS, limit=str(MAX_OPEN_ORDERS))

    def _check_filters(self, listing: Listing, order: Order) -> None:
        mark = self._market.price(order.venue, order.symbol, self.market_ms())
        filters.check_quantity(listing, order.quantity, kind=order.kind)
        if order.limit_price is not None:
            filters.check_price(listing, order.limit_price, side=order.side, mark=mark)
        if not order.reduce_only:
            filters.check_notional(listing, order.quantity * (order.limit_price or mark))

    def _check_reduce_only(self, desk: Desk, order: Order) -> None:
        reducible = desk.reducible(order.symbol, order.side)
        if not reducible:
            raise Refused(Reason.REDUCE_ONLY)
        if RULES[order.venue].reduce_only_is_cut:
            order.quantity = min(order.quantity, reducible)

    def _takes(self, desk: Desk, order: Order) -> list[Take]:
        quantity = min(order.remaining, desk.reducible(order.symbol, order.side)) if order.reduce_only else order.remaining
        levels = self._market.levels(order.venue, order.symbol, order.side, self.market_ms())
        return matching.take(levels, order.side, quantity, order.limit_price)

    def _lapses(self, desk: Desk, order: Order, *, would_take: bool) -> str:
        """Why the remainder of an order may not rest; "" if it may."""
        if would_take:
            return Lifetime.POST_ONLY
        if order.reduce_only and not desk.reducible(order.symbol, order.side):
            return "reduce_only"
        if order.kind is Kind.MARKET:
            return "no_liquidity"
        return order.lifetime if _may_not_rest(order) else ""

    def _check_margin(self, desk: Desk, listing: Listing, order: Order, takes: Sequence[Take]) -> None:
        """An order may not bind more than is available, its fee included; one that only reduces may always."""
        if order.reduce_only or (_may_not_rest(order) and not takes):
            return
        taken, cost = sum((each.quantity for each in takes), ZERO), _cost(takes)
        quantity = taken if _may_not_rest(order) else order.quantity
        price = order.limit_price or cost / taken
        self._check_bound(desk, listing, [(order.side, quantity, price)], cost)

    def _check_bound(self, desk: Desk, listing: Listing, extra: Sequence[tuple[Side, Decimal, Decimal]], cost: Decimal) -> None:
        """`extra` is what the open orders get more (negative quantities: less), `cost` what is taken at once."""
        more = order_margin(desk, listing.symbol, extra) - order_margin(desk, listing.symbol)
        if more <= 0:
            return
        available = self.view(desk).available
        required = more + cost * listing.taker_fee
        if required > available:
            raise Refused(Reason.INSUFFICIENT_MARGIN, required=format(required, "f"), available=format(available, "f"))

    def _take(self, desk: Desk, listing: Listing, order: Order, takes: Sequence[Take], *, would_take: bool) -> None:
        """Fills an order as of its last change and lets it rest or lapse; with that it is in the ledger."""
        changed_ms = order.updated_ms
        fills = [self._execute(desk, listing, order, each, is_maker=False, time_ms=changed_ms) for each in takes]
        if order.status.is_open and (reason := self._lapses(desk, order, would_take=would_take)):
            order.status, order.cancel_reason = RULES[order.venue].unfilled, reason
        ended = self._end_pointless(desk, order.symbol, changed_ms) if fills else []
        self._ledger.keep(desk, [order, *ended], fills)

    def _execute(self, desk: Desk, listing: Listing, order: Order, each: Take, *, is_maker: bool, time_ms: int) -> Fill:
        quantity, price = each.quantity, each.price
        effect = execute(desk.account, listing, side=order.side, quantity=quantity, price=price, is_maker=is_maker, time_ms=time_ms)
        order.filled += quantity
        order.filled_value += quantity * price
        order.fees += effect.fee
        order.realized_pnl += effect.realized_pnl
        order.updated_ms = time_ms
        order.status = Status.PARTIALLY_FILLED if order.remaining else Status.FILLED
        return Fill(
            id=self._next_id(),
            order_id=order.id,
            client_id=order.client_id,
            account=order.account,
            venue=order.venue,
            symbol=order.symbol,
            side=order.side,
            quantity=quantity,
            price=price,
            fee=effect.fee,
            realized_pnl=effect.realized_pnl,
            is_maker=is_maker,
            time_ms=time_ms,
        )

    def _fill_resting(self, desk: Desk, order: Order, best: Decimal, time_ms: int) -> Fill:
        listing = self._market.listing(order.venue, order.symbol)
        level = self._market.level_quantity(order.venue, order.symbol, time_ms)
        quantity = matching.resting_capacity(order, best, level, listing.lot)
        if order.reduce_only:
            quantity = min(quantity, desk.reducible(order.symbol, order.side))
        return self._execute(desk, listing, order, Take(order.limit_price or best, quantity), is_maker=True, time_ms=time_ms)

    def _end_pointless(self, desk: Desk, symbol: str, time_ms: int) -> list[Order]:
        """Cancels the resting reduce-only orders that have nothing left to reduce."""
        pointless = [order for order in desk.open_on(symbol) if order.reduce_only and order.status.is_open]
        ended = [order for order in pointless if not desk.reducible(symbol, order.side)]
        for order in ended:
            self._end(order, "reduce_only", time_ms)
        return ended

    def _end(self, order: Order, reason: str, time_ms: int) -> None:
        order.status, order.cancel_reason = Status.CANCELED, reason
        order.updated_ms = max(order.updated_ms, time_ms)

    def _extremes_of(self, order: Order) -> Callable[[int, int], tuple[Decimal, Decimal]]:
        return lambda start_ms, end_ms: self._market.extremes(order.venue, order.symbol, start_ms, end_ms)

    def _next_id(self) -> int:
        """Grows with time, also over the loss of the ledger, and stays below 2**53."""
        self._last_id = max(self._last_id + 1, self._now_ms() * 1000)
        return self._last_id


def _best(order: Order, low: Decimal, high: Decimal) -> Decimal:
    """The best price for an order among those from low to high."""
    return low if order.side is Side.BUY else high


def _cost(takes: Sequence[Take]) -> Decimal:
    return sum((each.quantity * each.price for each in takes), ZERO)


def _may_not_rest(order: Order) -> bool:
    return order.kind is Kind.MARKET or order.lifetime in (Lifetime.IOC, Lifetime.FOK)
