"""The ticket as a browser works with it: what its form sends, and what comes back."""

import json
import re
from decimal import Decimal
from html import unescape
from typing import Any

from django.contrib.auth.models import User
from django.test import Client

from exchanges.models import ExchangeAccount, MarkPrice

KEY = "0199-key"


class Browser:
    """A signed-in browser at the ticket: with htmx it gets the panel alone, without it the whole page."""

    def __init__(self, user: User, account: ExchangeAccount, *, htmx: bool = True) -> None:
        self.client = Client()
        self.client.force_login(user)
        self.account = account
        self.htmx = htmx

    def fields(self, **changes: str) -> dict[str, str]:
        values = {
            "account": str(self.account.pk),
            "symbol": "BTCUSDT",
            "side": "BUY",
            "order_type": "LIMIT",
            "quantity": "0.010",
            "price": changes.get("price") or self.price("0.98"),
            "time_in_force": "GTC",
            "idempotency_key": KEY,
            **changes,
        }
        return {name: value for name, value in values.items() if value != "-"}

    def price(self, share: str) -> str:
        mark = MarkPrice.objects.get(exchange=self.account.exchange, symbol="BTCUSDT").mark_price
        return str((mark * Decimal(share)).quantize(Decimal(1)))

    def post(self, path: str, fields: dict[str, str]) -> Any:
        return self.client.post(path, fields, headers={"HX-Request": "true"} if self.htmx else {})

    def preview(self, **changes: str) -> Any:
        return self.post("/ticket/preview", self.fields(**changes))

    def refresh(self, **changes: str) -> Any:
        return self.post("/ticket/preview", self.fields(refresh="1", **changes))

    def send(self, **changes: str) -> Any:
        return self.post("/orders/new", self.fields(**changes))


def html_of(answer: Any, status: int = 200) -> str:
    assert answer.status_code == status, answer.content[:400]
    return unescape(answer.content.decode())


def toast_of(answer: Any) -> dict[str, str]:
    toast: dict[str, str] = json.loads(answer.headers["HX-Trigger"])["toast"]
    return toast


def hidden_fields(html: str) -> dict[str, str]:
    """What the confirmation's form sends, as a browser would."""
    form = re.search(r'<form class="confirmation".*?</form>', html, re.S)
    assert form
    inputs = re.findall(r"<input[^>]*>", form[0])
    pairs = [(re.search(r'name="(\w+)"', tag), re.search(r'value="([^"]*)"', tag)) for tag in inputs]
    return {name[1]: value[1] if value else "" for name, value in pairs if name and name[1] != "csrfmiddlewaretoken"}
