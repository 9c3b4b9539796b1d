"""The OKX dialect's bills: every kind of them, what they add up to, and how they are chosen."""

from collections.abc import AsyncIterator, Callable
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest

from exchanges.sandbox.market import HOUR_MS
from tests.sandbox.exchange import NOW_MS
from tests.sandbox.okx_venue import BTC, Client, Venue, serve_okx

ADA = "ADA-USDT-SWAP"
BILLS = "/api/v5/account/bills"
Row = dict[str, Any]


@pytest.fixture
async def venue() -> AsyncIterator[Venue]:
    async with serve_okx(NOW_MS) as served:
        yield served


@pytest.fixture
def client(venue: Venue) -> Client:
    return venue.client()


async def _bills(client: Client, **asked: object) -> list[Row]:
    return (await client.get(BILLS, **asked)).data


async def _done(client: Client, **fields: object) -> None:
    placed = await client.order(**fields)
    assert placed.code == "0", placed.body


async def _check_sums(client: Client) -> None:
    """Of an account whose bills fit on a page: cash is what the bills say, and so is the margin of isolated positions."""
    bills = (await client.get(f"{BILLS}-archive")).data
    money = (await client.get("/api/v5/account/balance")).row["details"][0]
    rows = (await client.get("/api/v5/account/positions")).data
    margins = {(row["instId"], row["mgnMode"]): Decimal(row["margin"] or "0") for row in rows}
    assert Decimal(money["cashBal"]) == Decimal(bills[0]["bal"]) == sum(Decimal(bill["balChg"]) for bill in bills)
    assert sum(margins.values()) == sum(Decimal(bill["posBalChg"]) for bill in bills)
    for newer, older in pairwise(bills):
        assert Decimal(newer["bal"]) == Decimal(older["bal"]) + Decimal(newer["balChg"])
    for bill in bills:
        if bill["type"] in ("2", "5", "8"):
            assert Decimal(bill["balChg"]) + Decimal(bill["posBalChg"]) == Decimal(bill["pnl"]) + Decimal(bill["fee"])
    for (name, mode), margin in margins.items():
        own = [bill for bill in bills if (bill["instId"], bill["mgnMode"]) == (name, mode)]
        assert Decimal(own[0]["posBal"]) == margin


async def _everything(venue: Venue, client: Client) -> None:
    """A deposit, trades of both modes, margin moved both ways, and funding of an isolated and of a cross position: of the next eight
    hours, which begin an hour after a funding time."""
    venue.clock.ahead_ms += -venue.clock() % (8 * HOUR_MS) + HOUR_MS
    await _done(client, instId=ADA, sz="20")
    await _done(client, sz="2", side="sell", tdMode="isolated")
    for kind, amount in (("add", "50"), ("reduce", "20")):
        moved = await client.post("/api/v5/account/position/margin-balance", {"instId": BTC, "posSide": "net", "type": kind, "amt": amount})
        assert moved.code == "0"
    venue.clock.ahead_ms += 8 * HOUR_MS
    await _done(client, sz="1", tdMode="isolated")


async def test_an_account_begins_with_a_transfer(client: Client) -> None:
    (bill,) = await _bills(client)
    assert (bill["type"], bill["subType"], bill["balChg"], bill["bal"]) == ("1", "11", "100000", "100000")
    assert (bill["from"], bill["to"], bill["instId"], bill["mgnMode"]) == ("6", "18", "", "")


async def test_all_bills_add_up_to_cash_and_margin(venue: Venue, client: Client) -> None:
    await _everything(venue, client)
    await _check_sums(client)
    await _done(client, sz="1", tdMode="isolated")
    await _check_sums(client)


async def test_each_kind_of_bill_has_its_type(venue: Venue, client: Client) -> None:
    await _everything(venue, client)
    bills = await _bills(client)
    assert {(bill["type"], bill["subType"]) for bill in bills if bill["type"] != "8"} == {
        *(("1", "11"), ("2", "1"), ("2", "2"), ("6", "160"), ("6", "161")),
    }
    moves = await _bills(client, type="6")
    assert [(bill["balChg"], bill["posBalChg"], bill["sz"]) for bill in moves] == [("20", "-20", "20"), ("-50", "50", "50")]
    closing, opening = await _bills(client, instId=BTC, type="2")
    assert Decimal(opening["balChg"]) == Decimal(opening["fee"]) - Decimal(opening["posBalChg"]) < 0
    assert Decimal(closing["posBalChg"]) < 0 < Decimal(closing["balChg"])
    assert (closing["sz"], closing["ordId"] != "", closing["tradeId"].isdigit(), closing["execType"]) == ("1", True, True, "T")


async def test_funding_is_paid_every_eight_hours_and_of_one_symbol_every_four(venue: Venue, client: Client) -> None:
    await _everything(venue, client)
    funding = await _bills(client, type="8")
    assert {name: len([bill for bill in funding if bill["instId"] == name]) for name in (BTC, ADA)} == {BTC: 1, ADA: 2}
    for bill in funding:
        amount = Decimal(bill["pnl"])
        assert bill["subType"] == ("174" if amount > 0 else "173")
        rates = (await client.get("/api/v5/public/funding-rate-history", instId=bill["instId"])).data
        rate = next(Decimal(row["realizedRate"]) for row in rates if row["fundingTime"] == bill["ts"])
        quantity = Decimal("-0.02") if bill["instId"] == BTC else Decimal(2_000)
        assert amount == round(-quantity * Decimal(bill["px"]) * rate, 8)
        assert bill["sz"] == ("2" if bill["instId"] == BTC else "20")
        isolated, cross = ("0", bill["pnl"]) if bill["instId"] == BTC else (bill["pnl"], "0")
        assert (bill["balChg"], bill["posBalChg"]) == (isolated, cross)
    positions = (await client.get("/api/v5/account/positions")).data
    for row in positions:
        assert Decimal(row["fundingFee"]) == sum(Decimal(bill["pnl"]) for bill in funding if bill["instId"] == row["instId"])


async def test_funding_times_of_the_four_hour_symbol_are_four_hours_apart(client: Client) -> None:
    for name, hours in ((ADA, 4), (BTC, 8)):
        rate = (await client.get("/api/v5/public/funding-rate", instId=name)).row
        times = [int(rate[field]) for field in ("prevFundingTime", "fundingTime", "nextFundingTime")]
        assert [newer - older for older, newer in pairwise(times)] == [hours * HOUR_MS] * 2
        history = [
            int(row["fundingTime"]) for row in (await client.get("/api/v5/public/funding-rate-history", instId=name, limit="5")).data
        ]
        assert {newer - older for newer, older in pairwise(history)} == {hours * HOUR_MS}
        assert history[0] == times[0]


@pytest.mark.parametrize(
    ("asked", "holds"),
    [
        ({"type": "2"}, lambda bill: bill["type"] == "2"),
        ({"subType": "161"}, lambda bill: bill["subType"] == "161"),
        ({"mgnMode": "isolated"}, lambda bill: bill["mgnMode"] == "isolated"),
        ({"instId": ADA}, lambda bill: bill["instId"] == ADA),
        ({"instType": "SWAP"}, lambda bill: bill["instType"] == "SWAP"),
        ({"ctType": "linear"}, lambda bill: bill["instType"] == "SWAP"),
        ({"ctType": "inverse"}, lambda bill: False),
        ({"ccy": "BTC"}, lambda bill: False),
        ({"instType": "SPOT"}, lambda bill: False),
    ],
)
async def test_bills_are_chosen_by_what_is_asked(venue: Venue, client: Client, asked: dict[str, str], holds: Callable[[Row], bool]) -> None:
    await _everything(venue, client)
    assert await _bills(client, **asked) == [bill for bill in await _bills(client) if holds(bill)]


async def test_bills_are_paged_by_id_and_time(venue: Venue, client: Client) -> None:
    await _everything(venue, client)
    whole = await _bills(client)
    assert [int(bill["billId"]) for bill in whole] == sorted((int(bill["billId"]) for bill in whole), reverse=True)
    assert await _bills(client, after=whole[2]["billId"], limit="2") == whole[3:5]
    assert await _bills(client, before=whole[2]["billId"]) == whole[:2]
    since = [bill for bill in whole if int(bill["ts"]) >= int(whole[1]["ts"])]
    assert await _bills(client, begin=whole[1]["ts"]) == since
    venue.clock.ahead_ms += 8 * 24 * HOUR_MS
    assert "1" not in {bill["type"] for bill in await _bills(client)}
    assert "1" in {bill["type"] for bill in (await client.get(f"{BILLS}-archive")).data}
