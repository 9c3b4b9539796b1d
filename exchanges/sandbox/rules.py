"""Where the venues' rules differ, as data: the engine asks for a rule, never for a name.

Sources: Binance "New Order" (newClientOrderId "must be unique among open orders", -5022 for GTX that would take, -2022 for closing more
than a leg holds, -4161 for lowering the leverage of an isolated position), Bybit "Place Order" (orderLinkId always unique, post-only
orders that would take are canceled, reduce-only quantities are cut to the position), "Switch Position Mode" (symbol before coin; by coin
all symbols without position and order) and its help on leverage (the margin of an isolated position is set anew), OKX "Place order"
(51016 for a used clOrdId, post_only is canceled, reduceOnly and, since June 2023, closing orders of hedge mode cut to the position).
"""

from enum import StrEnum
from typing import NamedTuple

from .model import Status, Venue


class Scope(StrEnum):
    """What a setting is made for."""

    ACCOUNT = "account"
    SYMBOL = "symbol"
    ORDER = "order"


class Rules(NamedTuple):
    """`unfilled` is the final status of a remainder that may not rest; `reduce_only_is_cut`: an order larger than the position it
    reduces is accepted with the position's quantity, else with its own and the remainder lapses. `closing_beyond_is_refused`: one that
    closes a leg of hedge mode may not be larger than the leg (else it is cut). `positions_stand_first`: of positions and open orders in
    the way of a change of mode, positions are named. `isolated_margin_follows_leverage`: a change of leverage sets the margin of an
    isolated position anew, else it frees nothing and may only be raised. `liquidation_client_id`: how the client ids begin that
    the venue gives to its own orders; "" where these have none. A default is what most of the venues do."""

    position_mode_scope: Scope
    margin_mode_scope: Scope
    client_id_is_unique_forever: bool = True
    post_only_is_refused: bool = False
    reduce_only_is_cut: bool = True
    unfilled: Status = Status.CANCELED
    closing_beyond_is_refused: bool = False
    positions_stand_first: bool = True
    isolated_margin_follows_leverage: bool = True
    liquidation_client_id: str = ""


RULES = {
    Venue.BINANCE: Rules(
        position_mode_scope=Scope.ACCOUNT,
        margin_mode_scope=Scope.SYMBOL,
        client_id_is_unique_forever=False,
        post_only_is_refused=True,
        reduce_only_is_cut=False,
        unfilled=Status.EXPIRED,
        closing_beyond_is_refused=True,
        positions_stand_first=False,
        isolated_margin_follows_leverage=False,
        liquidation_client_id="autoclose-",
    ),
    Venue.BYBIT: Rules(position_mode_scope=Scope.SYMBOL, margin_mode_scope=Scope.ACCOUNT),
    Venue.OKX: Rules(position_mode_scope=Scope.ACCOUNT, margin_mode_scope=Scope.ORDER),
}
