"""Income of the simulated Binance: every kind, its sum, windows and pages; and how a liquidation is shown in orders, fills and income."""

from collections.abc import AsyncIterator
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest

from exchanges.sandbox.model import Venue
from tests.sandbox.binance_venue import BTC, Client, Served, serve_binance

INCOME, FORCED = "/fapi/v1/income", "/fapi/v1/forceOrders"
HOUR_MS, DAY_MS = 3_600_000, 86_400_000


@pytest.fixture
async def venue() -> AsyncIterator[Served]:
    async with serve_binance() as served:
        served.clock.stop_within_minute()
        yield served


@pytest.fixture
def client(venue: Served) -> Client:
    return venue.client()


async def _wallet(client: Client) -> Decimal:
    return Decimal((await client.get("/fapi/v3/account")).body["totalWalletBalance"])


async def _income(client: Client, **parameters: object) -> list[dict[str, Any]]:
    return list((await client.get(INCOME, **parameters)).body)


# Income


async def test_all_income_adds_up_to_the_wallet(venue: Served, client: Client) -> None:
    await client.order()
    await client.order(symbol="ADAUSDT", quantity="1000", side="SELL")
    venue.clock.ahead_ms += 8 * HOUR_MS
    await client.order(side="SELL", reduceOnly="true")

    rows = await _income(client)

    assert await _wallet(client) == sum(Decimal(row["income"]) for row in rows)
    assert [row["time"] for row in rows] == sorted(row["time"] for row in rows)
    assert len({row["tranId"] for row in rows}) == len(rows)
    assert {row["incomeType"] for row in rows} == {"TRANSFER", "COMMISSION", "REALIZED_PNL", "FUNDING_FEE"}
    (transfer,) = [row for row in rows if row["incomeType"] == "TRANSFER"]
    assert (transfer["symbol"], transfer["income"], transfer["tradeId"]) == ("", "100000.00000000", "")
    fills = {str(fill["id"]): fill for fill in (await client.get("/fapi/v1/userTrades", symbol=BTC)).body}
    charged = {row["tradeId"]: row["income"] for row in rows if row["incomeType"] == "COMMISSION" and row["symbol"] == BTC}
    assert charged == {fill_id: f"-{fill['commission']}" for fill_id, fill in fills.items()}


@pytest.mark.parametrize(("symbol", "quantity", "hours"), [(BTC, "-0.010", [8]), ("ADAUSDT", "1000", [4, 8])])
async def test_funding_fees_are_those_of_the_published_rates(
    venue: Served, client: Client, symbol: str, quantity: str, hours: list[int]
) -> None:
    held = Decimal(quantity)
    await client.order(symbol=symbol, side="BUY" if held > 0 else "SELL", quantity=f"{abs(held)}")
    venue.clock.ahead_ms += 8 * HOUR_MS

    fees = await _income(client, incomeType="FUNDING_FEE")
    published = (await client.public("/fapi/v1/fundingRate", symbol=symbol, limit=len(hours))).body

    assert [row["time"] for row in fees] == [row["fundingTime"] for row in published]
    assert {(row["symbol"], row["asset"], row["tradeId"]) for row in fees} == {(symbol, "USDT", "")}
    for fee, row in zip(fees, published, strict=True):
        due = -held * Decimal(row["markPrice"]) * Decimal(row["fundingRate"])
        assert abs(Decimal(fee["income"]) - due) <= Decimal("0.00000001")


async def test_moves_of_isolated_margin_are_no_income(client: Client) -> None:
    await client.isolate()
    await client.order(quantity="0.100")
    await client.post("/fapi/v1/positionMargin", symbol=BTC, amount="50", type=1)
    rows = await _income(client)
    assert {row["incomeType"] for row in rows} == {"TRANSFER", "COMMISSION"}
    assert await _wallet(client) == sum(Decimal(row["income"]) for row in rows)


async def test_income_is_chosen_by_symbol_and_kind(client: Client) -> None:
    await client.order()
    await client.order(symbol="LTCUSDT", quantity="5.000")
    assert {row["symbol"] for row in await _income(client, symbol=BTC)} == {BTC}
    assert {row["incomeType"] for row in await _income(client, incomeType="COMMISSION")} == {"COMMISSION"}
    assert len(await _income(client, incomeType="TRANSFER")) == 1
    assert await _income(client, incomeType="WELCOME_BONUS") == await _income(client, symbol=BTC, incomeType="TRANSFER") == []
    assert (await client.get(INCOME, incomeType="SALARY")).refusal == (400, -1130)


async def test_income_is_paged_from_the_beginning_that_was_named_or_back_from_now(client: Client) -> None:
    for _ in range(3):
        await client.order()
    every = [row["tranId"] for row in await _income(client)]
    assert len(every) >= 4
    start = client.clock() - DAY_MS

    async def ids(**parameters: object) -> list[int]:
        return [row["tranId"] for row in await _income(client, **parameters)]

    assert await ids(limit=2) == every[-2:]
    assert await ids(limit=2, page=2) == every[-4:-2]
    assert await ids(limit=2, startTime=start) == every[:2]
    assert await ids(limit=2, startTime=start, page=2) == every[2:4]
    assert await ids(page=99) == []
    assert (await client.get(INCOME, page=0)).refusal == (400, -1130)
    assert (await client.get(INCOME, limit=1001)).refusal == (400, -1130)


async def test_income_is_asked_for_seven_days_at_most(venue: Served, client: Client) -> None:
    await client.order()
    opened = client.clock()
    venue.clock.ahead_ms += 8 * DAY_MS
    assert not [row for row in await _income(client) if row["incomeType"] != "FUNDING_FEE"]
    assert [row["incomeType"] for row in await _income(client, startTime=opened - 1, endTime=opened)][:1] == ["TRANSFER"]
    wide = {"startTime": opened, "endTime": opened + 8 * DAY_MS}
    assert (await client.get(INCOME, **wide)).refusal == (400, -4165)


# Funding terms


async def test_funding_times_follow_the_interval_that_is_told(venue: Served, client: Client) -> None:
    hours = {row["symbol"]: row["fundingIntervalHours"] for row in (await client.public("/fapi/v1/fundingInfo")).body}
    assert hours == {each.venue_symbol: each.funding_interval_h for each in venue.engine.listings(Venue.BINANCE)}
    for symbol in (BTC, "ADAUSDT"):
        times = [row["fundingTime"] for row in (await client.public("/fapi/v1/fundingRate", symbol=symbol, limit=5)).body]
        steps = {after - before for before, after in pairwise(times)}
        assert steps == {hours[symbol] * 3_600_000}
        following = (await client.public("/fapi/v1/premiumIndex", symbol=symbol)).body["nextFundingTime"]
        assert following == times[-1] + hours[symbol] * 3_600_000


async def test_funding_history_goes_forward_from_the_time_that_was_named(client: Client) -> None:
    async def times(**parameters: object) -> list[int]:
        return [row["fundingTime"] for row in (await client.public("/fapi/v1/fundingRate", symbol=BTC, **parameters)).body]

    newest = await times(limit=6)
    assert await times(startTime=newest[0], limit=2) == newest[:2]
    assert await times(startTime=newest[0] + 1, endTime=newest[3], limit=9) == newest[1:4]
    assert await times(endTime=newest[3], limit=2) == newest[2:4]
    assert await times(startTime=newest[-1] + 1) == []
    first = await times(startTime=0, limit=3)
    assert len(first) == 3
    assert first == await times(startTime=first[0], limit=3)


async def test_funding_comes_as_fast_as_the_market_runs() -> None:
    async with serve_binance(speed=3600) as venue:
        venue.clock.stop_within_minute()
        client = venue.client()
        await client.order()
        start = client.clock()
        venue.clock.ahead_ms += 60_000
        fees = await _income(client, incomeType="FUNDING_FEE")
        rates = (await client.public("/fapi/v1/fundingRate", symbol=BTC, startTime=start, limit=3)).body
    assert [row["fundingTime"] for row in rates] == [row["time"] for row in fees][:3]
    assert {after["time"] - before["time"] for before, after in pairwise(fees)} == {8_000}


# Liquidation


async def test_liquidated_leg_is_shown_as_the_venues_own_order(venue: Served, client: Client) -> None:
    await client.hedge()
    await client.isolate()
    await client.order(positionSide="LONG", quantity="0.100")
    await client.order(positionSide="SHORT", side="SELL", quantity="0.020")
    await client.order(positionSide="LONG", type="LIMIT", timeInForce="GTC", price=venue.price("0.96"), newClientOrderId="rests")
    assert (await client.get(FORCED)).body == []

    venue.shock("0.85")

    (forced,) = (await client.get(FORCED)).body
    assert (forced["status"], forced["executedQty"], forced["clientOrderId"][:10]) == ("FILLED", "0.100", "autoclose-")
    assert (forced["type"], forced["origType"], forced["timeInForce"]) == ("LIMIT", "LIMIT", "IOC")
    assert (forced["side"], forced["positionSide"], forced["reduceOnly"]) == ("SELL", "LONG", False)
    assert Decimal(forced["price"]) == Decimal(forced["avgPrice"]) > 0
    assert (await client.get("/fapi/v1/allOrders", symbol=BTC)).body[-1] == forced
    assert (await client.get("/fapi/v1/order", symbol=BTC, origClientOrderId=forced["clientOrderId"])).body == forced
    assert (await client.get("/fapi/v1/order", symbol=BTC, origClientOrderId="rests")).body["status"] == "CANCELED"
    (fill,) = (await client.get("/fapi/v1/userTrades", symbol=BTC, orderId=forced["orderId"])).body
    assert (fill["side"], fill["positionSide"], fill["qty"]) == ("SELL", "LONG", "0.100")
    assert [row["positionSide"] for row in (await client.get("/fapi/v3/positionRisk")).body] == ["SHORT"]


@pytest.mark.parametrize(("ratio", "sign"), [("0.902", -1), ("0.85", 1)])
async def test_what_a_liquidation_costs_and_what_the_fund_puts_in_are_income(venue: Served, client: Client, ratio: str, sign: int) -> None:
    await client.isolate()
    await client.order(quantity="0.100")
    venue.shock(ratio)
    (cleared,) = await _income(client, incomeType="INSURANCE_CLEAR")
    assert Decimal(cleared["income"]) * sign > 0
    assert cleared["symbol"] == BTC
    account = (await client.get("/fapi/v3/account")).body
    assert account["totalWalletBalance"] == account["totalCrossWalletBalance"] == account["totalMarginBalance"]
    assert Decimal(account["totalWalletBalance"]) == sum(Decimal(row["income"]) for row in await _income(client))


async def test_account_whose_cross_margin_is_gone_is_left_with_nothing_owed(venue: Served, client: Client) -> None:
    await client.post("/fapi/v1/leverage", symbol=BTC, leverage=20)
    quantity = (Decimal(700_000) / venue.engine.mark(Venue.BINANCE, BTC)).quantize(Decimal("0.001"))
    await client.order(side="SELL", quantity=f"{quantity}")
    await client.order(
        symbol="LTCUSDT", quantity="5.000", side="SELL", type="LIMIT", timeInForce="GTC", price=venue.price("1.04", "LTCUSDT")
    )

    venue.shock("1.2")

    assert (await client.get("/fapi/v1/openOrders")).body == (await client.get("/fapi/v3/positionRisk")).body == []
    assert await _wallet(client) == sum(Decimal(row["income"]) for row in await _income(client)) == 0
    (forced,) = (await client.get(FORCED)).body
    assert (forced["side"], forced["positionSide"], forced["reduceOnly"]) == ("BUY", "BOTH", False)


async def test_force_orders_are_chosen_by_kind_symbol_and_time(venue: Served, client: Client) -> None:
    await client.isolate()
    await client.order()
    venue.shock("0.85")
    assert len((await client.get(FORCED, symbol=BTC, autoCloseType="LIQUIDATION")).body) == 1
    assert (await client.get(FORCED, autoCloseType="ADL")).body == (await client.get(FORCED, symbol="ETHUSDT")).body == []
    assert (await client.get(FORCED, autoCloseType="MINE")).refusal == (400, -1130)
    assert (await client.get(FORCED, limit=101)).refusal == (400, -1130)
    venue.clock.ahead_ms += 8 * DAY_MS
    assert (await client.get(FORCED)).body == []
