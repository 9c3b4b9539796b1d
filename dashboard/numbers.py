"""How figures are written, in the page, the pushes and the dialogs alike. Decimals in, finished text out; a missing one is —."""

from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Context, Decimal

from dashboard.presentation import Tone

MISSING = "—"
_MAX_PLACES = 12
_WIDE = Context(prec=100)  # the usual 28 digits are too few for a large number at a small step: rounding would raise


def places_of(step: Decimal) -> int:
    """Decimal places that a tick or lot needs: 0.10 -> 1, 5 -> 0."""
    exponent = step.normalize().as_tuple().exponent
    return min(_MAX_PLACES, max(0, -exponent)) if isinstance(exponent, int) else 0


def grouped(number: Decimal, places: int) -> str:
    """Thousands separators and exactly `places` decimals: -1,234.50; a figure that rounds to zero has no sign."""
    rounded = rounded_to(number, places)
    return f"{rounded.copy_abs() if rounded == 0 else rounded:,.{places}f}".replace("-", "\u2212")


def rounded_to(number: Decimal, places: int) -> Decimal:
    return number.quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_UP, context=_WIDE)


def price(number: Decimal | None, tick: Decimal | None) -> str:
    if number is None:
        return MISSING
    return grouped(number, places_of(tick) if tick else _significant_places(number))


def quantity(number: Decimal | None, lot: Decimal | None) -> str:
    if number is None:
        return MISSING
    return grouped(number, places_of(lot) if lot else min(8, places_of(number)))


def money(number: Decimal | None) -> str:
    return MISSING if number is None else grouped(number, 2)


def signed_money(number: Decimal | None) -> str:
    """With its sign in front, also a plus."""
    if number is None:
        return MISSING
    text = grouped(number, 2)
    return f"+{text}" if number > 0 and text != "0.00" else text


def percent(ratio: Decimal | None) -> str:
    return MISSING if ratio is None else f"{grouped(ratio * 100, 2)} %"


def signed_percent(ratio: Decimal | None) -> str:
    if ratio is None:
        return MISSING
    text = percent(ratio)
    return f"+{text}" if ratio > 0 and text != "0.00 %" else text


def tone(number: Decimal | None) -> Tone:
    if number is None:
        return "muted"
    if number == 0:
        return ""
    return "long" if number > 0 else "short"


def epoch_ms(moment: datetime | None) -> int | None:
    return None if moment is None else round(moment.timestamp() * 1_000)


def clock(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%H:%M:%S} UTC"


def _significant_places(number: Decimal) -> int:
    """Without a tick: six significant digits, at least two places."""
    return max(2, 5 - number.adjusted()) if number else 2
