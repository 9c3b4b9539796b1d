"""How often one person may ask (S66): counted by person over all processes, said with Retry-After, and never in the way of a book while
nobody can count."""

import os
import re
import time
from typing import Any

import pytest
from django.test.utils import override_settings
from redis import Redis

from dashboard.api import api, limits
from portfolio.models import Order
from tests.security.conftest import Stage

SMALL = {"API_REQUESTS_PER_MINUTE": 3, "API_QUESTIONS_PER_MINUTE": 2}


@pytest.fixture
def small() -> Any:
    with Redis.from_url(os.environ["REDIS_URL"]) as client, override_settings(**SMALL):
        for key in client.scan_iter(match=f"{limits._PREFIX}*"):
            client.delete(key)
        yield


def statuses(stage: Stage, *roles: str, path: str = "/api/v1/orders") -> list[int]:
    return [stage.send(role, "GET", path).status_code for role in roles]


@pytest.fixture
def still(monkeypatch: pytest.MonkeyPatch) -> None:
    """Within one minute, however slow this machine is."""
    monkeypatch.setattr(time, "time", lambda: 1_795_000_020.0)


@pytest.mark.usefixtures("small", "still")
def test_a_person_is_counted_with_browser_and_tokens_together(stage: Stage) -> None:
    assert statuses(stage, "manager", "read", "trade", "admin", "manager") == [200, 200, 200, 429, 429]
    assert statuses(stage, "trader", "stranger") == [200, 200]


@pytest.mark.usefixtures("small", "still")
def test_whoever_asks_too_often_is_told_when_to_come_back(stage: Stage) -> None:
    statuses(stage, "read", "read", "read")
    answer = stage.send("read", "GET", "/api/v1/orders")
    wait = int(answer.headers["Retry-After"])
    assert 1 <= wait <= limits.WINDOW_S
    assert answer.json() == {
        "code": "too_many_requests",
        "message": f"Too many requests in this minute; the next one begins in {wait} s.",
        "details": [],
    }
    assert "no-store" in answer.headers["Cache-Control"]


@pytest.mark.usefixtures("small")
def test_the_next_minute_is_a_new_one(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1_795_000_020.0
    monkeypatch.setattr(time, "time", lambda: now)
    assert statuses(stage, *["read"] * 4)[-1] == 429
    now += limits.seconds_left(now)
    assert statuses(stage, "read") == [200]


@pytest.mark.usefixtures("small", "still")
def test_questions_to_exchanges_have_a_limit_of_their_own(stage: Stage) -> None:
    ask = "/api/v1/klines?exchange=binance&symbol=BTCUSDT&interval=1m"
    assert statuses(stage, *["trader"] * 3, path=ask) == [422, 422, 429]
    with override_settings(API_REQUESTS_PER_MINUTE=100):
        assert statuses(stage, "trader") == [200]


@pytest.mark.usefixtures("small", "still")
@pytest.mark.parametrize("path", ["accounts", "equity", "exposure", "orders"])
def test_what_the_database_answers_is_no_question_to_an_exchange(stage: Stage, path: str) -> None:
    with override_settings(API_REQUESTS_PER_MINUTE=100):
        assert statuses(stage, *["trader"] * 4, path=f"/api/v1/{path}") == [200] * 4


# Orders, cancels and closes have the limits of their exchange alone: nobody is kept from getting out of a position.
ASK = {
    *("GET /klines", "GET /orderbook", "GET /tickers", "GET /funding", "POST /accounts", "POST /accounts/test"),
    *("PUT /accounts/{account_id}/leverage", "PUT /accounts/{account_id}/margin-mode"),
}


def test_these_operations_are_questions_and_no_others() -> None:
    asking = {
        f"{method} {re.sub('{int:', '{', operation.path)}"
        for router in api._get_bound_routers()
        for view in router.path_operations.values()
        for operation in view.operations
        for method in operation.methods
        if limits.QUESTIONS in operation.throttle_objects
    }
    assert asking == ASK


@pytest.mark.usefixtures("small", "still")
def test_a_request_that_is_refused_counts_too(stage: Stage) -> None:
    """Else whoever tries what they may not could try without end; an order beyond the limit is not placed."""
    wrong = [stage.send("trade", "POST", "/api/v1/orders", b"{}").status_code for _ in range(4)]
    assert wrong == [422, 422, 422, 429]
    assert Order.objects.count() == 2


@pytest.mark.usefixtures("small", "still")
def test_nobody_is_refused_while_nobody_counts(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    limits._valkey.cache_clear()
    monkeypatch.setattr(limits.REQUESTS, "_away_until", 0.0)
    with override_settings(REDIS_URL="redis://127.0.0.1:1/0"):
        assert statuses(stage, *["read"] * 6) == [200] * 6
    limits._valkey.cache_clear()
    monkeypatch.setattr(limits.REQUESTS, "_away_until", 0.0)
    assert statuses(stage, *["read"] * 4)[-1] == 429


def test_every_private_operation_has_a_limit_and_says_so() -> None:
    for path, methods in api.get_openapi_schema()["paths"].items():
        for operation in methods.values():
            assert (429 in operation["responses"]) == (path != "/api/v1/health"), path
    for router in api._get_bound_routers():
        for view in router.path_operations.values():
            for operation in view.operations:
                if "health" not in operation.path:
                    assert limits.REQUESTS in operation.throttle_objects, operation.path
