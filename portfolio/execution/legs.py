"""Which leg an order of a person means in hedge mode, where both directions of a symbol are held side by side: one that opens means its own
direction, one that only reduces means the other. Programs name the leg themselves."""

from exchanges.domain import OrderRequest, OrderSide, PositionMode, PositionSide
from exchanges.models import ExchangeAccount
from portfolio.models import AccountState

_OPENED_BY = {OrderSide.BUY: PositionSide.LONG, OrderSide.SELL: PositionSide.SHORT}


def with_leg(account: ExchangeAccount, request: OrderRequest) -> OrderRequest:
    """As the account's mode needs it: unchanged in one-way mode, and before the account's first answer."""
    state = AccountState.objects.filter(account=account).only("position_mode").first()
    if state is None or state.position_mode != PositionMode.HEDGE:
        return request
    opening_side = request.side.opposite if request.reduce_only else request.side
    return request.model_copy(update={"position_side": _OPENED_BY[opening_side]})
