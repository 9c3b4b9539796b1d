"""Several figures at once: read and refused exactly as one by one."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchanges.decimals import to_decimal, to_decimal_or_none, to_decimals, to_decimals_or_none
from exchanges.domain import AccountSummary, Balance, Position, PositionMode

ODD: list[object] = [
    "",
    None,
    "NaN",
    "sNaN",
    "nan",
    "Infinity",
    "-inf",
    "1_0",
    "١٢",
    " 1 ",
    "+3",
    "1E-8",
    "1E400",
    "1E-400",
    "0E99",
    "1E40",
    "1E41",
]
ODD += ["1E-40", "1E-41", "1" * 41, "1" * 42, "0" * 60, "0" * 61, "0." + "0" * 50 + "1", "1.5 ", "--1", True, 5, 1.5, [], {}, b"1"]
VALUES = st.sampled_from(ODD) | st.text(max_size=8) | st.decimals(places=8, allow_nan=True).map(str) | st.integers().map(str)


def one_by_one(values: list[object]) -> list[Decimal | None] | None:
    try:
        return [to_decimal_or_none(value) for value in values]
    except ValueError:
        return None


@given(st.lists(VALUES, min_size=1, max_size=8))
def test_many_figures_are_read_and_refused_as_one_by_one(values: list[object]) -> None:
    expected = one_by_one(values)
    if expected is None:
        with pytest.raises(ValueError, match="not a number"):
            to_decimals_or_none(values)
    else:
        assert [str(number) for number in to_decimals_or_none(values)] == [str(number) for number in expected]


@pytest.mark.parametrize("value", ODD, ids=repr)
def test_an_odd_figure_among_plain_ones_is_read_and_refused_as_alone(value: object) -> None:
    expected = one_by_one([value])
    if expected is None:
        with pytest.raises(ValueError, match="not a number"):
            to_decimals_or_none(["1.5", value, "-2"])
    else:
        assert to_decimals_or_none(["1.5", value, "-2"]) == [Decimal("1.5"), *expected, Decimal(-2)]


@pytest.mark.parametrize("absent", ["", None])
def test_a_figure_that_must_be_there_is_refused_when_it_is_absent(absent: object) -> None:
    assert to_decimals(["1", "2.50"]) == [to_decimal("1"), to_decimal("2.50")]
    with pytest.raises(ValueError, match="not a number"):
        to_decimals(["1", absent])


@pytest.mark.parametrize("value", [5, None, True, 1.5, []])
def test_where_only_text_will_do_a_json_number_and_null_are_refused(value: object) -> None:
    assert to_decimals_or_none(["1", ""], only_text=True) == [Decimal(1), None]
    with pytest.raises(ValueError, match="not a number"):
        to_decimals_or_none(["1", value], only_text=True)


def test_what_a_venue_answered_cannot_be_changed() -> None:
    balance = Balance(asset="USDT", total=Decimal(1))
    with pytest.raises(AttributeError):
        balance.total = Decimal(2)  # type: ignore[misc]  # on purpose
    account = AccountSummary(equity_usd=None, equity_basis="totalEq", position_mode=PositionMode.ONE_WAY)
    with pytest.raises(AttributeError):
        account.equity_usd = Decimal(2)  # type: ignore[misc]  # on purpose
    with pytest.raises(TypeError):
        Position(symbol="BTCUSDT", unknown=1)  # type: ignore[call-arg]  # on purpose
