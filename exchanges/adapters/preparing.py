"""What comes before an order is sent, the same at every venue: the leg it may touch, the position it closes, the leverage it names."""

from collections.abc import Awaitable, Sequence

from exchanges.domain import OrderRequest, OrderSide, Position, PositionSide
from exchanges.errors import ExchangeAPIError, LeverageUnconfirmed, PositionModeMismatch, ReduceOnlyRejected, WriteEffect


def refuse_reduce_only_that_opens(request: OrderRequest, exchange: str) -> None:
    """Raises ReduceOnlyRejected. In hedge mode Binance takes no reduce-only flag and OKX ignores it, so an order that would open the leg
    in spite of the flag is held back here."""
    if request.reduce_only and request.position_side is not PositionSide.BOTH and not closes_its_leg(request):
        raise ReduceOnlyRejected(
            f"a reduce-only order must close its leg: {request.side} opens {request.position_side}", exchange=exchange, field="reduce_only"
        )


def closes_its_leg(request: OrderRequest) -> bool:
    """Of an order that names a leg: SELL closes LONG, BUY closes SHORT."""
    return (request.position_side is PositionSide.LONG) is (request.side is OrderSide.SELL)


def position_to_close(symbol: str, positions: Sequence[Position], position_side: PositionSide | None, exchange: str) -> Position:
    """The one position of `symbol` that is meant. Raises ReduceOnlyRejected where there is none, PositionModeMismatch where there are
    several."""
    found = [each for each in positions if position_side in (None, each.position_side, each.side)]
    if not found:
        named = "" if position_side is None else f"{position_side} "
        raise ReduceOnlyRejected(f"there is no open {named}position in {symbol}", exchange=exchange, field="symbol")
    if len(found) > 1:
        held = " and ".join(f"{each.margin_mode} {each.side}" for each in found)
        raise PositionModeMismatch(f"{symbol} has several positions ({held}): say which one", exchange=exchange, field="position_side")
    return found[0]


async def with_leverage(setting: Awaitable[bool], leverage: int, exchange: str) -> None:
    """Waits for the venue to use `leverage`. Whatever it raises says that the order was not placed: a setting whose outcome is unknown
    is no order whose outcome is unknown."""
    try:
        is_set = await setting
    except ExchangeAPIError as error:
        if error.write_effect is WriteEffect.NONE:
            raise
        raise LeverageUnconfirmed(error.message, error.code, exchange, error, http_status=error.http_status, field="leverage") from error
    if not is_set:
        raise LeverageUnconfirmed(f"the exchange did not take leverage {leverage}", exchange=exchange, field="leverage")
