"""positionIdx: which of a symbol's positions the venue means by it, and which one a request means in the symbol's position mode."""

from exchanges.sandbox.bybit.errors import VenueError, bad_parameter
from exchanges.sandbox.bybit.params import Params
from exchanges.sandbox.model import Account, Leg, PositionKey

INDEX = {Leg.NET: 0, Leg.LONG: 1, Leg.SHORT: 2}
_LEGS = {index: leg for leg, index in INDEX.items()}


def legs_of(account: Account, symbol: str) -> tuple[Leg, ...]:
    """The positions that a symbol can have, in the venue's order: the buy side of hedge mode first."""
    return (Leg.LONG, Leg.SHORT) if account.is_hedged(symbol) else (Leg.NET,)


def chosen(account: Account, symbol: str, params: Params) -> PositionKey:
    """The position that a request means; without positionIdx it means the one of one-way mode."""
    leg = _LEGS.get(params.integer("positionIdx") or 0)
    if leg is None:
        raise bad_parameter("positionIdx")
    if leg not in legs_of(account, symbol):
        raise VenueError(10001, "position idx not match position mode")
    return PositionKey(symbol, leg, account.margin_mode_of(symbol))
