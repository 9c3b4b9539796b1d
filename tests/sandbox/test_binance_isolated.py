"""Isolated positions, leverage and brackets of the simulated Binance: wallets and margins, adding and taking out, refusals, sums."""

from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import pytest

from exchanges.sandbox.model import Venue
from tests.sandbox.binance_venue import BTC, Client, Served, serve_binance

MARGIN, HISTORY = "/fapi/v1/positionMargin", "/fapi/v1/positionMargin/history"
DAY_MS = 86_400_000


@pytest.fixture
async def venue() -> AsyncIterator[Served]:
    async with serve_binance() as served:
        served.clock.stop_within_minute()
        yield served


@pytest.fixture
def client(venue: Served) -> Client:
    return venue.client()


async def _risk(client: Client, version: str = "v3") -> dict[str, Any]:
    (row,) = (await client.get(f"/fapi/{version}/positionRisk", symbol=BTC)).body
    return dict(row)


# Wallets and sums


async def test_isolated_position_lives_on_its_own_wallet(client: Client) -> None:
    await client.isolate()
    order = (await client.order(quantity="0.100")).body
    old, new = await _risk(client, "v2"), await _risk(client)
    account = (await client.get("/fapi/v2/account")).body
    (balance,) = (await client.get("/fapi/v3/balance")).body

    for row in (old, new):
        assert abs(Decimal(row["isolatedWallet"]) - Decimal(order["cumQuote"]) / 10) < Decimal("0.0001")
        assert Decimal(row["isolatedMargin"]) == Decimal(row["isolatedWallet"]) + Decimal(row["unRealizedProfit"])
        assert 0 < Decimal(row["liquidationPrice"]) < Decimal(row["markPrice"]) < Decimal(row["entryPrice"]) * 2
    wallet, aside = Decimal(account["totalWalletBalance"]), Decimal(new["isolatedWallet"])
    assert Decimal(account["totalCrossWalletBalance"]) == Decimal(balance["crossWalletBalance"]) == wallet - aside
    assert (account["totalCrossUnPnl"], balance["crossUnPnl"]) == ("0.00000000", "0.00000000")
    assert Decimal(account["availableBalance"]) == wallet - aside
    assert Decimal(account["totalMarginBalance"]) == wallet + Decimal(new["unRealizedProfit"])
    assert Decimal(balance["balance"]) == wallet


async def test_cross_position_has_no_wallet_of_its_own(client: Client) -> None:
    await client.order()
    old, new = await _risk(client, "v2"), await _risk(client)
    assert (old["isolatedMargin"], old["isolatedWallet"]) == ("0.00000000", "0")
    assert (new["isolatedMargin"], new["isolatedWallet"]) == ("0", "0")


@pytest.mark.parametrize("quantity", ["0.050", "0.150", "0.300"])
async def test_orders_against_an_isolated_position_bind_what_the_account_says(venue: Served, client: Client, quantity: str) -> None:
    await client.isolate()
    await client.order(quantity="0.100")
    await client.order(side="SELL", type="LIMIT", timeInForce="GTC", quantity=quantity, price=venue.price("1.03"))
    await client.order(type="LIMIT", timeInForce="GTC", quantity="0.020", price=venue.price("0.97"))
    row, account = await _risk(client), (await client.get("/fapi/v2/account")).body
    assert Decimal(row["openOrderInitialMargin"]) == Decimal(account["totalOpenOrderInitialMargin"]) > 0


async def test_closing_gives_the_wallet_back_to_the_account(client: Client) -> None:
    await client.isolate()
    await client.order(quantity="0.100")
    before = Decimal((await _risk(client))["isolatedWallet"])
    await client.order(side="SELL", quantity="0.060", reduceOnly="true")
    assert abs(Decimal((await _risk(client))["isolatedWallet"]) - before * 4 / 10) <= Decimal("0.00000001")
    await client.order(side="SELL", quantity="0.040", reduceOnly="true")
    account = (await client.get("/fapi/v3/account")).body
    assert account["totalCrossWalletBalance"] == account["totalWalletBalance"] == account["availableBalance"]


# Adding and taking out margin


async def test_margin_is_added_and_taken_out_and_remembered(client: Client) -> None:
    await client.isolate()
    await client.order(quantity="0.100")
    first = await _risk(client)
    added = await client.post(MARGIN, symbol=BTC, amount="250.5", type=1)
    assert added.body == {"amount": 250.5, "code": 200, "msg": "Successfully modify position margin.", "type": 1}
    second = await _risk(client)
    assert Decimal(second["isolatedWallet"]) == Decimal(first["isolatedWallet"]) + Decimal("250.5")
    assert Decimal(second["liquidationPrice"]) < Decimal(first["liquidationPrice"])
    assert (await client.post(MARGIN, symbol=BTC, amount="100", type=2)).body["type"] == 2

    rows = (await client.get(HISTORY, symbol=BTC)).body
    assert [row["deltaType"] for row in rows][-2:] == ["USER_ADJUST", "USER_ADJUST"]
    assert {row["deltaType"] for row in rows[:-2]} == {"TRADE"}
    assert [(row["type"], row["amount"]) for row in rows[-2:]] == [(1, "250.50000000"), (2, "100.00000000")]
    signs = {1: 1, 2: -1}
    assert sum(signs[row["type"]] * Decimal(row["amount"]) for row in rows) == Decimal((await _risk(client))["isolatedWallet"])
    assert [row["amount"] for row in (await client.get(HISTORY, symbol=BTC, type=2)).body] == ["100.00000000"]
    assert (await client.get(HISTORY, symbol=BTC, limit=1)).body == rows[-1:]
    assert (await client.get(HISTORY, symbol=BTC, limit=1, startTime=client.clock() - DAY_MS)).body == rows[:1]
    assert (await client.get(HISTORY, symbol="ETHUSDT")).body == []
    assert set(rows[0]) == {"symbol", "type", "deltaType", "amount", "asset", "time", "positionSide", "clientTranId"}


async def test_margin_change_is_refused_in_the_venues_words(client: Client) -> None:
    async def ask(**fields: object) -> tuple[int, str]:
        body = (await client.post(MARGIN, **{"symbol": BTC, "amount": "10", "type": 1, **fields})).body
        return body["code"], body["msg"]

    assert await ask() == (-4054, "Cannot add position margin: position is 0.")
    await client.order()
    assert await ask() == (-4049, "Add margin only support for isolated position.")
    await client.order(side="SELL", reduceOnly="true")
    await client.isolate()
    await client.order()
    assert await ask(amount="1000000") == (-4050, "Cross balance insufficient.")
    assert await ask(amount="100000", type=2) == (-4051, "Isolated balance insufficient.")
    for amount in ("0", "-5", "0.000000001"):
        assert await ask(amount=amount) == (-4055, "Amount must be positive.")
    assert (await ask(type=3))[0] == -1130
    assert (await ask(positionSide="LONG"))[0] == -4061
    assert (await ask(amount=""))[0] == (await ask(amount="many"))[0] == -1102
    assert (await client.post(MARGIN, symbol=BTC, amount="1")).refusal == (400, -1102)


async def test_margin_history_is_asked_for_at_most_thirty_days(client: Client) -> None:
    wide = {"startTime": client.clock() - 31 * DAY_MS, "endTime": client.clock()}
    assert (await client.get(HISTORY, symbol=BTC, **wide)).refusal == (400, -4165)
    assert (await client.get(HISTORY, symbol=BTC, type=0)).refusal == (400, -1130)


async def test_each_leg_has_a_wallet_of_its_own(client: Client) -> None:
    await client.hedge()
    await client.isolate()
    await client.order(positionSide="LONG", quantity="0.100")
    await client.order(side="SELL", positionSide="SHORT", quantity="0.050")
    assert (await client.post(MARGIN, symbol=BTC, amount="10", type=1)).refusal == (400, -4061)
    before_long, before_short = (await client.get("/fapi/v3/positionRisk")).body
    assert (await client.post(MARGIN, symbol=BTC, amount="10", type=1, positionSide="SHORT")).status == 200
    long, short = (await client.get("/fapi/v3/positionRisk")).body
    assert long["isolatedWallet"] == before_long["isolatedWallet"]
    assert Decimal(short["isolatedWallet"]) == Decimal(before_short["isolatedWallet"]) + 10
    assert Decimal(long["liquidationPrice"]) < Decimal(long["markPrice"]) < Decimal(short["liquidationPrice"])
    assert (await client.get(HISTORY, symbol=BTC)).body[-1]["positionSide"] == "SHORT"


# Leverage and brackets


async def test_leverage_of_an_isolated_position_is_raised_and_not_lowered(client: Client) -> None:
    await client.isolate()
    await client.order(quantity="0.100")
    refused = await client.post("/fapi/v1/leverage", symbol=BTC, leverage=5)
    assert refused.refusal == (400, -4161)
    assert refused.body["msg"] == "Leverage reduction is not supported in Isolated Margin Mode with open positions."
    raised = (await client.post("/fapi/v1/leverage", symbol=BTC, leverage=20)).body
    assert raised["leverage"] == 20
    risk = await _risk(client, "v2")
    assert (risk["leverage"], risk["maxNotionalValue"]) == ("20", raised["maxNotionalValue"])


async def test_leverage_is_refused_where_what_is_held_does_not_fit_it(venue: Served, client: Client) -> None:
    thousands = Decimal(1000) / venue.engine.mark(Venue.BINANCE, BTC)
    held = f"{(700 * thousands).quantize(Decimal('0.001'))}"
    assert (await client.order(quantity=held)).body["status"] == "FILLED"
    assert (await client.post("/fapi/v1/leverage", symbol=BTC, leverage=5)).refusal == (400, -2028)
    assert (await client.post("/fapi/v1/leverage", symbol=BTC, leverage=50)).status == 200
    more = f"{(500 * thousands).quantize(Decimal('0.001'))}"
    assert (await client.order(quantity=more)).body["status"] == "FILLED"
    assert (await client.post("/fapi/v1/leverage", symbol=BTC, leverage=125)).refusal == (400, -2027)


async def test_order_beyond_the_bracket_of_its_leverage_is_refused(venue: Served, client: Client) -> None:
    most = (await client.post("/fapi/v1/leverage", symbol=BTC, leverage=125)).body["maxNotionalValue"]
    price = venue.price("0.98")
    rests = {"type": "LIMIT", "timeInForce": "GTC", "price": price}
    beyond = f"{(Decimal(most) / Decimal(price) * Decimal('1.05')).quantize(Decimal('0.001'))}"
    within = f"{(Decimal(most) / Decimal(price) * Decimal('0.90')).quantize(Decimal('0.001'))}"
    refused = await client.order(**rests, quantity=beyond)
    assert refused.refusal == (400, -2027)
    assert refused.body["msg"] == "Exceeded the maximum allowable position at current leverage."
    assert (await client.order(**rests, quantity=within)).body["status"] == "NEW"


async def test_brackets_are_contiguous_and_bound_what_settings_say(client: Client) -> None:
    (row,) = (await client.get("/fapi/v1/leverageBracket", symbol=BTC)).body
    brackets = row["brackets"]
    assert [each["bracket"] for each in brackets] == list(range(1, len(brackets) + 1))
    assert [each["notionalCap"] for each in brackets[:-1]] == [each["notionalFloor"] for each in brackets[1:]]
    assert brackets[0] == {
        "bracket": 1,
        "initialLeverage": 125,
        "notionalCap": 1_000_000,
        "notionalFloor": 0,
        "maintMarginRatio": 0.004,
        "cum": 0,
    }
    leverages = [each["initialLeverage"] for each in brackets]
    assert leverages == sorted(set(leverages), reverse=True)
    for each in brackets:
        answer = (await client.post("/fapi/v1/leverage", symbol=BTC, leverage=each["initialLeverage"])).body
        assert answer["maxNotionalValue"] == str(each["notionalCap"])
        (config,) = (await client.get("/fapi/v1/symbolConfig", symbol=BTC)).body
        assert (config["leverage"], config["maxNotionalValue"]) == (each["initialLeverage"], str(each["notionalCap"]))
    assert len((await client.get("/fapi/v1/leverageBracket")).body) == 12
