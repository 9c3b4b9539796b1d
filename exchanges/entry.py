"""Symbols and numbers as people and programs type them: which texts stand for one, to the digit. Knows no order and no venue; what venues
write is read by exchanges.decimals."""

import re
from decimal import Context, Decimal
from typing import Annotated

from pydantic import BeforeValidator, Field
from pydantic_core import PydanticCustomError

SYMBOL_PATTERN = r"^[A-Z0-9]{1,20}USDT$"
CLIENT_ORDER_ID_PATTERN = r"^[a-z][a-z0-9]{0,31}$"


def _uppercase(value: object) -> object:
    """Only what is plain text: of other scripts, letters have capitals that read as another symbol (ſOLUSDT would become SOLUSDT)."""
    return value.strip().upper() if isinstance(value, str) and value.isascii() else value


_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,3})?", re.ASCII)
_MAX_PLACES = 18
_ROOMY = Context(prec=100)


def exact_number(value: object) -> object:
    """For what people and programs type: Python's Decimal also reads digits of other scripts, underscores and blanks, pydantic's also
    truth values, and a float is not the number that was written.

    A number with more places than any may have loses its trailing zeros: pydantic's limit does not count them, and a venue that does calls
    the number malformed."""
    if isinstance(value, Decimal) or (isinstance(value, str) and _NUMBER.fullmatch(value)):
        return _with_places_that_count(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    raise PydanticCustomError("not_a_number", "Input should be a number")


def _with_places_that_count(value: Decimal | str) -> Decimal | str:
    text = str(value)
    if len(text) <= _MAX_PLACES + 2 and "E" not in text and "e" not in text:
        return value  # nearly every number: too short for so many places
    number = Decimal(value)
    exponent = number.as_tuple()[2]  # a letter for NaN and infinity, which are refused later
    if not isinstance(exponent, int) or exponent >= -_MAX_PLACES:
        return value
    shortened = _ROOMY.normalize(number)
    return shortened if shortened == number else value  # rounded: it has far too many digits, and is refused for them as it is


Symbol = Annotated[str, Field(pattern=SYMBOL_PATTERN, description="for example BTCUSDT"), BeforeValidator(_uppercase)]
PositiveDecimal = Annotated[Decimal, Field(gt=0, max_digits=30, decimal_places=_MAX_PLACES), BeforeValidator(exact_number)]
