"""Requests after the middleware: signed in, with django-htmx's details; and reading an id and a symbol that came as text."""

import re

from django.contrib.auth.models import User
from django.http import HttpRequest
from django_htmx.middleware import HtmxDetails

from exchanges.entry import SYMBOL_PATTERN
from exchanges.routing.patterns import shown

_MOST_DIGITS = 18  # what a database id holds


class HtmxHttpRequest(HttpRequest):
    htmx: HtmxDetails
    user: User


def id_from(text: str) -> int | None:
    """None for anything that is not an id in plain digits."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS else None


def symbol_in(text: str) -> str:
    """In upper case. Raises ValueError. Capitals of other scripts would read as another symbol: ſOLUSDT as SOLUSDT."""
    symbol = text.strip().upper()
    if not text.isascii() or not re.fullmatch(SYMBOL_PATTERN, symbol):
        raise ValueError(f"symbol must be one such as BTCUSDT, was {shown(text.strip())}")
    return symbol
