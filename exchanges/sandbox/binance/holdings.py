"""What an account has in each symbol, leg by leg: its position if there is one, and what its open orders tie up.

In one-way mode a symbol has one leg, in hedge mode two, whether or not they hold anything.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from exchanges.sandbox.binance.endpoint import VENUE, Call
from exchanges.sandbox.binance.legs import legs_of
from exchanges.sandbox.model import ZERO, Account, Leg, Listing, MarginMode, Order, Position, PositionKey, Side
from exchanges.sandbox.views import AccountView, PositionView


@dataclass(frozen=True, slots=True)
class Holding:
    """One leg of a symbol. `orders` are its open ones."""

    listing: Listing
    leg: Leg
    margin_mode: MarginMode
    mark: Decimal
    leverage: int
    view: PositionView | None
    orders: tuple[Order, ...]

    @property
    def position(self) -> Position | None:
        return self.view.position if self.view else None

    @property
    def amount(self) -> Decimal:
        return self.position.quantity if self.position else ZERO

    @property
    def notional(self) -> Decimal:
        return self.amount * self.mark

    @property
    def is_isolated(self) -> bool:
        return self.margin_mode is MarginMode.ISOLATED

    @property
    def unrealized_pnl(self) -> Decimal:
        return self.view.unrealized_pnl if self.view else ZERO

    @property
    def initial_margin(self) -> Decimal:
        return self.view.initial_margin if self.view else ZERO

    @property
    def maintenance_margin(self) -> Decimal:
        return self.view.maintenance_margin if self.view else ZERO

    @property
    def isolated_wallet(self) -> Decimal:
        return self.position.margin if self.position else ZERO

    @property
    def isolated_margin(self) -> Decimal:
        """The isolated wallet with the position's profit or loss."""
        return self.isolated_wallet + self.unrealized_pnl if self.is_isolated else ZERO

    @property
    def entry_price(self) -> Decimal:
        return self.position.entry_price if self.position else ZERO

    @property
    def break_even_price(self) -> Decimal:
        """Where the position closed would leave nothing, counting what was realised since it was opened and the fees paid."""
        if not self.position:
            return ZERO
        return max(ZERO, self.entry_price - self.position.realized_pnl / self.amount)

    @property
    def liquidation_price(self) -> Decimal:
        return (self.view.liquidation_price if self.view else None) or ZERO

    @property
    def updated_ms(self) -> int:
        return self.position.updated_ms if self.position else 0

    @property
    def order_margin(self) -> Decimal:
        """What the orders bind: that side of them which would add more."""
        return max(ZERO, *(self._bound_by(side) for side in Side))

    def orders_notional(self, side: Side) -> Decimal:
        return _notional(order for order in self.orders if order.side is side)

    def _bound_by(self, side: Side) -> Decimal:
        """What only closes binds nothing. An isolated position that is turned around gives back its wallet with its profit or loss."""
        adding = [order for order in self.orders if order.side is side and not order.closes]
        total, notional = sum((order.remaining for order in adding), ZERO), _notional(adding)
        if not total:
            return ZERO
        opened = total if self.amount * side.sign >= 0 else total - abs(self.amount)
        if self.position and self.is_isolated and opened < total:
            released = self.isolated_wallet + self.amount * (notional / total - self.entry_price)
            return notional * opened / total / self.leverage - released if opened > 0 else ZERO
        added = abs(self.amount + side.sign * total) - abs(self.amount)
        return notional * max(ZERO, added) / total / self.leverage


def holdings(call: Call, account: Account, view: AccountView, listings: Iterable[Listing], *, flat_too: bool) -> list[Holding]:
    """In the venue's order of symbols; without the flat ones those that have a position or open orders."""
    views = {each.position.key: each for each in view.positions}
    orders = call.engine.open_orders(account)
    found = []
    for listing in listings:
        mode = call.engine.margin_mode(account, listing.symbol)
        for leg in legs_of(account):
            key = PositionKey(listing.symbol, leg, mode)
            ours = tuple(order for order in orders if order.key == key)
            if flat_too or ours or key in views:
                found.append(_holding(call, account, listing, key, views.get(key), ours))
    return found


def _holding(
    call: Call, account: Account, listing: Listing, key: PositionKey, view: PositionView | None, orders: tuple[Order, ...]
) -> Holding:
    return Holding(
        listing=listing,
        leg=key.leg,
        margin_mode=key.margin_mode,
        mark=view.mark if view else call.engine.mark(VENUE, listing.symbol),
        leverage=call.engine.leverage(account, listing.symbol, key.margin_mode, key.leg),
        view=view,
        orders=orders,
    )


def _notional(orders: Iterable[Order]) -> Decimal:
    return sum((order.remaining * (order.limit_price or ZERO) for order in orders), ZERO)
