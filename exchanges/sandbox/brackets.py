"""Leverage brackets: the larger a position, the less leverage it may be opened with and the more margin it must keep.

A listing's first bracket is its own; those above it follow one ladder of leverages and rates, at notionals that depend on how much of the
asset is traded and on the venue. The figures are of the size that the venues publish for such symbols. Pure.
"""

from decimal import Decimal
from itertools import pairwise

from .model import ZERO, Bracket, Reason, Refused, Venue

# Highest leverage and maintenance rate: each rate is well below 1 / leverage.
_LADDER = (
    (100, "0.005"),
    (75, "0.0065"),
    (50, "0.01"),
    (20, "0.025"),
    (10, "0.05"),
    (5, "0.1"),
    (4, "0.125"),
    (2, "0.25"),
    (1, "0.5"),
)
_CAPS = (1_000_000, 3_000_000, 10_000_000, 30_000_000, 60_000_000, 100_000_000, 200_000_000, 300_000_000, 500_000_000, 1_000_000_000)
_DOLLAR, _DIME = Decimal(1), Decimal("0.1")  # what caps and amounts are whole numbers of
_MAJOR, _LARGE, _SMALL = Decimal(1), Decimal("0.2"), Decimal("0.1")
_SIZES = {"BTC": _MAJOR, "ETH": _MAJOR, "SOL": _LARGE, "XRP": _LARGE, "DOGE": _LARGE, "BNB": _LARGE}
_DEPTHS = {Venue.BINANCE: Decimal(1), Venue.BYBIT: Decimal(2), Venue.OKX: Decimal("1.5")}


def brackets_of(venue: Venue, base: str, leverage: int, maintenance_rate: Decimal) -> tuple[Bracket, ...]:
    """All brackets of a listing whose smallest positions have this leverage and rate."""
    above = [(least, Decimal(rate)) for least, rate in _LADDER]
    steps = [(leverage, maintenance_rate), *(each for each in above if each[0] < leverage and each[1] > maintenance_rate)]
    caps = [(cap * _SIZES.get(base, _SMALL) * _DEPTHS[venue]).quantize(_DOLLAR) for cap in _CAPS[: len(steps)]]
    amounts = [ZERO]
    for cap, ((_, lower), (_, upper)) in zip(caps[:-1], pairwise(steps), strict=True):
        amounts.append((amounts[-1] + cap * (upper - lower)).quantize(_DIME))
    rows = zip([ZERO, *caps[:-1]], caps, steps, amounts, strict=True)
    return tuple(Bracket(floor, cap, least, rate, amount) for floor, cap, (least, rate), amount in rows)


def bracket_of(brackets: tuple[Bracket, ...], notional: Decimal) -> Bracket:
    """The bracket that a position of this notional falls into; the last one has no end."""
    return next((bracket for bracket in brackets if notional <= bracket.cap), brackets[-1])


def maintenance(bracket: Bracket, notional: Decimal) -> Decimal:
    return notional * bracket.maintenance_rate - bracket.maintenance_amount


def check_bracket(brackets: tuple[Bracket, ...], notional: Decimal, leverage: int) -> None:
    """Raises Refused(ABOVE_BRACKET) for a position that is too large for its leverage; `allowed` is the most that it could have."""
    largest = largest_notional(brackets, leverage)
    if notional > largest:
        allowed = bracket_of(brackets, notional).leverage
        figures = {"notional": format(notional, "f"), "maximum": format(largest, "f")}
        raise Refused(Reason.ABOVE_BRACKET, leverage=str(leverage), allowed=str(allowed), **figures)


def largest_notional(brackets: tuple[Bracket, ...], leverage: int) -> Decimal:
    """What a position may be worth at most at a leverage that the listing allows."""
    return next(bracket.cap for bracket in reversed(brackets) if bracket.leverage >= leverage)
