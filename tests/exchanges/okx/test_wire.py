"""What each SDK call puts on the wire through our transport: compared with requests of python-okx 0.4.4 as it ships, byte for byte."""

import asyncio
import json
import logging
import sys
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from loguru import logger

from exchanges.adapters.okx.client import OkxClient, to_timestamp
from exchanges.domain import OrderRequest
from exchanges.endpoints import Endpoints
from exchanges.errors import ExchangeUnavailable, OutcomeUnknown
from exchanges.signing import SigningMoment, signing_at
from exchanges.transport import Transport
from exchanges.venue import VenueContext
from tests.exchanges.okx.venue import KEY, PASSPHRASE, RESET, SECRET, config, envelope, exchange_at, payload, recording_venue

SHARED_WIRE = Path(__file__).parents[4] / "shared" / "wire" / "okx.json"
BTC = "BTC-USDT-SWAP"
ORDER_TAIL = '"tgtCcy": "", "stpMode": "", "pxUsd": "", "pxVol": "", "banAmend": "", "attachAlgoOrds": null}'

# name in the shared capture -> (call, method, target, body)
CALLS = {
    "place_market": (
        lambda c: c.place_order(instId=BTC, tdMode="cross", side="buy", ordType="market", sz="1", clOrdId="my1"),
        "POST",
        "/api/v5/trade/order",
        '{"instId": "BTC-USDT-SWAP", "tdMode": "cross", "side": "buy", "ordType": "market", "sz": "1", "ccy": "", "clOrdId": "my1", '
        '"tag": "", "posSide": "", "px": "", "reduceOnly": "", ' + ORDER_TAIL,
    ),
    "place_limit": (
        lambda c: c.place_order(
            instId=BTC,
            tdMode="cross",
            side="buy",
            ordType="limit",
            sz="1",
            px="50000.1",
            posSide="net",
            reduceOnly="false",
            clOrdId="my2",
        ),
        "POST",
        "/api/v5/trade/order",
        '{"instId": "BTC-USDT-SWAP", "tdMode": "cross", "side": "buy", "ordType": "limit", "sz": "1", "ccy": "", "clOrdId": "my2", '
        '"tag": "", "posSide": "net", "px": "50000.1", "reduceOnly": "false", ' + ORDER_TAIL,
    ),
    "cancel": (
        lambda c: c.cancel_order(instId=BTC, ordId="1"),
        "POST",
        "/api/v5/trade/cancel-order",
        '{"instId": "BTC-USDT-SWAP", "ordId": "1", "clOrdId": ""}',
    ),
    "positions": (lambda c: c.get_positions(instType="SWAP"), "GET", "/api/v5/account/positions?instType=SWAP", ""),
    "balances": (lambda c: c.get_account_balance(), "GET", "/api/v5/account/balance", ""),
    "account_config": (lambda c: c.get_account_config(), "GET", "/api/v5/account/config", ""),
    "klines": (
        lambda c: c.get_candlesticks(instId=BTC, after="2", bar="1m", limit="5"),
        "GET",
        "/api/v5/market/candles?instId=BTC-USDT-SWAP&after=2&bar=1m&limit=5",
        "",
    ),
    "klines_history": (
        lambda c: c.get_history_candlesticks(instId=BTC, bar="1H", limit="100"),
        "GET",
        "/api/v5/market/history-candles?instId=BTC-USDT-SWAP&bar=1H&limit=100",
        "",
    ),
    "order_status": (
        lambda c: c.get_order(instId=BTC, clOrdId="my1"),
        "GET",
        "/api/v5/trade/order?instId=BTC-USDT-SWAP&clOrdId=my1",
        "",
    ),
    "open_orders": (lambda c: c.get_order_list(instType="SWAP"), "GET", "/api/v5/trade/orders-pending?instType=SWAP", ""),
    "open_algo": (
        lambda c: c.order_algos_list(ordType="conditional,oco", instType="SWAP"),
        "GET",
        "/api/v5/trade/orders-algo-pending?ordType=conditional,oco&instType=SWAP",
        "",
    ),
    "orders_history": (lambda c: c.get_orders_history(instType="SWAP"), "GET", "/api/v5/trade/orders-history?instType=SWAP", ""),
    "set_leverage": (
        lambda c: c.set_leverage(lever="5", mgnMode="cross", instId=BTC),
        "POST",
        "/api/v5/account/set-leverage",
        '{"lever": "5", "mgnMode": "cross", "instId": "BTC-USDT-SWAP", "ccy": "", "posSide": ""}',
    ),
    "set_leverage_iso_hedge": (
        lambda c: c.set_leverage(lever="5", mgnMode="isolated", instId=BTC, posSide="long"),
        "POST",
        "/api/v5/account/set-leverage",
        '{"lever": "5", "mgnMode": "isolated", "instId": "BTC-USDT-SWAP", "ccy": "", "posSide": "long"}',
    ),
    "set_position_mode": (
        lambda c: c.set_position_mode(posMode="long_short_mode"),
        "POST",
        "/api/v5/account/set-position-mode",
        '{"posMode": "long_short_mode"}',
    ),
    "ticker": (lambda c: c.get_ticker(instId=BTC), "GET", "/api/v5/market/ticker?instId=BTC-USDT-SWAP", ""),
    "orderbook": (lambda c: c.get_orderbook(instId=BTC, sz="20"), "GET", "/api/v5/market/books?instId=BTC-USDT-SWAP&sz=20", ""),
    "funding": (lambda c: c.get_funding_rate(instId=BTC), "GET", "/api/v5/public/funding-rate?instId=BTC-USDT-SWAP", ""),
    "instruments": (lambda c: c.get_instruments(instType="SWAP"), "GET", "/api/v5/public/instruments?instType=SWAP", ""),
    "mark_price": (
        lambda c: c.get_mark_price(instType="SWAP", instId=BTC),
        "GET",
        "/api/v5/public/mark-price?instType=SWAP&instId=BTC-USDT-SWAP",
        "",
    ),
    "system_time": (lambda c: c.get_system_time(), "GET", "/api/v5/public/time", ""),
}
IS_PUBLIC = {"klines", "klines_history", "instruments", "mark_price", "system_time", "ticker", "orderbook", "funding"}


async def send(call, *, is_paper=False, moment=None):
    async with recording_venue() as venue:
        transport = Transport()
        client = OkxClient(config(), VenueContext(Endpoints(venue.url, is_paper=is_paper), transport))
        with signing_at(moment or SigningMoment(1_763_900_000_123)):
            assert await call(client) == []
        await transport.aclose()
    (request,) = venue.requests
    return request


@pytest.mark.parametrize("name", CALLS)
async def test_a_call_on_the_wire(name):
    call, method, target, body = CALLS[name]
    request = await send(call)
    assert (request.method, request.target, request.body) == (method, target, body)


@pytest.mark.parametrize("name", CALLS)
async def test_a_call_is_what_the_sdk_sends_by_itself(name):
    if not SHARED_WIRE.exists():
        pytest.skip(f"{SHARED_WIRE} is not there: the captured requests are compared where it is")
    (captured,) = json.loads(SHARED_WIRE.read_text())[name]["wire"]
    request = await send(CALLS[name][0])
    assert (request.method, request.target, request.body) == (captured["method"], captured["raw_path"], captured["body"])
    assert request.headers["Content-Type"] == captured["headers"]["Content-Type"]


@pytest.mark.parametrize("name", CALLS)
async def test_account_calls_are_signed_and_public_ones_carry_no_key(name):
    request = await send(CALLS[name][0])
    if name in IS_PUBLIC:
        assert not [header for header in request.headers if header.upper().startswith("OK-ACCESS")]
    else:
        assert request.headers["OK-ACCESS-SIGN"] == request.signature_by(SECRET)
        assert request.headers["OK-ACCESS-TIMESTAMP"] == "2025-11-23T12:13:20.123Z"
        assert (request.headers["OK-ACCESS-KEY"], request.headers["OK-ACCESS-PASSPHRASE"]) == (KEY, PASSPHRASE)


@pytest.mark.parametrize("name", CALLS)
async def test_only_orders_are_fenced(name):
    request = await send(CALLS[name][0], moment=SigningMoment(1_763_900_000_123, 2_000))
    assert request.headers.get("expTime") == ("1763900002123" if name.startswith("place_") else None)


@pytest.mark.parametrize(("is_paper", "flag"), [(True, "1"), (False, "0")])
@pytest.mark.parametrize("name", ["place_market", "instruments"])
async def test_paper_trading_is_told_by_a_header(is_paper, flag, name):
    assert (await send(CALLS[name][0], is_paper=is_paper)).headers["x-simulated-trading"] == flag


async def test_a_base_address_with_a_path_is_not_part_of_the_signature():
    async with recording_venue() as venue:
        transport = Transport()
        client = OkxClient(config(), VenueContext(Endpoints(f"{venue.url}/okx"), transport))
        await client.get_account_balance()
        await transport.aclose()
    (request,) = venue.requests
    assert urlsplit(request.target).path == "/okx/api/v5/account/balance"
    inner = type(request)(request.method, request.target.removeprefix("/okx"), request.headers, request.body)
    assert request.headers["OK-ACCESS-SIGN"] == inner.signature_by(SECRET)


async def test_concurrent_orders_carry_the_moments_that_were_stored_for_them():
    moments = {f"cb{number}": SigningMoment(1_763_900_000_000 + number * 137, 2_000 + number) for number in range(20)}
    async with recording_venue() as venue:
        venue.script["POST /api/v5/trade/order"] = lambda request: envelope(
            {"ordId": "1", "clOrdId": request.json["clOrdId"], "sCode": "0"}
        )
        async with exchange_at(venue) as exchange:
            await exchange.get_mark_prices()  # the catalogue is there before the orders start

            async def place(client_order_id, moment):
                with signing_at(moment):
                    await exchange.place_order(
                        OrderRequest.model_validate(
                            {
                                "symbol": "BTCUSDT",
                                "side": "BUY",
                                "order_type": "MARKET",
                                "quantity": "0.01",
                                "client_order_id": client_order_id,
                            }
                        )
                    )

            await asyncio.gather(*(place(*item) for item in moments.items()))
    sent = {request.json["clOrdId"]: request for request in venue.sent_to("/trade/order", "POST")}
    assert {name: (request.headers["OK-ACCESS-TIMESTAMP"], request.headers["expTime"]) for name, request in sent.items()} == {
        name: (to_timestamp(moment.timestamp_ms), str(moment.fence_ms)) for name, moment in moments.items()
    }
    assert all(request.headers["OK-ACCESS-SIGN"] == request.signature_by(SECRET) for request in sent.values())


async def test_without_a_stored_moment_the_venues_clock_is_signed():
    async with recording_venue() as venue:
        transport = Transport()
        context = VenueContext(Endpoints(venue.url), transport)
        client = OkxClient(config(), context)

        async def an_hour_ahead() -> int:
            return context.clock.now_ms() + 3_600_000

        await context.clock.measure(an_hour_ahead)
        before = context.clock.now_ms()
        await client.get_account_balance()
        after = context.clock.now_ms()
        await transport.aclose()
    assert to_timestamp(before) <= venue.requests[0].headers["OK-ACCESS-TIMESTAMP"] <= to_timestamp(after)


@pytest.mark.parametrize("is_kept", [False, True], ids=["new connection", "kept connection"])
@pytest.mark.parametrize(
    ("name", "error_class"),
    [("place_limit", OutcomeUnknown), ("cancel", OutcomeUnknown), ("set_leverage", OutcomeUnknown), ("positions", ExchangeUnavailable)],
)
async def test_a_request_whose_answer_was_lost_is_not_sent_again(name, error_class, is_kept):
    call, _, target, _ = CALLS[name]
    path = target.partition("?")[0]
    async with recording_venue() as venue:
        venue.script[path] = [envelope(), RESET] if is_kept else RESET
        transport = Transport()
        client = OkxClient(config(), VenueContext(Endpoints(venue.url), transport))
        if is_kept:
            await call(client)
        with pytest.raises(error_class):
            await call(client)
        await transport.aclose()
    assert len(venue.requests) == (2 if is_kept else 1)


def test_building_a_client_needs_no_loop_and_makes_no_session_or_handler(monkeypatch):
    def refuse(*_args, **_kwargs):
        raise AssertionError("an httpx client was built")

    monkeypatch.setattr(httpx.Client, "__init__", refuse)
    handlers = list(logging.getLogger().handlers)
    client = OkxClient(config(), VenueContext(Endpoints("http://127.0.0.1:1"), Transport()))
    assert logging.getLogger().handlers == handlers
    assert sum(sys.getsizeof(part) for part in (client, vars(client))) < 2_000


async def test_no_secret_is_in_repr_errors_or_logs(caplog):
    lines: list[str] = []
    sink = logger.add(lines.append, level="TRACE")
    caplog.set_level(logging.DEBUG)
    try:
        async with recording_venue() as venue:
            venue.script["/api/v5/account/balance"] = [payload("order_refused"), RESET, envelope(code="50113", msg="Invalid Sign")]
            transport = Transport()
            client = OkxClient(config(), VenueContext(Endpoints(venue.url), transport))
            shown = [repr(client), str(client), repr(vars(client))]
            for _ in range(3):
                try:
                    await client.get_account_balance()
                except Exception as error:
                    shown += [repr(error), str(error), repr(vars(error)), repr(error.__cause__)]
            await transport.aclose()
    finally:
        logger.remove(sink)
    text = "\n".join(shown + lines) + caplog.text
    secrets = [SECRET, PASSPHRASE, KEY, *(request.headers["OK-ACCESS-SIGN"] for request in venue.requests)]
    assert len(venue.requests) == 3
    assert not [secret for secret in secrets if secret in text]
