"""The OKX dialect's protocol: signatures and their refusals, what is no request at all, and the code of every filter of an order."""

import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from exchanges.sandbox.okx.endpoint import guarded
from tests.sandbox.okx_venue import BTC, PEPE, Answer, Client, Venue, serve_okx

CONFIG = "/api/v5/account/config"
ORDER = "/api/v5/trade/order"


@pytest.fixture
async def venue() -> AsyncIterator[Venue]:
    async with serve_okx() as served:
        yield served


@pytest.fixture
def client(venue: Venue) -> Client:
    return venue.client()


def _at(seconds: float) -> str:
    moment = datetime.now(UTC) + timedelta(seconds=seconds)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


async def _config(client: Client, **changed: str | None) -> Answer:
    """Asks for the account's configuration with some headers changed, or left out where None."""
    names = {"key": "OK-ACCESS-KEY", "sign": "OK-ACCESS-SIGN", "at": "OK-ACCESS-TIMESTAMP", "phrase": "OK-ACCESS-PASSPHRASE"}
    headers = client.signed("GET", CONFIG, "", at=changed.get("at") or None)
    headers |= {names.get(name, name): value for name, value in changed.items() if value is not None}
    for name in (names[name] for name, value in changed.items() if value is None):
        del headers[name]
    return await client.send("GET", CONFIG, "", headers)


# -- authentication --


@pytest.mark.parametrize(
    ("changed", "code", "words"),
    [
        ({"key": None}, "50103", 'Request header "OK-ACCESS-KEY" cannot be empty.'),
        ({"phrase": None}, "50104", 'Request header "OK-ACCESS-PASSPHRASE" cannot be empty.'),
        ({"phrase": "other"}, "50105", 'Request header "OK-ACCESS-PASSPHRASE" incorrect.'),
        ({"sign": None}, "50106", 'Request header "OK-ACCESS-SIGN" cannot be empty.'),
        ({"at": None}, "50107", 'Request header "OK-ACCESS-TIMESTAMP" cannot be empty.'),
        ({"key": "live-key"}, "50111", "Invalid OK-ACCESS-KEY."),
        ({"at": "yesterday"}, "50112", "Invalid OK-ACCESS-TIMESTAMP."),
        ({"at": "2026-13-01T00:00:00.000Z"}, "50112", "Invalid OK-ACCESS-TIMESTAMP."),
        ({"sign": "AAAA"}, "50113", "Invalid signature."),
        ({"key": "sandbox-somebody"}, "50113", "Invalid signature."),
        ({"x-simulated-trading": "1"}, "50101", "APIKey does not match current environment."),
    ],
)
async def test_a_request_that_is_not_properly_signed_is_refused(
    client: Client, changed: dict[str, str | None], code: str, words: str
) -> None:
    answer = await _config(client, **changed)
    assert (answer.status, answer.code, answer.body["msg"], answer.data) == (401, code, words, [])


@pytest.mark.parametrize(("seconds", "code"), [(-29, "0"), (29, "0"), (-31, "50102"), (31, "50102")])
async def test_a_timestamp_may_be_thirty_seconds_off(client: Client, seconds: float, code: str) -> None:
    answer = await _config(client, at=_at(seconds))
    assert (answer.code, answer.status) == (code, 200 if code == "0" else 401)


async def test_a_signature_covers_the_query_and_the_body(client: Client) -> None:
    signed = client.signed("GET", f"{ORDER}?instId={BTC}&ordId=1", "")
    assert (await client.send("GET", f"{ORDER}?instId={BTC}&ordId=2", "", signed)).code == "50113"
    signed = client.signed("POST", ORDER, '{"sz":"1"}')
    assert (await client.send("POST", ORDER, '{"sz":"9"}', signed)).code == "50113"


@pytest.mark.parametrize("signed_path", [CONFIG, f"/okx{CONFIG}"])
async def test_the_path_may_be_signed_with_or_without_the_mounts_prefix(client: Client, signed_path: str) -> None:
    assert (await client.send("GET", CONFIG, "", client.signed("GET", signed_path, ""))).code == "0"


async def test_another_prefix_in_the_signed_path_is_refused(client: Client) -> None:
    assert (await client.send("GET", CONFIG, "", client.signed("GET", f"/bybit{CONFIG}", ""))).code == "50113"


async def test_public_data_needs_no_signature(client: Client) -> None:
    assert (await client.send("GET", "/api/v5/public/time", "", {})).code == "0"


# -- requests that are no orders at all --


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [("", 400, "50000"), ("{", 400, "50002"), ("[]", 400, "50002"), ('"text"', 400, "50002"), ("[" * 100_000, 400, "50002")],
)
async def test_a_body_that_is_no_object_is_refused(client: Client, body: str, status: int, code: str) -> None:
    answer = await client.send("POST", ORDER, body, client.signed("POST", ORDER, body))
    assert (answer.status, answer.code) == (status, code)


async def test_a_body_must_say_that_it_is_json(client: Client) -> None:
    headers = client.signed("POST", ORDER, "{}") | {"Content-Type": "text/plain"}
    assert (await client.send("POST", ORDER, "{}", headers)).code == "50006"


async def test_a_wrong_verb_and_a_wrong_path_are_told_apart(client: Client) -> None:
    wrong_verb = await client.send("POST", "/api/v5/public/time", "{}", {})
    wrong_path = await client.send("GET", "/api/v5/public/tim", "", {})
    assert (wrong_verb.status, wrong_verb.code) == (405, "50115")
    assert (wrong_path.status, wrong_path.code) == (404, "404")


@pytest.mark.parametrize(
    ("path", "parameters", "status", "code"),
    [
        ("public/instruments", {}, 400, "50014"),
        ("public/instruments", {"instType": "SHARES"}, 400, "51000"),
        ("public/instruments", {"instType": "SWAP", "instId": "NOPE-USDT-SWAP"}, 200, "51001"),
        ("market/ticker", {"instId": "BTCUSDT"}, 200, "51001"),
        ("market/ticker", {}, 400, "50014"),
        ("market/candles", {"instId": BTC, "bar": "7m"}, 400, "51000"),
        ("market/candles", {"instId": BTC, "after": "soon"}, 400, "51000"),
        ("public/position-tiers", {"instType": "SWAP", "tdMode": "cross"}, 400, "50015"),
        ("trade/orders-history", {}, 400, "50014"),
        ("trade/orders-pending", {"limit": "101"}, 400, "51000"),
        ("trade/orders-algo-pending", {}, 400, "50014"),
        ("trade/order", {"instId": BTC}, 200, "51003"),
        ("trade/order", {"instId": BTC, "ordId": "12"}, 200, "51603"),
        ("trade/order", {"instId": BTC, "clOrdId": "unheard"}, 200, "51603"),
        ("trade/order-algo", {"algoId": "1"}, 200, "51603"),
        ("account/leverage-info", {"instId": BTC}, 400, "50014"),
    ],
)
async def test_a_question_is_refused_with_its_code(client: Client, path: str, parameters: dict[str, str], status: int, code: str) -> None:
    answer = await client.get(f"/api/v5/{path}", **parameters)
    assert (answer.status, answer.code, answer.data) == (status, code, [])


@pytest.mark.parametrize("kind", ["SPOT", "MARGIN", "FUTURES", "OPTION"])
async def test_other_types_of_instruments_are_empty(client: Client, kind: str) -> None:
    for path in ("public/instruments", "market/tickers", "public/mark-price", "account/positions", "trade/orders-history"):
        answer = await client.get(f"/api/v5/{path}", instType=kind)
        assert (answer.code, answer.data) == ("0", [])


# -- the filters of an order --


async def _off_price(client: Client, factor: str) -> str:
    return str(round(Decimal((await client.get("/api/v5/market/ticker", instId=BTC)).row["last"]) * Decimal(factor)))


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"instId": "NOPE-USDT-SWAP"}, "51001"),
        ({"instId": ""}, "50014"),
        ({"side": ""}, "50014"),
        ({"sz": ""}, "50014"),
        ({"side": "hold"}, "51000"),
        ({"sz": "many"}, "51000"),
        ({"sz": "-1"}, "51000"),
        ({"sz": "1e999"}, "51000"),
        ({"sz": "NaN"}, "51000"),
        ({"ordType": "stop"}, "51000"),
        ({"ordType": "limit"}, "51000"),
        ({"tdMode": "cash"}, "51000"),
        ({"posSide": "long"}, "51000"),
        ({"posSide": "short"}, "51000"),
        ({"clOrdId": "with-dash"}, "51000"),
        ({"clOrdId": "a" * 33}, "51000"),
        ({"tag": "a" * 17}, "51000"),
        ({"reduceOnly": "perhaps"}, "51000"),
        ({"attachAlgoOrds": [{"slTriggerPx": "1", "slOrdPx": "-1"}]}, "51000"),
        ({"sz": "0.015"}, "51121"),
        ({"instId": PEPE, "sz": "0.01"}, "51020"),
        ({"sz": "12001"}, "51202"),
        ({"sz": "200000000", "ordType": "limit", "px": "low"}, "51005"),
        ({"sz": "12000"}, "51008"),
        ({"ordType": "limit", "px": "tick"}, "51150"),
        ({"ordType": "limit", "px": "high"}, "51006"),
        ({"reduceOnly": "true"}, "51169"),
        ({"reduceOnly": True}, "51169"),
    ],
)
async def test_an_order_outside_a_filter_is_refused_with_its_code(client: Client, fields: dict[str, object], code: str) -> None:
    prices = {
        "low": await _off_price(client, "0.97"),
        "high": await _off_price(client, "1.5"),
        "tick": f"{await _off_price(client, '0.97')}.05",
    }
    fields = {name: prices.get(str(value), value) if name == "px" else value for name, value in fields.items()}
    answer = await client.order(**fields)
    assert (answer.status, answer.verdict) == (200, ("1", code))
    assert answer.row["ordId"] == ""
    assert answer.body["inTime"] <= answer.body["outTime"]
    assert (await client.get("/api/v5/trade/orders-pending")).data == []
    assert (await client.get("/api/v5/account/positions")).data == []


async def test_a_client_order_id_is_unique_for_good(client: Client) -> None:
    assert (await client.order(clOrdId="once")).code == "0"
    again = await client.order(clOrdId="once")
    assert again.verdict == ("1", "51016")
    assert again.row["clOrdId"] == "once"


async def test_an_order_whose_deadline_has_passed_is_not_executed(client: Client) -> None:
    body = {"instId": BTC, "tdMode": "cross", "side": "buy", "ordType": "market", "sz": "1"}
    late = await client.post(ORDER, body, expTime=str(time.time_ns() // 1_000_000 - 1))
    assert (late.status, late.verdict) == (200, ("1", "50036"))
    assert (await client.get("/api/v5/account/positions")).data == []
    assert (await client.post(ORDER, body, expTime=str(time.time_ns() // 1_000_000 + 5_000))).code == "0"


async def test_a_reduction_in_the_positions_own_direction_is_refused(client: Client) -> None:
    await client.order(sz="1")
    assert (await client.order(sz="1", reduceOnly="true")).verdict == ("1", "51170")
    assert (await client.order(sz="1", side="sell", reduceOnly="true")).code == "0"


async def test_a_batch_is_judged_item_by_item(client: Client) -> None:
    good = {"instId": BTC, "tdMode": "cross", "side": "buy", "ordType": "market", "sz": 1}
    bad = good | {"sz": "0.015"}
    path = "/api/v5/trade/batch-orders"
    mixed = await client.post(path, [good, bad])
    assert (mixed.code, [row["sCode"] for row in mixed.data]) == ("2", ["0", "51121"])
    assert (await client.post(path, [bad, bad])).code == "1"
    assert (await client.post(path, [good, good])).code == "0"
    assert (await client.post(path, [good] * 21)).code == "51111"


async def test_settings_outside_this_account_are_refused(client: Client) -> None:
    leverage = "/api/v5/account/set-leverage"
    for body, code in (
        ({"lever": "101", "mgnMode": "cross", "instId": BTC}, "59102"),
        ({"lever": "0.5", "mgnMode": "cross", "instId": BTC}, "59105"),
        ({"lever": "5.5", "mgnMode": "cross", "instId": BTC}, "51000"),
        ({"lever": "5", "mgnMode": "cross", "instId": BTC, "posSide": "long"}, "51000"),
        ({"lever": "5", "mgnMode": "cross", "instId": "X-USDT-SWAP"}, "51001"),
        ({"lever": "5", "instId": BTC}, "50014"),
    ):
        assert (await client.post(leverage, body)).code == code


async def test_conditional_orders_are_refused_and_none_exists(client: Client) -> None:
    body = {"instId": BTC, "tdMode": "cross", "side": "sell", "ordType": "conditional", "sz": "1", "slTriggerPx": "1", "algoClOrdId": "a1"}
    placed = await client.post("/api/v5/trade/order-algo", body)
    assert placed.verdict == ("1", "51000")
    assert placed.row["algoClOrdId"] == "a1"
    assert (await client.get("/api/v5/trade/orders-algo-pending", ordType="conditional,oco")).data == []
    assert (await client.post("/api/v5/trade/cancel-algos", [{"instId": BTC, "algoId": "1"}])).verdict == ("1", "51400")


# -- defects --


async def test_a_defect_answers_as_the_venues_system_error_and_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    async def broken(_: web.Request) -> web.StreamResponse:
        raise ZeroDivisionError

    app = web.Application()
    app.router.add_get("/", guarded(broken))
    async with TestClient(TestServer(app)) as http, http.get("/") as response:
        assert (response.status, (await response.json())["code"]) == (500, "50026")
    assert "ZeroDivisionError" in caplog.text
