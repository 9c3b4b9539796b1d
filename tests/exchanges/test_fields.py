"""An exact decimal goes into the database and comes out as it was, digit for digit."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from django import forms
from django.core.exceptions import ValidationError
from django.db import connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from exchanges.fields import ExactDecimalField
from exchanges.models import Environment, Exchange, MarkPrice

D = Decimal
pytestmark = [pytest.mark.django_db, pytest.mark.postgresql]


def kept(value: Any) -> Decimal:
    """`value` after a way through the database."""
    row = MarkPrice.objects.create(
        exchange=Exchange.OKX, environment=Environment.SANDBOX, symbol="BTCUSDT", mark_price=value, as_of=datetime.now(UTC)
    )
    found = MarkPrice.objects.get(pk=row.pk).mark_price
    row.delete()
    return found


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.decimals(min_value=-(10**20), max_value=10**20, places=18, allow_nan=False, allow_infinity=False))
def test_no_digit_is_lost(number: Decimal) -> None:
    with transaction.atomic():
        assert kept(number) == number


@pytest.mark.parametrize(
    "text",
    ["0", "0.1", "1E-8", "0.00000001", "123456789012345678901234567890.123456789", "-0.5", "1E+3", "95000.10", "1E-18"],
)
def test_a_number_of_more_digits_than_a_float_holds_is_kept(text: str) -> None:
    assert kept(D(text)) == D(text)
    assert kept(text) == D(text)


def test_it_is_stored_in_fixed_notation() -> None:
    field = ExactDecimalField()
    assert field.get_prep_value(D("1E-8")) == "0.00000001"
    assert field.get_prep_value(D("1E+3")) == "1000"
    assert field.get_prep_value(5) == "5"
    assert field.get_prep_value(None) is None


def test_the_column_holds_text_in_sqlite_and_numeric_in_postgresql() -> None:
    expected = "numeric" if connection.vendor == "postgresql" else "text"
    assert ExactDecimalField().db_type(connection) == expected


@pytest.mark.parametrize("value", [0.1, 1.0, float("nan"), "NaN", "Infinity", "", "abc", "1_000", "٣", "1e99", True, b"5", [5]])
def test_what_is_no_exact_number_is_refused(value: Any) -> None:
    with pytest.raises(ValidationError):
        ExactDecimalField().to_python(value)


@pytest.mark.parametrize("value", [0.1, "NaN", True])
def test_what_is_no_exact_number_does_not_reach_the_database(value: Any) -> None:
    with pytest.raises(ValidationError):
        kept(value)


def test_nothing_stays_nothing() -> None:
    field = ExactDecimalField(null=True)
    assert field.to_python(None) is None
    assert field.from_db_value(None, None, connection) is None


def test_a_form_asks_for_a_decimal() -> None:
    assert isinstance(ExactDecimalField().formfield(), forms.DecimalField)
