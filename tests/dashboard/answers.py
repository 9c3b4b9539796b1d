"""What the tests of the API's refusals share: an order that is right, how it is sent, and the one shape that every error has."""

import json
from typing import Any

from django.test import Client

from exchanges.accounts import store_credential
from tests.dashboard.conftest import Desk

ORDER = {"symbol": "BTCUSDT", "side": "BUY", "order_type": "LIMIT", "quantity": "0.010", "price": "90000.0"}


def error_of(answer: Any, status: int) -> dict[str, Any]:
    assert answer.status_code == status, (answer.status_code, answer.content[:300])
    assert answer.headers["Content-Type"].startswith("application/json")
    error: dict[str, Any] = answer.json()
    assert set(error) == {"code", "message", "details"}
    assert isinstance(error["code"], str)
    assert error["message"]
    assert all(set(detail) == {"field", "message"} for detail in error["details"])
    return error


def post(client: Client, body: object, **headers: str) -> Any:
    content = body if isinstance(body, bytes | str) else json.dumps(body)
    return client.post("/api/v1/orders", content, content_type="application/json", **headers)  # type: ignore[arg-type]


def credential(desk: Desk) -> None:
    """Keys that open; no test here gets as far as sending."""
    store_credential(desk.binance, api_key="sandbox-none", api_secret="none")
