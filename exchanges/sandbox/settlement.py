"""What time alone brings to an account, as of when it happened and in that order, found when somebody looks.

Everything of the kind is a `Due`: a moment and what is booked at it. An account is settled up to the market's present second;
between two of these moments nothing but liquidations can happen to it.
"""

from collections.abc import Callable, Iterator
from decimal import Decimal
from functools import partial
from typing import NamedTuple

from . import matching
from .accounts import Changes, Desk
from .books import Books, Occasion
from .liquidation import Liquidation
from .matching import Take
from .model import EntryKind, MarginMode, Order, Position, Side
from .positions import to_cent
from .prices import Prices


class Due(NamedTuple):
    at_ms: int
    act: Callable[[Changes], None]


class Settlement:
    def __init__(self, prices: Prices, books: Books) -> None:
        self._prices = prices
        self._books = books
        self._liquidation = Liquidation(prices, books)

    def settle(self, desk: Desk) -> None:
        changes = Changes()
        self.advance(desk, changes, self._prices.market_ms())
        if changes:
            self._books.keep(desk, changes)  # at once: the entry also says that everything until now is settled

    def advance(self, desk: Desk, changes: Changes, until_ms: int) -> None:
        since_ms = desk.settled_ms
        if until_ms <= since_ms:
            return
        desk.settled_ms = until_ms
        after_ms = max(since_ms, desk.changed_ms)
        for due in sorted(self._timeline(desk, since_ms, until_ms), key=lambda due: due.at_ms):
            self._liquidation.settle(desk, changes, after_ms, due.at_ms)
            due.act(changes)
            after_ms = max(after_ms, due.at_ms)
        self._liquidation.settle(desk, changes, after_ms, until_ms)

    def _timeline(self, desk: Desk, since_ms: int, until_ms: int) -> Iterator[Due]:
        """In no order; of what falls together, what is named first happens first."""
        yield from self._fundings(desk, since_ms, until_ms)
        yield from self._reached(desk, since_ms, until_ms)

    def _fundings(self, desk: Desk, since_ms: int, until_ms: int) -> Iterator[Due]:
        """Of every symbol that is held, or that an open order may bring."""
        symbols = {key.symbol for key in desk.account.positions} | {order.symbol for order in desk.open.values()}
        for symbol in sorted(symbols):
            for at_ms in self._prices.market.funding_times(desk.account.venue, symbol, since_ms + 1, until_ms):
                yield Due(at_ms, partial(self._pay_funding, desk, symbol, at_ms))

    def _pay_funding(self, desk: Desk, symbol: str, at_ms: int, changes: Changes) -> None:
        market, venue = self._prices.market, desk.account.venue
        held = [position for position in desk.account.positions.values() if position.symbol == symbol]
        for position in held:
            paid = position.quantity * market.price(venue, symbol, at_ms) * market.funding_rate(venue, symbol, at_ms)
            if amount := to_cent(-paid):
                self._books.pay(desk, changes, EntryKind.FUNDING, amount, Occasion(at_ms, position.key))
                _receive(position, amount, at_ms)

    def _reached(self, desk: Desk, since_ms: int, until_ms: int) -> Iterator[Due]:
        """Resting orders that the price path reached."""
        for order in desk.open.values():
            start_ms, extremes = max(since_ms, order.updated_ms), self._extremes_of(order)
            best = _best(order, *extremes(start_ms, until_ms))
            if start_ms < until_ms and order.limit_price is not None and matching.reaches(best, order.side, order.limit_price):
                # Within the second of its last change the account stood still: nothing comes before what was done to it then.
                at_ms = max(matching.first_reach(extremes, order, start_ms, until_ms), desk.changed_ms)
                yield Due(at_ms, partial(self._fill_resting, desk, order, best, at_ms))

    def _fill_resting(self, desk: Desk, order: Order, best: Decimal, time_ms: int, changes: Changes) -> None:
        if not order.status.is_open:
            return
        market, listing = self._prices.market, self._prices.market.listing(order.venue, order.symbol)
        level = market.level_quantity(order.venue, order.symbol, time_ms)
        quantity = matching.resting_capacity(order, best, level, listing.lot)
        if order.closes:
            quantity = min(quantity, desk.reducible(order.key, order.side))
        take = Take(order.limit_price or best, quantity)
        fill = self._books.fill(desk, changes, listing, order, take, is_maker=True, time_ms=time_ms)
        changes.orders += [order, *desk.end_pointless(order.key, time_ms)]
        self._books.make_good(desk, changes, fill)

    def _extremes_of(self, order: Order) -> Callable[[int, int], tuple[Decimal, Decimal]]:
        return lambda start_ms, end_ms: self._prices.market.extremes(order.venue, order.symbol, start_ms, end_ms)


def _receive(position: Position, amount: Decimal, at_ms: int) -> None:
    position.funding += amount
    position.updated_ms = at_ms
    if position.margin_mode is MarginMode.ISOLATED:
        position.margin += amount


def _best(order: Order, low: Decimal, high: Decimal) -> Decimal:
    """The best price for an order among those from low to high."""
    return low if order.side is Side.BUY else high
