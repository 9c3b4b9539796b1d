"""What an account of the OKX dialect sees over time: the life of its orders, its lists page by page, and the venue's candles."""

import time
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise

import pytest

from tests.sandbox.okx_venue import BTC, PEPE, Client, Venue, serve_okx

ORDER = "/api/v5/trade/order"


@pytest.fixture
async def venue() -> AsyncIterator[Venue]:
    async with serve_okx() as served:
        yield served


@pytest.fixture
def client(venue: Venue) -> Client:
    return venue.client()


async def _off_price(client: Client, factor: str) -> str:
    return str(round(Decimal((await client.get("/api/v5/market/ticker", instId=BTC)).row["last"]) * Decimal(factor)))


# -- the life of an order --


async def test_sizes_are_contracts_on_every_way_out(client: Client, venue: Venue) -> None:
    placed = await client.order(instId=PEPE, sz="0.3")
    order = (await client.get(ORDER, instId=PEPE, ordId=placed.row["ordId"])).row
    position = (await client.get("/api/v5/account/positions", instId=PEPE)).row
    fills = (await client.get("/api/v5/trade/fills", instId=PEPE)).data
    assert (order["sz"], order["accFillSz"], position["pos"]) == ("0.3", "0.3", "0.3")
    assert sum(Decimal(fill["fillSz"]) for fill in fills) == Decimal("0.3")
    assert Decimal(position["notionalUsd"]) == Decimal(position["markPx"]) * 3_000_000
    book = (await client.get("/api/v5/market/books", instId=PEPE, sz="1")).row
    assert Decimal(book["bids"][0][1]) % Decimal("0.1") == 0


async def test_an_order_ends_as_its_kind_says(client: Client) -> None:
    touch = await _off_price(client, "1.01")
    taken = await client.order(ordType="post_only", px=touch, clOrdId="maker")
    assert taken.code == "0"
    for fields, state, source in (
        ({"clOrdId": "maker"}, "canceled", "31"),
        ({"clOrdId": "fok", "ordType": "fok", "px": await _off_price(client, "0.97")}, "canceled", "13"),
        ({"clOrdId": "ioc", "ordType": "ioc", "px": await _off_price(client, "0.97")}, "canceled", "14"),
        ({"clOrdId": "ioc2", "ordType": "ioc", "px": touch}, "filled", ""),
        ({"clOrdId": "limit", "ordType": "limit", "px": touch}, "filled", ""),
    ):
        if "ordType" in fields:
            assert (await client.order(**fields)).code == "0"
        row = (await client.get(ORDER, instId=BTC, clOrdId=fields["clOrdId"])).row
        assert (row["state"], row["cancelSource"]) == (state, source)
        assert row["ordType"] == fields.get("ordType", "post_only")


async def test_a_cancel_works_once(client: Client) -> None:
    resting = await client.order(ordType="limit", px=await _off_price(client, "0.97"), clOrdId="rest")
    body = {"instId": BTC, "ordId": "", "clOrdId": "rest"}
    canceled = await client.post("/api/v5/trade/cancel-order", body)
    assert canceled.verdict == ("0", "0")
    assert canceled.row["ordId"] == resting.row["ordId"]
    row = (await client.get(ORDER, instId=BTC, clOrdId="rest")).row
    assert (row["state"], row["cancelSource"], row["accFillSz"], row["avgPx"]) == ("canceled", "1", "0", "")
    assert (await client.post("/api/v5/trade/cancel-order", body)).verdict == ("1", "51400")
    assert (await client.post("/api/v5/trade/cancel-batch-orders", [body, {"instId": BTC, "ordId": "7"}])).code == "1"


async def test_closing_needs_a_position_and_no_pending_close_orders(client: Client) -> None:
    path, body = "/api/v5/trade/close-position", {"instId": BTC, "mgnMode": "cross", "posSide": "", "autoCxl": "", "clOrdId": "", "ccy": ""}
    assert (await client.post(path, body)).code == "51023"
    await client.order(sz="3", side="sell")
    await client.order(sz="1", side="buy", ordType="limit", px=await _off_price(client, "0.97"), reduceOnly="true")
    assert (await client.post(path, body)).code == "51115"
    assert (await client.post(path, body | {"autoCxl": "true"})).code == "0"
    assert (await client.get("/api/v5/account/positions")).data == []
    assert (await client.get("/api/v5/trade/orders-pending")).data == []


async def test_bills_lead_to_the_balance(client: Client) -> None:
    await client.order(sz="2")
    await client.order(sz="2", side="sell")
    bills = (await client.get("/api/v5/account/bills")).data
    cash = Decimal((await client.get("/api/v5/account/balance")).row["details"][0]["cashBal"])
    assert Decimal(bills[0]["bal"]) == cash == sum(Decimal(bill["balChg"]) for bill in bills)
    for newer, older in pairwise(bills):
        assert Decimal(newer["bal"]) == Decimal(older["bal"]) + Decimal(newer["balChg"])


async def test_what_was_canceled_unfilled_is_forgotten_after_two_hours(client: Client, venue: Venue) -> None:
    await client.order(ordType="ioc", px=await _off_price(client, "0.97"), clOrdId="vain")
    await client.order(clOrdId="done")
    asked = ("/api/v5/trade/orders-history", {"instType": "SWAP"})
    assert {row["clOrdId"] for row in (await client.get(asked[0], **asked[1])).data} == {"vain", "done"}
    venue.clock.ahead_ms = 2 * 3_600_000 + 60_000
    assert {row["clOrdId"] for row in (await client.get(asked[0], **asked[1])).data} == {"done"}
    assert (await client.get(ORDER, instId=BTC, clOrdId="vain")).code == "51603"
    venue.clock.ahead_ms = 8 * 86_400_000
    assert (await client.get(asked[0], **asked[1])).data == []
    assert {row["clOrdId"] for row in (await client.get(f"{asked[0]}-archive", **asked[1])).data} == {"done"}


# -- pages --


async def _pages(client: Client, path: str, identifier: str, **parameters: str) -> list[str]:
    """Every id, page by page, as a client walks back in time."""
    found: list[str] = []
    while True:
        cursor = {"after": found[-1]} if found else {}
        page = (await client.get(path, limit="2", **parameters, **cursor)).data
        assert len(page) <= 2
        if not page:
            return found
        assert page[0][identifier] not in found
        found += [row[identifier] for row in page]


@pytest.mark.parametrize(
    ("path", "identifier"),
    [
        ("/api/v5/trade/orders-history", "ordId"),
        ("/api/v5/trade/orders-history-archive", "ordId"),
        ("/api/v5/trade/fills", "billId"),
        ("/api/v5/trade/fills-history", "billId"),
        ("/api/v5/account/bills", "billId"),
    ],
)
async def test_pages_lead_through_the_whole_history(client: Client, path: str, identifier: str) -> None:
    for _ in range(5):
        assert (await client.order(sz="0.01")).code == "0"
    whole = [row[identifier] for row in (await client.get(path, instType="SWAP")).data]
    assert len(whole) >= 5
    assert whole == sorted(whole, key=int, reverse=True)
    assert await _pages(client, path, identifier, instType="SWAP") == whole
    newer = (await client.get(path, instType="SWAP", before=whole[2])).data
    assert [row[identifier] for row in newer] == whole[:2]


async def test_pending_orders_are_filtered_and_paged(client: Client) -> None:
    for _ in range(3):
        await client.order(ordType="limit", px=await _off_price(client, "0.97"), sz="0.01")
    await client.order(ordType="post_only", px=await _off_price(client, "0.97"), sz="0.01", clOrdId="maker")
    path = "/api/v5/trade/orders-pending"
    assert len(await _pages(client, path, "ordId")) == 4
    assert (await client.get(path, ordType="post_only,ioc")).row["clOrdId"] == "maker"
    assert (await client.get(path, instId="ETH-USDT-SWAP")).data == []
    assert len((await client.get(path, instFamily="BTC-USDT", state="live")).data) == 4
    assert (await client.get(path, state="partially_filled")).data == []


# -- candles --


async def _candles(client: Client, path: str = "history-candles", **parameters: object) -> list[list[str]]:
    return (await client.get(f"/api/v5/market/{path}", instId=BTC, **parameters)).data


def _opened(candle: list[str]) -> datetime:
    return datetime.fromtimestamp(int(candle[0]) / 1000, UTC)


@pytest.mark.parametrize(
    ("bar", "opens"),
    [
        ("4H", lambda at: at.hour % 4 == 0),
        ("6H", lambda at: at.hour in (22, 4, 10, 16)),
        ("6Hutc", lambda at: at.hour % 6 == 0),
        ("12H", lambda at: at.hour in (4, 16)),
        ("12Hutc", lambda at: at.hour in (0, 12)),
        ("1D", lambda at: at.hour == 16),
        ("1Dutc", lambda at: at.hour == 0),
        ("1W", lambda at: (at.weekday(), at.hour) == (6, 16)),
        ("1Wutc", lambda at: (at.weekday(), at.hour) == (0, 0)),
        ("1M", lambda at: ((at + timedelta(hours=8)).day, at.hour) == (1, 16)),
        ("1Mutc", lambda at: (at.day, at.hour) == (1, 0)),
    ],
)
async def test_long_bars_open_at_hong_kongs_midnight_unless_utc(client: Client, bar: str, opens: Callable[[datetime], bool]) -> None:
    candles = await _candles(client, bar=bar, limit="12")
    assert len(candles) == 12
    assert all(opens(_opened(candle)) for candle in candles)
    assert [candle[8] for candle in candles] == ["0"] + ["1"] * 11


async def test_a_day_is_made_of_its_hours(client: Client) -> None:
    day = (await _candles(client, bar="1D", limit="2"))[1]
    closes_ms = int(day[0]) + 86_400_000
    hours = await _candles(client, bar="1H", after=closes_ms, before=int(day[0]) - 1)
    assert len(hours) == 24
    assert (day[1], day[4]) == (hours[-1][1], hours[0][4])
    assert Decimal(day[2]) == max(Decimal(hour[2]) for hour in hours)
    assert Decimal(day[3]) == min(Decimal(hour[3]) for hour in hours)
    assert Decimal(day[6]) == sum(Decimal(hour[6]) for hour in hours)


async def test_after_is_older_and_before_is_newer(client: Client) -> None:
    candles = await _candles(client, bar="5m", limit="20")
    opens = [int(candle[0]) for candle in candles]
    assert opens == sorted(opens, reverse=True)
    assert [int(row[0]) for row in await _candles(client, bar="5m", after=opens[5], limit="3")] == opens[6:9]
    assert [int(row[0]) for row in await _candles(client, bar="5m", before=opens[5])][-5:] == opens[:5]
    assert [int(row[0]) for row in await _candles(client, bar="5m", after=opens[2], before=opens[6])] == opens[3:6]


async def test_volumes_are_contracts_base_and_quote(client: Client) -> None:
    for candle in await _candles(client, bar="1H", limit="5"):
        contracts, base, quote = (Decimal(text) for text in candle[5:8])
        assert base == contracts * Decimal("0.01")
        assert Decimal(candle[3]) * base <= quote <= Decimal(candle[2]) * base


async def test_recent_candles_reach_back_so_far_and_history_further(client: Client) -> None:
    old = int(time.time() * 1000) - 2_000 * 60_000
    assert await _candles(client, "candles", bar="1m", after=old) == []
    assert len(await _candles(client, bar="1m", after=old)) == 100
    assert len(await _candles(client, bar="1m", limit="1000")) == 300


async def test_mark_and_index_candles_have_prices_only(client: Client) -> None:
    for path, inst_id in (("mark-price-candles", BTC), ("index-candles", "BTC-USDT")):
        rows = (await client.get(f"/api/v5/market/{path}", instId=inst_id, bar="1m", limit="3")).data
        assert [len(row) for row in rows] == [6, 6, 6]
        assert [row[5] for row in rows] == ["0", "1", "1"]


async def test_funding_history_is_paged_by_time(client: Client) -> None:
    path = "/api/v5/public/funding-rate-history"
    whole = [row["fundingTime"] for row in (await client.get(path, instId=BTC, limit="9")).data]
    assert whole == sorted(whole, key=int, reverse=True)
    assert [row["fundingTime"] for row in (await client.get(path, instId=BTC, after=whole[2], limit="4")).data] == whole[3:7]
    assert [row["fundingTime"] for row in (await client.get(path, instId=BTC, before=whole[2])).data] == whole[:2]
