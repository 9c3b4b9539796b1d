"""Too much, too deep, too long, packed, and in letters that look like others: refused by name, never a 5xx, nothing stored (S04, S60 to
S65, S74)."""

import gzip
import re
from typing import Any

import orjson
import pytest

from dashboard.api import api
from portfolio.models import ApiToken, Order
from tests.security import ways
from tests.security.conftest import MARK, Stage
from tests.security.declared import PAGE_LINES, REST_LINES

WRITES = [line for line in REST_LINES if line.method != "GET"]
ORDER = {"symbol": "BTCUSDT", "side": "BUY", "order_type": "LIMIT", "quantity": "0.010", "price": "90000"}
KB = 1_024


def role_for(line: Any) -> str:
    """Somebody whom the operation lets in."""
    return "trade" if line.answers["trade"] == "in" else "super" if line.answers["manager"] == "no" else "admin"


def send(stage: Stage, line: Any, body: bytes, **headers: str) -> Any:
    return stage.send(role_for(line), line.method, f"{ways.API}{ways.filled(line.path, stage.book.ids())}", body, **headers)


HOSTILE_BODIES = {
    "over 64 KB": b'{"a": "' + b"x" * 64 * KB + b'"}',
    "64 KB of brackets": b"[" * (64 * KB - 1),
    "64 KB of nested objects": b'{"a":' * 13_000 + b"1",
    "deep and whole": b"[" * 30_000 + b"]" * 30_000,
    "60,000 digits": b'{"quantity": ' + b"9" * 60_000 + b"}",
    "60,000 digits behind the point": b'{"quantity": 0.' + b"9" * 60_000 + b"}",
    "an exponent beyond all": b'{"quantity": 1e999999999}',
    "an exponent of 60,000 digits": b'{"quantity": 1e' + b"9" * 60_000 + b"}",
    "NaN": b'{"quantity": NaN}',
    "Infinity": b'{"quantity": -Infinity}',
    "hexadecimal": b'{"quantity": 0x10}',
    "9,000 members": b"{" + b",".join(b'"f%d": 1' % number for number in range(6_000)) + b"}",
    "the same member twice": b'{"symbol": "BTCUSDT", "symbol": "ETHUSDT"}',
    "a lone surrogate": b'{"symbol": "\\ud800"}',
    "not UTF-8": b'{"symbol": "\xff\xfe"}',
    "UTF-16": '{"symbol": "BTCUSDT"}'.encode("utf-16"),
    "a byte order mark": b"\xef\xbb\xbf{}",
    "nothing": b"",
    "a list": b"[]",
    "a text": b'"x"',
    "two objects": b"{}{}",
    "a comment": b"{/* */}",
    "a NUL": b'{"symbol": "BTC\\u0000USDT"}',
}


@pytest.mark.parametrize("what", HOSTILE_BODIES)
def test_a_hostile_body_is_refused_by_every_operation(stage: Stage, what: str) -> None:
    for line in WRITES:
        if not ways.api_body(line.path, line.method, stage.book):
            continue
        answer = send(stage, line, HOSTILE_BODIES[what])
        assert answer.status_code in (413, 422), (line.path, answer.status_code)
        assert len(answer.content) < 16 * KB, line.path
    assert Order.objects.count() == 2


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "zstd", "GZIP", "gzip, gzip", "x-unknown"])
def test_what_comes_packed_is_not_unpacked(stage: Stage, encoding: str) -> None:
    """S62: a kilobyte may hold a gigabyte."""
    for line in WRITES:
        body = ways.api_body(line.path, line.method, stage.book)
        if body:
            answer = send(stage, line, gzip.compress(body), **{"Content-Encoding": encoding})
            assert answer.status_code in (415, 422), (line.path, answer.status_code)
    assert Order.objects.count() == 2


HOSTILE_NUMBERS = [
    *("0", "-0", "-1", "-0.001", "0.0000000000000000000000001", "1e999999", "1E+400", "1e-400", "NaN", "sNaN", "inf", "-Infinity"),
    *("0x10", "1_000", "1,000", "１", "٣", "²", "½", "1 ", " 1", "++1", "1..", "..5", "1..2", "--1", "", " ", "None", "true", "null"),
    *(
        "9" * 41,
        "9" * 400,
        "0." + "0" * 400 + "1",
        "9" * 60_000,
        "1\x00",
        "1\n",
        "\u202e1",
        "1e",
        "1d5",
        "0b1",
        "1/2",
        "100000000000000000000",
    ),
]


def test_a_hostile_number_is_refused_in_every_field_that_takes_one(stage: Stage) -> None:
    for number in HOSTILE_NUMBERS:
        for field in ("quantity", "price"):
            body = orjson.dumps({**ORDER, "account": stage.book.account.pk, field: number})
            answer = stage.send("trade", "POST", "/api/v1/orders", body)
            assert answer.status_code == 422, (field, number)
            assert answer.json()["code"] != "no_credential", (field, number)
            assert len(answer.content) < 4 * KB, (field, number[:40])
        close = stage.send("trade", "POST", f"/api/v1/positions/{stage.book.position.pk}/close", orjson.dumps({"fraction": number}))
        assert close.status_code == 422, number
        assert close.json()["code"] != "no_credential", number
    assert Order.objects.count() == 2


def test_a_hostile_number_is_refused_by_the_ticket(stage: Stage) -> None:
    for number in HOSTILE_NUMBERS:
        if number.strip() in ("1",):
            continue  # a person may type blanks around a number
        for path in ("/ticket/preview", "/orders/new"):
            fields = {**ways.page_body("/orders/new", stage.book), "quantity": number}
            client, _ = stage.client("trader")
            answer = client.post(path, fields, headers={"HX-Request": "true"})
            assert answer.status_code in (400, 422), (path, number[:40])
            assert b"must have keys" not in answer.content, number[:40]
    assert Order.objects.count() == 2


def lists() -> dict[str, dict[str, Any]]:
    """Path -> the parameters of every operation that answers a list of a length that is asked for."""
    found = {}
    for path, methods in api.get_openapi_schema()["paths"].items():
        parameters = {each["name"]: each["schema"] for each in methods.get("get", {}).get("parameters", [])}
        if {"limit", "offset", "depth"} & set(parameters):
            found[path.removeprefix(ways.API)] = parameters
    return found


def _largest(schema: dict[str, Any]) -> int:
    return int(schema.get("maximum", 10**9))


def test_no_list_is_longer_than_a_page(stage: Stage) -> None:
    assert len(lists()) >= 8
    for path, parameters in lists().items():
        for name, largest in (("limit", 1_000 if path in ("/klines", "/equity") else 200), ("offset", 10_000), ("depth", 200)):
            if name not in parameters:
                continue
            assert _largest(parameters[name]) <= largest, (path, name)
            query = ways.api_query(path) or "?"
            for wrong in (str(largest + 1), "-1", "9" * 30, "1e3", "0x10", "١", "", " 1", "all", "None"):
                answer = stage.send("manager", "GET", f"{ways.API}{path}{query}&{name}={wrong}")
                assert answer.status_code == 422, (path, name, wrong)


UNKNOWN_NAMES = [
    *("ordering", "order_by", "sort", "o", "fields", "expand", "include", "search", "q", "filter", "page_size", "all", "format"),
    *("account__portfolio_link__portfolio", "user__password__startswith", "account__credential__ciphertext__startswith", "pk__in"),
    *("portfolio__name__regex", "__class__", "token", "access_token", "callback", "as_user", "user", "owner"),
]


def test_no_name_in_an_address_orders_filters_or_opens_anything(stage: Stage) -> None:
    """S04, S64: a name that the operation does not know is refused, whatever it would mean to the database."""
    for line in REST_LINES:
        if line.method != "GET" or line.path == "/health":
            continue
        path = f"{ways.API}{ways.filled(line.path, stage.book.ids())}{ways.api_query(line.path) or '?'}"
        for name in UNKNOWN_NAMES:
            answer = stage.send("manager", "GET", f"{path}&{name}=1")
            assert answer.status_code == 422, (line.path, name)
            assert not ways.mentions_stranger(answer.content)
    for line in PAGE_LINES:
        if line.method == "GET" and line.answers["manager"] == "in" and "login" not in line.path and "api" not in line.path:
            path = ways.filled(line.path, stage.book.ids())
            asked = "&".join(f"{name}={MARK}" for name in UNKNOWN_NAMES)
            answers = [stage.send("manager", "GET", address).content for address in (path, f"{path}?{asked}")]
            plain, other = (re.sub(rb"\d+", b"", ways.without_random(content)) for content in answers)  # ages differ
            assert plain == other.replace(asked.encode(), b""), path


@pytest.mark.parametrize(
    "lookup",
    [
        "user__password__startswith=argon",
        "account__credential__ciphertext__startswith=g",
        "credential__ciphertext__startswith=g",
        "password__startswith=argon",
        "portfolio_link__portfolio__memberships__user__password__startswith=a",
        "sessions__session_key__startswith=a",
        "digest__startswith=a",
        "api_tokens__digest__startswith=a",
    ],
)
def test_the_admins_lists_answer_no_questions_about_secrets(stage: Stage, lookup: str) -> None:
    for path in ("portfolio/order", "portfolio/apitoken", "portfolio/portfolio", "exchanges/exchangeaccount", "auth/user"):
        answer = stage.send("super", "GET", f"/admin/{path}/?{lookup}")
        assert answer.status_code in (302, 400), path


HOMOGLYPHS = [
    "ВTCUSDT",
    "BTCUЅDT",
    "ＢＴＣＵＳＤＴ",
    "BTC\u200bUSDT",
    "BTC\u202eUSDT",
    "BTC\u00adUSDT",
    "BTCUSDT\u0301",
    "BTCUSDT\x00",
    "ßTCUSDT",
    "ſOLUSDT",
    "BıTUSDT",
]


def test_a_symbol_is_plain_letters_and_digits_by_every_door(stage: Stage) -> None:
    for symbol in HOMOGLYPHS:
        body = orjson.dumps({**ORDER, "account": stage.book.account.pk, "symbol": symbol})
        assert stage.send("trade", "POST", "/api/v1/orders", body).json()["code"] == "invalid_request", symbol
        for path in ("orders", "positions", "instruments", "exchanges/routing/resolve"):
            client, headers = stage.client("read")
            answer = client.get(f"/api/v1/{path}", {"symbol": symbol}, headers=headers)
            assert answer.status_code == 422, (path, symbol)
        client, _ = stage.client("trader")
        for path in ("/ticket/preview", "/orders/new"):
            fields = {**ways.page_body("/orders/new", stage.book), "symbol": symbol}
            answer = client.post(path, fields, headers={"HX-Request": "true"})
            assert answer.status_code in (400, 422), (path, symbol)
            assert b"must have keys" not in answer.content, (path, symbol)
        client, _ = stage.client("super")
        assert client.put(f"/api/v1/exchanges/routing/{symbol}", {"targets": ["okx"]}, "application/json").status_code in (404, 422), symbol
        assert client.get("/routing", {"symbol": symbol}).status_code == 200
        assert client.get("/routing/history", {"pattern": symbol}).status_code == 200
    assert Order.objects.count() == 2


INVISIBLE = ["\x00", "a\x00b", "\u202eevil", "a\u200bb", "a\nb", "a\rb", "\x1b[31m", "\u2066x", "\ufeffx"]


def test_a_name_holds_nothing_that_cannot_be_seen(stage: Stage) -> None:
    tokens_before = ApiToken.objects.count()
    for text in INVISIBLE:
        client, _ = stage.client("manager")
        token = client.post("/settings/tokens", {**ways.page_body("/settings/tokens", stage.book), "name": text})
        assert token.status_code == 422, repr(text)
        renamed = client.post(f"/accounts/{stage.book.account.pk}/rename", {"label": text})
        assert renamed.status_code in (302, 400, 422), repr(text)
        stage.book.account.refresh_from_db()
        assert stage.book.account.label == "Ours", repr(text)
        added = client.post("/members/add", {"portfolio": stage.book.portfolio.pk, "username": text, "role": "viewer"})
        assert added.status_code == 422, repr(text)
    assert ApiToken.objects.count() == tokens_before


@pytest.mark.parametrize("count", [1_001, 5_000])
def test_a_form_of_a_thousand_fields_is_not_read(stage: Stage, count: int) -> None:
    body = "&".join(f"f{number}=" for number in range(count)).encode()
    for role in ("nobody", "manager"):
        answer = stage.send(role, "POST", "/login" if role == "nobody" else "/settings/tokens", body, content_type=ways.FORM)
        assert answer.status_code == 400


def test_a_form_over_64_kb_is_not_read(stage: Stage) -> None:
    body = b"name=" + b"x" * 64 * KB
    for path in ("/login", "/settings/tokens", "/orders/new", "/members/add", "/routing/import"):
        assert stage.send("super", "POST", path, body, content_type=ways.FORM).status_code in (302, 400, 403, 413), path
