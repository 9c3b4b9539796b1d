"""Placing, canceling and closing over REST against the simulated exchanges: 201, 202, 422, replays, faults."""

from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from dashboard.api import api
from exchanges.models import ExchangeAccount, MarkPrice
from portfolio import rounds
from portfolio.execution import close as closing
from portfolio.models import Order, Position, SubmitAttempt
from tests.conftest import Cast
from tests.simulated import Sandbox

JSON = "application/json"
CREATE = {"binance": "/fapi/v1/order", "bybit": "/v5/order/create", "okx": "/api/v5/trade/order"}


class Caller:
    """A signed-in browser that sends JSON; every write may carry a key."""

    def __init__(self, floor: Cast) -> None:
        self._client = Client()
        self._client.force_login(floor.alice)

    def order(self, key: str = "", **body: Any) -> Any:
        whole = {"symbol": "ETHUSDT", "side": "BUY", "order_type": "MARKET", "quantity": "0.1", **body}
        return self._post("/api/v1/orders", whole, key)

    def close(self, position: Position, fraction: str = "1", key: str = "") -> Any:
        return self._post(f"/api/v1/positions/{position.pk}/close", {"fraction": fraction}, key)

    def cancel(self, order_id: int) -> Any:
        return self._client.delete(f"/api/v1/orders/{order_id}")

    def read(self, order_id: int) -> Any:
        return self._client.get(f"/api/v1/orders/{order_id}").json()

    def _post(self, path: str, body: dict[str, Any], key: str) -> Any:
        headers = {"Idempotency-Key": key} if key else {}
        return self._client.post(path, body, content_type=JSON, headers=headers)


@pytest.fixture
def caller(floor: Cast) -> Caller:
    return Caller(floor)


def resting(account: ExchangeAccount, share: str = "0.9") -> dict[str, Any]:
    """A buy well below the mark, on the tick of every simulated exchange."""
    mark = MarkPrice.objects.get(exchange=account.exchange, symbol="ETHUSDT").mark_price
    return {"account": account.pk, "order_type": "LIMIT", "price": str((mark * Decimal(share)).quantize(Decimal(1)))}


def held(account: ExchangeAccount) -> Position:
    rounds.poll_holdings([account.pk])
    return Position.objects.get(account=account)


def sent(sandbox: Sandbox, floor: Cast, exchange: str) -> list[Any]:
    orders: list[Any] = sandbox.ledger(exchange, floor.name)["orders"]
    return orders


@pytest.mark.parametrize("exchange", CREATE)
def test_an_accepted_order_is_201_with_what_became_of_it(floor: Cast, caller: Caller, sandbox: Sandbox, exchange: str) -> None:
    answer = caller.order(exchange=exchange)
    order = answer.json()
    assert answer.status_code == 201, order
    assert "Idempotent-Replayed" not in answer.headers
    assert (order["state"], Decimal(order["filled_quantity"]), order["exchange"]) == ("FILLED", Decimal("0.1"), exchange)
    assert Decimal(order["average_price"]) > 0
    assert caller.read(order["id"]) == order
    assert len(sent(sandbox, floor, exchange)) == 1


def test_without_account_and_exchange_the_default_exchange_takes_it(floor: Cast, caller: Caller) -> None:
    assert caller.order().json()["account"] == floor.binance.pk


@pytest.mark.parametrize("exchange", CREATE)
def test_a_resting_order_is_canceled_once_and_then_final(floor: Cast, caller: Caller, exchange: str) -> None:
    account = next(account for account in floor.accounts if account.exchange == exchange)
    placed = caller.order(client_order_id="mine1", **resting(account)).json()
    assert (placed["state"], placed["client_order_id"]) == ("NEW", "mine1")
    canceled = caller.cancel(placed["id"])
    assert (canceled.status_code, canceled.json()["state"]) == (200, "CANCELED")
    again = caller.cancel(placed["id"])
    assert (again.status_code, again.json()["code"]) == (409, "order_final")


@pytest.mark.parametrize("exchange", CREATE)
def test_an_answer_that_got_lost_is_202_and_never_a_failure(floor: Cast, caller: Caller, sandbox: Sandbox, exchange: str) -> None:
    sandbox.fault(exchange, {"kind": "reset"}, stage="after", method="POST", path=CREATE[exchange], account=floor.name)
    answer = caller.order(key="lost", exchange=exchange)
    assert (answer.status_code, answer.json()["state"]) == (202, "UNKNOWN")
    replay = caller.order(key="lost", exchange=exchange)
    assert (replay.status_code, replay.headers["Idempotent-Replayed"]) == (202, "true")
    assert replay.json() == answer.json()
    assert len(sent(sandbox, floor, exchange)) == 1
    refused = caller.cancel(answer.json()["id"])
    assert (refused.status_code, refused.json()["code"]) == (409, "order_outcome_unknown")


def test_what_the_exchange_refuses_is_201_rejected_with_its_words(floor: Cast, caller: Caller, sandbox: Sandbox) -> None:
    words = {"code": -2019, "msg": 'Margin is insufficient. <img src=x onerror=alert(1)> \u202eevil "quoted"'}
    action = {"kind": "status", "status": 400, "body": words}
    sandbox.fault("binance", action, method="POST", path=CREATE["binance"], account=floor.name)
    answer = caller.order()
    order = answer.json()
    assert (answer.status_code, order["state"]) == (201, "REJECTED")
    assert order["reason"] == f"Not enough margin. {words['msg']}"


def test_an_order_that_never_left_is_201_not_sent(floor: Cast, caller: Caller, sandbox: Sandbox) -> None:
    sandbox.fault(
        "binance", {"kind": "status", "status": 429, "body": {"code": -1003, "msg": "Too many requests."}}, path=CREATE["binance"]
    )
    answer = caller.order()
    assert (answer.status_code, answer.json()["state"]) == (201, "NOT_SENT")
    assert not Order.objects.exclude(exchange_order_id="").exists()


def test_what_we_refuse_is_422_and_leaves_no_trace(floor: Cast, caller: Caller, sandbox: Sandbox) -> None:
    answer = caller.order(key="refused", quantity="0.00015")
    assert answer.status_code == 422
    assert "quantity must be a multiple of " in answer.json()["message"]
    assert not Order.objects.exists()
    assert caller.order(key="refused").status_code == 201  # the key was not used up


def test_the_same_key_and_body_answers_the_first_order_again(floor: Cast, caller: Caller, sandbox: Sandbox) -> None:
    first, second = caller.order(key="one"), caller.order(key="one")
    assert (first.status_code, second.status_code) == (201, 201)
    assert second.json() == first.json()
    assert second.headers["Idempotent-Replayed"] == "true"
    assert len(sent(sandbox, floor, "binance")) == SubmitAttempt.objects.count() == 1


def test_the_same_key_with_another_body_is_refused(floor: Cast, caller: Caller) -> None:
    caller.order(key="one")
    answer = caller.order(key="one", quantity="0.2")
    assert (answer.status_code, answer.json()["code"]) == (422, "idempotency_key_reused")
    assert answer.json()["details"][0]["field"] == "Idempotency-Key"
    assert Order.objects.count() == 1


def test_the_same_number_written_otherwise_is_the_same_body(floor: Cast, caller: Caller) -> None:
    caller.order(key="one", quantity="0.1")
    assert caller.order(key="one", quantity=0.1).headers["Idempotent-Replayed"] == "true"


@pytest.mark.parametrize("exchange", CREATE)
@pytest.mark.parametrize("quantity", ["0.100000000000000000000", "1E-1"])
def test_zeros_that_say_nothing_make_no_order_malformed(floor: Cast, caller: Caller, exchange: str, quantity: str) -> None:
    account = next(account for account in floor.accounts if account.exchange == exchange)
    wanted = resting(account)
    order = caller.order(**wanted | {"quantity": quantity, "price": wanted["price"] + "." + "0" * 20}).json()
    assert (order["state"], Decimal(order["quantity"]), Decimal(order["price"])) == ("NEW", Decimal("0.1"), Decimal(wanted["price"])), order


def test_without_a_key_every_request_is_an_order(floor: Cast, caller: Caller) -> None:
    assert caller.order().json()["id"] != caller.order().json()["id"]


def test_a_client_order_id_is_taken_once(floor: Cast, caller: Caller) -> None:
    assert caller.order(client_order_id="mine7").status_code == 201
    answer = caller.order(client_order_id="mine7")
    assert (answer.status_code, answer.json()["code"]) == (422, "duplicate_client_order_id")
    assert answer.json()["details"][0]["field"] == "client_order_id"


@pytest.mark.parametrize("exchange", CREATE)
def test_closing_takes_a_fraction_then_the_rest_and_replays_after_the_position_is_gone(
    floor: Cast, caller: Caller, sandbox: Sandbox, exchange: str
) -> None:
    account = next(account for account in floor.accounts if account.exchange == exchange)
    caller.order(exchange=exchange, quantity="0.4")
    position = held(account)
    part = caller.close(position, "0.25", key="part").json()
    assert (part["side"], Decimal(part["quantity"]), part["state"]) == ("SELL", Decimal("0.1"), "FILLED")
    whole = caller.close(position, key="whole")
    assert (whole.status_code, Decimal(whole.json()["quantity"])) == (201, Decimal("0.3"))
    rounds.poll_holdings([account.pk])
    assert not Position.objects.filter(account=account).exists()
    replay = caller.close(position, key="whole")
    assert (replay.status_code, replay.headers["Idempotent-Replayed"], replay.json()) == (201, "true", whole.json())
    assert caller.close(position, "0.5", key="whole").json()["code"] == "idempotency_key_reused"
    assert caller.close(position, key="new").status_code == 404


def test_a_position_that_is_flat_by_now_is_not_closed_again(floor: Cast, caller: Caller, sandbox: Sandbox) -> None:
    caller.order()
    position = held(floor.binance)
    assert caller.close(position).status_code == 201
    answer = caller.close(position)  # our row is still there, the venue knows better
    assert (answer.status_code, answer.json()["code"]) == (422, "reduce_only_rejected")
    assert "already flat" in answer.json()["message"]
    assert len(sent(sandbox, floor, "binance")) == 2


def test_a_fraction_that_rounds_down_to_nothing_is_refused(floor: Cast, caller: Caller) -> None:
    caller.order()
    answer = caller.close(held(floor.binance), "0.0001")
    assert (answer.status_code, answer.json()["code"]) == (422, "fraction_too_small")


def test_an_exchange_that_is_away_keeps_a_close_from_being_sent(floor: Cast, caller: Caller, sandbox: Sandbox) -> None:
    caller.order()
    position = held(floor.binance)
    sandbox.control("POST", "venue", {"venue": "binance", "up": False})
    answer = caller.close(position, key="away")
    error = answer.json()
    assert answer.status_code in (502, 503), error
    assert set(error) == {"code", "message", "details"}
    assert Order.objects.count() == 1


@pytest.mark.parametrize("stage", ["before", "after"])
def test_a_cancel_whose_answer_got_lost_is_202_and_says_so(floor: Cast, caller: Caller, sandbox: Sandbox, stage: str) -> None:
    placed = caller.order(**resting(floor.binance)).json()
    sandbox.fault("binance", {"kind": "reset"}, stage=stage, method="DELETE", path=CREATE["binance"], account=floor.name)
    answer = caller.cancel(placed["id"])
    assert (answer.status_code, answer.json()["state"]) == (202, "NEW")
    assert answer.json()["reason"] == "Cancel sent, its outcome is not known yet; the exchange is being asked."
    assert caller.read(placed["id"]) == answer.json()
    again = caller.cancel(placed["id"])
    assert (again.status_code, again.json()["state"], again.json()["reason"]) == (200, "CANCELED", "")


def test_the_description_tells_a_cancel_in_doubt_from_one_that_was_carried_out() -> None:
    operation = api.get_openapi_schema()["paths"]["/api/v1/orders/{order_id}"]["delete"]
    assert {200, 202} < set(operation["responses"])
    assert "202" in operation["description"]


def test_a_cancel_that_comes_too_late_tells_what_happened(floor: Cast, caller: Caller, sandbox: Sandbox) -> None:
    placed = caller.order(**resting(floor.binance)).json()
    row = Order.objects.get(pk=placed["id"])
    assert caller.cancel(placed["id"]).json()["state"] == "CANCELED"
    Order.objects.filter(pk=row.pk).update(state="NEW")  # as if we had not heard of it yet
    answer = caller.cancel(placed["id"])
    assert (answer.status_code, answer.json()["state"]) == (200, "CANCELED")


def test_an_exchange_that_does_not_answer_a_close_in_time_is_503(
    floor: Cast, caller: Caller, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    caller.order()
    position = held(floor.binance)
    monkeypatch.setattr(closing, "READ_DEADLINE_S", 0.2)
    sandbox.fault("binance", {"kind": "hang"}, account=floor.name)
    answer = caller.close(position)
    assert (answer.status_code, answer.json()["code"]) == (503, "exchange_timeout")
    assert Order.objects.count() == 1
