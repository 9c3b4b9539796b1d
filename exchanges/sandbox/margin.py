"""What an account is worth and what it is bound by at given marks: cross margin, one position per symbol. Pure.

Initial margin is notional / leverage. Orders bind margin for what they would add to the position on their side: the larger of what
all buys and what all sells of a symbol would add. An account is liquidated where equity meets maintenance margin.
"""

from collections.abc import Callable, Iterable
from decimal import Decimal

from .accounts import Desk
from .model import ZERO, AccountView, Listing, Order, Position, PositionView, Side

DEFAULT_LEVERAGE = 10

Find = Callable[[str], Listing]
Mark = Callable[[str], Decimal]


def leverage_of(desk: Desk, symbol: str) -> int:
    return desk.account.leverage.get(symbol, DEFAULT_LEVERAGE)


def value(desk: Desk, find: Find, mark: Mark) -> AccountView:
    positions = list(desk.account.positions.values())
    marks = {position.symbol: mark(position.symbol) for position in positions}
    unrealized = sum((_unrealized(position, marks[position.symbol]) for position in positions), ZERO)
    equity = desk.account.wallet + unrealized
    maintenance = sum(
        (_notional(position, marks[position.symbol]) * find(position.symbol).maintenance_rate for position in positions), ZERO
    )
    views = tuple(_view(desk, position, find(position.symbol), marks[position.symbol], equity, maintenance) for position in positions)
    position_margin = sum((view.initial_margin for view in views), ZERO)
    orders = sum((order_margin(desk, symbol) for symbol in {order.symbol for order in desk.open.values()}), ZERO)
    return AccountView(
        wallet=desk.account.wallet,
        unrealized_pnl=unrealized,
        equity=equity,
        position_margin=position_margin,
        order_margin=orders,
        maintenance_margin=maintenance,
        available=max(ZERO, equity - position_margin - orders),
        positions=views,
    )


def order_margin(desk: Desk, symbol: str, extra: Iterable[tuple[Side, Decimal, Decimal]] = ()) -> Decimal:
    """What the open orders of a symbol bind, with `extra` ones (side, quantity, price) thought added."""
    open_orders = [_resting(order) for order in desk.open_on(symbol) if not order.reduce_only]
    held = desk.quantity(symbol)
    bound = ZERO
    for side in Side:
        orders = [(quantity, price) for each, quantity, price in (*open_orders, *extra) if each is side]
        total = sum((quantity for quantity, _ in orders), ZERO)
        added = abs(held + side.sign * total) - abs(held)
        if added > 0:
            notional = sum((quantity * price for quantity, price in orders), ZERO)
            bound = max(bound, notional * added / total)
    return bound / leverage_of(desk, symbol)


def _resting(order: Order) -> tuple[Side, Decimal, Decimal]:
    return order.side, order.remaining, order.limit_price or ZERO


def _view(desk: Desk, position: Position, listing: Listing, mark: Decimal, equity: Decimal, maintenance: Decimal) -> PositionView:
    notional, leverage = _notional(position, mark), leverage_of(desk, position.symbol)
    return PositionView(
        position=position,
        mark=mark,
        notional=notional,
        unrealized_pnl=_unrealized(position, mark),
        initial_margin=notional / leverage,
        maintenance_margin=notional * listing.maintenance_rate,
        leverage=leverage,
        liquidation_price=_liquidation_price(position, listing, mark, equity, maintenance),
    )


def _liquidation_price(position: Position, listing: Listing, mark: Decimal, equity: Decimal, maintenance: Decimal) -> Decimal | None:
    """Solves equity(p) = maintenance(p) for the price of this position, every other price held."""
    quantity, rate = position.quantity, listing.maintenance_rate
    others = maintenance - _notional(position, mark) * rate
    price = (others - equity + quantity * mark) / (quantity - abs(quantity) * rate)
    return price.quantize(listing.tick) if price >= listing.tick else None


def _unrealized(position: Position, mark: Decimal) -> Decimal:
    return position.quantity * (mark - position.entry_price)


def _notional(position: Position, mark: Decimal) -> Decimal:
    return abs(position.quantity) * mark
