"""Close a part of a position: re-read it at the venue, take the fraction of what is there now, round down, send reduce-only at market."""

from decimal import Decimal

from django.contrib.auth.models import User
from pydantic import ValidationError

from exchanges import accounts
from exchanges.decimals import plain, round_down
from exchanges.domain import OrderRequest, OrderSide, OrderType, PositionSide
from exchanges.domain import Position as VenuePosition
from exchanges.errors import ReduceOnlyRejected
from exchanges.protocol import IExchangeClient
from exchanges.runtime import runtime
from portfolio import access, venue_clocks
from portfolio.execution.place import Idempotency, Intent, earlier_order, instrument_for, place, refuse_without_trading
from portfolio.execution.refusals import NotFound, Refused
from portfolio.models import Order, Origin, Position

READ_DEADLINE_S = 12.0


def position_for(user: User, position_id: int) -> Position:
    """Raises NotFound for a missing position and for one that `user` may not see."""
    position = (
        access.positions_for(user)
        .select_related("account__credential", "account__portfolio_link__portfolio")
        .filter(pk=position_id)
        .first()
    )
    if position is None:
        raise NotFound("position")
    return position


def close_request(position: Position, fraction: Decimal, held: Decimal, side: PositionSide) -> OrderRequest:
    """The order that closes `fraction` of `held`. Raises Refused where that rounds down to nothing."""
    if not 0 < fraction <= 1:
        raise Refused("invalid_fraction", f"fraction must be above 0 and at most 1, was {plain(fraction)}", "fraction")
    instrument = instrument_for(position.account, position.symbol)
    lot = instrument.market_lot or instrument.lot
    quantity = round_down(held * fraction, lot)
    if quantity < instrument.min_quantity:
        raise Refused(
            "fraction_too_small",
            f"fraction must close at least {plain(instrument.min_quantity)}, was {plain(fraction)} of {plain(held)}",
            "fraction",
        )
    try:
        return OrderRequest(
            symbol=position.symbol,
            side=OrderSide.BUY if side is PositionSide.SHORT else OrderSide.SELL,
            order_type=OrderType.MARKET,
            quantity=quantity,
            reduce_only=True,
            position_side=PositionSide(position.position_side),
        )
    except ValidationError as error:
        # Held, so shown; but its name or size is none that an order takes here.
        raise Refused(
            "cannot_close_here", f"{position.symbol} can only be closed at {position.account.get_exchange_display()} itself"
        ) from error


def close(
    user: User, position: Position, fraction: Decimal, *, origin: Origin, idempotency: Idempotency | None = None
) -> tuple[Order, bool]:
    """As place(). Raises ReduceOnlyRejected where the venue holds no such position any more, and what place() and the read raise."""
    access.require_trading_role(user, position.account)
    earlier = earlier_order(user, idempotency)
    if earlier is not None:
        return earlier, True
    refuse_without_trading(position.account)
    held = _held_now(position)
    request = close_request(position, fraction, held.quantity, held.side)
    return place(Intent(user, position.account, request, origin, idempotency))


def _held_now(position: Position) -> VenuePosition:
    client = accounts.client_for(position.account)
    for held in runtime().run(_read(client, position.symbol), deadline_s=READ_DEADLINE_S):
        if held.position_side == position.position_side and held.margin_mode == position.margin_mode:
            return held
    raise ReduceOnlyRejected(f"{position.symbol} is already flat at {position.account}", exchange=position.account.exchange, field="id")


async def _read(client: IExchangeClient, symbol: str) -> list[VenuePosition]:
    await venue_clocks.keep_if_answered(client)
    return await client.get_open_positions(symbol)
