"""Exact numbers: what is taken for one, how it is written, what a step does to it."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchanges.decimals import fixed, is_multiple, plain, round_down, to_decimal, to_decimal_or_none

WIRE_NUMBERS = st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**12), max_value=10**12, places=12)
STEPS = st.sampled_from([Decimal(step) for step in ("0.000000001", "0.0001", "0.05", "0.1", "1", "5", "100", "1000000")])


@pytest.mark.parametrize(
    ("value", "expected"),
    [("0.1", "0.1"), ("-12.50", "-12.50"), ("1E-8", "0.00000001"), (17, "17"), ("+3", "3"), (" 1 ", "1"), ("0", "0"), (2**70, str(2**70))],
)
def test_what_venues_send_is_a_number(value: object, expected: str) -> None:
    assert to_decimal(value) == Decimal(expected)


@pytest.mark.parametrize(
    "value",
    [
        "",
        "NaN",
        "Infinity",
        "-inf",
        "sNaN",
        "1_000",
        "1,5",
        "0x10",
        "abc",
        "١٢",
        "1" * 61,
        "1E400",
        "1E-400",
        "9E41",
        None,
        True,
        1.5,
        [],
        {},
        b"1",
    ],
)
def test_anything_else_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match="not a number"):
        to_decimal(value)


def test_an_absent_figure_is_none_and_never_zero() -> None:
    assert to_decimal_or_none("") is None
    assert to_decimal_or_none(None) is None
    assert to_decimal_or_none("0") == 0
    with pytest.raises(ValueError, match="not a number"):
        to_decimal_or_none("none")


@pytest.mark.parametrize(
    ("number", "as_fixed", "as_plain"),
    [
        ("1E-8", "0.00000001", "0.00000001"),
        ("0.5000", "0.5000", "0.5"),
        ("100", "100", "100"),
        ("1E3", "1000", "1000"),
        ("-0.10", "-0.10", "-0.1"),
        ("10.00", "10.00", "10"),
    ],
)
def test_numbers_are_written_without_an_exponent(number: str, as_fixed: str, as_plain: str) -> None:
    assert (fixed(Decimal(number)), plain(Decimal(number))) == (as_fixed, as_plain)


@given(WIRE_NUMBERS)
def test_writing_and_reading_a_number_changes_nothing(number: Decimal) -> None:
    for text in (fixed(number), plain(number)):
        assert "E" not in text.upper()
        assert to_decimal(text) == number


@given(WIRE_NUMBERS.map(abs), STEPS)
def test_rounding_down_gives_the_largest_multiple_that_is_not_above(number: Decimal, step: Decimal) -> None:
    rounded = round_down(number, step)
    assert is_multiple(rounded, step)
    assert rounded <= number < rounded + step


@pytest.mark.parametrize(
    ("number", "step", "expected"), [("0.0015", "0.001", False), ("0.3", "0.1", True), ("1E6", "1000000", True), ("0.05", "0.1", False)]
)
def test_multiples_are_exact(number: str, step: str, expected: bool) -> None:
    assert is_multiple(Decimal(number), Decimal(step)) is expected
