"""Orders, fills, positions and money of the simulated Binance, over its REST protocol."""

import json
from collections.abc import AsyncIterator
from decimal import Decimal

import pytest

from tests.sandbox.binance_venue import BTC, Client, Served, serve_binance

DAY_MS = 86_400_000


@pytest.fixture
async def venue() -> AsyncIterator[Served]:
    async with serve_binance() as served:
        yield served


@pytest.fixture
def client(venue: Served) -> Client:
    return venue.client()


async def _resting(venue: Served, client: Client, **fields: object) -> dict[str, object]:
    answer = await client.order(type="LIMIT", timeInForce="GTC", price=venue.price("0.96"), **fields)
    assert answer.body["status"] == "NEW"
    return dict(answer.body)


async def test_market_order_fills_and_the_books_agree(client: Client) -> None:
    order = (await client.order(newClientOrderId="mine")).body
    assert (order["status"], order["executedQty"], order["type"], order["price"]) == ("FILLED", "0.010", "MARKET", "0.00")
    assert isinstance(order["orderId"], int)

    (position,) = (await client.get("/fapi/v3/positionRisk")).body
    assert (position["symbol"], position["positionAmt"]) == (BTC, "0.010")
    assert abs(Decimal(position["entryPrice"]) - Decimal(order["avgPrice"])) <= Decimal("0.00001")

    fills = (await client.get("/fapi/v1/userTrades", symbol=BTC)).body
    assert sum(Decimal(fill["qty"]) for fill in fills) == Decimal("0.010")
    assert sum(Decimal(fill["quoteQty"]) for fill in fills) == Decimal(order["cumQuote"])
    fee = sum(Decimal(fill["commission"]) for fill in fills)
    assert abs(fee - Decimal(order["cumQuote"]) * Decimal("0.0005")) < Decimal("0.0000001")

    account = (await client.get("/fapi/v2/account")).body
    assert Decimal(account["totalWalletBalance"]) == 100_000 - fee
    assert Decimal(account["totalMarginBalance"]) == Decimal(account["totalWalletBalance"]) + Decimal(account["totalUnrealizedProfit"])


async def test_acknowledgement_shows_the_order_before_it_matched(client: Client) -> None:
    taken = (await client.order(newOrderRespType="ACK")).body
    assert (taken["status"], taken["executedQty"], taken["cumQty"], taken["avgPrice"]) == ("NEW", "0.000", "0.000", "0.00000")
    assert (await client.get("/fapi/v1/order", symbol=BTC, orderId=taken["orderId"])).body["status"] == "FILLED"


async def test_order_without_client_id_is_given_one(client: Client) -> None:
    first, second = (await client.order()).body, (await client.order()).body
    assert first["clientOrderId"]
    assert first["clientOrderId"] != second["clientOrderId"]


async def test_client_id_is_unique_among_open_orders_only(venue: Served, client: Client) -> None:
    await client.order(newClientOrderId="twice")
    assert (await client.order(newClientOrderId="twice")).status == 200
    await _resting(venue, client, newClientOrderId="once")
    assert (await client.order(newClientOrderId="once")).refusal == (400, -4116)


async def test_resting_order_is_listed_found_and_canceled_once(venue: Served, client: Client) -> None:
    order = await _resting(venue, client, newClientOrderId="resting")
    identity = {"symbol": BTC, "origClientOrderId": "resting"}

    assert [each["orderId"] for each in (await client.get("/fapi/v1/openOrders")).body] == [order["orderId"]]
    assert (await client.get("/fapi/v1/openOrder", **identity)).body["orderId"] == order["orderId"]
    canceled = (await client.delete("/fapi/v1/order", **identity)).body

    assert (canceled["status"], canceled["orderId"]) == ("CANCELED", order["orderId"])
    assert (await client.delete("/fapi/v1/order", **identity)).refusal == (400, -2011)
    assert (await client.get("/fapi/v1/openOrder", **identity)).refusal == (400, -2013)
    assert (await client.get("/fapi/v1/order", **identity)).body["status"] == "CANCELED"
    assert (await client.get("/fapi/v1/openOrders", symbol=BTC)).body == []


async def test_unknown_order_is_not_found_and_needs_a_name(client: Client) -> None:
    assert (await client.get("/fapi/v1/order", symbol=BTC, orderId=1)).refusal == (400, -2013)
    assert (await client.get("/fapi/v1/order", symbol=BTC)).refusal == (400, -1102)
    assert (await client.delete("/fapi/v1/order", symbol=BTC, origClientOrderId="none")).refusal == (400, -2011)


async def test_order_of_another_account_does_not_exist(venue: Served, client: Client) -> None:
    order = await _resting(venue, client)
    stranger = venue.client("stranger")
    assert (await stranger.get("/fapi/v1/order", symbol=BTC, orderId=order["orderId"])).refusal == (400, -2013)
    assert (await stranger.delete("/fapi/v1/order", symbol=BTC, orderId=order["orderId"])).refusal == (400, -2011)


@pytest.mark.parametrize(("time_in_force", "status"), [("IOC", "EXPIRED"), ("FOK", "EXPIRED"), ("GTX", "NEW")])
async def test_time_in_force_decides_what_an_unfillable_order_becomes(
    venue: Served, client: Client, time_in_force: str, status: str
) -> None:
    order = (await client.order(type="LIMIT", timeInForce=time_in_force, price=venue.price("0.96"))).body
    assert (order["status"], order["timeInForce"], order["executedQty"]) == (status, time_in_force, "0.000")


async def test_reduce_only_close_realises_and_flattens(client: Client) -> None:
    await client.order()
    closed = (await client.order(side="SELL", reduceOnly="true", quantity="0.010")).body
    assert (closed["status"], closed["reduceOnly"]) == ("FILLED", True)
    assert (await client.get("/fapi/v3/positionRisk")).body == []
    income = (await client.get("/fapi/v1/income", symbol=BTC)).body
    wallet = Decimal((await client.get("/fapi/v3/balance")).body[0]["balance"])
    assert wallet == 100_000 + sum(Decimal(row["income"]) for row in income)
    assert {row["incomeType"] for row in income} == {"COMMISSION", "REALIZED_PNL"}
    assert {row["incomeType"] for row in (await client.get("/fapi/v1/income", incomeType="COMMISSION")).body} == {"COMMISSION"}


async def test_batch_answers_each_item_in_its_place(venue: Served, client: Client) -> None:
    good = {"symbol": "LTCUSDT", "side": "BUY", "type": "LIMIT", "timeInForce": "GTC", "quantity": 1, "price": "60.00"}
    items = [good | {"quantity": "100000"}, good, good | {"type": "STOP_MARKET"}, good | {"side": "SELL", "reduceOnly": True}]

    answer = await client.post("/fapi/v1/batchOrders", batchOrders=json.dumps(items))

    assert [item.get("code", item.get("status")) for item in answer.body] == [-4005, "NEW", -4120, -4024]
    assert answer.headers["X-MBX-ORDER-COUNT-10S"] == "4"
    placed = answer.body[1]["orderId"]
    canceled = await client.delete("/fapi/v1/batchOrders", symbol="LTCUSDT", orderIdList=f"[{placed},1]")
    assert [item.get("code", item.get("status")) for item in canceled.body] == ["CANCELED", -2011]


async def test_batch_takes_one_to_five_orders(client: Client) -> None:
    item = {"symbol": BTC, "side": "BUY", "type": "MARKET", "quantity": "0.010"}
    assert (await client.post("/fapi/v1/batchOrders", batchOrders=json.dumps([item] * 6))).refusal == (400, -4082)
    assert (await client.post("/fapi/v1/batchOrders", batchOrders="[]")).refusal == (400, -4082)
    assert (await client.post("/fapi/v1/batchOrders", batchOrders="{")).refusal == (400, -1102)
    assert (await client.post("/fapi/v1/batchOrders")).refusal == (400, -1102)


async def test_cancel_all_cancels_one_symbol(venue: Served, client: Client) -> None:
    await _resting(venue, client)
    other = {"symbol": "ETHUSDT", "quantity": "0.100", "price": venue.price("0.96", "ETHUSDT")}
    await client.order(type="LIMIT", timeInForce="GTC", **other)
    assert (await client.delete("/fapi/v1/allOpenOrders", symbol=BTC)).body["code"] == 200
    assert [order["symbol"] for order in (await client.get("/fapi/v1/openOrders")).body] == ["ETHUSDT"]


async def test_conditional_family_is_empty(client: Client) -> None:
    assert (await client.get("/fapi/v1/openAlgoOrders")).body == []
    assert (await client.get("/fapi/v1/allAlgoOrders", symbol=BTC)).body == []
    assert (await client.get("/fapi/v1/algoOrder", clientAlgoId="mine")).refusal == (400, -2013)
    assert (await client.delete("/fapi/v1/algoOrder", algoId=1)).refusal == (400, -2011)
    assert (await client.get("/fapi/v1/algoOrder")).refusal == (400, -1102)
    assert (await client.delete("/fapi/v1/algoOpenOrders", symbol=BTC)).body["code"] == 200


async def test_unfilled_ended_order_is_forgotten_after_three_days(venue: Served, client: Client) -> None:
    filled = (await client.order()).body
    order = await _resting(venue, client)
    await client.delete("/fapi/v1/order", symbol=BTC, orderId=order["orderId"])
    venue.clock.ahead_ms = 3 * DAY_MS + 60_000
    assert (await client.get("/fapi/v1/order", symbol=BTC, orderId=order["orderId"])).refusal == (400, -2013)
    assert (await client.get("/fapi/v1/order", symbol=BTC, orderId=filled["orderId"])).status == 200
    assert [each["orderId"] for each in (await client.get("/fapi/v1/allOrders", symbol=BTC)).body] == [filled["orderId"]]


async def test_history_pages_forward_from_an_id_and_backward_from_now(client: Client) -> None:
    ids = [(await client.order()).body["orderId"] for _ in range(3)]

    async def orders(**parameters: object) -> list[int]:
        return [each["orderId"] for each in (await client.get("/fapi/v1/allOrders", symbol=BTC, **parameters)).body]

    assert await orders() == ids
    assert await orders(limit=2) == ids[1:]
    assert await orders(orderId=ids[1]) == ids[1:]
    assert await orders(orderId=ids[0], limit=1) == ids[:1]
    fills = (await client.get("/fapi/v1/userTrades", symbol=BTC)).body
    assert [fill["id"] for fill in fills] == sorted(fill["id"] for fill in fills)
    newest = fills[-1]["id"]
    assert [fill["id"] for fill in (await client.get("/fapi/v1/userTrades", symbol=BTC, fromId=newest)).body] == [newest]
    wide = {"startTime": client.clock() - 8 * DAY_MS, "endTime": client.clock()}
    assert (await client.get("/fapi/v1/userTrades", symbol=BTC, **wide)).refusal == (400, -4165)


async def test_margins_of_symbols_add_up_to_the_accounts(venue: Served) -> None:
    client = venue.client("demo")
    await client.order(
        symbol="ETHUSDT", side="BUY", type="LIMIT", timeInForce="GTC", quantity="9.000", price=venue.price("0.97", "ETHUSDT")
    )

    account = (await client.get("/fapi/v2/account")).body

    for total, part in (
        ("totalPositionInitialMargin", "positionInitialMargin"),
        ("totalOpenOrderInitialMargin", "openOrderInitialMargin"),
        ("totalMaintMargin", "maintMargin"),
        ("totalUnrealizedProfit", "unrealizedProfit"),
    ):
        parts = sum(Decimal(row[part]) for row in account["positions"])
        assert abs(parts - Decimal(account[total])) < Decimal("0.000001"), part


async def test_version_2_lists_flat_symbols_and_version_3_does_not(venue: Served) -> None:
    client = venue.client("demo")
    every = (await client.get("/fapi/v2/positionRisk")).body
    active = (await client.get("/fapi/v3/positionRisk")).body
    assert len(every) == len((await client.public("/fapi/v1/exchangeInfo")).body["symbols"]) == 12
    assert {row["symbol"] for row in active} == {"BTCUSDT", "ETHUSDT", "SOLUSDT", "BNBUSDT", "1000PEPEUSDT"}
    assert {row["positionAmt"] for row in active if row["symbol"] == "BNBUSDT"} == {"0.00"}
    assert "leverage" not in active[0]
    assert [row["symbol"] for row in (await client.get("/fapi/v2/positionRisk", symbol=BTC)).body] == [BTC]


async def test_leverage_is_kept_and_shown_everywhere(client: Client) -> None:
    assert (await client.post("/fapi/v1/leverage", symbol=BTC, leverage=25)).body["leverage"] == 25
    (config,) = (await client.get("/fapi/v1/symbolConfig", symbol=BTC)).body
    assert (config["leverage"], config["marginType"]) == (25, "CROSSED")
    (risk,) = (await client.get("/fapi/v2/positionRisk", symbol=BTC)).body
    assert (risk["leverage"], risk["marginType"]) == ("25", "cross")


async def test_demo_order_without_client_id_can_be_named_by_what_the_list_shows(venue: Served) -> None:
    client = venue.client("demo")
    shown = (await client.get("/fapi/v1/openOrders", symbol=BTC)).body[0]
    found = await client.get("/fapi/v1/order", symbol=BTC, origClientOrderId=shown["clientOrderId"])
    assert found.body["orderId"] == shown["orderId"]


async def test_used_weight_and_order_counts_are_told(venue: Served, client: Client) -> None:
    venue.clock.stop_within_minute()
    first = await client.public("/fapi/v1/depth", symbol=BTC, limit=1000)
    second = await client.public("/fapi/v1/ping")
    assert (first.headers["X-MBX-USED-WEIGHT-1M"], second.headers["X-MBX-USED-WEIGHT-1M"]) == ("20", "21")
    assert "X-MBX-ORDER-COUNT-1M" not in second.headers
    assert (await client.order()).headers["X-MBX-ORDER-COUNT-1M"] == "1"
    assert (await client.order(quantity="0")).headers["X-MBX-ORDER-COUNT-10S"] == "2"


async def test_listen_key_lives_an_hour_from_its_last_renewal(venue: Served, client: Client) -> None:
    async def ask(method: str) -> object:
        return (await client.send(method, "/fapi/v1/listenKey", key=client.key)).body

    assert (await client.send("PUT", "/fapi/v1/listenKey", key=client.key)).refusal == (400, -1125)
    key = await ask("POST")
    venue.clock.ahead_ms = 50 * 60_000
    assert await ask("PUT") == key
    venue.clock.ahead_ms = 100 * 60_000
    assert await ask("POST") == key
    assert await ask("DELETE") == {}
    assert await ask("POST") != key
