"""Exact numbers: from a wire string to Decimal, from Decimal to fixed notation, and onto a step. No float passes here."""

from decimal import ROUND_DOWN, Decimal, InvalidOperation

MAX_WIRE_LENGTH = 60
MAX_EXPONENT = 40


def to_decimal(value: object) -> Decimal:
    """A number as a venue sends it (string or integer). Raises ValueError for anything else: NaN, infinity, a float, an empty string,
    digits of other scripts, a magnitude that no market has."""
    # Called for every figure of every poll: the checks are ordered and written for speed.
    if type(value) is not str:
        if type(value) is not int:
            raise _not_a_number(value)
        value = str(value)
    if len(value) > MAX_WIRE_LENGTH or not value.isascii() or "_" in value:
        raise _not_a_number(value)
    try:
        number = Decimal(value)
    except InvalidOperation as error:
        raise _not_a_number(value) from error
    if not number.is_finite() or not -MAX_EXPONENT <= number.adjusted() <= MAX_EXPONENT:
        raise _not_a_number(value)
    return number


def _not_a_number(value: object) -> ValueError:
    return ValueError(f"not a number: {value!r:.80}")


def to_decimal_or_none(value: object) -> Decimal | None:
    """As `to_decimal`; an empty string or null means that the venue has no such figure."""
    return None if value in ("", None) else to_decimal(value)


def fixed(number: Decimal) -> str:
    """Fixed notation, never an exponent: 1E-8 is 0.00000001. Trailing zeros are kept as they are."""
    return format(number, "f")


def plain(number: Decimal) -> str:
    """Fixed notation without trailing zeros: 0.5000 is 0.5, 100 stays 100."""
    text = format(number, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def is_multiple(number: Decimal, step: Decimal) -> bool:
    return number % step == 0


def round_down(number: Decimal, step: Decimal) -> Decimal:
    """The largest multiple of `step` not above `number` (both >= 0), at the step's own precision."""
    return ((number / step).to_integral_value(rounding=ROUND_DOWN) * step).quantize(step)
