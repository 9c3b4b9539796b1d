"""Cells that several panels have: ages, freshness, signed money, amounts, and what an empty panel says."""

from datetime import datetime
from decimal import Decimal

from dashboard import numbers
from dashboard.book import Book
from dashboard.presentation import Cell, Freshness, Row, Tone
from exchanges.domain import PositionSide
from portfolio.exposure import describe_age

ZERO = Decimal(0)
_NEAR = Decimal("0.2")
_VERY_NEAR = Decimal("0.1")


def freshness_of(book: Book, as_of: datetime | None) -> Freshness:
    if as_of is None:
        return "unknown"
    return "stale" if book.is_stale(as_of) else "fresh"


def age_cell(book: Book, as_of: datetime | None) -> Cell:
    if as_of is None:
        return Cell("age", numbers.MISSING, "muted", title="Not read yet")
    return Cell("age", describe_age(book.now - as_of), title=f"As of {numbers.clock(as_of)}", as_of_ms=numbers.epoch_ms(as_of))


def figure_cell(column: str, text: str) -> Cell:
    """A figure without a sign; a missing one stands back, so that nothing made for figures (a line through a stale one) is done to it."""
    return Cell(column, text, "muted" if text == numbers.MISSING else "")


def signed_cell(column: str, amount: Decimal | None) -> Cell:
    return Cell(column, numbers.signed_money(amount), numbers.tone(amount))


def amount(number: Decimal | None, *, least_places: int = 0) -> str:
    """An amount of an asset whose lot is not at hand: up to eight places, no trailing zeros beyond `least_places`."""
    if number is None:
        return numbers.MISSING
    places = numbers.places_of(numbers.rounded_to(number, 8)) if number else 0
    return numbers.grouped(number, max(least_places, places))


def share_of_equity(book: Book, amount: Decimal) -> Decimal | None:
    return amount / book.exposure.equity_usd if book.exposure.equity_usd else None


def percent_up_to_all(ratio: Decimal | None) -> str:
    """A distance or a share of which more than the whole says nothing more."""
    return "> 100 %" if ratio is not None and ratio > 1 else numbers.percent(ratio)


def nearness(ratio: Decimal | None) -> Tone:
    """What a distance to liquidation calls for."""
    if ratio is None or ratio > _NEAR:
        return ""
    return "danger" if ratio <= _VERY_NEAR else "warning"


def side_tone(side: PositionSide) -> Tone:
    return "short" if side is PositionSide.SHORT else "long"


def empty_message(book: Book, rows: tuple[Row, ...], words: str) -> str:
    if rows:
        return ""
    waiting = [
        account.get_exchange_display() for account in book.accounts if (state := book.state_of(account)) is None or state.as_of is None
    ]
    if waiting:
        return f"Waiting for the first answer from {', '.join(waiting)}."
    return words if book.accounts else "No account yet. ./run manage add_account connects one; its book then shows here."
