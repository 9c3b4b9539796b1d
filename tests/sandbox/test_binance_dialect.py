"""Who may ask the simulated Binance, and what it refuses: keys, signatures, timestamps, parameters, filters."""

from collections.abc import AsyncIterator, Callable

import pytest

from exchanges.sandbox.binance import errors
from exchanges.sandbox.model import Reason, Refused
from tests.sandbox.binance_venue import BTC, Client, Served, serve_binance

BALANCE = "/fapi/v3/balance"


@pytest.fixture
async def venue() -> AsyncIterator[Served]:
    async with serve_binance() as served:
        yield served


@pytest.fixture
def client(venue: Served) -> Client:
    return venue.client()


# Keys and signatures


async def test_unknown_key_and_malformed_key_are_refused_as_unauthorized(client: Client) -> None:
    query = f"timestamp={client.clock()}&signature=00"
    assert (await client.send("GET", BALANCE, query=query)).refusal == (401, -2014)
    assert (await client.send("GET", BALANCE, query=query, key="a b")).refusal == (401, -2014)
    assert (await client.send("GET", BALANCE, query=query, key="another-venues-key")).refusal == (401, -2015)
    assert (await client.send("POST", "/fapi/v1/listenKey", key="another-venues-key")).refusal == (401, -2015)


async def test_wrong_or_missing_signature_is_refused(client: Client) -> None:
    stamp = f"timestamp={client.clock()}"
    assert (await client.send("GET", BALANCE, query=stamp, key=client.key)).refusal == (400, -1102)
    assert (await client.send("GET", BALANCE, query=f"{stamp}&signature=00", key=client.key)).refusal == (400, -1022)
    another = Client(client.http, client.base, client.clock, "another").signature(stamp)
    assert (await client.send("GET", BALANCE, query=f"{stamp}&signature={another}", key=client.key)).refusal == (400, -1022)


async def test_changed_parameter_breaks_the_signature(client: Client) -> None:
    text = f"symbol=BTCUSDT&leverage=5&timestamp={client.clock()}"
    sent = text.replace("leverage=5", "leverage=6") + f"&signature={client.signature(text)}"
    assert (await client.send("POST", "/fapi/v1/leverage", body=sent, key=client.key)).refusal == (400, -1022)


async def test_signature_covers_the_bytes_sent_not_their_meaning(client: Client) -> None:
    meant = f"newClientOrderId=a/b:c&timestamp={client.clock()}"
    sent = meant.replace("a/b:c", "a%2Fb%3Ac")
    answer = await client.send("POST", "/fapi/v1/order", body=f"{sent}&signature={client.signature(meant)}", key=client.key)
    assert answer.refusal == (400, -1022)


async def test_query_and_body_are_signed_joined_and_the_query_wins(client: Client) -> None:
    query, body = "symbol=BTCUSDT&leverage=7", f"leverage=9&timestamp={client.clock()}"
    signature = client.signature(query + body)
    answer = await client.send("POST", "/fapi/v1/leverage", query=query, body=f"{body}&signature={signature}", key=client.key)
    assert answer.status == 200
    assert answer.body["leverage"] == 7


async def test_parameters_may_come_in_the_query_for_every_verb(client: Client) -> None:
    query = f"symbol=BTCUSDT&leverage=7&timestamp={client.clock()}"
    answer = await client.send("POST", "/fapi/v1/leverage", query=f"{query}&signature={client.signature(query)}", key=client.key)
    assert answer.status == 200


async def test_duplicate_parameter_is_refused(client: Client) -> None:
    assert (await client.send("GET", "/fapi/v1/depth", query="symbol=BTCUSDT&symbol=ETHUSDT")).refusal == (400, -1101)


# Timestamps


@pytest.mark.parametrize(
    ("age_ms", "window", "code"),
    [
        (6_000, None, -1021),
        (4_000, None, None),
        (6_000, 10_000, None),
        (30_000, 60_000, None),
        (100, 60_001, -1131),
        (100, "soon", -1102),
        (-1_500, 60_000, -1021),
        (-500, None, None),
    ],
)
async def test_timestamp_must_lie_in_its_window(client: Client, age_ms: int, window: object, code: int | None) -> None:
    parameters = {} if window is None else {"recvWindow": window}
    answer = await client.get(BALANCE, **{"timestamp": client.clock() - age_ms, **parameters})
    assert (answer.body["code"] if answer.status != 200 else None) == code


async def test_timestamp_is_mandatory_and_an_integer(client: Client) -> None:
    assert (await client.get(BALANCE, timestamp="")).refusal == (400, -1102)
    assert (await client.get(BALANCE, timestamp="today")).refusal == (400, -1102)


# Order parameters and filters

Change = Callable[[Served], dict[str, object]]


def _limit(factor: str = "0.97", **fields: object) -> Change:
    return lambda venue: {"type": "LIMIT", "timeInForce": "GTC", "price": venue.price(factor), **fields}


def _market(**fields: object) -> Change:
    return lambda _: fields


REFUSED: dict[str, tuple[Change, int]] = {
    "no symbol": (_market(symbol=None), -1102),
    "unknown symbol": (_market(symbol="BTCEUR"), -1121),
    "no side": (_market(side=None), -1102),
    "unknown side": (_market(side="LONG"), -1117),
    "no type": (_market(type=None), -1102),
    "unknown type": (_market(type="ICEBERG"), -1116),
    "conditional type": (_market(type="STOP_MARKET", stopPrice="1"), -4120),
    "market with price": (_market(price="50000.00"), -1106),
    "market with time in force": (_market(timeInForce="GTC"), -1106),
    "market with stop price": (_market(stopPrice="50000.00"), -1106),
    "market that closes the position": (_market(closePosition="true"), -4136),
    "no quantity": (_market(quantity=None), -1102),
    "empty quantity": (_market(quantity=""), -1105),
    "quantity in words": (_market(quantity="some"), -1102),
    "quantity in scientific notation": (_market(quantity="1e-05"), -1102),
    "quantity zero": (_market(quantity="0"), -4003),
    "quantity negative": (_market(quantity="-0.010"), -4003),
    "quantity too fine": (_market(quantity="0.0101"), -1111),
    "quantity beyond the largest market order": (_market(quantity="120.001"), -4005),
    "quantity beyond the largest order": (_limit(quantity="1000.001"), -4005),
    "limit without price": (_limit(price=None), -1102),
    "limit without time in force": (_limit(timeInForce=None), -1102),
    "limit with unknown time in force": (_limit(timeInForce="GTD"), -1115),
    "price zero": (_limit(price="0"), -4001),
    "price beyond the largest": (_limit(price="4529765"), -4002),
    "price below the smallest": (_limit(price="556.70"), -4013),
    "price too fine": (_limit(price="50000.001"), -1111),
    "price off the tick": (_limit(price="50000.05"), -4014),
    "buy above the band": (_limit("1.06"), -4016),
    "sell below the band": (_limit("0.94", side="SELL"), -4024),
    "notional too small": (_limit(quantity="0.001", price="600.00"), -4164),
    "reduce-only without position": (_market(reduceOnly="true"), -2022),
    "reduce-only in words": (_market(reduceOnly="yes"), -1102),
    "hedge mode side": (_market(positionSide="LONG"), -4061),
    "unknown position side": (_market(positionSide="UP"), -4060),
    "client id too long": (_market(newClientOrderId="x" * 37), -4015),
    "client id with a space": (_market(newClientOrderId="my order"), -1100),
    "unknown response type": (_market(newOrderRespType="FULL"), -1136),
    "unknown self trade prevention": (_market(selfTradePreventionMode="SOME"), -5039),
    "price match": (_limit(priceMatch="QUEUE"), -5037),
    "more than the account can margin": (_market(quantity="100"), -2019),
    "post-only that would take": (_limit("1.02", timeInForce="GTX"), -5022),
}


@pytest.mark.parametrize("case", REFUSED)
async def test_refused_order_has_the_venues_code_and_leaves_no_trace(venue: Served, client: Client, case: str) -> None:
    change, code = REFUSED[case]

    assert (await client.order(**change(venue))).refusal == (400, code)

    assert (await client.get("/fapi/v1/allOrders", symbol=BTC)).body == []


async def test_smallest_notional_counts_the_mark_and_spares_reduce_only(venue: Served, client: Client) -> None:
    small = {"symbol": "LTCUSDT", "quantity": "0.100"}
    refused = await client.order(**small)
    assert refused.refusal == (400, -4164)
    assert refused.body["msg"] == "Order's notional must be no smaller than 20.0 (unless you choose reduce only)"
    assert (await client.order(symbol="LTCUSDT", quantity="1.000")).status == 200
    assert (await client.order(**small, side="SELL", reduceOnly="true")).status == 200


async def test_band_is_quoted_in_the_refusal(venue: Served, client: Client) -> None:
    answer = await client.order(**_limit("1.08")(venue))
    assert answer.body["msg"].startswith("Limit price can't be higher than ")


async def test_test_order_is_checked_like_an_order_and_places_none(venue: Served, client: Client) -> None:
    order = {"symbol": BTC, "side": "BUY", "type": "MARKET"}
    shown = (await client.post("/fapi/v1/order/test", **order, quantity="0.010")).body
    assert (shown["orderId"], shown["status"], shown["executedQty"]) == (0, "NEW", "0.000")
    assert (await client.post("/fapi/v1/order/test", **order, quantity="0.0101")).refusal == (400, -1111)
    assert (await client.get("/fapi/v1/allOrders", symbol=BTC)).body == []


# Everything else that is refused


@pytest.mark.parametrize(
    ("path", "parameters", "code"),
    [
        ("/fapi/v1/klines", {"symbol": BTC}, -1102),
        ("/fapi/v1/klines", {"symbol": BTC, "interval": "7m"}, -1120),
        ("/fapi/v1/klines", {"symbol": BTC, "interval": "1m", "limit": 1501}, -1130),
        ("/fapi/v1/klines", {"symbol": BTC, "interval": "1m", "startTime": 2, "endTime": 1}, -1023),
        ("/fapi/v1/depth", {"symbol": BTC, "limit": 7}, -4021),
        ("/fapi/v1/depth", {"symbol": "XYZUSDT"}, -1121),
        ("/fapi/v1/aggTrades", {"symbol": BTC, "fromId": 1, "startTime": 1}, -1128),
        ("/fapi/v1/ticker/24hr", {"symbol": "BTCUSD_201225"}, -1121),
    ],
)
async def test_market_data_request_is_refused(client: Client, path: str, parameters: dict[str, object], code: int) -> None:
    assert (await client.public(path, **parameters)).refusal == (400, code)


async def test_unknown_path_and_unknown_verb_are_refused_as_the_venue_does(client: Client) -> None:
    answer = await client.public("/fapi/v1/nothing")
    assert answer.refusal == (404, -5000)
    assert answer.body["msg"] == "Path /fapi/v1/nothing, Method GET is invalid"
    assert (await client.send("POST", "/fapi/v1/ping")).refusal == (404, -5000)


@pytest.mark.parametrize(
    ("path", "parameters", "code"),
    [
        ("/fapi/v1/leverage", {"symbol": BTC, "leverage": 126}, -4028),
        ("/fapi/v1/leverage", {"symbol": BTC, "leverage": 0}, -4028),
        ("/fapi/v1/leverage", {"symbol": BTC}, -1102),
        ("/fapi/v1/marginType", {"symbol": BTC, "marginType": "CROSSED"}, -4046),
        ("/fapi/v1/marginType", {"symbol": BTC, "marginType": "BOTH"}, -1102),
        ("/fapi/v1/positionSide/dual", {"dualSidePosition": "false"}, -4059),
        ("/fapi/v1/positionSide/dual", {"dualSidePosition": "hedge"}, -1102),
        ("/fapi/v1/positionSide/dual", {}, -1102),
        ("/fapi/v1/multiAssetsMargin", {"multiAssetsMargin": "false"}, -4171),
        ("/fapi/v1/multiAssetsMargin", {"multiAssetsMargin": "true"}, -1020),
        ("/fapi/v1/algoOrder", {"algoType": "CONDITIONAL", "symbol": BTC, "side": "SELL", "type": "STOP_MARKET"}, -1116),
        ("/fapi/v1/algoOrder", {"symbol": BTC, "side": "SELL", "type": "STOP_MARKET"}, -1102),
    ],
)
async def test_setting_is_refused(client: Client, path: str, parameters: dict[str, object], code: int) -> None:
    assert (await client.post(path, **parameters)).refusal == (400, code)


async def test_mode_change_is_refused_by_what_stands_in_its_way(venue: Served) -> None:
    client = venue.client("demo")
    isolated = {"symbol": "SOLUSDT", "marginType": "ISOLATED"}
    assert (await client.post("/fapi/v1/positionSide/dual", dualSidePosition="true")).refusal == (400, -4067)
    assert (await client.post("/fapi/v1/marginType", **isolated)).refusal == (400, -4048)
    assert (await client.post("/fapi/v1/marginType", symbol="BNBUSDT", marginType="ISOLATED")).refusal == (400, -4047)
    for symbol in ("BTCUSDT", "ETHUSDT", "BNBUSDT"):
        await client.delete("/fapi/v1/allOpenOrders", symbol=symbol)
    assert (await client.post("/fapi/v1/positionSide/dual", dualSidePosition="true")).refusal == (400, -4068)


SETTINGS_ONLY = {Reason.UNCHANGED, Reason.OPEN_ORDERS, Reason.OPEN_POSITIONS}  # each setting has its own code for these
OF_OTHER_VENUES = {Reason.MARGIN_MODE, Reason.WOULD_LIQUIDATE}


@pytest.mark.parametrize("reason", sorted(set(Reason) - SETTINGS_ONLY - OF_OTHER_VENUES))
def test_every_refusal_of_the_engine_has_a_code_and_words(reason: Reason) -> None:
    answer = errors.from_refusal(Refused(reason))
    assert answer.code < 0
    assert answer.text


async def test_failure_inside_answers_as_the_venues_unknown_error(venue: Served, client: Client, caplog: pytest.LogCaptureFixture) -> None:
    venue.clock.ahead_ms = 1 << 62  # a clock that no calendar holds

    answer = await client.public("/fapi/v1/klines", symbol=BTC, interval="1M")

    assert answer.refusal == (500, -1000)
    assert "failed" in caplog.text
    venue.clock.ahead_ms = 0
    assert (await client.public("/fapi/v1/ping")).status == 200
