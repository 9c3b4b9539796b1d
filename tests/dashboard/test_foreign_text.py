"""Words of people and venues (labels, reasons, names, symbols) through every door: as text, never as markup."""

import json
from typing import Any

import orjson
import pytest
from django.contrib.auth.models import User
from django.test import Client

from dashboard.book import read_book
from dashboard.patches import page_state, patch
from exchanges.models import Exchange
from portfolio.models import Role
from tests.dashboard import rows

PAYLOADS = [
    "<img src=x onerror=alert(1)>",
    "</script><script>alert(1)</script>",
    '"><svg onload=alert(1)>',
    "' autofocus onfocus=alert(1) '",
    "{{ 7|add:7 }}{% now 'Y' %}",
    "javascript:alert(1)",
    "\u202edesrever\u2066",
    "<a hx-get=/logout hx-trigger=load>x</a>",
    "--><b>",
    "&lt;already&gt;",
]


class Book:
    """A book whose every foreign text is the same payload."""

    def __init__(self, payload: str) -> None:
        self.payload = payload
        self.alice: User = rows.person(payload[:30])
        self.portfolio = rows.portfolio(payload, {self.alice: Role.TRADER})
        self.account = rows.account(self.portfolio, Exchange.OKX, label=payload)
        rows.state(self.account, error_message=payload, equity_basis=payload[:40], not_covered=[payload])
        self.position = rows.position(self.account, payload[:32], underlying=payload[:24], margin_mode=payload[:16])
        rows.instrument(Exchange.OKX, payload[:32], underlying=payload[:24])
        self.order = rows.order(self.account, symbol=payload[:32], reason=payload, time_in_force=payload[:8], order_type=payload[:24])
        rows.balance(self.account, payload[:24])

    def client(self) -> Client:
        client = Client()
        client.force_login(self.alice)
        return client


@pytest.fixture(params=PAYLOADS)
def book(request: pytest.FixtureRequest, db: None) -> Book:
    return Book(request.param)


def assert_harmless(html: str, payload: str) -> None:
    if any(character in payload for character in "<>\"'"):
        assert payload not in html
    for sign in ("<img src=x", "<script>alert", "<svg onload", "<a hx-get=/logout", "--><b>", "' autofocus onfocus"):
        assert sign not in html, sign
    assert "14" + "2026" not in html


@pytest.mark.parametrize(
    "path", ["/", "/panel/positions", "/panel/orders", "/panel/balances", "/panel/exposure", "/panel/topbar", "/password"]
)
def test_a_page_and_a_panel_show_it_as_text(book: Book, path: str) -> None:
    answer = book.client().get(path)
    assert answer.status_code == 200
    assert_harmless(answer.content.decode(), book.payload)


def test_the_close_dialog_shows_it_as_text(book: Book) -> None:
    rows.instrument(Exchange.OKX)
    position = rows.position(book.account, "BTCUSDT")
    answer = book.client().get(f"/positions/{position.pk}/close")
    assert answer.status_code == 200
    assert_harmless(answer.content.decode(), book.payload)


def test_what_is_pushed_is_text_that_the_page_sets_as_text(book: Book) -> None:
    old = page_state(read_book(book.portfolio.pk))
    book.order.reason = "changed"
    book.order.save()
    message = orjson.loads(orjson.dumps(patch(page_state(read_book(book.portfolio.pk)), old, 0)))
    assert message["panels"]["orders"]["cells"][str(book.order.pk)]["state"]["detail"] == book.payload


def test_the_ticket_gives_back_what_was_typed_as_text(book: Book) -> None:
    fields: dict[str, Any] = dict.fromkeys(("account", "symbol", "side", "order_type", "quantity", "price", "time_in_force"), book.payload)
    for more in ({}, {"refresh": "1"}):
        for path in ("/ticket/preview", "/orders/new"):
            answer = book.client().post(path, {**fields, "idempotency_key": book.payload, **more})
            assert answer.status_code in (200, 422)
            assert_harmless(answer.content.decode(), book.payload)


def test_a_sign_in_gives_back_the_name_as_text(book: Book) -> None:
    answer = Client().post("/login", {"username": book.payload, "password": "x", "next": book.payload})
    assert answer.status_code == 200
    assert_harmless(answer.content.decode(), book.payload)


def test_a_toast_is_json_in_one_header_line_and_a_message_is_text(book: Book) -> None:
    book.order.state = "FILLED"
    book.order.save()
    client = book.client()
    toast = client.post(f"/orders/{book.order.pk}/cancel", headers={"HX-Request": "true"}).headers["HX-Trigger"]
    assert json.loads(toast)["toast"]["tone"] == "danger"
    assert toast.isascii()
    assert "\n" not in toast
    client.post(f"/orders/{book.order.pk}/cancel")
    assert_harmless(client.get("/").content.decode(), book.payload)


def test_the_api_gives_it_as_json(book: Book) -> None:
    client = book.client()
    assert client.get("/api/v1/accounts").json()["items"][0]["label"] == book.payload
    assert client.get("/api/v1/exposure").json()["accounts"][0]["error"] == book.payload
    answer = client.get("/api/v1/exposure")
    assert answer.headers["Content-Type"].startswith("application/json")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    error = client.get("/api/v1/orders", {"state": book.payload})
    assert (error.status_code, error.headers["Content-Type"].startswith("application/json")) == (422, True)


def test_a_missing_path_does_not_repeat_its_address(db: None) -> None:
    for path in ("/<img src=x onerror=alert(1)>", "/api/v1/<img src=x onerror=alert(1)>", "/%3Cscript%3Ealert(1)%3C/script%3E"):
        answer = Client().get(path)
        assert answer.status_code == 404
        assert b"alert" not in answer.content
