"""Which of the account's orders the venue made itself. Each closed a whole position: no liquidation here is a partial one."""

from exchanges.sandbox.okx.endpoint import PrivateCall


def liquidations(call: PrivateCall) -> frozenset[int]:
    """The engine's numbers of them."""
    return frozenset(order.id for order in call.engine.order_history(call.account) if order.liquidation)
