"""What an account is worth and what it is bound by at given marks. Pure.

Initial margin is notional / leverage. Cross positions share the account's cash and each other's profit; an isolated one lives on its own
wallet. Orders bind margin for what they would add to their position: the larger of what all buys and what all sells would add.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal

from .accounts import Desk
from .brackets import bracket_of, maintenance
from .model import ZERO, Listing, MarginMode, Order, Position, PositionKey, Side
from .positions import to_cent
from .solvency import bankruptcy_price, liquidation_price
from .views import AccountView, PositionView

DEFAULT_LEVERAGE = 10

Figures = Mapping[str, tuple[Listing, Decimal]]  # by symbol: its listing and its mark


def leverage_of(desk: Desk, key: PositionKey) -> int:
    return desk.account.leverage.get(key, DEFAULT_LEVERAGE)


def unrealized(position: Position, mark: Decimal) -> Decimal:
    """To 8 decimals, as it would be realised: what accounts show then adds up to the last digit."""
    return to_cent(position.quantity * (mark - position.entry_price))


def maintenance_of(position: Position, listing: Listing, mark: Decimal) -> Decimal:
    notional = abs(position.quantity) * mark
    return maintenance(bracket_of(listing.brackets, notional), notional)


def isolated_margin(desk: Desk) -> Decimal:
    """The sum of the isolated wallets: a part of the account's."""
    return sum((position.margin for position in desk.account.positions.values()), ZERO)


def spare(desk: Desk, figures: Figures) -> Decimal:
    """Cross equity less what cross positions and open orders bind."""
    left = desk.account.wallet - isolated_margin(desk) - all_orders_margin(desk)
    for key, position in desk.account.positions.items():
        if key.margin_mode is MarginMode.CROSS:
            mark = figures[key.symbol][1]
            left += unrealized(position, mark) - abs(position.quantity) * mark / leverage_of(desk, key)
    return left


def all_orders_margin(desk: Desk) -> Decimal:
    return sum((order_margin(desk, key) for key in {order.key for order in desk.open.values()}), ZERO)


def order_margin(desk: Desk, key: PositionKey, extra: Sequence[tuple[Side, Decimal, Decimal]] = ()) -> Decimal:
    """What the open orders for a position bind, with `extra` ones (side, quantity, price) thought added."""
    bound, every = ZERO, [*(_resting(order) for order in desk.open_for(key) if not order.closes), *extra]
    for side in {side for side, _, _ in every}:
        orders = [(quantity, price) for each, quantity, price in every if each is side]
        total = sum((quantity for quantity, _ in orders), ZERO)
        if total > 0:
            notional = sum((quantity * price for quantity, price in orders), ZERO)
            bound = max(bound, _bound(desk, key, side, total, notional))
    return bound


def _resting(order: Order) -> tuple[Side, Decimal, Decimal]:
    return order.side, order.remaining, order.limit_price or ZERO


def _bound(desk: Desk, key: PositionKey, side: Side, total: Decimal, notional: Decimal) -> Decimal:
    """What orders of one side bind. Under cross what they turn around goes on being covered; an isolated position that is turned around
    gives back its wallet, with its profit or loss, and what is opened then needs the whole margin."""
    position, leverage = desk.account.positions.get(key), leverage_of(desk, key)
    held = position.quantity if position else ZERO
    if position is None or held * side.sign > 0 or key.margin_mode is MarginMode.CROSS:
        added = max(ZERO, abs(held + side.sign * total) - abs(held))
        return notional * added / total / leverage
    opened = total - abs(held)
    return notional * opened / total / leverage - position.margin - unrealized(position, notional / total) if opened > 0 else ZERO


def value(desk: Desk, figures: Figures) -> AccountView:
    account, positions = desk.account, list(desk.account.positions.values())
    gains = {key: unrealized(position, figures[key.symbol][1]) for key, position in account.positions.items()}
    needs = {key: maintenance_of(position, *figures[key.symbol]) for key, position in account.positions.items()}
    cross = [position for position in positions if position.margin_mode is MarginMode.CROSS]
    cross_unrealized = sum((gains[position.key] for position in cross), ZERO)
    cross_maintenance = sum((needs[position.key] for position in cross), ZERO)
    set_aside, total_unrealized = isolated_margin(desk), sum(gains.values(), ZERO)
    cross_equity = account.wallet - set_aside + cross_unrealized
    views = tuple(_view(desk, position, figures, gains, needs, cross_equity, cross_maintenance) for position in positions)
    cross_margin = sum((view.initial_margin for view in views if view.position.margin_mode is MarginMode.CROSS), ZERO)
    orders = all_orders_margin(desk)
    return AccountView(
        wallet=account.wallet,
        unrealized_pnl=total_unrealized,
        equity=account.wallet + total_unrealized,
        position_margin=sum((view.initial_margin for view in views), ZERO),
        order_margin=orders,
        maintenance_margin=sum(needs.values(), ZERO),
        available=max(ZERO, cross_equity - cross_margin - orders),
        positions=views,
        cross_wallet=account.wallet - set_aside,
        cross_unrealized_pnl=cross_unrealized,
        cross_equity=cross_equity,
        cross_position_margin=cross_margin,
        cross_maintenance_margin=cross_maintenance,
        isolated_margin=set_aside,
        isolated_unrealized_pnl=total_unrealized - cross_unrealized,
    )


def _view(
    desk: Desk,
    position: Position,
    figures: Figures,
    gains: Mapping[PositionKey, Decimal],
    needs: Mapping[PositionKey, Decimal],
    cross_equity: Decimal,
    cross_maintenance: Decimal,
) -> PositionView:
    key, (listing, mark) = position.key, figures[position.symbol]
    notional, leverage = abs(position.quantity) * mark, leverage_of(desk, key)
    if key.margin_mode is MarginMode.ISOLATED:
        together, equity, others = [key], position.margin + gains[key], ZERO
    else:
        together = [each for each in needs if each.symbol == key.symbol and each.margin_mode is MarginMode.CROSS]
        equity, others = cross_equity, cross_maintenance - sum((needs[each] for each in together), ZERO)
    quantities = [desk.quantity(each) for each in together]
    return PositionView(
        position=position,
        mark=mark,
        notional=notional,
        unrealized_pnl=gains[key],
        initial_margin=notional / leverage,
        margin=position.margin if key.margin_mode is MarginMode.ISOLATED else notional / leverage,
        maintenance_margin=needs[key],
        leverage=leverage,
        bracket=bracket_of(listing.brackets, notional),
        liquidation_price=liquidation_price(listing, quantities, mark=mark, equity=equity - others),
        bankruptcy_price=bankruptcy_price(listing, quantities, mark=mark, equity=equity),
    )
