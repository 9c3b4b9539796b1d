"""Text that would keep a pattern or a reader of dates and numbers busy for long: each is answered, and each log line written, within a
time that grows with its length and no faster (S63)."""

import time
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import orjson
import pytest

from dashboard import logs
from tests.security.conftest import Stage

# In the address of a request, which the web server cuts off at 16 KB. A pattern that goes back and forth needs minutes for these.
LONG = 15_000
QUICK_S = 1.0
HOSTILE = {
    "digits": "1" * LONG,
    "zeros and no number": "0" * LONG + "x",
    "letters": "A" * LONG,
    "letters that nearly are a symbol": "USD" * (LONG // 3) + "!",
    "many symbols": "USDT" * (LONG // 4),
    "stars": "*" * LONG,
    "stars between letters": "A*" * (LONG // 2) + "!",
    "a date without end": "2026-11-24T12:00:00." + "0" * LONG + "Z",
    "a zone without end": "2026-11-24T12:00:00+" + "0" * LONG,
    "dates in a row": "2026-11-24" * (LONG // 10),
    "blanks": " " * LONG + "x",
    "signs": "+-" * (LONG // 2),
    "dots": "1." * (LONG // 2),
    "an exponent": "1e" + "9" * LONG,
    "newlines": "\n" * LONG + "x",
    "quotes": "\\\"'" * (LONG // 3),
}
QUERIES = [
    *(f"klines?exchange=okx&symbol=BTCUSDT&interval=1m&{name}=" for name in ("start", "end", "limit", "portfolio")),
    *("klines?exchange=okx&interval=1m&symbol=", "klines?exchange=okx&symbol=BTCUSDT&interval=", "equity?start=", "orders?state="),
    *("orders?symbol=", "orders?account=", "instruments?symbol=", "exchanges/routing/resolve?symbol=", "positions?offset="),
]


def assert_quick(what: str, work: Callable[[], Any]) -> Any:
    """By the time of this thread: another that is busy takes none of it."""
    began = time.thread_time()
    answer = work()
    took = time.thread_time() - began
    assert took < QUICK_S, f"{what}: {took:.1f} s"
    return answer


@pytest.mark.parametrize("name", HOSTILE)
def test_nothing_in_an_address_takes_long_to_read(stage: Stage, name: str) -> None:
    text = quote(HOSTILE[name], safe="")
    for query in QUERIES:
        answer = assert_quick(query, lambda query=query: stage.send("manager", "GET", f"/api/v1/{query}{text}"))  # type: ignore[misc]
        assert answer.status_code in (400, 422), (query, answer.status_code)
    for path in ("api/v1/exchanges/routing/{}", "api/v1/orders/{}", "panel/{}", "settings/sessions/{}/end", "login/MQ/{}", "login/{}/x"):
        method = "PUT" if "routing" in path else "GET"
        answer = assert_quick(path, lambda path=path, method=method: stage.send("super", method, "/" + path.format(text)))  # type: ignore[misc]
        assert 400 <= answer.status_code < 500 or answer.status_code in (301, 302), (path, answer.status_code)
    for path in ("routing?symbol=", "routing/history?pattern=", "?portfolio="):
        assert_quick(path, lambda path=path: stage.send("super", "GET", f"/{path}{text}"))  # type: ignore[misc]


@pytest.mark.parametrize("name", HOSTILE)
def test_nothing_in_a_body_or_a_header_takes_long_to_read(stage: Stage, name: str) -> None:
    text = HOSTILE[name]
    order = {"symbol": "BTCUSDT", "side": "BUY", "order_type": "LIMIT", "quantity": "0.010", "price": "90000"}
    for field in ("symbol", "side", "quantity", "price", "client_order_id", "time_in_force"):
        body = orjson.dumps({**order, field: text})
        answer = assert_quick(field, lambda body=body: stage.send("trade", "POST", "/api/v1/orders", body))  # type: ignore[misc]
        assert answer.status_code == 422, field
    held = text.replace("\n", " ")
    for header in ("X-Request-ID", "Authorization", "User-Agent", "Idempotency-Key", "X-Forwarded-For", "Cookie"):
        headers: dict[str, Any] = {header: held}
        assert_quick(header, lambda headers=headers: stage.send("nobody", "GET", "/api/v1/orders", **headers))  # type: ignore[misc]


@pytest.mark.parametrize(
    "text",
    [
        *HOSTILE.values(),
        *(word * (logs.LONGEST_TEXT // len(word)) for word in ("token", "secret'", 'api_key="', "a-", "cookie", "sign", "authorization: ")),
        *(word * (logs.LONGEST_TEXT // len(word)) for word in ("x://a:", "\\'", "bearer ", "/login/", "cbk_0123abcd_", "token,", "key_")),
    ],
    ids=lambda text: repr(text[:12]),
)
def test_nothing_takes_long_to_be_made_fit_for_a_log(text: str) -> None:
    inert = logs.Inert(["a secret of this installation"])
    assert_quick("redacted", lambda: inert.redacted(text))
