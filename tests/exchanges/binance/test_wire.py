"""What leaves for the venue: paths, fields, order, quoting, signature, moment. Seen by a local server through the real transport."""

import asyncio
import gc
import hashlib
import hmac
import json
import tracemalloc
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from exchanges.adapters.binance.client import BinanceClient
from exchanges.adapters.binance.exchange import BinanceExchange
from exchanges.domain import OrderRequest, OrderSide, OrderType, TimeInForce
from exchanges.endpoints import Endpoints
from exchanges.errors import ExchangeAPIError, ExchangeUnavailable, NotSent, OutcomeUnknown
from exchanges.protocol import IExchangeClient
from exchanges.signing import SigningMoment, signing_at
from exchanges.transport import Transport
from exchanges.venue import VenueContext
from tests.exchanges.binance.venue_server import CONFIG, KEY, RESET, SECRET, Recorded, Setup

WIRE = Path(__file__).parents[4] / "shared" / "wire" / "binance.json"
OF_TRANSPORT = ("timestamp", "recvWindow", "signature")

SDK_CALLS: dict[str, tuple[str, dict[str, Any]]] = {
    "place_market": ("futures_create_order", {}),
    "place_limit": ("futures_create_order", {}),
    "place_limit_postonly": ("futures_create_order", {}),
    "close_position(=reduceOnly market)": ("futures_create_order", {}),
    "special_char_client_id": ("futures_create_order", {}),
    "cancel_by_id": ("futures_cancel_order", {}),
    "cancel_by_client": ("futures_cancel_order", {}),
    "cancel_algo": ("futures_cancel_order", {}),
    "order_status": ("futures_get_order", {}),
    "order_status_algo": ("futures_get_order", {}),
    "open_orders": ("futures_get_open_orders", {}),
    "open_orders_algo": ("futures_get_open_orders", {"conditional": True}),
    "positions": ("futures_position_information", {}),
    "account_v3": ("futures_account", {"version": 3}),
    "position_mode_get": ("futures_get_position_mode", {}),
    "set_leverage": ("futures_change_leverage", {}),
    "klines": ("futures_klines", {}),
    "mark_price": ("futures_mark_price", {}),
    "exchange_info": ("futures_exchange_info", {}),
    "order_book": ("futures_order_book", {}),
    "leverage_bracket": ("futures_leverage_bracket", {}),
    "margin_type": ("futures_change_margin_type", {}),
    "position_mode_set": ("futures_change_position_mode", {}),
}
"""Call in the recorded file -> the SDK's method and what it takes besides the fields that travel."""

MARKET = OrderRequest(
    symbol="BTCUSDT", side=OrderSide.BUY, order_type=OrderType.MARKET, quantity=Decimal("0.010"), client_order_id="cbmarket1"
)
LIMIT = OrderRequest(
    symbol="1000PEPEUSDT",
    side=OrderSide.SELL,
    order_type=OrderType.LIMIT,
    quantity=Decimal("5E+4"),
    price=Decimal("9.3E-7"),
    time_in_force=TimeInForce.GTX,
    reduce_only=True,
    client_order_id="cblimit1",
)
START = datetime(2025, 11, 24, 13, 0, tzinfo=UTC)
START_MS = 1_763_989_200_000

Call = Callable[[BinanceExchange], Awaitable[Any]]
OWN_EXPECTATIONS: list[tuple[str, Call, list[tuple[str, str, str]]]] = [
    (
        "market order",
        lambda exchange: exchange.place_order(MARKET),
        [
            (
                "POST",
                "/fapi/v1/order",
                "newClientOrderId=cbmarket1&newOrderRespType=RESULT&quantity=0.010&side=BUY&symbol=BTCUSDT&type=MARKET",
            )
        ],
    ),
    (
        "market order without a client id",
        lambda exchange: exchange.place_order(MARKET.model_copy(update={"client_order_id": None})),
        [("POST", "/fapi/v1/order", "newOrderRespType=RESULT&quantity=0.010&side=BUY&symbol=BTCUSDT&type=MARKET")],
    ),
    (
        "post-only reduce-only limit order in fixed notation",
        lambda exchange: exchange.place_order(LIMIT),
        [
            (
                "POST",
                "/fapi/v1/order",
                "newClientOrderId=cblimit1&newOrderRespType=RESULT&price=0.00000093&quantity=50000&reduceOnly=true&side=SELL"
                "&symbol=1000PEPEUSDT&timeInForce=GTX&type=LIMIT",
            )
        ],
    ),
    (
        "limit order without a time in force is GTC",
        lambda exchange: exchange.place_order(LIMIT.model_copy(update={"time_in_force": None, "reduce_only": False})),
        [
            (
                "POST",
                "/fapi/v1/order",
                "newClientOrderId=cblimit1&newOrderRespType=RESULT&price=0.00000093&quantity=50000&side=SELL&symbol=1000PEPEUSDT"
                "&timeInForce=GTC&type=LIMIT",
            )
        ],
    ),
    ("cancel", lambda exchange: exchange.cancel_order("BTCUSDT", "51"), [("DELETE", "/fapi/v1/order", "orderId=51&symbol=BTCUSDT")]),
    ("cancel conditional", lambda exchange: exchange.cancel_order("BTCUSDT", "algo-51"), [("DELETE", "/fapi/v1/algoOrder", "algoId=51")]),
    ("order", lambda exchange: exchange.get_order_status("BTCUSDT", "51"), [("GET", "/fapi/v1/order", "orderId=51&symbol=BTCUSDT")]),
    ("conditional order", lambda exchange: exchange.get_order_status("BTCUSDT", "algo-51"), [("GET", "/fapi/v1/algoOrder", "algoId=51")]),
    (
        "order by client id",
        lambda exchange: exchange.find_order("BTCUSDT", "cb1"),
        [("GET", "/fapi/v1/order", "origClientOrderId=cb1&symbol=BTCUSDT")],
    ),
    ("open orders", lambda exchange: exchange.get_open_orders(), [("GET", "/fapi/v1/openAlgoOrders", "")]),
    ("account", lambda exchange: exchange.get_balances(), [("GET", "/fapi/v3/account", "")]),
    ("position mode", lambda exchange: exchange.get_account(), [("GET", "/fapi/v1/positionSide/dual", "")]),
    ("leverage", lambda exchange: exchange.set_leverage("BTCUSDT", 7), [("POST", "/fapi/v1/leverage", "leverage=7&symbol=BTCUSDT")]),
    (
        "klines",
        lambda exchange: exchange.get_klines("BTCUSDT", "4h", 10, START),
        [("GET", "/fapi/v1/klines", f"interval=4h&limit=10&startTime={START_MS}&symbol=BTCUSDT")],
    ),
    ("instruments", lambda exchange: exchange.get_instruments(), [("GET", "/fapi/v1/exchangeInfo", "")]),
    ("server time", lambda exchange: exchange.get_server_time_ms(), [("GET", "/fapi/v1/time", "")]),
    (
        "order history",
        lambda exchange: exchange._client.futures_get_all_orders(symbol="BTCUSDT", limit=1000),
        [("GET", "/fapi/v1/allOrders", "limit=1000&symbol=BTCUSDT")],
    ),
    ("symbol settings", lambda exchange: exchange._client.futures_symbol_config(), [("GET", "/fapi/v1/symbolConfig", "")]),
    ("all mark prices", lambda exchange: exchange._client.futures_mark_price(), [("GET", "/fapi/v1/premiumIndex", "")]),
]


def sent(request: Recorded) -> tuple[str, str, str]:
    return request.method, request.path, "&".join(pair for pair in request.raw_parameters if pair.split("=")[0] not in OF_TRANSPORT)


@pytest.mark.parametrize("name", SDK_CALLS)
async def test_a_call_of_the_sdk_travels_as_the_unmodified_sdk_sends_it(setup: Setup, name: str) -> None:
    if not WIRE.is_file():
        pytest.skip(f"no recorded requests at {WIRE}")
    [recorded] = json.loads(WIRE.read_text())[name]["wire"]
    url = urlsplit(recorded["raw_path"])
    was = Recorded(recorded["method"], url.path, url.query, recorded["body"], {})
    fields = {name: value for name, value in parse_qsl(url.query or recorded["body"]) if name not in OF_TRANSPORT}
    method, extra = SDK_CALLS[name]

    with pytest.raises(ExchangeAPIError):
        await getattr(setup.exchange._client, method)(**fields, **extra)

    [request] = setup.server.requests
    assert sent(request) == sent(was)
    assert (request.body == "") == (recorded["body"] == "")
    assert set(request.parameters) == set(was.parameters)


@pytest.mark.parametrize(("name", "call", "expected"), OWN_EXPECTATIONS, ids=[name for name, *_ in OWN_EXPECTATIONS])
async def test_a_method_sends_exactly_this(setup: Setup, name: str, call: Call, expected: list[tuple[str, str, str]]) -> None:
    with pytest.raises(ExchangeAPIError):
        await call(setup.exchange)

    assert [sent(request) for request in setup.server.requests] == expected


async def test_what_travels_is_what_is_signed(setup: Setup) -> None:
    client = setup.exchange._client
    for call in (
        client.futures_create_order(symbol="BTCUSDT", newClientOrderId="a/b:c d"),
        client.futures_position_information(symbol="币安人生USDT"),
        client.futures_cancel_order(symbol="BTCUSDT", orderId=1),
    ):
        with pytest.raises(ExchangeAPIError):
            await call

    for request in setup.server.requests:
        payload, _, signature = (request.query or request.body).rpartition("&signature=")
        assert signature == hmac.new(SECRET.encode(), payload.encode(), hashlib.sha256).hexdigest()
        assert request.headers["X-MBX-APIKEY"] == KEY
    assert [request.query == "" for request in setup.server.requests] == [True, False, True], "DELETE has a form body as POST has"
    assert all(request.headers["Content-Type"] == "application/x-www-form-urlencoded" for request in setup.server.requests if request.body)


async def test_public_data_is_asked_without_key_and_signature(setup: Setup) -> None:
    for call in (setup.exchange.get_instruments(), setup.exchange.get_server_time_ms(), setup.exchange.get_klines("BTCUSDT", "1m")):
        with pytest.raises(ExchangeAPIError):
            await call

    assert len(setup.server.requests) == 3
    for request in setup.server.requests:
        assert "X-MBX-APIKEY" not in request.headers
        assert not set(request.parameters) & set(OF_TRANSPORT)


async def test_concurrent_orders_are_signed_with_their_stored_moments(setup: Setup) -> None:
    moments = {f"cb{number}": SigningMoment(1_700_000_000_000 + 7_919 * number, 1_000 + number) for number in range(20)}

    async def place(client_id: str) -> None:
        with signing_at(moments[client_id]):
            await asyncio.sleep(0)
            with pytest.raises(ExchangeAPIError):
                await setup.exchange.place_order(MARKET.model_copy(update={"client_order_id": client_id}))

    await asyncio.gather(*map(place, moments))

    arrived = {request.parameters["newClientOrderId"]: request.parameters for request in setup.server.requests}
    assert {
        client_id: SigningMoment(int(fields["timestamp"]), int(fields["recvWindow"])) for client_id, fields in arrived.items()
    } == moments


async def test_without_a_stored_moment_the_venues_clock_signs(setup: Setup) -> None:
    await setup.venue.clock.measure(lambda: asyncio.sleep(0, 1_900_000_000_000))
    before = setup.venue.clock.now_ms()

    with pytest.raises(ExchangeAPIError):
        await setup.exchange.get_balances()

    [request] = setup.server.requests
    assert before <= int(request.parameters["timestamp"]) <= setup.venue.clock.now_ms()
    assert request.parameters["recvWindow"] == "5000"


@pytest.mark.parametrize(
    ("call", "method", "path", "error"),
    [
        (lambda client: client.futures_create_order(symbol="BTCUSDT"), "POST", "/fapi/v1/order", OutcomeUnknown),
        (lambda client: client.futures_cancel_order(symbol="BTCUSDT", orderId=1), "DELETE", "/fapi/v1/order", OutcomeUnknown),
        (lambda client: client.futures_modify_order(symbol="BTCUSDT", orderId=1), "PUT", "/fapi/v1/order", OutcomeUnknown),
        (lambda client: client.futures_position_information(), "GET", "/fapi/v3/positionRisk", ExchangeUnavailable),
    ],
)
async def test_nothing_is_sent_twice_when_a_kept_connection_dies(setup: Setup, call: Any, method: str, path: str, error: Any) -> None:
    setup.server.on("GET", "/fapi/v1/time", {"serverTime": 1_763_990_000_000})
    setup.server.on(method, path, RESET)
    await setup.exchange.get_server_time_ms()

    with pytest.raises(error):
        await call(setup.exchange._client)

    await setup.exchange.get_server_time_ms()  # a round trip later
    assert len(setup.server.asked(path)) == 1


async def test_a_refused_connection_is_not_sent() -> None:
    transport = Transport()
    exchange = BinanceExchange(CONFIG, VenueContext(Endpoints("http://127.0.0.1:1"), transport))
    with pytest.raises(NotSent):
        await exchange.place_order(MARKET)
    await transport.aclose()


def test_a_client_is_built_without_a_loop_and_shows_no_secret() -> None:
    exchange = BinanceExchange(CONFIG, VenueContext(Endpoints("https://fapi.binance.com"), Transport()))

    client = exchange._client
    assert isinstance(exchange, IExchangeClient)
    assert client.FUTURES_URL == "https://fapi.binance.com/fapi"
    assert not {"session", "ws_api", "ws_future", "loop"} & set(vars(client))
    for text in (repr(client), repr(exchange), str(client)):
        assert KEY not in text
        assert SECRET not in text


async def test_errors_hold_no_secret(setup: Setup) -> None:
    setup.server.on("POST", "/fapi/v1/order", RESET)
    with pytest.raises(OutcomeUnknown) as caught:
        await setup.exchange.place_order(MARKET)

    signature = setup.server.requests[0].parameters["signature"]
    for text in (repr(caught.value), str(caught.value), repr(vars(caught.value)), repr(caught.value.__cause__)):
        assert not any(secret in text for secret in (KEY, SECRET, signature, "signature"))


def test_an_account_costs_little_memory() -> None:
    venue = VenueContext(Endpoints("https://fapi.binance.com"), Transport())
    BinanceExchange(CONFIG, venue)
    gc.collect()
    tracemalloc.start()
    accounts = [BinanceExchange(CONFIG, venue) for _ in range(100)]
    gc.collect()
    used, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert used / len(accounts) < 30_000


def test_the_send_method_is_the_one_of_the_sdk() -> None:
    assert "_request" in vars(BinanceClient.__mro__[1]), "the SDK renamed the method that everything goes through"
