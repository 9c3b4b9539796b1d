"""A log line: inert whatever is in it, without a secret, and with the id of the request that caused it (S48, S84)."""

import json
import logging
import re
from collections.abc import Callable, Iterator
from io import StringIO
from queue import SimpleQueue
from typing import Any

import orjson
import pytest
import redis
import structlog
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory
from django.urls import path

from dashboard import logs
from dashboard.request_log import HEADER, RequestLog
from exchanges.runtime import runtime
from portfolio import refresh, tasks


def broken(_request: HttpRequest) -> HttpResponse:
    raise LookupError("nobody foresaw this")


urlpatterns = [path("broken", broken)]

KNOWN = "a-key-of-this-installation"
SECRETS = [
    "GET https://fapi.binance.com/fapi/v1/order?symbol=BTCUSDT&timestamp=1&signature=HUSH",
    "DELETE /fapi/v1/listenKey?listenKey=HUSH&x=1",
    "headers {'X-MBX-APIKEY': 'HUSH', 'X-BAPI-SIGN': 'HUSH', 'X-BAPI-API-KEY': 'HUSH'}",
    "headers {'OK-ACCESS-KEY': 'HUSH', 'OK-ACCESS-SIGN': 'HUSH', 'OK-ACCESS-PASSPHRASE': 'HUSH'}",
    '{"apiKey":"HUSH","secret":"HUSH","passphrase": "HUSH"}',
    "api_secret=HUSH password: HUSH access_token = 'HUSH'",
    "Authorization: Bearer HUSHHUSHHUSH",
    "curl -H 'authorization: Basic SFVTSA=='",
    "Cookie: sessionid=HUSH; csrftoken=HUSH",
    "Set-Cookie: __Host-session=HUSH; Path=/",
    "redis://:HUSH@valkey:6379/0 and postgresql://book:HUSH@db/book",
    "GET /login/MQ/HUSH-0123 and token cbk_0123abcd_HUSHHUSHHUSHHUSH",
    "{b'X-MBX-APIKEY': b'HUSH'} [('X-BAPI-SIGN', 'HUSH'), (b'ok-access-passphrase', b'HUSH')]",
    'password="so HUSH" {"passphrase": "a, HUSH & more", "apiSecret": "a\\"HUSH"}',
    r'the body was "{\"apiSecret\": \"HUSH HUSH\"}"',
    "api_key=SecretStr('HUSH') SECRET_KEY=HUSH VAULT_KEYS = 'HUSH'",
    "Authorization: Token HUSH",
]


@pytest.fixture
def log() -> Iterator[Callable[..., Any]]:
    """log(format) -> (logger, written): a logger as it is set up for the site, and what it has written so far."""
    made: list[logging.Logger] = []
    before = structlog.get_config()

    def open_log(log_format: str, level: str = "DEBUG") -> tuple[logging.Logger, Callable[[], str]]:
        configuration = logs.configuration(log_format=log_format, level=level, service="web", secrets=[KNOWN])
        formatter = dict(configuration["formatters"]["event"])
        stream, logger = StringIO(), logging.getLogger(f"tests.log.{len(made)}")
        handler = logging.StreamHandler(stream)
        handler.setFormatter(formatter.pop("()")(**formatter))
        logger.handlers, logger.propagate = [handler], False
        logger.setLevel(level)
        made.append(logger)
        return logger, stream.getvalue

    yield open_log
    structlog.configure(**before)


@pytest.mark.parametrize("text", SECRETS)
@pytest.mark.parametrize("log_format", ["line", "json"])
def test_what_looks_like_a_secret_is_blacked_out(log: Callable[..., Any], log_format: str, text: str) -> None:
    logger, written = log(log_format)
    logger.warning("%s", text)
    logger.warning("call", extra={"url": text, "headers": {"given": [text]}})
    try:
        raise RuntimeError(text)
    except RuntimeError:
        logger.exception("it failed")
    assert "HUSH" not in written()
    assert "SFVTSA" not in written()
    assert "***" in written()


def test_a_secret_of_this_installation_is_blacked_out_wherever_it_stands(log: Callable[..., Any]) -> None:
    logger, written = log("json")
    logger.error("sent %s to it", f"x{KNOWN}y")
    logger.error("by name", extra={"api_key": "HUSH", "sessionid": "HUSH", "Authorization": "HUSH", "key_id": "7", "tokens": ["HUSH"]})
    assert KNOWN not in written()
    assert "HUSH" not in written()
    assert json.loads(written().splitlines()[1])["key_id"] == "7"


def test_ordinary_words_stay(log: Callable[..., Any]) -> None:
    logger, written = log("line")
    said = "order 7 of Bybit · Main: design=good, 3 tokens left, sign in again, key …abcd, https://www.okx.com/api/v5/trade"
    beside = "{'passphrase': '***', 'symbol': 'BTCUSDT'} token: '***' at 12:00, signed 'well', \"quantity\": 1"
    logger.info(said)
    logger.info(beside.replace("***", "HUSH"))
    assert said in written()
    assert beside in written()


@pytest.mark.parametrize("evil", ["\r\n", "\n", "\x1b[2J", "\x9b31m", "\u2028", "\u202e", "\x00", "\x07"])
@pytest.mark.parametrize("log_format", ["line", "json"])
def test_nothing_ends_a_line_or_moves_the_cursor(log: Callable[..., Any], log_format: str, evil: str) -> None:
    logger, written = log(log_format)
    logger.warning("symbol %s is unknown", f"BTC{evil}2026-11-24 12:00:00,000 INFO    root: all is well")
    logger.warning("call", extra={"path": f"/a{evil}b", "tags": [evil]})
    assert len(written().split("\n")) == 3, "two lines, each with its end"
    assert not set(evil) & set(written().replace("\n", "")) - set("[2J31m")
    assert "BTC\\" in written()


def test_a_traceback_cannot_be_taken_for_another_line(log: Callable[..., Any]) -> None:
    logger, written = log("line")
    try:
        raise ValueError("bad\n2026-11-24 12:00:00,000 INFO    root: all is well\x1b[1A")
    except ValueError:
        logger.exception("it failed")
    first, *rest = written().rstrip("\n").split("\n")
    assert re.match(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} ERROR   tests\.log\.0: it failed$", first)
    assert rest
    assert all(line.startswith("    | ") for line in rest)
    assert "\x1b" not in written()


def test_a_json_line_holds_what_a_line_says_as_fields(log: Callable[..., Any]) -> None:
    logger, written = log("json")
    with structlog.contextvars.bound_contextvars(request_id="abcdefgh"):
        logger.warning("order %s waits", 7, extra={"exchange": "okx", "ms": 12})
    found = json.loads(written())
    assert found.pop("timestamp").endswith("Z")
    said = {"event": "order 7 waits", "level": "warning", "logger": "tests.log.0", "service": "web"}
    assert found == said | {"request_id": "abcdefgh", "exchange": "okx", "ms": 12}


def test_a_text_without_end_is_cut(log: Callable[..., Any]) -> None:
    logger, written = log("line")
    logger.warning("x" * 1_000_000)
    assert len(written()) < logs.LONGEST_TEXT + 200


def test_the_cut_leaves_no_part_of_a_secret() -> None:
    secret = "a-secret-that-is-known"
    found = logs.Inert([secret]).redacted("x" * (logs.LONGEST_TEXT - 8) + secret)
    assert "a-sec" not in found
    assert len(found) < logs.LONGEST_TEXT + 10


def test_people_are_not_told_of_each_request_and_machines_are() -> None:
    levels = {
        (log_format, level): logs.configuration(log_format=log_format, level=level, service="", secrets=[])["loggers"]["django_structlog"]
        for log_format, level in (("line", "INFO"), ("json", "INFO"), ("line", "DEBUG"))
    }
    assert [each["level"] for each in levels.values()] == ["ERROR", "INFO", "DEBUG"]


@pytest.mark.parametrize("given", ["composed-order-1", "0" * 64, "a.b_c-d9"])
@pytest.mark.django_db
def test_a_request_keeps_the_id_it_comes_with(client: Client, given: str) -> None:
    assert client.get("/healthz", headers={HEADER: given}).headers[HEADER] == given


@pytest.mark.parametrize("given", ["", "short", "0" * 65, "with blank", "new\nline12", "<script>alert", "ünïcode-id"])
@pytest.mark.django_db
def test_an_id_that_is_not_well_formed_is_replaced(client: Client, given: str) -> None:
    answered = client.get("/healthz", headers={HEADER: given}).headers[HEADER]
    assert answered != given
    assert re.fullmatch(r"[0-9a-f]{32}", answered)


def test_a_request_is_logged_without_its_query_and_leaves_nothing_behind(caplog: pytest.LogCaptureFixture) -> None:
    seen: list[dict[str, Any]] = []

    def view(_request: HttpRequest) -> HttpResponse:
        seen.append(structlog.contextvars.get_contextvars())
        return HttpResponse()

    with caplog.at_level(logging.DEBUG, logger="django_structlog"):
        RequestLog(view)(RequestFactory().get("/orders", {"token": "HUSH"}, headers={HEADER: "one-request"}))
    assert seen == [{"request_id": "one-request"}]
    assert structlog.contextvars.get_contextvars() == {}
    finished = [record for record in caplog.records if "request_finished" in str(record.msg)]
    assert len(finished) == 1
    assert "HUSH" not in str(finished[0].msg)
    assert "GET /orders" in str(finished[0].msg)


def test_an_error_that_nobody_foresaw_is_logged_once_with_its_traceback(
    client: Client, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(settings, "ROOT_URLCONF", __name__)
    client.raise_request_exception = False
    answer = client.get("/broken", headers={HEADER: "it-is-broken"})
    assert (answer.status_code, answer.headers[HEADER]) == (500, "it-is-broken")
    (failed,) = [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert isinstance(failed.msg, dict)
    assert (failed.msg["event"], failed.msg["request"], failed.msg["request_id"]) == ("request_failed", "GET /broken", "it-is-broken")
    assert failed.msg["exc_info"]


def test_the_id_goes_along_to_the_loop_of_the_venues() -> None:
    async def seen() -> dict[str, Any]:
        return structlog.contextvars.get_contextvars()

    with structlog.contextvars.bound_contextvars(request_id="crosses-over"):
        assert runtime().run(seen(), deadline_s=5) == {"request_id": "crosses-over"}
    assert runtime().run(seen(), deadline_s=5) == {}


def test_the_id_goes_along_to_a_task() -> None:
    with redis.Redis.from_url(settings.REDIS_URL) as broker:
        broker.delete("celery")
        with structlog.contextvars.bound_contextvars(request_id="caused-the-task"):
            tasks.refresh_account.apply_async((1,), expires=10)
        (message,) = broker.lrange("celery", 0, -1)
        broker.delete("celery")
    assert orjson.loads(message)["headers"]["__django_structlog__"] == {"request_id": "caused-the-task"}


def test_a_hint_that_leaves_in_a_thread_of_its_own_keeps_the_id(monkeypatch: pytest.MonkeyPatch) -> None:
    sent: SimpleQueue[dict[str, object]] = SimpleQueue()
    monkeypatch.setattr(refresh, "_send", lambda _account_id: sent.put(structlog.contextvars.get_contextvars()))
    with structlog.contextvars.bound_contextvars(request_id="caused-the-hint"):
        refresh._hints().add(1)
    assert sent.get(timeout=5) == {"request_id": "caused-the-hint"}
