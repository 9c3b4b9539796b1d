"""Exact numbers: from a wire string to Decimal, from Decimal to fixed notation, and onto a step. No float passes here."""

from decimal import ROUND_DOWN, Decimal, InvalidOperation

MAX_WIRE_LENGTH = 60


def to_decimal(value: object) -> Decimal:
    """A number as a venue sends it (string or integer). Raises ValueError for anything else: NaN, infinity, a float, an empty string."""
    if isinstance(value, bool) or not isinstance(value, str | int) or len(str(value)) > MAX_WIRE_LENGTH:
        raise ValueError(f"not a number: {value!r:.80}")
    try:
        number = Decimal(value)
    except InvalidOperation as error:
        raise ValueError(f"not a number: {value!r:.80}") from error
    if not number.is_finite():
        raise ValueError(f"not a number: {value!r:.80}")
    return number


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
