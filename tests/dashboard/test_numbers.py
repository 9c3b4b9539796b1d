"""How figures are written."""

import re
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard import numbers

D = Decimal
decimals = st.decimals(allow_nan=False, allow_infinity=False, min_value=D("-1E+30"), max_value=D("1E+30"))
WRITTEN = re.compile(r"^\u2212?\d{1,3}(,\d{3})*(\.\d+)?$")


@pytest.mark.parametrize(
    ("step", "places"),
    [("0.1", 1), ("0.10", 1), ("1", 0), ("5", 0), ("10", 0), ("1E+2", 0), ("0.001", 3), ("1E-8", 8), ("0.25", 2), ("1E-30", 12), ("0", 0)],
)
def test_places_of_a_step(step: str, places: int) -> None:
    assert numbers.places_of(D(step)) == places


@pytest.mark.parametrize(
    ("number", "places", "text"),
    [
        ("1234.5", 2, "1,234.50"),
        ("-1234.5", 2, "\u22121,234.50"),
        ("-0.001", 2, "0.00"),
        ("-0", 2, "0.00"),
        ("0.005", 2, "0.01"),
        ("-0.005", 2, "\u22120.01"),
        ("2.5", 0, "3"),
        ("999999.995", 2, "1,000,000.00"),
        ("1E+21", 2, "1,000,000,000,000,000,000,000.00"),
        ("1E-8", 8, "0.00000001"),
        ("12345678901234567890123456789.125", 2, "12,345,678,901,234,567,890,123,456,789.13"),
    ],
)
def test_grouped(number: str, places: int, text: str) -> None:
    assert numbers.grouped(D(number), places) == text


@given(decimals, st.integers(0, 12))
def test_whatever_is_written_is_fixed_grouped_and_reads_back_within_half_a_step(number: Decimal, places: int) -> None:
    text = numbers.grouped(number, places)
    assert WRITTEN.match(text)
    assert len(text.partition(".")[2]) == places
    back = D(text.replace(",", "").replace("\u2212", "-"))
    assert abs(back - number) <= D(5).scaleb(-places - 1) * (1 + D("1e-20"))
    assert not (back == 0 and text.startswith("\u2212"))


@pytest.mark.parametrize(
    ("number", "tick", "text"),
    [
        (None, "0.1", "—"),
        ("95000", "0.1", "95,000.0"),
        ("0.00001234", "1E-8", "0.00001234"),
        ("95000.123456", None, "95,000.12"),
        ("0.000012345678", None, "0.0000123457"),
        ("1.5", None, "1.50000"),
        ("0", None, "0.00"),
    ],
)
def test_a_price_has_its_ticks_places_or_six_significant_digits(number: str | None, tick: str | None, text: str) -> None:
    assert numbers.price(number and D(number), tick and D(tick)) == text  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("number", "lot", "text"),
    [(None, "1", "—"), ("0.5", "0.001", "0.500"), ("1200", "100", "1,200"), ("0.123456789", None, "0.12345679"), ("3", None, "3")],
)
def test_a_quantity_has_its_lots_places(number: str | None, lot: str | None, text: str) -> None:
    assert numbers.quantity(number and D(number), lot and D(lot)) == text  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("number", "plain", "signed", "tone"),
    [
        (None, "—", "—", "muted"),
        ("0", "0.00", "0.00", ""),
        ("1.005", "1.01", "+1.01", "long"),
        ("-1", "\u22121.00", "\u22121.00", "short"),
        ("0.001", "0.00", "0.00", "long"),
    ],
)
def test_money_and_its_sign(number: str | None, plain: str, signed: str, tone: str) -> None:
    amount = None if number is None else D(number)
    assert (numbers.money(amount), numbers.signed_money(amount), numbers.tone(amount)) == (plain, signed, tone)


@pytest.mark.parametrize(
    ("ratio", "plain", "signed"),
    [(None, "—", "—"), ("0.05", "5.00 %", "+5.00 %"), ("-0.12345", "\u221212.35 %", "\u221212.35 %"), ("0.00001", "0.00 %", "0.00 %")],
)
def test_a_ratio_is_shown_in_percent(ratio: str | None, plain: str, signed: str) -> None:
    number = None if ratio is None else D(ratio)
    assert (numbers.percent(number), numbers.signed_percent(number)) == (plain, signed)


def test_a_clock_is_utc_whatever_zone_it_came_in() -> None:
    moment = datetime(2026, 11, 24, 12, 0, 5, 250_000, tzinfo=timezone(timedelta(hours=2)))
    assert numbers.clock(moment) == "10:00:05 UTC"
    assert numbers.epoch_ms(moment) == round(moment.astimezone(UTC).timestamp() * 1_000)
    assert numbers.epoch_ms(None) is None
