"""The figures of the site for monitoring: for whoever has the token, the same from every process, and of nobody's money."""

import os
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from prometheus_client import REGISTRY
from prometheus_client.parser import text_string_to_metric_families

from dashboard import metrics, shared_metrics
from exchanges.models import VenuePause
from portfolio.models import AccountState, Order
from tests.conftest import Cast
from tests.isolation import free_port

TOKEN = "a token of at least thirty-two characters"


@pytest.fixture
def _readable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "METRICS_TOKEN", TOKEN)


def read(client: Client) -> str:
    answer = client.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "text/plain; version=0.0.4; charset=utf-8")
    return answer.content.decode()


def samples(text: str, name: str) -> dict[tuple[str, ...], float]:
    """Values by what their labels say, in the order of the labels' names."""
    return {
        tuple(value for _, value in sorted(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name == name
    }


@pytest.mark.django_db
def test_without_a_token_set_there_is_no_such_page(client: Client) -> None:
    assert settings.METRICS_TOKEN == ""
    for headers in ({}, {"Authorization": "Bearer "}, {"Authorization": f"Bearer {TOKEN}"}):
        assert client.get("/metrics", headers=headers, REMOTE_ADDR="127.0.0.1").status_code == 404


@pytest.mark.usefixtures("_readable", "db")
@pytest.mark.parametrize("header", ["", TOKEN, "Bearer", "Bearer ", f"Bearer {TOKEN}x", f"bearer {TOKEN}", f"Basic {TOKEN}", "Bearer ü"])
def test_a_wrong_token_is_refused_also_from_this_machine(client: Client, header: str) -> None:
    answer = client.get("/metrics", headers={"Authorization": header}, REMOTE_ADDR="127.0.0.1")
    assert (answer.status_code, TOKEN in answer.content.decode()) == (401, False)


@pytest.mark.usefixtures("_readable")
def test_the_book_is_told_by_numbers_alone(client: Client, cast: Cast) -> None:
    now = datetime.now(UTC)
    AccountState.objects.create(account=cast.binance, positions_as_of=now, balances_as_of=now - timedelta(seconds=7))
    AccountState.objects.create(account=cast.bybit, positions_as_of=now, balances_as_of=now - timedelta(hours=1))
    late = now - timedelta(seconds=8)
    AccountState.objects.create(account=cast.okx, positions_as_of=late, balances_as_of=late, error_at=now, error_message="no")
    VenuePause.objects.create(exchange="okx", environment="sandbox", until=now + timedelta(seconds=60))
    place = {"account": cast.okx, "symbol": "BTCUSDT", "side": "BUY", "quantity": "1", "origin": "api", "updated_at": now}
    for number, (state, created_at) in enumerate([("NEW", now - timedelta(days=9)), ("FILLED", now), ("FILLED", now - timedelta(days=2))]):
        Order.objects.create(**place, state=state, created_at=created_at, client_order_id=f"c{number}")
    text = read(client)
    ages = samples(text, "crossbook_oldest_figure_age_seconds")
    assert 7 <= ages[str(cast.binance.pk), "sandbox", "binance"] < 30
    assert samples(text, "crossbook_accounts") == {
        ("sandbox", "binance", "read"): 1,
        ("sandbox", "bybit", "late"): 1,
        ("sandbox", "okx", "failed"): 1,
    }
    assert samples(text, "crossbook_orders") == {("okx", "NEW"): 1, ("okx", "FILLED"): 1}
    assert 0 < samples(text, "crossbook_venue_pause_seconds")["sandbox", "okx"] <= 60
    assert samples(text, "crossbook_database_readable") == {(): 1}
    for private in (cast.name, cast.portfolio.name, "alice", "BTCUSDT"):
        assert private not in text


@pytest.mark.usefixtures("_readable", "db")
def test_the_counts_of_all_processes_are_put_together(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    metrics.TASKS.labels("a task", "success").inc()
    with shared_metrics.valkey() as valkey:
        for service, process in (("worker", 41), ("worker", 42), ("web", 43)):
            monkeypatch.setattr(os, "getpid", lambda process=process: process)
            shared_metrics.share(valkey, service)
        found = samples(read(client), "crossbook_tasks_total")
        mine = {labels: value for labels, value in found.items() if "a task" in labels}
        assert len(mine) == 3
        assert {labels[2] for labels in mine} == {"worker", "web"}
        keys = list(valkey.scan_iter(match="crossbook:metrics:*"))
        assert all(0 < valkey.ttl(key) <= shared_metrics.KEPT_S for key in keys), "a process that ended is forgotten"
        valkey.delete(*keys)
    assert not [labels for labels in samples(read(client), "crossbook_tasks_total") if "a task" in labels]


@pytest.mark.usefixtures("_readable", "db")
def test_without_valkey_the_book_is_told_and_that_it_is_away(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "REDIS_URL", f"redis://127.0.0.1:{free_port()}/0")
    text = read(client)
    assert samples(text, "crossbook_valkey_reachable") == {(): 0}
    assert samples(text, "crossbook_database_readable") == {(): 1}


@pytest.mark.django_db
def test_requests_are_counted_by_route_and_strangers_make_no_series(client: Client) -> None:
    def count() -> dict[tuple[str, ...], float]:
        family = next(family for family in REGISTRY.collect() if family.name == "crossbook_http_requests")
        return {
            (sample.labels["method"], sample.labels["route"], sample.labels["status"]): sample.value
            for sample in family.samples
            if sample.name.endswith("_total")
        }

    before = count()
    client.get("/login/MQ/some-token")
    client.get("/no/such/page/at/all")
    client.get("/static/css/none.css")
    client.generic("PROPFIND", "/login")
    grown = {key for key, value in count().items() if value > before.get(key, 0)}
    assert ("GET", "login/<str:uid>/<str:token>", "410") in grown
    assert ("GET", "none", "404") in grown
    assert ("GET", "static", "404") in grown
    assert not [key for key in grown if "some-token" in str(key) or key[0] == "PROPFIND"]


async def test_a_push_is_timed_until_the_page_has_taken_it() -> None:
    def value(name: str) -> float:
        return REGISTRY.get_sample_value(name) or 0.0

    pushes, pages = value("crossbook_push_seconds_count"), value("crossbook_open_pages")
    inbox: list[dict[str, Any]] = [{"type": "websocket.connect"}, {"type": "websocket.receive", "text": "7"}]
    inbox += [{"type": "websocket.receive", "text": "8"}, {"type": "websocket.disconnect", "code": 1000}]
    open_meanwhile = []

    async def receive() -> dict[str, Any]:
        return inbox.pop(0)

    async def send(_message: dict[str, Any]) -> None:
        open_meanwhile.append(value("crossbook_open_pages") - pages)

    async def application(_scope: dict[str, Any], receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        await send({"type": "websocket.send", "text": "7"})
        while (await receive())["type"] != "websocket.disconnect":
            pass

    await metrics.counted_socket(application)({"type": "websocket"}, receive, send)
    assert value("crossbook_push_seconds_count") == pushes + 1, "the second word answers nothing"
    assert (open_meanwhile, value("crossbook_open_pages")) == ([1, 1], pages)


@pytest.mark.usefixtures("_readable", "db")
def test_every_line_is_of_the_format(client: Client) -> None:
    for line in read(client).splitlines():
        assert re.fullmatch(r"# (HELP|TYPE) \w+ .+|\w+(\{.*\})? [0-9.e+-]+|\w+(\{.*\})? (NaN|\+Inf)", line), line
