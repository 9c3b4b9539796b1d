"""Position mode and margin type of the simulated Binance: how they are changed, what refuses it, and what they do to orders and rows."""

from collections.abc import AsyncIterator
from decimal import Decimal

import pytest

from tests.sandbox.binance_venue import BTC, Client, Served, serve_binance

DUAL, MARGIN_TYPE = "/fapi/v1/positionSide/dual", "/fapi/v1/marginType"


@pytest.fixture
async def venue() -> AsyncIterator[Served]:
    async with serve_binance() as served:
        yield served


@pytest.fixture
def client(venue: Served) -> Client:
    return venue.client()


@pytest.fixture
async def hedged(client: Client) -> Client:
    await client.hedge()
    return client


# Position mode


async def test_position_mode_is_changed_and_shown(client: Client) -> None:
    assert (await client.get(DUAL)).body == {"dualSidePosition": False}
    assert (await client.post(DUAL, dualSidePosition="true")).body == {"code": 200, "msg": "success"}
    assert (await client.get(DUAL)).body == {"dualSidePosition": True}
    assert (await client.get("/fapi/v1/accountConfig")).body["dualSidePosition"] is True
    refused = await client.post(DUAL, dualSidePosition="true")
    assert refused.refusal == (400, -4059)
    assert refused.body["msg"] == "No need to change position side."
    assert (await client.post(DUAL, dualSidePosition="false")).status == 200
    assert (await client.get(DUAL)).body == {"dualSidePosition": False}


async def test_position_mode_stays_while_orders_or_positions_stand(venue: Served, hedged: Client) -> None:
    await hedged.order(positionSide="LONG")
    rests = {"type": "LIMIT", "timeInForce": "GTC", "price": venue.price("0.96"), "positionSide": "LONG"}
    assert (await hedged.order(**rests)).body["status"] == "NEW"
    assert (await hedged.post(DUAL, dualSidePosition="false")).refusal == (400, -4067)
    await hedged.delete("/fapi/v1/allOpenOrders", symbol=BTC)
    assert (await hedged.post(DUAL, dualSidePosition="false")).refusal == (400, -4068)
    await hedged.order(side="SELL", positionSide="LONG")
    assert (await hedged.post(DUAL, dualSidePosition="false")).status == 200


# Orders in hedge mode


@pytest.mark.parametrize("side", [None, "BOTH"])
async def test_order_without_a_leg_is_refused_in_hedge_mode(hedged: Client, side: str | None) -> None:
    refused = await hedged.order(positionSide=side)
    assert refused.refusal == (400, -4061)
    assert refused.body["msg"] == "Order's position side does not match user's setting."


@pytest.mark.parametrize("value", ["true", "false"])
async def test_reduce_only_may_not_be_sent_in_hedge_mode(hedged: Client, value: str) -> None:
    await hedged.order(positionSide="LONG")
    refused = await hedged.order(side="SELL", positionSide="LONG", reduceOnly=value)
    assert refused.refusal == (400, -1106)
    assert refused.body["msg"] == "Parameter 'reduceonly' sent when not required."


@pytest.mark.parametrize(("leg", "opens", "closes"), [("LONG", "BUY", "SELL"), ("SHORT", "SELL", "BUY")])
async def test_leg_is_closed_up_to_what_it_holds_and_not_beyond(hedged: Client, leg: str, opens: str, closes: str) -> None:
    refused = await hedged.order(side=closes, positionSide=leg)
    assert refused.refusal == (400, -2022)
    assert refused.body["msg"] == "ReduceOnly Order is rejected."
    await hedged.order(side=opens, positionSide=leg, quantity="0.020")
    assert (await hedged.order(side=closes, positionSide=leg, quantity="0.021")).refusal == (400, -2022)
    assert (await hedged.order(side=closes, positionSide=leg, quantity="0.005")).body["status"] == "FILLED"
    (row,) = (await hedged.get("/fapi/v3/positionRisk")).body
    assert (row["positionSide"], abs(Decimal(row["positionAmt"]))) == (leg, Decimal("0.015"))
    assert (await hedged.order(side=closes, positionSide=leg, quantity="0.015")).body["status"] == "FILLED"
    assert (await hedged.get("/fapi/v3/positionRisk")).body == []


async def test_closing_a_leg_may_be_smaller_than_the_smallest_notional(hedged: Client) -> None:
    litecoin = {"symbol": "LTCUSDT", "positionSide": "SHORT"}
    assert (await hedged.order(**litecoin, side="SELL", quantity="0.100")).refusal == (400, -4164)
    assert (await hedged.order(**litecoin, side="SELL", quantity="1.000")).status == 200
    assert (await hedged.order(**litecoin, side="BUY", quantity="0.100")).status == 200


async def test_leg_is_told_with_every_order_and_fill(venue: Served, hedged: Client) -> None:
    filled = (await hedged.order(side="SELL", positionSide="SHORT")).body
    rests = {"type": "LIMIT", "timeInForce": "GTC", "price": venue.price("0.96"), "positionSide": "LONG"}
    resting = (await hedged.order(**rests, newClientOrderId="rests")).body
    tested = (await hedged.post("/fapi/v1/order/test", symbol=BTC, side="BUY", type="MARKET", quantity="0.010", positionSide="LONG")).body
    assert (filled["positionSide"], resting["positionSide"], tested["positionSide"]) == ("SHORT", "LONG", "LONG")
    assert (await hedged.get("/fapi/v1/order", symbol=BTC, origClientOrderId="rests")).body["positionSide"] == "LONG"
    assert [row["positionSide"] for row in (await hedged.get("/fapi/v1/allOrders", symbol=BTC)).body] == ["SHORT", "LONG"]
    assert {row["positionSide"] for row in (await hedged.get("/fapi/v1/userTrades", symbol=BTC)).body} == {"SHORT"}
    changed = {"symbol": BTC, "side": "BUY", "orderId": resting["orderId"], "quantity": "0.020", "price": resting["price"]}
    amended = (await hedged.signed("PUT", "/fapi/v1/order", **changed)).body
    assert (amended["positionSide"], amended["origQty"]) == ("LONG", "0.020")
    (canceled,) = (await hedged.delete("/fapi/v1/batchOrders", symbol=BTC, orderIdList=f"[{resting['orderId']}]")).body
    assert (canceled["positionSide"], canceled["status"]) == ("LONG", "CANCELED")


# Rows in hedge mode


async def test_both_legs_of_a_symbol_are_rows_of_their_own(hedged: Client) -> None:
    await hedged.order(positionSide="LONG", quantity="0.030")
    await hedged.order(side="SELL", positionSide="SHORT", quantity="0.010")

    for version in ("v2", "v3"):
        long, short = (await hedged.get(f"/fapi/{version}/positionRisk", symbol=BTC)).body
        assert (long["positionSide"], long["positionAmt"], long["notional"][0] == "-") == ("LONG", "0.030", False)
        assert (short["positionSide"], short["positionAmt"], short["notional"][0] == "-") == ("SHORT", "-0.010", True)
        assert long["liquidationPrice"] == short["liquidationPrice"], "both legs share the account's equity"
    account = (await hedged.get("/fapi/v3/account")).body
    assert [(row["symbol"], row["positionSide"]) for row in account["positions"]] == [(BTC, "LONG"), (BTC, "SHORT")]


async def test_version_2_lists_both_legs_of_every_symbol_and_version_3_the_active_ones(venue: Served, hedged: Client) -> None:
    rests = {"type": "LIMIT", "timeInForce": "GTC", "price": venue.price("1.04"), "side": "SELL", "positionSide": "SHORT"}
    await hedged.order(**rests)

    risk, account = (await hedged.get("/fapi/v2/positionRisk")).body, (await hedged.get("/fapi/v2/account")).body
    (active,) = (await hedged.get("/fapi/v3/positionRisk")).body

    for rows in (risk, account["positions"]):
        assert len(rows) == len({(row["symbol"], row["positionSide"]) for row in rows}) == 24
        assert {row["positionSide"] for row in rows} == {"LONG", "SHORT"}
    assert (active["positionSide"], active["positionAmt"], active["bidNotional"]) == ("SHORT", "0.000", "0")
    assert Decimal(active["askNotional"]) == Decimal(rests["price"]) / 100
    assert active["openOrderInitialMargin"] == account["totalOpenOrderInitialMargin"]


async def test_orders_that_close_a_leg_bind_no_margin(venue: Served, hedged: Client) -> None:
    await hedged.order(positionSide="LONG")
    rests = {"type": "LIMIT", "timeInForce": "GTC", "price": venue.price("1.04"), "side": "SELL", "positionSide": "LONG"}
    assert (await hedged.order(**rests)).body["status"] == "NEW"
    (row,) = (await hedged.get("/fapi/v3/positionRisk")).body
    account = (await hedged.get("/fapi/v2/account")).body
    assert (row["openOrderInitialMargin"], account["totalOpenOrderInitialMargin"]) == ("0", "0.00000000")
    assert row["askNotional"] != "0"


async def test_reduce_only_orders_bind_no_margin_however_large(venue: Served, client: Client) -> None:
    await client.order()
    rests = {"type": "LIMIT", "timeInForce": "GTC", "price": venue.price("1.04"), "side": "SELL", "reduceOnly": "true", "quantity": "0.050"}
    assert (await client.order(**rests)).body["status"] == "NEW"
    (row,) = (await client.get("/fapi/v3/positionRisk")).body
    account = (await client.get("/fapi/v2/account")).body
    assert (row["openOrderInitialMargin"], account["totalOpenOrderInitialMargin"]) == ("0", "0.00000000")


async def test_places_in_the_queue_are_told_per_leg(client: Client) -> None:
    async def ranks() -> dict[str, int]:
        (row,) = (await client.get("/fapi/v1/adlQuantile", symbol=BTC)).body
        return dict(row["adlQuantile"])

    await client.order()
    assert set(await ranks()) == {"LONG", "SHORT", "BOTH"}
    await client.order(side="SELL", reduceOnly="true")
    await client.hedge()
    await client.order(positionSide="LONG")
    assert set(await ranks()) == {"LONG", "SHORT", "HEDGE"}
    await client.order(side="SELL", positionSide="LONG")
    await client.isolate()
    await client.order(positionSide="LONG")
    assert set(await ranks()) == {"LONG", "SHORT", "BOTH"}


# Margin type


async def test_margin_type_is_a_symbols_and_shown(client: Client) -> None:
    assert (await client.post(MARGIN_TYPE, symbol=BTC, marginType="ISOLATED")).body == {"code": 200, "msg": "success"}
    refused = await client.post(MARGIN_TYPE, symbol=BTC, marginType="ISOLATED")
    assert refused.refusal == (400, -4046)
    assert refused.body["msg"] == "No need to change margin type."
    config = {row["symbol"]: row["marginType"] for row in (await client.get("/fapi/v1/symbolConfig")).body}
    assert (config[BTC], config["ETHUSDT"]) == ("ISOLATED", "CROSSED")
    risk = {row["symbol"]: (row["marginType"], row["isolated"]) for row in (await client.get("/fapi/v2/positionRisk")).body}
    assert (risk[BTC], risk["ETHUSDT"]) == (("isolated", True), ("cross", False))
    account = {row["symbol"]: row["isolated"] for row in (await client.get("/fapi/v2/account")).body["positions"]}
    assert (account[BTC], account["ETHUSDT"]) == (True, False)
    assert (await client.post("/fapi/v1/multiAssetsMargin", multiAssetsMargin="true")).refusal == (400, -4167)
    assert (await client.post(MARGIN_TYPE, symbol=BTC, marginType="CROSSED")).status == 200


async def test_margin_type_stays_while_orders_or_a_position_of_the_symbol_stand(venue: Served, client: Client) -> None:
    await client.order()
    await client.order(type="LIMIT", timeInForce="GTC", price=venue.price("0.96"))
    assert (await client.post(MARGIN_TYPE, symbol=BTC, marginType="ISOLATED")).refusal == (400, -4047)
    assert (await client.post(MARGIN_TYPE, symbol="ETHUSDT", marginType="ISOLATED")).status == 200
    await client.delete("/fapi/v1/allOpenOrders", symbol=BTC)
    assert (await client.post(MARGIN_TYPE, symbol=BTC, marginType="ISOLATED")).refusal == (400, -4048)
    await client.order(side="SELL", reduceOnly="true")
    assert (await client.post(MARGIN_TYPE, symbol=BTC, marginType="ISOLATED")).status == 200
