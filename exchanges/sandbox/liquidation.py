"""Where positions end without their owner: at the first second in which what carries them is no more than the margin they must keep.

An isolated position is carried by its own wallet, the cross positions together by the rest of the account's cash. What is left of that
after the close pays the venue's fee for it; where nothing is left the venue's insurance pays what is missing.
"""

from collections.abc import Iterable, Iterator
from decimal import Decimal
from itertools import groupby
from typing import NamedTuple

from .accounts import Changes, Desk, end
from .books import Books, Occasion
from .margin import isolated_margin, maintenance_of, unrealized
from .matching import Take
from .model import ZERO, EntryKind, Fill, Kind, Leg, Lifetime, MarginMode, Order, Position, Side
from .positions import CENT, to_cent
from .prices import Prices
from .rules import RULES


class Pool(NamedTuple):
    """Cash, and the positions that it carries, those of one symbol side by side."""

    mode: MarginMode
    cash: Decimal
    positions: list[Position]


class Liquidation:
    def __init__(self, prices: Prices, books: Books) -> None:
        self._prices = prices
        self._books = books

    def settle(self, desk: Desk, changes: Changes, after_ms: int, until_ms: int) -> None:
        """Liquidates what had to be after one moment and until another, between which nothing else happened to the account."""
        step_ms = self._prices.market.course.step_ms
        first, last = after_ms // step_ms + 1, until_ms // step_ms
        while first <= last and desk.account.positions:
            reached = None
            for pool in _pools(desk):
                found = self._first_breach(desk, pool, first, last)
                if found is not None:
                    reached, last = pool, found - 1  # only an earlier one goes before it
            if reached is None:
                return
            first, last = last + 1, until_ms // step_ms
            if reached.mode is MarginMode.ISOLATED:
                self._end_isolated(desk, changes, reached.positions[0], first * step_ms)
            else:
                self._end_cross(desk, changes, first * step_ms)

    def _first_breach(self, desk: Desk, pool: Pool, first: int, last: int) -> int | None:
        """The first step in which the pool is no longer covered. What a symbol leaves over its maintenance margin is a concave function of
        its price, so that an extreme of the price bounds it; spans that this bound does not clear are halved down to single steps."""
        step_ms, rounded = self._prices.market.course.step_ms, CENT * len(pool.positions) if first < last else ZERO
        if first > last or self._least(desk, pool, first * step_ms, last * step_ms) > rounded:
            return None
        if first == last:
            return first
        middle = (first + last) // 2
        found = self._first_breach(desk, pool, first, middle)
        return self._first_breach(desk, pool, middle + 1, last) if found is None else found

    def _least(self, desk: Desk, pool: Pool, start_ms: int, end_ms: int) -> Decimal:
        """What the pool has over its maintenance margin at the worst, as if every symbol were at its worst at once."""
        market, venue, least = self._prices.market, desk.account.venue, pool.cash
        for symbol, group in groupby(pool.positions, key=lambda position: position.symbol):
            listing, together = market.listing(venue, symbol), list(group)
            prices = set(market.extremes(venue, symbol, start_ms, end_ms))
            least += min(
                sum((unrealized(each, price) - maintenance_of(each, listing, price) for each in together), ZERO) for price in prices
            )
        return least

    def _end_isolated(self, desk: Desk, changes: Changes, position: Position, at_ms: int) -> None:
        _end_orders(changes, desk.open_for(position.key), at_ms)
        margin, fill = position.margin, self._close(desk, changes, position, at_ms)
        self._settle_up(desk, changes, fill, margin + fill.realized_pnl - fill.fee, is_over=True)

    def _end_cross(self, desk: Desk, changes: Changes, at_ms: int) -> None:
        """Orders first, then the positions with the largest loss until the others are covered again."""
        _end_orders(changes, desk.open.values(), at_ms)
        venue, marks = desk.account.venue, self._prices.market

        def loss(position: Position) -> Decimal:
            return unrealized(position, marks.price(venue, position.symbol, at_ms))

        for position in sorted(_cross(desk), key=loss):
            fill = self._close(desk, changes, position, at_ms)
            left, rest = _cash(desk), _cross(desk)
            self._settle_up(desk, changes, fill, left + sum(map(loss, rest), ZERO), is_over=not rest)
            if rest and self._least(desk, Pool(MarginMode.CROSS, _cash(desk), rest), at_ms, at_ms) > 0:
                return

    def _close(self, desk: Desk, changes: Changes, position: Position, at_ms: int) -> Fill:
        """By an order of the venue's own, at the mark."""
        venue, number = desk.account.venue, self._books.next_id()
        prefix = RULES[venue].liquidation_client_id
        order = Order(
            id=number,
            client_id=f"{prefix}{number}" if prefix else "",
            account=desk.account.name,
            venue=venue,
            symbol=position.symbol,
            side=Side.SELL if position.quantity > 0 else Side.BUY,
            kind=Kind.MARKET,
            lifetime=Lifetime.IOC,
            quantity=abs(position.quantity),
            limit_price=None,
            reduce_only=position.leg is Leg.NET,
            created_ms=at_ms,
            updated_ms=at_ms,
            leg=position.leg,
            margin_mode=position.margin_mode,
            liquidation=True,
        )
        changes.orders.append(order)
        listing, mark = self._prices.market.listing(venue, order.symbol), self._prices.market.price(venue, order.symbol, at_ms)
        return self._books.fill(desk, changes, listing, order, Take(mark, order.quantity), is_maker=False, time_ms=at_ms)

    def _settle_up(self, desk: Desk, changes: Changes, fill: Fill, left: Decimal, *, is_over: bool) -> None:
        """The venue's fee out of what is left, or its insurance where that is less than nothing and nothing is held any more."""
        rate, occasion = self._prices.market.listing(fill.venue, fill.symbol).liquidation_fee, Occasion.of(fill)
        if left > 0:
            fee = min(to_cent(fill.quantity * fill.price * rate), left)
            self._books.pay(desk, changes, EntryKind.LIQUIDATION_FEE, -fee, occasion)
        elif left < 0 and is_over:
            self._books.pay(desk, changes, EntryKind.INSURANCE, -left, occasion)
        self._books.make_good(desk, changes, fill)


def _pools(desk: Desk) -> Iterator[Pool]:
    for position in list(desk.account.positions.values()):
        if position.margin_mode is MarginMode.ISOLATED:
            yield Pool(MarginMode.ISOLATED, position.margin, [position])
    if cross := _cross(desk):
        yield Pool(MarginMode.CROSS, _cash(desk), cross)


def _cross(desk: Desk) -> list[Position]:
    cross = [position for position in desk.account.positions.values() if position.margin_mode is MarginMode.CROSS]
    return sorted(cross, key=lambda position: position.symbol)


def _cash(desk: Desk) -> Decimal:
    return desk.account.wallet - isolated_margin(desk)


def _end_orders(changes: Changes, orders: Iterable[Order], at_ms: int) -> None:
    for order in orders:
        if order.status.is_open:
            end(order, "liquidation", at_ms)
            changes.orders.append(order)
