"""A venue that refuses an order as unavailable did nothing by its documentation; it is asked once whether that is so (ORDERS 3.3; F11)."""

from typing import Any

import pytest

from exchanges.errors import WriteEffect
from portfolio.models import Order, Origin
from portfolio.states import OrderState
from tests.conftest import Cast
from tests.portfolio.desk import creates_sent, fault, let_pass, market, orders_at, placed, placed_elsewhere, requests_sent, resting, ticked
from tests.simulated import Sandbox

UNAVAILABLE: dict[str, Any] = {"msg": "Service Unavailable.", "code": 0}
INTERNAL: dict[str, Any] = {"msg": "Internal error; unable to process your request. Please try again.", "code": -1001}


def refuse(sandbox: Sandbox, body: dict[str, Any], *, stage: str) -> None:
    action = {"kind": "status", "status": 503, "body": body}
    sandbox.fault("binance", action, stage=stage, method="POST", path="/fapi/v1/order")


@pytest.mark.parametrize("body", [UNAVAILABLE, INTERNAL], ids=lambda body: body["msg"][:8])
def test_an_order_that_the_venue_holds_all_the_same_is_live(book: Cast, sandbox: Sandbox, body: dict[str, Any]) -> None:
    refuse(sandbox, body, stage="after")
    order = placed(book, book.binance, resting(book.binance))
    assert (order.state, bool(order.exchange_order_id)) == (OrderState.NEW, True)
    attempt = order.attempts.get()
    assert (attempt.write_effect, attempt.ended_at is not None) == (WriteEffect.APPLIED, True)
    assert creates_sent(sandbox, book.binance, book.name) == 1
    assert len(orders_at(sandbox, book.binance, book.name)) == 1


@pytest.mark.parametrize("body", [UNAVAILABLE, INTERNAL], ids=lambda body: body["msg"][:8])
def test_an_order_that_the_venue_does_not_hold_was_not_sent(book: Cast, sandbox: Sandbox, body: dict[str, Any]) -> None:
    refuse(sandbox, body, stage="before")
    before = requests_sent(sandbox, book.binance, book.name)
    order = placed(book, book.binance, market())
    assert requests_sent(sandbox, book.binance, book.name) > before + 1, "it was asked"
    assert order.state == OrderState.NOT_SENT
    assert order.reason.startswith("The exchange is unavailable.")
    assert order.attempts.get().write_effect == WriteEffect.NONE
    assert creates_sent(sandbox, book.binance, book.name) == 1


@pytest.mark.parametrize(("stage", "end"), [("before", OrderState.NOT_PLACED), ("after", OrderState.NEW)])
def test_an_order_about_which_the_venue_cannot_be_asked_stays_unknown(book: Cast, sandbox: Sandbox, stage: str, end: OrderState) -> None:
    """Its own outage is the likeliest reason for the refusal, so the question may fail too; the keeper asks on."""
    refuse(sandbox, UNAVAILABLE, stage=stage)
    fault(sandbox, book.binance, "confirm", "bad gateway")
    order = placed(book, book.binance, resting(book.binance))
    assert order.state == OrderState.UNKNOWN
    assert "Do not repeat" in order.reason
    assert "Service Unavailable." in order.reason
    let_pass(order, 60)
    assert ticked(order, 4).state == end
    assert creates_sent(sandbox, book.binance, book.name) == 1


def test_somebody_elses_order_under_the_same_id_is_not_taken_for_it(book: Cast, sandbox: Sandbox) -> None:
    theirs = placed_elsewhere(book.binance, resting(book.binance, quantity="0.3", client_order_id="cbtwice1"))
    refuse(sandbox, UNAVAILABLE, stage="before")
    order = placed(book, book.binance, resting(book.binance, client_order_id="cbtwice1"))
    assert (order.state, order.exchange_order_id) == (OrderState.UNKNOWN, "")
    assert theirs.order_id not in Order.objects.filter(origin=Origin.API).values_list("exchange_order_id", flat=True)
