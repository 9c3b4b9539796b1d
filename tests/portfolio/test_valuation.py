"""What one position is worth: signs, and figures that do not exist."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from exchanges.domain import PositionSide
from portfolio.valuation import distance_ratio, notional_usd, pnl_ratio, signed

D = Decimal
amounts = st.decimals(min_value=0, max_value=10**9, places=8)


def test_a_notional_is_mark_times_quantity() -> None:
    assert notional_usd(D("0.003"), D("95000.5")) == D("285.0015")


@given(amounts)
def test_shorts_are_negative(amount: Decimal) -> None:
    assert signed(amount, PositionSide.LONG) == amount
    assert signed(amount, PositionSide.SHORT) == signed(amount, "SHORT") == -amount


def test_a_ratio_of_the_entry_value() -> None:
    assert pnl_ratio(D("-50"), D("100"), D("2")) == D("-0.25")


def test_a_ratio_of_nothing_is_none_not_zero() -> None:
    assert pnl_ratio(D(5), D(0), D(2)) is None
    assert pnl_ratio(D(5), D(100), D(0)) is None
    assert distance_ratio(D(0), D(100)) is None


def test_a_distance_has_no_sign() -> None:
    assert distance_ratio(D(100), D(80)) == distance_ratio(D(100), D(120)) == D("0.2")
