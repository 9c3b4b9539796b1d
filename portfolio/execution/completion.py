"""What an order of a person leaves to its account to say: the leg that it means in hedge mode, where both directions of a symbol are held
side by side, and the margin mode at an exchange whose orders name one. Programs name both themselves."""

from exchanges.domain import ExchangeType, MarginMode, OrderRequest, OrderSide, PositionMode, PositionSide
from exchanges.factory import capabilities_of
from exchanges.models import ExchangeAccount
from portfolio.models import AccountState, Position

_OPENED_BY = {OrderSide.BUY: PositionSide.LONG, OrderSide.SELL: PositionSide.SHORT}


def completed(account: ExchangeAccount, request: OrderRequest) -> OrderRequest:
    """As the account needs it: the leg is left open before the account's first answer, and a margin mode where the exchange takes none with
    an order is left out, as the ticket shows none there."""
    request = _with_leg(account, request)
    mode = (request.margin_mode or _margin_mode_held(account, request)) if names_margin_mode(account) else None
    return request.model_copy(update={"margin_mode": mode})


def names_margin_mode(account: ExchangeAccount) -> bool:
    """Whether an order says in which margin mode it opens or reduces; elsewhere the mode is a setting of the symbol or account."""
    return "margin_mode" in capabilities_of(ExchangeType(account.exchange)).order_fields


def _with_leg(account: ExchangeAccount, request: OrderRequest) -> OrderRequest:
    """One that opens means its own direction, one that only reduces means the other."""
    state = AccountState.objects.filter(account=account).only("position_mode").first()
    if state is None or state.position_mode != PositionMode.HEDGE:
        return request
    opening_side = request.side.opposite if request.reduce_only else request.side
    return request.model_copy(update={"position_side": _OPENED_BY[opening_side]})


def _margin_mode_held(account: ExchangeAccount, request: OrderRequest) -> MarginMode:
    """That of the position which the order adds to or reduces: in another mode it would open a second one beside it. Cross where nothing
    is held, or both are."""
    held = Position.objects.filter(account=account, symbol=request.symbol)
    if request.position_side is not PositionSide.BOTH:
        held = held.filter(position_side=request.position_side.value)
    modes = set(held.values_list("margin_mode", flat=True))
    return MarginMode(modes.pop()) if len(modes) == 1 else MarginMode.CROSS
