"""What the client puts on the wire, call by call; signatures, moments, and that nothing is sent twice."""

import asyncio
import gc
import hashlib
import hmac
import json
import logging
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
import requests
from aiohttp import web

from exchanges.adapters.bybit.client import BybitClient
from exchanges.adapters.bybit.exchange import BybitExchange
from exchanges.domain import TimeInForce
from exchanges.endpoints import Endpoints
from exchanges.errors import BadParameter, ExchangeUnavailable, NotSent, OutcomeUnknown
from exchanges.signing import SigningMoment, signing_at
from exchanges.transport import Transport
from exchanges.venue import VenueContext
from tests.exchanges.bybit.calls import CALLS, PUBLIC
from tests.exchanges.bybit.conftest import KEY, SECRET, config, limit_order
from tests.exchanges.bybit.recording import RecordingVenue, hang_up, payload, result

CAPTURED = Path(__file__).parents[4] / "shared" / "wire" / "bybit.json"


def signature_of(timestamp: str, window: str, signed: str, secret: str = SECRET) -> str:
    return hmac.new(secret.encode(), f"{timestamp}{KEY}{window}{signed}".encode(), hashlib.sha256).hexdigest()


@pytest.mark.parametrize("name", CALLS)
async def test_every_call_goes_out_as_expected_and_signed_over_what_was_sent(
    name: str, venue: RecordingVenue, context: VenueContext
) -> None:
    method, arguments, verb, target, body = CALLS[name]
    await getattr(BybitClient(config(), context), method)(**arguments)

    (request,) = venue.requests
    assert request.line == (verb, target, body)
    assert request.headers["Content-Type"] == "application/json"
    if name in PUBLIC:
        assert not [header for header in request.headers if header.upper().startswith("X-BAPI")]
        return
    timestamp, window = request.headers["X-BAPI-TIMESTAMP"], request.headers["X-BAPI-RECV-WINDOW"]
    assert request.headers["X-BAPI-API-KEY"] == KEY
    assert request.headers["X-BAPI-SIGN-TYPE"] == "2"
    assert request.headers["X-BAPI-SIGN"] == signature_of(timestamp, window, body or target.partition("?")[2])
    assert abs(int(timestamp) - datetime.now(UTC).timestamp() * 1000) < 10_000
    assert window == "5000"


@pytest.mark.parametrize("name", CALLS)
def test_the_expectations_are_what_the_sdk_itself_was_seen_to_send(name: str) -> None:
    if not CAPTURED.exists():
        pytest.skip(f"no captured SDK requests at {CAPTURED}")
    (seen,) = json.loads(CAPTURED.read_text())[name]["wire"]
    assert CALLS[name][2:] == (seen["method"], seen["raw_path"], seen["body"])
    assert (name in PUBLIC) == ("X-BAPI-SIGN" not in seen["headers"])


async def test_orders_go_out_as_asked_for(venue: RecordingVenue, exchange: BybitExchange) -> None:
    venue.answer("/v5/order/create", payload("order_create"))
    await exchange.place_order(limit_order())
    await exchange.place_order(limit_order(time_in_force=TimeInForce.GTX, side="SELL", reduce_only=True))
    await exchange.place_order(limit_order(order_type="MARKET", price=None, quantity=Decimal("1E+1")))
    await exchange.place_order(limit_order(symbol="1000PEPEUSDT", quantity=Decimal("300"), price=Decimal("1.2E-6"), time_in_force="IOC"))

    create = "/v5/order/create"
    assert [line for line in venue.lines() if line[1] == create] == [
        (
            "POST",
            create,
            '{"category": "linear", "symbol": "BTCUSDT", "side": "Buy", "orderType": "Limit", "qty": "0.250", "price": "95000.50",'
            ' "timeInForce": "GTC", "positionIdx": 0, "orderLinkId": "cbnew1"}',
        ),
        (
            "POST",
            create,
            '{"category": "linear", "symbol": "BTCUSDT", "side": "Sell", "orderType": "Limit", "qty": "0.250", "price": "95000.50",'
            ' "timeInForce": "PostOnly", "positionIdx": 0, "orderLinkId": "cbnew1", "reduceOnly": true}',
        ),
        (
            "POST",
            create,
            '{"category": "linear", "symbol": "BTCUSDT", "side": "Buy", "orderType": "Market", "qty": "10", "positionIdx": 0,'
            ' "orderLinkId": "cbnew1"}',
        ),
        (
            "POST",
            create,
            '{"category": "linear", "symbol": "1000PEPEUSDT", "side": "Buy", "orderType": "Limit", "qty": "300", "price": "0.0000012",'
            ' "timeInForce": "IOC", "positionIdx": 0, "orderLinkId": "cbnew1"}',
        ),
    ]


async def test_reads_go_out_as_expected(venue: RecordingVenue, exchange: BybitExchange) -> None:
    venue.answer("/v5/order/cancel", payload("order_cancel"))
    venue.answer("/v5/account/wallet-balance", payload("wallet"))
    await exchange.cancel_order("BTCUSDT", "7d3e51c0-1f0a-4a52-9a1b-000000000001")
    await exchange.set_leverage("BTCUSDT", 7)
    await exchange.get_position_book()
    await exchange.get_open_positions("ETHUSDT")
    await exchange.get_balances()
    await exchange.get_open_orders()
    await exchange.get_open_orders("ETHUSDT")
    await exchange.find_order("BTCUSDT", "cbnone1")
    await exchange.get_mark_prices()

    assert venue.lines() == [
        (
            "POST",
            "/v5/order/cancel",
            '{"category": "linear", "symbol": "BTCUSDT", "orderId": "7d3e51c0-1f0a-4a52-9a1b-000000000001"}',
        ),
        (
            "POST",
            "/v5/position/set-leverage",
            '{"category": "linear", "symbol": "BTCUSDT", "buyLeverage": "7", "sellLeverage": "7"}',
        ),
        ("GET", "/v5/account/info", ""),
        ("GET", "/v5/position/list?category=linear&limit=200&settleCoin=USDT", ""),
        ("GET", "/v5/position/list?category=linear&limit=200&settleCoin=USDC", ""),
        ("GET", "/v5/position/list?category=inverse&limit=200", ""),
        ("GET", "/v5/position/list?category=option&limit=200", ""),
        ("GET", "/v5/position/list?category=linear&symbol=ETHUSDT", ""),
        ("GET", "/v5/account/wallet-balance?accountType=UNIFIED", ""),
        ("GET", "/v5/order/realtime?category=linear&limit=50&settleCoin=USDT", ""),
        ("GET", "/v5/order/realtime?category=linear&limit=50&symbol=ETHUSDT", ""),
        ("GET", "/v5/order/realtime?category=linear&orderLinkId=cbnone1&symbol=BTCUSDT", ""),
        ("GET", "/v5/order/history?category=linear&orderLinkId=cbnone1&symbol=BTCUSDT", ""),
        ("GET", "/v5/execution/list?category=linear&limit=100&orderLinkId=cbnone1&symbol=BTCUSDT", ""),
        ("GET", "/v5/market/tickers?category=linear", ""),
    ]


async def test_each_of_twenty_concurrent_orders_is_signed_with_its_stored_moment(venue: RecordingVenue, exchange: BybitExchange) -> None:
    venue.answer("/v5/order/create", result(orderId="1", orderLinkId="wrong on purpose"))
    moments = {f"c{number}": SigningMoment(1_700_000_000_000 + number * 977, 1_000 + number) for number in range(20)}

    async def place(client_order_id: str) -> None:
        with signing_at(moments[client_order_id]), pytest.raises(OutcomeUnknown):
            await exchange.place_order(limit_order(client_order_id))

    await asyncio.gather(*map(place, moments))

    sent = {json.loads(request.body)["orderLinkId"]: request for request in venue.requests if request.path == "/v5/order/create"}
    assert len(sent) == 20
    for client_order_id, moment in moments.items():
        headers = sent[client_order_id].headers
        timestamp, window = str(moment.timestamp_ms), str(moment.window_ms)
        assert (headers["X-BAPI-TIMESTAMP"], headers["X-BAPI-RECV-WINDOW"]) == (timestamp, window)
        assert headers["X-BAPI-SIGN"] == signature_of(timestamp, window, sent[client_order_id].body)


async def test_requests_are_signed_with_the_venues_time(venue: RecordingVenue, context: VenueContext) -> None:
    ahead_ms = 3_600_000

    async def fetch_time_ms() -> int:
        return int(datetime.now(UTC).timestamp() * 1_000) + ahead_ms

    await context.clock.measure(fetch_time_ms)
    await BybitClient(config(), context).get_account_info()
    signed_ms = int(venue.requests[-1].headers["X-BAPI-TIMESTAMP"])
    assert abs(signed_ms - datetime.now(UTC).timestamp() * 1_000 - ahead_ms) < 10_000


@pytest.mark.parametrize("is_connection_kept", [False, True])
async def test_a_write_whose_connection_dies_is_sent_once(is_connection_kept: bool, venue: RecordingVenue, exchange: BybitExchange) -> None:
    await exchange.get_instruments()
    if not is_connection_kept:
        venue.answer("/v5/market/time", hang_up)
        with pytest.raises(ExchangeUnavailable):
            await exchange.get_server_time_ms()
    venue.requests.clear()
    venue.answer("/v5/order/create", hang_up)
    venue.answer("/v5/order/cancel", hang_up)
    venue.answer("/v5/position/set-leverage", hang_up)

    with pytest.raises(OutcomeUnknown):
        await exchange.place_order(limit_order())
    with pytest.raises(OutcomeUnknown):
        await exchange.cancel_order("BTCUSDT", "1")
    with pytest.raises(OutcomeUnknown):
        await exchange.set_leverage("BTCUSDT", 5)

    assert [line[1] for line in venue.lines()] == ["/v5/order/create", "/v5/order/cancel", "/v5/position/set-leverage"]


async def test_a_read_whose_connection_dies_is_sent_once(venue: RecordingVenue, exchange: BybitExchange) -> None:
    await exchange.get_instruments()
    venue.answer("/v5/account/wallet-balance", hang_up)
    with pytest.raises(ExchangeUnavailable):
        await exchange.get_balances()
    assert len(venue.lines()) == 1


@pytest.mark.parametrize("code", [10002, 10006, 30034, 30035, 130035, 130150])
async def test_what_the_sdk_would_repeat_is_sent_once(code: int, venue: RecordingVenue, exchange: BybitExchange) -> None:
    venue.answer("/v5/order/create", {"retCode": code, "retMsg": "no", "result": {}, "time": 1})
    with pytest.raises(Exception, match="no"):
        await exchange.place_order(limit_order())
    assert len(venue.lines()) == 1


async def test_a_refused_connection_is_not_sent(venue: RecordingVenue) -> None:
    await venue.stop()
    transport = Transport()
    with pytest.raises(NotSent):
        await BybitClient(config(), VenueContext(Endpoints(venue.url), transport)).place_order(symbol="BTCUSDT")
    await transport.aclose()


@pytest.mark.parametrize("value", ["a b", "a&symbol=ETHUSDT", "a#b", "a%zz", "", "ä", 'a"b', "a\nb"])
async def test_a_query_value_that_would_not_arrive_as_signed_is_refused(value: str, venue: RecordingVenue, context: VenueContext) -> None:
    with pytest.raises(BadParameter) as caught:
        await BybitClient(config(), context).get_executions(category="linear", orderId=value)
    assert caught.value.field == "orderId"
    assert venue.requests == []


def test_a_client_is_built_without_loop_session_or_log_handler() -> None:
    context = VenueContext(Endpoints("http://127.0.0.1:1"), Transport())
    gc.collect()
    handlers = logging.getLogger("pybit._http_manager").handlers[:]
    sessions = sum(issubclass(type(thing), requests.Session) for thing in gc.get_objects())

    exchange = BybitExchange(config(), context)

    assert sum(issubclass(type(thing), requests.Session) for thing in gc.get_objects()) == sessions
    assert logging.getLogger("pybit._http_manager").handlers == handlers
    for text in (repr(exchange._client), str(exchange._client), repr(exchange)):
        assert KEY not in text
        assert SECRET not in text


async def test_a_slow_confirmation_leaves_the_acknowledgement(
    venue: RecordingVenue, exchange: BybitExchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    released = asyncio.Event()

    async def wait(_: web.BaseRequest) -> web.StreamResponse:
        await released.wait()
        return web.Response()

    monkeypatch.setattr("exchanges.adapters.bybit.exchange.CONFIRM_DEADLINE_S", 0.05)
    venue.answer("/v5/order/create", payload("order_create"))
    venue.answer("/v5/order/realtime", wait)
    order = await asyncio.wait_for(exchange.place_order(limit_order()), timeout=5)
    released.set()
    assert (order.order_id, order.confirmed) == ("7d3e51c0-1f0a-4a52-9a1b-0000000000aa", False)
