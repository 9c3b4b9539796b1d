"""The states of an order as we know it, and which may follow which. Pure. The venue's own words are exchanges.domain.OrderStatus."""

from enum import StrEnum

from exchanges.domain import OrderStatus


class OrderState(StrEnum):
    """SUBMITTING: committed, the answer is awaited. SUBMITTED: acknowledged, its state not yet seen. UNKNOWN: it may be live, the venue
    is being asked. NOT_SENT and NOT_PLACED: never reached the venue, by certain knowledge and by evidence. GONE: it rested at the venue,
    which neither lists nor knows it any more, so how it ended is not known."""

    SUBMITTING = "SUBMITTING"
    SUBMITTED = "SUBMITTED"
    UNKNOWN = "UNKNOWN"
    NEW = "NEW"
    PARTIALLY_FILLED = "PARTIALLY_FILLED"
    FILLED = "FILLED"
    CANCELED = "CANCELED"
    EXPIRED = "EXPIRED"
    REJECTED = "REJECTED"
    NOT_SENT = "NOT_SENT"
    NOT_PLACED = "NOT_PLACED"
    GONE = "GONE"


OPEN = frozenset({OrderState.SUBMITTING, OrderState.SUBMITTED, OrderState.UNKNOWN, OrderState.NEW, OrderState.PARTIALLY_FILLED})
RESTING = frozenset({OrderState.NEW, OrderState.PARTIALLY_FILLED})
UNRESOLVED = frozenset({OrderState.SUBMITTING, OrderState.SUBMITTED, OrderState.UNKNOWN})
# Ended by our own belief, not by the venue's word: any later evidence of the venue wins.
PRESUMED = frozenset({OrderState.NOT_SENT, OrderState.NOT_PLACED, OrderState.REJECTED, OrderState.GONE})
FINAL = frozenset(OrderState) - OPEN

_RANK = {OrderState.SUBMITTING: 0, OrderState.UNKNOWN: 0, OrderState.SUBMITTED: 1, OrderState.NEW: 2, OrderState.PARTIALLY_FILLED: 3}
_RANK |= {OrderState.REJECTED: 4, OrderState.CANCELED: 4, OrderState.EXPIRED: 4, OrderState.FILLED: 5}
_RANK |= {OrderState.NOT_SENT: 0, OrderState.NOT_PLACED: 0, OrderState.GONE: 0}
# How far a state holds against a later word. An acknowledgement precedes a rejection and a resting order, so it never undoes either.
_HOLDS = _RANK | {OrderState.NOT_SENT: 1, OrderState.NOT_PLACED: 1, OrderState.REJECTED: 2, OrderState.GONE: 2}


def state_of(status: OrderStatus, *, confirmed: bool) -> OrderState:
    """The venue's word as our state; a bare acknowledgement is SUBMITTED."""
    return OrderState(status.value) if confirmed else OrderState.SUBMITTED


def may_follow(current: OrderState, new: OrderState) -> bool:
    """Whether the venue's word `new` may replace `current`. States never go backwards: a late NEW does not reopen a CANCELED order, and
    nothing follows FILLED. What we only presumed gives way to anything that the venue shows."""
    return _RANK[new] >= _HOLDS[current]
