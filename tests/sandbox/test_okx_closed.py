"""The OKX dialect's list of closed positions, and what is left to trade or to take out."""

from collections.abc import AsyncIterator
from decimal import Decimal

import pytest

from tests.sandbox.okx_venue import BTC, PEPE, Client, serve_okx

CLOSED = "/api/v5/account/positions-history"


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    async with serve_okx() as venue:
        yield venue.client()


async def test_every_closing_is_told_once_and_adds_up_to_the_cash(client: Client) -> None:
    for side, size in (("buy", "3"), ("buy", "1"), ("sell", "4"), ("sell", "2"), ("buy", "5"), ("sell", "1")):
        assert (await client.order(side=side, sz=size)).code == "0"
    partly, short, long = (await client.get(CLOSED, instType="SWAP")).data
    assert [(row["direction"], row["type"], row["openMaxPos"], row["closeTotalPos"]) for row in (partly, short, long)] == [
        ("long", "1", "3", "1"),
        ("short", "2", "2", "2"),
        ("long", "2", "4", "4"),
    ]
    cash = Decimal((await client.get("/api/v5/account/balance")).row["details"][0]["cashBal"])
    assert 100_000 + sum(Decimal(row["realizedPnl"]) for row in (partly, short, long)) == cash
    for row in (partly, short, long):
        sign = 1 if row["direction"] == "long" else -1
        moved = (Decimal(row["closeAvgPx"]) - Decimal(row["openAvgPx"])) * sign * Decimal(row["closeTotalPos"]) / 100
        assert abs(moved - Decimal(row["pnl"])) < Decimal("0.0001")


async def test_the_list_is_chosen_and_paged_by_its_parameters(client: Client) -> None:
    for name, size in ((BTC, "1"), (PEPE, "0.3")):
        for side in ("buy", "sell"):
            assert (await client.order(instId=name, side=side, sz=size)).code == "0"
    newest, oldest = (await client.get(CLOSED)).data
    assert (await client.get(CLOSED, instId=BTC)).row["instId"] == BTC
    assert (await client.get(CLOSED, posId=newest["posId"])).row == newest
    assert (await client.get(CLOSED, before=newest["uTime"])).data == (await client.get(CLOSED, type="1")).data == []
    assert (await client.get(CLOSED, mgnMode="isolated")).data == (await client.get(CLOSED, instType="FUTURES")).data == []
    assert (await client.get(CLOSED, limit="1")).row == newest
    assert oldest in (await client.get(CLOSED, after=str(int(newest["uTime"]) + 1))).data


async def test_what_can_still_be_traded_and_taken_out(client: Client) -> None:
    path = "/api/v5/account/max-avail-size"
    free = (await client.get(path, instId=BTC, tdMode="cross")).row
    assert Decimal(free["availBuy"]) == Decimal(free["availSell"]) > 0
    await client.order(sz="3")
    assert (await client.get(path, instId=BTC, tdMode="cross", reduceOnly="true")).row == {"availBuy": "0", "availSell": "3", "instId": BTC}
    isolated = (await client.get(path, instId=BTC, tdMode="isolated", reduceOnly="true")).row
    assert (isolated["availBuy"], isolated["availSell"]) == ("0", "0")
    withdrawable = (await client.get("/api/v5/account/max-withdrawal", ccy="USDT")).row
    assert 0 < Decimal(withdrawable["maxWd"]) < 100_000
    assert (await client.get("/api/v5/account/max-withdrawal", ccy="BTC")).data == []


async def test_a_fill_that_turns_a_position_around_is_charged_once(client: Client) -> None:
    for side, size in (("buy", "10"), ("sell", "15")):
        assert (await client.order(side=side, sz=size)).code == "0"
    closed, opened = (await client.get(CLOSED, instType="SWAP")).row, (await client.get("/api/v5/account/positions")).row
    cash = Decimal((await client.get("/api/v5/account/balance")).row["details"][0]["cashBal"])
    assert (opened["pos"], opened["pnl"]) == ("-5", "0")
    assert Decimal(opened["fee"]) < 0
    assert 100_000 + Decimal(closed["realizedPnl"]) + Decimal(opened["realizedPnl"]) == cash
