"""Market data of the OKX dialect that goes deeper or further back than a first look: every bar, the deep book, the tape by pages."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from tests.sandbox.okx_venue import BTC, Client, serve_okx

HOUR_MS = 3_600_000


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    async with serve_okx() as venue:
        yield venue.client()


@pytest.mark.parametrize(("bar", "step_ms"), [("1s", 1_000), ("2D", 48 * HOUR_MS), ("2Dutc", 48 * HOUR_MS), ("3D", 72 * HOUR_MS)])
async def test_bars_of_seconds_and_of_several_days(client: Client, bar: str, step_ms: int) -> None:
    opens = [int(row[0]) for row in (await client.get("/api/v5/market/candles", instId=BTC, bar=bar, limit="5")).data]
    assert [newer - older for newer, older in pairwise(opens)] == [step_ms] * 4
    assert (opens[0] + (0 if bar in ("1s", "2Dutc") else 8 * HOUR_MS)) % step_ms == 0


@pytest.mark.parametrize(("bar", "ahead"), [("3M", 8), ("3Mutc", 0)])
async def test_quarters_open_on_the_first_of_their_month_and_hold_their_months(client: Client, bar: str, ahead: int) -> None:
    quarter = (await client.get("/api/v5/market/history-candles", instId=BTC, bar=bar, limit="4")).data[1]
    opened = datetime.fromtimestamp(int(quarter[0]) / 1000, UTC) + timedelta(hours=ahead)
    assert (opened.month % 3, opened.day, opened.hour, quarter[8]) == (1, 1, 0, "1")
    months = (await client.get("/api/v5/market/history-candles", instId=BTC, bar=bar.replace("3M", "1M"), limit="12")).data
    (first,) = [index for index, row in enumerate(months) if row[0] == quarter[0]]
    inside = months[first - 2 : first + 1]
    assert quarter[1] == inside[-1][1]
    assert quarter[4] == inside[0][4]
    assert float(quarter[2]) == max(float(row[2]) for row in inside)


async def test_marks_have_no_bars_of_seconds(client: Client) -> None:
    assert (await client.get("/api/v5/market/mark-price-candles", instId=BTC, bar="1s")).code == "51000"
    assert len((await client.get("/api/v5/market/mark-price-candles", instId=BTC, bar="3M", limit="3")).data) == 3


async def test_the_full_book_goes_on_where_the_book_ends(client: Client) -> None:
    deep = (await client.get("/api/v5/market/books-full", instId=BTC, sz="500")).row
    assert (len(deep["bids"]), len(deep["asks"]), {len(level) for level in deep["bids"]}) == (500, 500, {3})
    assert (await client.get("/api/v5/market/books-full", instId=BTC, sz="5001")).code == "51000"


async def test_the_tape_is_read_back_page_by_page(client: Client) -> None:
    path = "/api/v5/market/history-trades"
    newest = (await client.get(path, instId=BTC, limit="100")).data
    assert {row["tradeId"]: row for row in newest}.items() <= {
        row["tradeId"]: row for row in (await client.get("/api/v5/market/trades", instId=BTC, limit="200")).data
    }.items(), "a print is final"
    newest = newest[:3]
    older = (await client.get(path, instId=BTC, limit="3", after=newest[-1]["tradeId"])).data
    assert int(older[0]["tradeId"]) < int(newest[-1]["tradeId"])
    assert [int(row["tradeId"]) for row in older] == sorted((int(row["tradeId"]) for row in older), reverse=True)
    by_time = (await client.get(path, instId=BTC, limit="3", type="2", after="1700000000000")).data
    assert by_time
    assert all(1_699_999_990_000 < int(row["ts"]) < 1_700_000_000_000 for row in by_time)
    assert (await client.get(path, instId=BTC, limit="3", type="2", after=str(int(by_time[0]["ts"]) + 1))).data[0] == by_time[0]
    assert (await client.get(path, instId=BTC, type="3")).code == "51000"
