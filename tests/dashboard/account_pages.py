"""What the pages of accounts are sent by a browser, and what they say last."""

import os
from typing import Any

from django.contrib.auth.models import User
from django.contrib.messages import get_messages
from django.test import Client

from portfolio.models import Portfolio

KEY = f"sandbox-w{os.getpid()}"


def browser(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def filled(book: Portfolio, exchange: str = "bybit", **other: str) -> dict[str, str]:
    key = other.get("api_key", KEY)
    right = {"api_key": KEY, "api_secret": f"{key}-secret", "passphrase": f"{key}-passphrase" if exchange == "okx" else ""}
    place = {"portfolio": str(book.pk), "venue": f"{exchange}/sandbox/", "label": "Main", "step": "connect"}
    return {**place, **right, **other}


def said(answer: Any) -> str:
    """The newest message."""
    return str(list(get_messages(answer.wsgi_request))[-1])
