"""Requests after the middleware: signed in, with django-htmx's details; and reading an id that came as text."""

from django.contrib.auth.models import User
from django.http import HttpRequest
from django_htmx.middleware import HtmxDetails

_MOST_DIGITS = 18  # what a database id holds


class HtmxHttpRequest(HttpRequest):
    htmx: HtmxDetails
    user: User


def id_from(text: str) -> int | None:
    """None for anything that is not an id in plain digits."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS else None
