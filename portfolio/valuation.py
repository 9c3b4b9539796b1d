"""What one position is worth. Pure: Decimals in, Decimals out."""

from decimal import Decimal

from exchanges.domain import PositionSide


def notional_usd(quantity: Decimal, mark_price: Decimal) -> Decimal:
    """Unsigned value in USD (USDT counts as one): mark x base quantity."""
    return quantity * mark_price


def signed(amount: Decimal, side: PositionSide | str) -> Decimal:
    """`amount` >= 0 with the sign of the side: shorts are negative."""
    return -amount if side == PositionSide.SHORT else amount


def pnl_ratio(unrealized_pnl: Decimal, entry_price: Decimal, quantity: Decimal) -> Decimal | None:
    """Unrealised PnL over entry value; None where the entry value is zero."""
    value = entry_price * quantity
    return unrealized_pnl / value if value else None


def distance_ratio(mark_price: Decimal, target_price: Decimal) -> Decimal | None:
    """How far the mark is from `target_price`, as a ratio of the mark, always >= 0."""
    return abs(target_price - mark_price) / mark_price if mark_price else None
