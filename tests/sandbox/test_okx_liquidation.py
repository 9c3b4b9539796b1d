"""What the OKX dialect shows of a position that the venue liquidated: its order, fill, bills and history."""

from collections.abc import AsyncIterator
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest

from exchanges.sandbox.market import HOUR_MS
from exchanges.sandbox.model import Venue as Exchange
from tests.sandbox.exchange import NOW_MS
from tests.sandbox.okx_venue import BTC, Client, Venue, serve_okx

HISTORY = "/api/v5/trade/orders-history-archive"


@pytest.fixture
async def venue() -> AsyncIterator[Venue]:
    async with serve_okx(NOW_MS) as served:
        yield served


@pytest.fixture
def client(venue: Venue) -> Client:
    return venue.client()


async def _rows(client: Client, path: str, **asked: str) -> list[dict[str, Any]]:
    return (await client.get(f"/api/v5/{path}", **asked)).data


async def _leverage(client: Client, lever: str, mode: str, **fields: str) -> None:
    assert (await client.post("/api/v5/account/set-leverage", {"instId": BTC, "lever": lever, "mgnMode": mode, **fields})).code == "0"


def _wait_for_a_fall(venue: Venue, ratio: str) -> None:
    """Sets the clock to an hour in which the price is so much lower than now."""
    now_ms = venue.clock()
    limit = venue.engine.mark(Exchange.OKX, "BTCUSDT", now_ms) * Decimal(ratio)
    hours = (hours for hours in range(1, 2_000) if venue.engine.mark(Exchange.OKX, "BTCUSDT", now_ms + hours * HOUR_MS) < limit)
    venue.clock.ahead_ms += next(hours) * HOUR_MS


async def _check_cash(client: Client) -> None:
    bills = await _rows(client, "account/bills-archive")
    while page := await _rows(client, "account/bills-archive", after=bills[-1]["billId"]):
        bills += page
    money = (await client.get("/api/v5/account/balance")).row["details"][0]
    assert Decimal(money["cashBal"]) == Decimal(bills[0]["bal"]) == sum(Decimal(bill["balChg"]) for bill in bills) >= 0
    for newer, older in pairwise(bills):
        assert Decimal(newer["bal"]) == Decimal(older["bal"]) + Decimal(newer["balChg"])


async def test_an_isolated_position_ends_by_an_order_of_the_venues_own(venue: Venue, client: Client) -> None:
    await _leverage(client, "100", "isolated")
    assert (await client.order(sz="5", tdMode="isolated")).code == "0"
    _wait_for_a_fall(venue, "0.98")
    assert await _rows(client, "account/positions") == []

    (order,) = (await client.get(HISTORY, instType="SWAP", category="full_liquidation")).data
    assert (order["side"], order["tdMode"], order["state"], order["accFillSz"]) == ("sell", "isolated", "filled", "5")
    assert (order["category"], order["tradeId"], order["ordType"]) == ("full_liquidation", "0", "market")
    assert (await client.get(HISTORY, instType="SWAP", category="partial_liquidation")).data == []
    (fill,) = await _rows(client, "trade/fills-history", subType="107")
    assert (fill["ordId"], fill["execType"], int(fill["tradeId"]) < 0) == (order["ordId"], "", True)

    (closed,) = await _rows(client, "account/positions-history", type="3")
    assert (closed["mgnMode"], closed["direction"], closed["closeTotalPos"]) == ("isolated", "long", "5")
    assert Decimal(closed["triggerPx"]) > 0
    parts = ("pnl", "fee", "fundingFee", "liqPenalty")
    assert Decimal(closed["realizedPnl"]) == sum(Decimal(closed[name]) for name in parts)
    assert Decimal(closed["liqPenalty"]) <= 0

    (bill,) = await _rows(client, "account/bills-archive", type="5")
    assert (bill["subType"], bill["ordId"], bill["mgnMode"]) == ("107", order["ordId"], "isolated")
    assert Decimal(bill["posBal"]) == 0 > Decimal(bill["posBalChg"])
    assert Decimal(bill["pnl"]) == Decimal(order["pnl"]) + Decimal(closed["liqPenalty"])
    await _check_cash(client)


@pytest.mark.parametrize("mode", ["cross", "isolated"])
async def test_a_leg_is_liquidated_as_a_leg(venue: Venue, client: Client, mode: str) -> None:
    await client.post("/api/v5/account/set-position-mode", {"posMode": "long_short_mode"})
    await _leverage(client, "50", mode, **({"posSide": "long"} if mode == "isolated" else {}))
    size = (await client.get("/api/v5/account/max-size", instId=BTC, tdMode=mode)).row["maxBuy"]
    assert (await client.order(sz=str(int(float(size) * 0.9)), posSide="long", tdMode=mode)).code == "0"
    assert (await client.order(sz="0.01", posSide="short", side="sell", tdMode="isolated")).code == "0"
    _wait_for_a_fall(venue, "0.97")
    assert [row["posSide"] for row in await _rows(client, "account/positions")] == ["short"]
    (order,) = (await client.get(HISTORY, instType="SWAP", category="full_liquidation")).data
    assert (order["posSide"], order["side"], order["tdMode"]) == ("long", "sell", mode)
    assert {bill["subType"] for bill in await _rows(client, "account/bills-archive", type="5")} == {"104"}
    await _check_cash(client)


async def test_resting_orders_end_by_the_risk_of_liquidation(venue: Venue, client: Client) -> None:
    await _leverage(client, "50", "cross")
    size = (await client.get("/api/v5/account/max-size", instId=BTC, tdMode="cross")).row["maxBuy"]
    assert (await client.order(sz=str(int(float(size) * 0.9)))).code == "0"
    high = str(round(await client.price() * 1.04))
    assert (await client.order(ordType="limit", px=high, sz="0.01", side="sell", clOrdId="resting")).code == "0"
    account = venue.engine.account(Exchange.OKX, client.name)
    for _ in range(2_000):
        if not venue.engine.view(account).positions:
            break
        venue.clock.ahead_ms += HOUR_MS
    assert await _rows(client, "account/positions") == []
    order = (await client.get("/api/v5/trade/order", instId=BTC, clOrdId="resting")).row
    assert (order["state"], order["cancelSource"], order["category"]) == ("canceled", "3", "normal")
    assert order["cancelSourceReason"].startswith("Order canceled: Risk cancellation was triggered.")
    await _check_cash(client)


@pytest.mark.parametrize("mode", ["cross", "isolated"])
async def test_the_venue_puts_in_what_a_liquidation_leaves_below_zero(venue: Venue, client: Client, mode: str) -> None:
    await _leverage(client, "50", mode)
    size = (await client.get("/api/v5/account/max-size", instId=BTC, tdMode=mode)).row["maxBuy"]
    assert (await client.order(sz=str(int(float(size) * 0.9)), tdMode=mode)).code == "0"
    venue.engine.shock("BTCUSDT", Decimal("0.8"))
    venue.clock.ahead_ms += 2_000
    assert await _rows(client, "account/positions") == []
    clawback, liquidation = (await _rows(client, "account/bills"))[:2]
    assert (clawback["type"], clawback["subType"], clawback["mgnMode"], clawback["posBalChg"]) == ("10", "108", mode, "0")
    assert (liquidation["type"], liquidation["subType"]) == ("5", "107")
    assert Decimal(clawback["balChg"]) == Decimal(clawback["sz"]) > 0 > Decimal(liquidation["balChg"])
    if mode == "cross":
        assert clawback["bal"] == "0"
    await _check_cash(client)
