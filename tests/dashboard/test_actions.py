"""Cancel and close from a row of the page, with and without htmx."""

import re
from decimal import Decimal

import pytest
from django.contrib.auth.models import User
from django.test import Client

from exchanges.domain import OrderRequest, OrderSide, OrderType
from exchanges.models import ExchangeAccount, MarkPrice
from portfolio import rounds
from portfolio.execution.place import Intent, place
from portfolio.models import Order, Origin, Position
from tests.conftest import Cast
from tests.dashboard import rows
from tests.dashboard.ticket_page import html_of, toast_of
from tests.portfolio.desk import fault
from tests.simulated import Sandbox

HTMX = {"HX-Request": "true"}
AGREED = {"fraction": "1", "side": "SELL", "quantity": "0.4"}
FRACTIONS = {"0.25": "0.1", "0.5": "0.2", "0.75": "0.3", "1": "0.4"}
LEFT = {"0.25": "Long 0.3", "0.5": "Long 0.2", "0.75": "Long 0.1", "1": "flat"}


def browser(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def buy(floor: Cast, account: ExchangeAccount, quantity: str, price: Decimal | None = None, *, side: OrderSide = OrderSide.BUY) -> Order:
    kind = OrderType.MARKET if price is None else OrderType.LIMIT
    request = OrderRequest(symbol="ETHUSDT", side=side, order_type=kind, quantity=Decimal(quantity), price=price)
    order, _ = place(Intent(floor.alice, account, request, Origin.PAGE))
    return order


def resting(floor: Cast, account: ExchangeAccount) -> Order:
    mark = MarkPrice.objects.get(exchange=account.exchange, symbol="ETHUSDT").mark_price
    return buy(floor, account, "0.1", (mark * Decimal("0.9")).quantize(Decimal(1)))


def held(floor: Cast, account: ExchangeAccount) -> Position:
    buy(floor, account, "0.4")
    rounds.poll_holdings([account.pk])
    return Position.objects.get(account=account)


def agreed_in(html: str) -> dict[str, str]:
    """All that the dialog's form would send."""
    return dict(re.findall(r'<input type="hidden" name="(fraction|side|quantity|idempotency_key)" value="([^"]+)"', html))


def key_in(html: str) -> str:
    found = re.search(r'name="idempotency_key" value="([^"]+)"', html)
    assert found
    return found[1]


@pytest.mark.parametrize("fraction", FRACTIONS)
def test_the_dialog_says_exactly_what_will_be_sent_and_sends_it(floor: Cast, fraction: str) -> None:
    position, client = held(floor, floor.okx), browser(floor.alice)
    html = html_of(client.get(f"/positions/{position.pk}/close?fraction={fraction}", headers=HTMX))
    quantity = FRACTIONS[fraction]
    assert f"Sell {quantity} ETHUSDT at market, reduce-only, on {floor.okx}." in html
    assert f"Close ETHUSDT on {floor.okx}" in html
    assert re.search(rf'id="fraction-{re.escape(fraction)}" aria-current="true"', html)
    assert 'data-side="SELL"' in html
    assert f"<dt>Leaves</dt><dd>{LEFT[fraction]}</dd>" in html
    assert re.search(r"<dt>PnL of this part</dt><dd>about [+\u2212]?[\d,.]+ USDT before fees</dd>", html)
    assert "<html" not in html
    answer = client.post(f"/positions/{position.pk}/close", agreed_in(html), headers=HTMX)
    assert (answer.status_code, answer.content) == (204, b"")
    assert toast_of(answer)["text"].startswith(f"Sell {quantity} ETHUSDT on {floor.okx}: {quantity} filled at ")
    order = Order.objects.get(side="SELL")
    assert (order.quantity, order.reduce_only, order.origin, order.state) == (Decimal(quantity), True, "page", "FILLED")


def test_without_htmx_the_dialog_is_a_page_and_the_outcome_a_message(floor: Cast) -> None:
    position, client = held(floor, floor.binance), browser(floor.alice)
    html = html_of(client.get(f"/positions/{position.pk}/close"))
    assert "<html" in html
    answer = client.post(f"/positions/{position.pk}/close", agreed_in(html))
    assert (answer.status_code, answer.headers["Location"]) == (302, "/")
    page = html_of(client.get("/"))
    words = rf"Sell 0\.4 ETHUSDT on {floor.binance}: 0\.4 filled at [\d,.]+\."
    assert re.search(rf'<li class="note" data-tone="ok">{words}</li>', page)


def test_a_second_click_on_close_is_answered_with_the_first_one_even_when_the_position_is_gone(floor: Cast, sandbox: Sandbox) -> None:
    position, client = held(floor, floor.binance), browser(floor.alice)
    fields = {**AGREED, "idempotency_key": "k1"}
    first = client.post(f"/positions/{position.pk}/close", fields, headers=HTMX)
    second = client.post(f"/positions/{position.pk}/close", fields, headers=HTMX)
    rounds.poll_holdings([floor.binance.pk])
    third = client.post(f"/positions/{position.pk}/close", fields, headers=HTMX)
    assert first.headers["HX-Trigger"] == second.headers["HX-Trigger"] == third.headers["HX-Trigger"]
    assert len(sandbox.ledger("binance", floor.name)["orders"]) == 2
    other = client.post(f"/positions/{position.pk}/close", {**fields, "fraction": "0.5"}, headers=HTMX)
    assert other.status_code == 422
    assert "Idempotency-Key must be new" in other.headers["HX-Trigger"]


def test_a_close_whose_look_at_the_position_has_no_usable_answer_speaks_of_no_order(floor: Cast, sandbox: Sandbox) -> None:
    """Nothing was sent: "do not repeat the order" would keep a person from closing what can be closed a second later."""
    position, client = held(floor, floor.binance), browser(floor.alice)
    fault(sandbox, floor.binance, "positions", "html with status 200", times=2)
    said = html_of(client.post(f"/positions/{position.pk}/close", {**AGREED, "idempotency_key": "k1"}, headers=HTMX), 422)
    by_program = client.post(f"/api/v1/positions/{position.pk}/close", {"fraction": "1"}, content_type="application/json")
    assert by_program.status_code == 503
    for words in (said, by_program.json()["message"]):
        assert "not JSON" in words
        assert "repeat" not in words
    assert Order.objects.filter(side="SELL").count() == 0


def test_a_flat_position_says_so_in_the_dialog(floor: Cast) -> None:
    position, client = held(floor, floor.binance), browser(floor.alice)
    client.post(f"/positions/{position.pk}/close", {**AGREED, "idempotency_key": "k1"}, headers=HTMX)
    html = html_of(client.post(f"/positions/{position.pk}/close", {**AGREED, "idempotency_key": "k2"}, headers=HTMX), 422)
    assert "is already flat at" in html
    assert 'role="alert"' in html


def test_a_position_that_turned_around_is_shown_anew_and_nothing_is_sent(floor: Cast) -> None:
    position, client = held(floor, floor.bybit), browser(floor.alice)
    agreed = agreed_in(html_of(client.get(f"/positions/{position.pk}/close", headers=HTMX)))
    buy(floor, floor.bybit, "1", side=OrderSide.SELL)
    html = html_of(client.post(f"/positions/{position.pk}/close", agreed, headers=HTMX), 422)
    assert "has turned around: the account now holds SHORT 0.6 in cross margin. Nothing was sent" in html
    assert "Buy 0.6 ETHUSDT at market, reduce-only" in html
    assert Order.objects.filter(reduce_only=True).count() == 0
    client.post(f"/positions/{position.pk}/close", agreed_in(html), headers=HTMX)
    closing = Order.objects.get(reduce_only=True)
    assert (closing.side, closing.quantity, closing.state) == ("BUY", Decimal("0.6"), "FILLED")


def test_no_more_is_sent_than_the_dialog_said(floor: Cast) -> None:
    position, client = held(floor, floor.okx), browser(floor.alice)
    agreed = agreed_in(html_of(client.get(f"/positions/{position.pk}/close", headers=HTMX)))
    buy(floor, floor.okx, "2")
    client.post(f"/positions/{position.pk}/close", agreed, headers=HTMX)
    assert Order.objects.get(reduce_only=True).quantity == Decimal("0.4")


@pytest.mark.parametrize(
    "lacking", [{"side": ""}, {"side": "HOLD"}, {"quantity": ""}, {"quantity": "0"}, {"quantity": "-1"}, {"quantity": "x"}]
)
def test_what_nobody_agreed_to_is_not_sent(floor: Cast, lacking: dict[str, str]) -> None:
    position, client = held(floor, floor.binance), browser(floor.alice)
    html = html_of(client.post(f"/positions/{position.pk}/close", {**AGREED, **lacking}, headers=HTMX), 422)
    assert "Nothing was sent" in html
    assert Order.objects.filter(reduce_only=True).count() == 0


def test_a_fraction_too_small_to_send_is_said_before_sending(floor: Cast) -> None:
    row = rows.position(floor.binance, "ETHUSDT", quantity="0.001")
    html = html_of(browser(floor.alice).get(f"/positions/{row.pk}/close?fraction=0.25", headers=HTMX))
    assert "fraction must close at least" in html


@pytest.mark.parametrize("fraction", ["0", "2", "-1", "x", "", "0.250", "NaN"])
def test_only_the_four_fractions_of_the_dialog_exist(floor: Cast, fraction: str) -> None:
    row = rows.position(floor.binance, "ETHUSDT")
    client = browser(floor.alice)
    assert client.get(f"/positions/{row.pk}/close?fraction={fraction}").status_code == 404
    assert client.post(f"/positions/{row.pk}/close", {"fraction": fraction}).status_code == 404


@pytest.mark.parametrize(("who", "status"), [("victor", 403), ("stella", 404)])
def test_who_may_not_trade_neither_closes_nor_cancels(floor: Cast, sandbox: Sandbox, who: str, status: int) -> None:
    position, order = rows.position(floor.binance, "ETHUSDT"), rows.order(floor.binance)
    client = browser(getattr(floor, who))
    for headers in ({}, HTMX):
        answers = [
            client.get(f"/positions/{position.pk}/close", headers=headers),
            client.post(f"/positions/{position.pk}/close", {"fraction": "1", "idempotency_key": "k"}, headers=headers),
            client.post(f"/orders/{order.pk}/cancel", headers=headers),
        ]
        assert [answer.status_code for answer in answers] == [status] * 3
        assert b"ETHUSDT" not in b"".join(answer.content for answer in answers)
    assert Order.objects.count() == 1


def test_what_does_not_exist_answers_as_what_is_not_ones_own(floor: Cast) -> None:
    order = rows.order(floor.binance)
    stranger = browser(floor.stella)
    answers = [stranger.post(f"/orders/{number}/cancel", headers=HTMX) for number in (order.pk, 987_654, 2**70)]
    assert [answer.status_code for answer in answers] == [404] * 3
    tokens = [re.sub(rb"X-CSRFToken[^}]*|csrfmiddlewaretoken[^>]*", b"", answer.content) for answer in answers]
    assert tokens[0] == tokens[1] == tokens[2]


@pytest.mark.parametrize("exchange", ["binance", "bybit", "okx"])
def test_a_resting_order_is_canceled_from_its_row(floor: Cast, exchange: str) -> None:
    account = next(account for account in floor.accounts if account.exchange == exchange)
    order, client = resting(floor, account), browser(floor.alice)
    answer = client.post(f"/orders/{order.pk}/cancel", headers=HTMX)
    assert answer.status_code == 204
    order.refresh_from_db()
    assert toast_of(answer) == {"text": f"Buy 0.1 ETHUSDT at {order.price:,.0f} on {account}: canceled.", "tone": "ok"}
    assert order.state == "CANCELED"
    again = client.post(f"/orders/{order.pk}/cancel", headers=HTMX)
    assert again.status_code == 422
    assert "Not canceled: order must be open to be canceled, it is CANCELED" in again.headers["HX-Trigger"]


def test_a_cancel_whose_answer_got_lost_does_not_claim_success(floor: Cast, sandbox: Sandbox) -> None:
    order = resting(floor, floor.binance)
    sandbox.fault("binance", {"kind": "reset"}, stage="after", method="DELETE", path="/fapi/v1/order", account=floor.name)
    trigger = browser(floor.alice).post(f"/orders/{order.pk}/cancel", headers=HTMX).headers["HX-Trigger"]
    assert "still open. Cancel sent, its outcome is not known yet; the exchange is being asked." in trigger
    assert '"tone": "warning"' in trigger


def test_an_account_without_keys_says_so(floor: Cast) -> None:
    order, position = rows.order(floor.binance), rows.position(floor.binance, "ETHUSDT")
    floor.binance.credential.delete()
    client = browser(floor.alice)
    canceled = client.post(f"/orders/{order.pk}/cancel", headers=HTMX)
    assert (canceled.status_code, "must have keys" in canceled.headers["HX-Trigger"]) == (422, True)
    closed = client.post(f"/positions/{position.pk}/close", {**AGREED, "idempotency_key": "k"}, headers=HTMX)
    assert "must have keys" in html_of(closed, 422)


def test_actions_from_another_site_are_refused(floor: Cast) -> None:
    order, position = rows.order(floor.binance), rows.position(floor.binance, "ETHUSDT")
    client = Client(enforce_csrf_checks=True)
    client.force_login(floor.alice)
    assert client.post(f"/orders/{order.pk}/cancel", headers=HTMX).status_code == 403
    assert client.post(f"/positions/{position.pk}/close", {"fraction": "1"}, headers=HTMX).status_code == 403


def test_looking_at_a_dialog_changes_nothing(floor: Cast, sandbox: Sandbox) -> None:
    position, client = held(floor, floor.binance), browser(floor.alice)
    for fraction in FRACTIONS:
        client.get(f"/positions/{position.pk}/close?fraction={fraction}", headers=HTMX)
    assert Order.objects.count() == 1
    assert len(sandbox.ledger("binance", floor.name)["orders"]) == 1
