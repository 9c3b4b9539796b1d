"""What the ticket sends: one order per click, said in the right tone, and for nobody who may not."""

import re
from typing import Any

import pytest
from django.test import Client

from exchanges.models import Exchange
from portfolio.models import Order, Portfolio, Role
from tests.conftest import Cast
from tests.dashboard import rows
from tests.dashboard.ticket_page import KEY, Browser, html_of, toast_of
from tests.simulated import Sandbox


def test_after_an_order_the_next_one_starts_at_its_quantity(htmx: Browser) -> None:
    html = html_of(htmx.send())
    assert re.findall(r'id="([\w-]+)"[^>]*autofocus', html) == ["ticket-quantity"]
    assert "autofocus" not in html_of(htmx.refresh())


def test_an_order_is_sent_once_however_often_it_is_clicked(browser: Browser, sandbox: Sandbox, floor: Cast) -> None:
    answers = [browser.send(order_type="MARKET") for _ in range(3)]
    order = Order.objects.get()
    assert (order.state, order.origin, order.actor) == ("FILLED", "page", floor.alice)
    assert len(sandbox.ledger("binance", floor.name)["orders"]) == 1
    words = f"Buy 0.01 BTCUSDT on {browser.account}: 0.01 filled at {order.average_price:,f}".rstrip("0").rstrip(".")
    if browser.htmx:
        for answer in answers:
            assert toast_of(answer)["text"] == f"{words}."
            html = html_of(answer)
            assert 'id="ticket"' in html
            assert KEY not in html  # the next order has a key of its own
    else:
        assert [answer.headers["Location"] for answer in answers] == ["/"] * 3
        assert words in html_of(browser.client.get("/"))


def test_the_same_key_with_another_order_is_refused(htmx: Browser) -> None:
    html_of(htmx.send(order_type="MARKET"))
    assert "Idempotency-Key must be new" in html_of(htmx.send(order_type="MARKET", quantity="0.020"), 422)
    assert Order.objects.count() == 1


def test_an_order_without_a_key_is_not_taken(htmx: Browser) -> None:
    html_of(htmx.send(idempotency_key="-"), 422)
    assert not Order.objects.exists()


@pytest.mark.parametrize(
    ("stage", "body", "state", "tone", "words"),
    [
        ("after", {"kind": "reset"}, "UNKNOWN", "warning", "outcome unknown, the exchange is being asked. Do not repeat it."),
        (
            "before",
            {"kind": "status", "status": 400, "body": {"code": -2019, "msg": "Margin is insufficient."}},
            "REJECTED",
            "danger",
            "rejected: Not enough margin. Margin is insufficient.",
        ),
    ],
)
def test_what_became_of_an_order_is_said_in_the_right_tone(
    htmx: Browser, floor: Cast, sandbox: Sandbox, stage: str, body: dict[str, Any], state: str, tone: str, words: str
) -> None:
    sandbox.fault("binance", body, stage=stage, method="POST", path="/fapi/v1/order", account=floor.name)
    trigger = htmx.send(order_type="MARKET").headers["HX-Trigger"]
    assert Order.objects.get().state == state
    assert words in trigger
    assert f'"tone": "{tone}"' in trigger


def test_a_post_only_order_that_would_take_is_no_success(htmx: Browser) -> None:
    trigger = htmx.send(time_in_force="GTX", price=htmx.price("1.04")).headers["HX-Trigger"]
    assert '"tone": "ok"' not in trigger, trigger


@pytest.mark.parametrize("lifetime", ["IOC", "FOK"])
def test_an_order_that_ended_without_a_fill_is_no_success(htmx: Browser, lifetime: str) -> None:
    trigger = htmx.send(time_in_force=lifetime, price=htmx.price("0.9")).headers["HX-Trigger"]
    assert Order.objects.get().state in ("CANCELED", "EXPIRED")
    assert '"tone": "warning"' in trigger


def test_a_viewer_gets_no_ticket_by_any_door(floor: Cast) -> None:
    browser = Browser(floor.victor, floor.binance)
    for answer in (browser.preview(), browser.refresh(), browser.send()):
        html = html_of(answer, 403)
        assert "Not allowed" in html
        assert "ticket-form" not in html
    assert not Order.objects.exists()


def test_a_stranger_cannot_name_the_account(floor: Cast) -> None:
    own: Portfolio = rows.portfolio("Stella's book", {floor.stella: Role.TRADER})
    rows.account(own, Exchange.BINANCE, label="Hers")
    browser = Browser(floor.stella, floor.binance)
    for answer in (browser.preview(), browser.send()):
        assert "must be one of those offered" in html_of(answer, 422)
        assert str(floor.binance) not in html_of(answer, 422)
    assert "is not listed" not in html_of(browser.refresh())
    assert not Order.objects.exists()


def test_a_ticket_from_another_site_is_refused(floor: Cast) -> None:
    browser = Browser(floor.alice, floor.binance)
    browser.client = Client(enforce_csrf_checks=True)
    browser.client.force_login(floor.alice)
    assert [answer.status_code for answer in (browser.preview(), browser.send())] == [403, 403]
    assert not Order.objects.exists()
