"""Every way into the site, found by walking what it is made of: the URL patterns, the API's description, the routes of the sockets. Also
what a well-formed request to each of them looks like, so that a refusal is about who asks and not about what."""

import re
from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import urlencode

import orjson
from django.urls import URLPattern, URLResolver, get_resolver

from dashboard.api import api
from tests.security.conftest import MARK, MISSING, Belongings

API = "/api/v1"
METHODS = ("GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE")
FORM = "application/x-www-form-urlencoded"
KEYS = {"api_key": "sandbox-none", "api_secret": "sandbox-none-secret"}
_HANDLE = "0" * 20


def url_patterns(found: Iterable[URLPattern | URLResolver] | None = None, before: str = "/") -> Iterator[str]:
    """Of Django's own resolver, each as it is written."""
    for each in get_resolver().url_patterns if found is None else found:
        pattern = before + str(each.pattern)
        if isinstance(each, URLResolver):
            yield from url_patterns(each.url_patterns, pattern)
        else:
            yield pattern


def page_patterns() -> set[str]:
    """Whatever is no operation of the API and not the admin's."""
    operations = {f"{API}{re.sub(r'{(?:int:)?(.*?)}', '<>', path)}" for path, _ in operations_of_api()}
    return {
        pattern
        for pattern in url_patterns()
        if not pattern.startswith("/admin/") and re.sub(r"<(?:\w+:)?\w+>", "<>", pattern) not in operations
    }


def admin_patterns() -> set[str]:
    """Under /admin, as the table writes them."""
    found = {pattern.removeprefix("/admin") for pattern in url_patterns() if pattern.startswith("/admin/")}
    found = {re.sub(r"\^\(\?P<app_label>.*\)/\$", "<app_label>/", pattern) for pattern in found}
    return {pattern if "/r/" in pattern else pattern.replace("<path:object_id>", "<object_id>") for pattern in found}


def operations_of_api() -> set[tuple[str, str]]:
    schema: dict[str, Any] = api.get_openapi_schema()
    return {(path.removeprefix(API), method.upper()) for path, methods in schema["paths"].items() for method in methods}


def filled(path: str, ids: dict[str, int]) -> str:
    """A path with its parameters in place; what nobody owns is the same for all."""
    values = {**ids, "name": "positions", "uid": "MQ", "token": "0-0", "handle": _HANDLE, "symbol": "ADAUSDT"}
    return re.sub(r"[<{](?:\w+:)?(\w+)[>}]", lambda found: str(values[found[1]]), path)


def missing_ids() -> dict[str, int]:
    return dict.fromkeys(("order_id", "position_id", "account_id", "membership_id", "token_id", "portfolio_id"), MISSING)


def page_body(path: str, book: Belongings) -> dict[str, str]:
    """The fields of a form that is filled in as it should be, about `book`."""
    ticket = {
        "portfolio": str(book.portfolio.pk),
        "account": str(book.account.pk),
        "symbol": "BTCUSDT",
        "side": "BUY",
        "order_type": "LIMIT",
        "quantity": "0.010",
        "price": "90000",
        "time_in_force": "GTC",
        "idempotency_key": "k1",
    }
    return {
        "/ticket/preview": ticket,
        "/orders/new": ticket,
        "/positions/<int:position_id>/close": {"fraction": "1", "side": "SELL", "quantity": "0.5", "idempotency_key": "k1"},
        "/login": {"username": "nobody-there", "password": "wrong"},
        "/password": {"old_password": "wrong", "new_password1": "x", "new_password2": "y"},
        "/settings/tokens": {"name": "new one", "scopes": "read", "reach": "all", "days": "90"},
        "/members/add": {"portfolio": str(book.portfolio.pk), "username": "super-person", "role": "viewer"},
        "/members/<int:membership_id>/role": {"role": "trader"},
        "/accounts/new": {"portfolio": str(book.portfolio.pk), "venue": "binance/sandbox/", "label": "", **KEYS},
        "/accounts/<int:account_id>/margin": {"change": "leverage", "symbol": "BTCUSDT", "leverage": "5"},
        "/accounts/<int:account_id>/keys": {"api_key": "", "api_secret": ""},
        "/accounts/<int:account_id>/switch": {"switch": "disable"},
        "/accounts/<int:account_id>/rename": {"label": "Another"},
        "/accounts/<int:account_id>/archive": {"label": book.account.label},
        "/routing/new": {"pattern": "XRPUSDT", "target_1": "okx", "is_enabled": "on", "version": "0"},
        "/routing/<int:rule_id>": {"target_1": "okx", "is_enabled": "on", "version": "1"},
        "/routing/<int:rule_id>/switch": {"is_enabled": "0"},
        "/routing/<int:rule_id>/delete": {"version": "1"},
        "/routing/import": {"text": "symbol_exchange_mapping: {XRPUSDT: okx}"},
    }.get(path, {})


def form_of(fields: dict[str, str]) -> bytes:
    return urlencode(fields).encode()


def api_body(path: str, method: str, book: Belongings) -> bytes:
    bodies: dict[tuple[str, str], dict[str, Any]] = {
        ("/orders", "POST"): {
            "symbol": "BTCUSDT",
            "side": "BUY",
            "order_type": "LIMIT",
            "quantity": "0.010",
            "price": "90000",
            "account": book.account.pk,
        },
        ("/positions/{position_id}/close", "POST"): {"fraction": "1"},
        # No such region: refused by us, and no exchange is asked.
        ("/accounts", "POST"): {
            "portfolio": book.portfolio.pk,
            "exchange": "binance",
            "environment": "sandbox",
            "region": "moon",
            "label": "New",
            **KEYS,
        },
        ("/accounts/test", "POST"): {
            "portfolio": book.portfolio.pk,
            "exchange": "binance",
            "environment": "sandbox",
            "region": "moon",
            **KEYS,
        },
        ("/accounts/{account_id}/leverage", "PUT"): {"symbol": "BTCUSDT", "leverage": 5},
        ("/accounts/{account_id}/margin-mode", "PUT"): {"symbol": "BTCUSDT", "margin_mode": "cross"},
        ("/exchanges/routing/{symbol}", "PUT"): {"targets": ["binance"]},
    }
    body = bodies.get((path, method))
    return b"" if body is None else orjson.dumps(body)


def api_query(path: str) -> str:
    return {
        "/klines": "?exchange=binance&symbol=BTCUSDT&interval=1m",
        "/orderbook": "?exchange=binance&symbol=BTCUSDT",
        "/tickers": "?exchange=binance",
        "/funding": "?exchange=binance",
        "/exchanges/routing/resolve": "?symbol=BTCUSDT",
    }.get(path, "")


def without_random(content: bytes) -> bytes:
    """A page without what is new in each answer: CSRF tokens, keys against sending twice, the time."""
    return re.sub(rb'[A-Za-z0-9]{64}|[0-9a-f]{8}-[0-9a-f-]{27}|data-server-now="\d+"|\d\d:\d\d:\d\d|\d+ s (?:ago|old)', b"", content)


def mentions_stranger(content: bytes) -> bool:
    return MARK.encode() in content
