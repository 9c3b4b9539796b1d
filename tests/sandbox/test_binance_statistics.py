"""The simulated Binance's figures on the market as a whole, and the private lists that are empty on every account."""

from collections.abc import AsyncIterator
from decimal import Decimal
from itertools import pairwise

import pytest

from tests.sandbox.binance_venue import BTC, Client, serve_binance

HOUR_MS = 3_600_000


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    async with serve_binance() as venue:
        yield venue.client()


async def test_open_interest_now_is_that_of_its_history(client: Client) -> None:
    now = (await client.public("/fapi/v1/openInterest", symbol=BTC)).body
    rows = (await client.public("/futures/data/openInterestHist", symbol=BTC, period="5m")).body
    assert len(rows) == 30
    assert {newer["timestamp"] - older["timestamp"] for older, newer in pairwise(rows)} == {300_000}
    assert Decimal(now["openInterest"]) > 0
    assert Decimal(now["openInterest"]) in {Decimal(row["sumOpenInterest"]).quantize(Decimal("0.001")) for row in rows[-1:]} or (
        rows[-1]["timestamp"] // 86_400_000 != now["time"] // 86_400_000
    )


async def test_history_is_asked_for_by_period_limit_and_range(client: Client) -> None:
    path = "/futures/data/openInterestHist"
    rows = (await client.public(path, symbol=BTC, period="1h", limit=5)).body
    start = rows[1]["timestamp"]
    assert (await client.public(path, symbol=BTC, period="1h", startTime=start, limit=2)).body == rows[1:3]
    assert (await client.public(path, symbol=BTC, period="1h", endTime=start, limit=2)).body == rows[:2]
    assert (await client.public(path, symbol=BTC, period="7h")).refusal == (400, -1130)
    assert (await client.public(path, symbol=BTC)).refusal == (400, -1102)
    assert (await client.public(path, symbol=BTC, period="1h", limit=501)).refusal == (400, -1130)


async def test_what_takers_traded_adds_up_to_the_candles(client: Client) -> None:
    rows = (await client.public("/futures/data/takerlongshortRatio", symbol=BTC, period="1h", limit=3)).body
    end = rows[-1]["timestamp"] - 1
    candles = (await client.public("/fapi/v1/klines", symbol=BTC, interval="1h", endTime=end, limit=3)).body
    for row, candle in zip(rows, candles, strict=True):
        assert row["timestamp"] == candle[6] + 1
        assert (row["buyVol"], Decimal(row["buyVol"]) + Decimal(row["sellVol"])) == (candle[9], Decimal(candle[5]))


async def test_index_candles_are_those_of_the_marks(client: Client) -> None:
    asked = {"interval": "1h", "limit": 3, "endTime": 1_790_000_000_000}
    marks = (await client.public("/fapi/v1/markPriceKlines", symbol=BTC, **asked)).body
    assert (await client.public("/fapi/v1/indexPriceKlines", pair=BTC, **asked)).body == marks
    assert (await client.public("/fapi/v1/indexPriceKlines", symbol=BTC, **asked)).refusal == (400, -1102)


async def test_old_trades_want_a_key_and_go_on_from_an_id(client: Client) -> None:
    path = "/fapi/v1/historicalTrades"
    assert (await client.public(path, symbol=BTC)).refusal == (401, -2014)
    newest = (await client.send("GET", path, query=f"symbol={BTC}&limit=5", key=client.key)).body
    again = (await client.send("GET", path, query=f"symbol={BTC}&limit=5&fromId={newest[1]['id']}", key=client.key)).body
    assert again[:4] == newest[1:5]


async def test_private_lists_of_what_never_happens_here(client: Client) -> None:
    assert (await client.get("/fapi/v1/forceOrders")).body == []
    assert (await client.get("/fapi/v1/positionMargin/history", symbol=BTC)).body == []
    assert (await client.get("/fapi/v1/feeBurn")).body == {"feeBurn": False}
    assert (await client.get("/fapi/v1/adlQuantile")).body == []
    isolated = {"symbol": BTC, "amount": 1, "type": 1}
    assert (await client.post("/fapi/v1/positionMargin", **isolated)).refusal == (400, -4054)
    await client.order()
    assert (await client.post("/fapi/v1/positionMargin", **isolated)).refusal == (400, -4049)
    (rank,) = (await client.get("/fapi/v1/adlQuantile")).body
    assert (rank["symbol"], set(rank["adlQuantile"])) == (BTC, {"LONG", "SHORT", "BOTH"})


async def test_income_is_asked_for_by_any_of_the_venues_kinds(client: Client) -> None:
    await client.order()
    assert (await client.get("/fapi/v1/income", incomeType="REFERRAL_KICKBACK")).body == []
    assert (await client.get("/fapi/v1/income", incomeType="NOTHING")).refusal == (400, -1130)
    row = (await client.get("/fapi/v1/income")).body[0]
    assert (type(row["tranId"]), type(row["tradeId"])) == (int, str)
