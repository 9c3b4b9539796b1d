"""Where the venues' matching rules differ, as data: the engine asks for a rule, never for a name.

Sources: Binance "New Order" (newClientOrderId "must be unique among open orders", -5022 for GTX that would take), Bybit "Place Order"
(orderLinkId always unique, post-only orders that would take are canceled, reduce-only quantities are cut to the position), OKX
"Place order" (51016 for a used clOrdId, post_only is canceled, reduceOnly cut to the position).
"""

from typing import NamedTuple

from .model import Status, Venue


class Rules(NamedTuple):
    """`unfilled` is the final status of a remainder that may not rest; `reduce_only_is_cut`: an order larger than the position it
    reduces is accepted with the position's quantity, else with its own and the remainder lapses."""

    client_id_is_unique_forever: bool
    post_only_is_refused: bool
    reduce_only_is_cut: bool
    unfilled: Status


RULES = {
    Venue.BINANCE: Rules(client_id_is_unique_forever=False, post_only_is_refused=True, reduce_only_is_cut=False, unfilled=Status.EXPIRED),
    Venue.BYBIT: Rules(client_id_is_unique_forever=True, post_only_is_refused=False, reduce_only_is_cut=True, unfilled=Status.CANCELED),
    Venue.OKX: Rules(client_id_is_unique_forever=True, post_only_is_refused=False, reduce_only_is_cut=True, unfilled=Status.CANCELED),
}
