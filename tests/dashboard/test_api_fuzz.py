"""Every operation of the API against input that nobody would send: never a 5xx, every error in the one shape."""

import json
import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from dashboard.api import api
from tests.conftest import Cast
from tests.dashboard import rows

OPERATIONS = [(method, path) for path, methods in api.get_openapi_schema()["paths"].items() for method in methods]
FIELDS = sorted(api.get_openapi_schema()["components"]["schemas"]["OrderIn"]["properties"])
PARAMETERS = ["limit", "offset", "account", "symbol", "state", "exchange", "portfolio", "token"]
VALID = {"symbol": "BTCUSDT", "side": "BUY", "order_type": "LIMIT", "quantity": "0.01", "price": "70000"}

awkward_text = st.sampled_from(
    [
        "",
        " ",
        "\x00",
        "\ud800",
        "１",
        "٣",
        "1e999999",
        "1E-8",
        "-0",
        "NaN",
        "0.001",
        "9" * 400,
        "BTCUSDT",
        "btcusdt",
        "\u202e",
        "'",
        '"',
        "null",
    ]
)
text = awkward_text | st.text(max_size=20)
numbers = st.integers() | st.floats() | st.decimals(allow_nan=False, allow_infinity=False, places=3).map(str)
values = st.none() | st.booleans() | numbers | text | st.lists(text, max_size=2) | st.dictionaries(text, text, max_size=2)
orders = st.dictionaries(st.sampled_from([*FIELDS, "fraction", "owner"]), values, max_size=4).map(lambda change: {**VALID, **change})
bodies = st.one_of(
    orders.map(json.dumps),
    st.fixed_dictionaries({"fraction": values}).map(json.dumps),
    st.fixed_dictionaries({"targets": st.just(["okx"]) | values}, optional={"note": values, "is_enabled": values}).map(json.dumps),
    st.recursive(values, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(text, inner, max_size=3), max_leaves=8).map(
        json.dumps
    ),
    st.text(max_size=40),
)
raw_bodies = bodies.map(lambda body: body.encode(errors="replace")) | st.binary(max_size=40)
ids = st.integers(min_value=-1, max_value=2**70).map(str) | text
queries = st.dictionaries(st.sampled_from(PARAMETERS) | text, text | st.integers().map(str), max_size=3)
keys = st.sampled_from(["", "one", "k" * 101, "ключ", "\u202e"])
content_types = st.sampled_from(["application/json"] * 6 + ["", "text/plain", "multipart/form-data", "application/json; charset=utf-16"])


def encoded(query: dict[str, str]) -> str:
    return urlencode({name.encode(errors="replace"): value.encode(errors="replace") for name, value in query.items()})


@dataclass(frozen=True, slots=True)
class Target:
    """A browser of a trader who may change routing rules, at accounts whose simulated exchanges answer; the ids are of an order and a
    position that they do not know."""

    client: Client
    ids: dict[str, int | str]


@pytest.fixture
def target(floor: Cast) -> Target:
    client = Client()
    client.force_login(floor.alice)
    floor.alice.user_permissions.add(Permission.objects.get(codename="change_routingrule"))
    ids: dict[str, int | str] = {
        "order_id": rows.order(floor.binance).pk,
        "position_id": rows.position(floor.binance).pk,
        "symbol": "SOLUSDT",
    }
    return Target(client, ids)


def assert_is_answer(answer: Any, what: object) -> None:
    assert answer.headers["Content-Type"].startswith("application/json"), (what, answer.content[:500])
    content = json.loads(answer.content)
    assert answer.status_code < 500, (what, content)
    if answer.status_code >= 400:
        assert set(content) == {"code", "message", "details"}, what
        assert isinstance(content["message"], str), what
        assert content["message"], what


@pytest.mark.parametrize(("method", "path"), OPERATIONS)
@settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.explicit, Phase.generate, Phase.shrink],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(data=st.data())
def test_no_input_breaks_an_operation(target: Target, method: str, path: str, data: st.DataObject) -> None:
    def number(name: re.Match[str]) -> str:
        text = data.draw(st.just(str(target.ids.get(name[1], 1))) | ids)
        return quote(text.encode(errors="replace"), safe="")

    filled = re.sub(r"{(\w+)}", number, path)
    query = encoded(data.draw(queries)) if data.draw(st.booleans()) else ""
    body = data.draw(raw_bodies) if method in ("post", "put") else b""
    headers = {"Idempotency-Key": data.draw(keys)} if method == "post" else {}
    answer = target.client.generic(
        method.upper(),
        f"{filled}?{query}",
        body,
        content_type=data.draw(content_types),
        headers=headers,
    )
    assert_is_answer(answer, (method, filled, query, body))


@settings(max_examples=60, deadline=None, derandomize=True, database=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(header=st.text(st.characters(max_codepoint=255), max_size=60) | st.sampled_from(["Bearer cbk_\x00_x", "Bearer cbk_" + "a" * 300]))
def test_no_authorization_header_breaks_anything(db: None, header: str) -> None:
    answer = Client().get("/api/v1/exposure", HTTP_AUTHORIZATION=header)
    assert_is_answer(answer, header)
    assert answer.status_code == 401
