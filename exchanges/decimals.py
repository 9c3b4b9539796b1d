"""Exact numbers: from a wire string to Decimal, from Decimal to fixed notation, and onto a step. No float passes here."""

from collections.abc import Sequence
from decimal import ROUND_DOWN, Clamped, Context, Decimal, Inexact, InvalidOperation, Overflow, Rounded, Subnormal

MAX_WIRE_LENGTH = 60
MAX_EXPONENT = 40

# Reads what fits the limits above, to the digit, and traps on all else.
_read = Context(
    prec=MAX_WIRE_LENGTH,
    Emin=-MAX_EXPONENT,
    Emax=MAX_EXPONENT,
    traps=[InvalidOperation, Overflow, Subnormal, Clamped, Rounded, Inexact],
).create_decimal


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


def to_decimals(values: Sequence[object]) -> list[Decimal]:
    """Figures that must be there, each as `to_decimal` reads and refuses it; see `to_decimals_or_none`."""
    numbers = [number for number in to_decimals_or_none(values) if number is not None]
    if len(numbers) != len(values):
        raise _not_a_number("")
    return numbers


def to_decimals_or_none(values: Sequence[object], *, only_text: bool = False) -> list[Decimal | None]:
    """Figures of one or many rows, each read and refused as `to_decimal_or_none` does, at half the price. With `only_text` a JSON number
    or null among them is refused too."""
    try:
        joined = "".join(values)  # type: ignore[arg-type]  # TypeError where one is no text
        # NaN and Infinity, which a Decimal may be, hold an n, and no number does. All other limits are those of `_read`.
        is_plain = joined.isascii() and "n" not in joined and "N" not in joined
        if is_plain and (len(joined) <= MAX_WIRE_LENGTH or max(map(len, values)) <= MAX_WIRE_LENGTH):  # type: ignore[arg-type]
            return [_read(value) if value else None for value in values]  # type: ignore[arg-type]
    except TypeError as error:
        if only_text:
            raise ValueError("not a number as text") from error
    except ArithmeticError:
        pass  # read below with every check, and refused there if it is no number
    return [to_decimal_or_none(value) for value in values]


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
