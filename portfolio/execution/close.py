"""Close a part of a position: re-read it at the venue, take the fraction of what is there now, round down, send reduce-only at market."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

from django.contrib.auth.models import User
from pydantic import ValidationError

from exchanges import accounts, pauses
from exchanges.decimals import plain, round_down
from exchanges.domain import MarginMode, OrderRequest, OrderSide, OrderType, PositionSide
from exchanges.domain import Position as VenuePosition
from exchanges.errors import ExchangeAPIError, ReduceOnlyRejected
from exchanges.protocol import IExchangeClient
from exchanges.runtime import runtime
from portfolio import access, rate_limits, rounds, venue_clocks
from portfolio.execution.completion import names_margin_mode
from portfolio.execution.place import Idempotency, Intent, earlier_order, instrument_for, place, refuse_without_trading
from portfolio.execution.refusals import NotFound, Refused
from portfolio.models import Order, Origin, Position

READ_DEADLINE_S = 12.0


@dataclass(frozen=True, slots=True)
class Agreed:
    """What a person read and confirmed: no other side is sent, and no larger quantity (base units)."""

    side: OrderSide
    quantity: Decimal


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
    """The order that closes `fraction` of `held`, in the position's margin mode where an order names one. Raises Refused where that rounds
    down to nothing."""
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
            margin_mode=MarginMode(position.margin_mode) if names_margin_mode(position.account) else None,
        )
    except ValidationError as error:
        # Held, so shown; but its name or size is none that an order takes here.
        raise Refused(
            "cannot_close_here", f"{position.symbol} can only be closed at {position.account.get_exchange_display()} itself"
        ) from error


def close(
    user: User,
    position: Position,
    fraction: Decimal,
    *,
    origin: Origin,
    agreed: Agreed | None = None,
    idempotency: Idempotency | None = None,
) -> tuple[Order, bool]:
    """As place(). Raises ReduceOnlyRejected where the venue and the book are flat, Refused where the venue holds something else than
    `position` or than was agreed to, or the book could not be read again, and what place() and the read raise."""
    access.require_trading_role(user, position.account)
    earlier = earlier_order(user, idempotency)
    if earlier is not None:
        return earlier, True
    refuse_without_trading(position.account)
    pauses.refuse_while_paused(position.account.exchange, position.account.environment, datetime.now(UTC))
    held = _held_now(position)
    request = close_request(position, fraction, held.quantity, held.side)
    if agreed is not None:
        request = _within(agreed, request, held, position)
    return place(Intent(user, position.account, request, origin, idempotency))


def _within(agreed: Agreed, request: OrderRequest, held: VenuePosition, position: Position) -> OrderRequest:
    """A position that grew meanwhile is closed by no more than was read; one that turned around is another position."""
    if request.side is not agreed.side:
        rounds.poll_holdings([position.account_id])
        raise Refused(
            "position_changed",
            f"{position.symbol} at {position.account} has turned around: the account now holds {_described([held])}. Nothing was sent",
            "id",
        )
    return request.model_copy(update={"quantity": min(request.quantity, agreed.quantity)})


def _held_now(position: Position) -> VenuePosition:
    client = accounts.client_for(position.account)
    try:
        found = runtime().run(_read(client, position.symbol), deadline_s=READ_DEADLINE_S)
    except ExchangeAPIError as error:
        rate_limits.note_venue(position.account, error, datetime.now(UTC))
        raise
    for held in found:
        if held.position_side == position.position_side and held.margin_mode == position.margin_mode:
            return held
    rounds.poll_holdings([position.account_id])
    raise _why_not(position, found)


def _why_not(position: Position, found: Sequence[VenuePosition]) -> Exception:
    """Why this very position cannot be closed, now that the book was read again. Flat is said only where the book shows nothing either:
    the margin mode of a position may have changed, another leg may be held, and one empty answer may be wrong."""
    account, symbol = position.account, position.symbol
    rows = list(Position.objects.filter(account=account, symbol=symbol))
    if not rows:
        return ReduceOnlyRejected(f"{symbol} is already flat at {account}", exchange=account.exchange, field="id")
    shown = next((row for row in rows if row.pk == position.pk), None)
    if shown is None:
        return Refused(
            "position_changed",
            f"{symbol} at {account} is not held {_leg_of(position)}: the account holds {_described(rows)}. Nothing was sent",
            "id",
        )
    return Refused(
        "position_not_confirmed",
        f"{account} shows {_described(found) or 'no position'} in {symbol} now, while the book still has {_described([shown])}, "
        f"as of {shown.as_of:%H:%M:%S} UTC. Nothing was sent; look again when the book was read anew",
        "id",
    )


def _leg_of(position: Position) -> str:
    leg = "" if position.position_side == PositionSide.BOTH else f"as {position.position_side} leg "
    return f"{leg}in {position.margin_mode} margin"


def _described(positions: Sequence[Position | VenuePosition]) -> str:
    return " and ".join(f"{each.side} {plain(each.quantity)} in {each.margin_mode} margin" for each in positions)


async def _read(client: IExchangeClient, symbol: str) -> list[VenuePosition]:
    await venue_clocks.keep_if_answered(client)
    return await client.get_open_positions(symbol)
