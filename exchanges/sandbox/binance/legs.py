"""The position side on the wire and the leg behind it: BOTH is all there is in one-way mode, LONG and SHORT in hedge mode."""

from exchanges.sandbox.binance import errors
from exchanges.sandbox.binance.params import Params
from exchanges.sandbox.model import Account, Leg

_LEGS = {"BOTH": Leg.NET, "LONG": Leg.LONG, "SHORT": Leg.SHORT}
_SIDES = {leg: side for side, leg in _LEGS.items()}


def position_side(leg: Leg) -> str:
    return _SIDES[leg]


def legs_of(account: Account) -> tuple[Leg, ...]:
    """Those that an account in its position mode can hold, as they are listed."""
    return (Leg.LONG, Leg.SHORT) if account.hedge else (Leg.NET,)


def sent_leg(params: Params) -> Leg:
    """Of `positionSide`, which is BOTH where it was not sent."""
    side = params.choice("positionSide", tuple(_LEGS), errors.VenueError(-4060, "Invalid position side."))
    return _LEGS[side or "BOTH"]


def check_leg(leg: Leg, account: Account) -> None:
    """A leg that is none of the account's is refused."""
    if leg not in legs_of(account):
        raise errors.wrong_position_side()
