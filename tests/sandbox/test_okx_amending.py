"""Pending orders of the OKX dialect changed in place."""

from collections.abc import AsyncIterator

import pytest

from tests.sandbox.okx_venue import BTC, PEPE, Client, serve_okx

AMEND = "/api/v5/trade/amend-order"
ORDER = "/api/v5/trade/order"


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    async with serve_okx() as venue:
        yield venue.client()


async def _resting(client: Client, **fields: object) -> dict[str, object]:
    px = fields.pop("px", None) or str(round(await client.price() * 0.97))
    placed = await client.order(**{"ordType": "limit", "px": px, **fields})
    assert placed.code == "0"
    return {"instId": fields.get("instId", BTC), "ordId": placed.row["ordId"]}


async def test_size_and_price_change_and_the_order_stays_the_same(client: Client) -> None:
    named = await _resting(client, clOrdId="mine")
    answer = await client.post(AMEND, {**named, "newSz": "2.5", "reqId": "change1", "attachAlgoOrds": [], "newPxUsd": ""})
    assert answer.verdict == ("0", "0")
    assert (answer.row["ordId"], answer.row["clOrdId"], answer.row["reqId"]) == (named["ordId"], "mine", "change1")
    lower = str(round(await client.price() * 0.96))
    assert (await client.post(AMEND, {"instId": BTC, "clOrdId": "mine", "newPx": lower})).code == "0"
    order = (await client.get(ORDER, **named)).row
    assert (order["sz"], order["px"], order["state"]) == ("2.5", lower, "live")


async def test_sizes_of_amendments_are_contracts(client: Client) -> None:
    px = f"{await client.price(PEPE) * 0.97:.9f}"
    named = await _resting(client, instId=PEPE, sz="0.3", px=px)
    assert (await client.post(AMEND, {**named, "newSz": "0.7"})).code == "0"
    assert (await client.get(ORDER, **named)).row["sz"] == "0.7"


async def test_a_price_across_the_book_fills(client: Client) -> None:
    named = await _resting(client)
    assert (await client.post(AMEND, {**named, "newPx": str(round(await client.price() * 1.01))})).code == "0"
    assert (await client.get(ORDER, **named)).row["state"] == "filled"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({}, "50014"),
        ({"newSz": "0"}, "51000"),
        ({"newSz": "1.005"}, "51121"),
        ({"newPx": "90000.05"}, "51150"),
        ({"newPx": "900000"}, "51006"),
        ({"newSz": "90000"}, "51502"),
        ({"newPxVol": "1", "newSz": "2"}, "51000"),
        ({"newSz": "2", "attachAlgoOrds": [{"newSlTriggerPx": "1"}]}, "51000"),
        ({"newSz": "2", "ordId": "1"}, "51503"),
        ({"newSz": "2", "instId": "NOPE-USDT-SWAP"}, "51001"),
    ],
)
async def test_what_is_refused_leaves_the_order(client: Client, changes: dict[str, object], code: str) -> None:
    named = await _resting(client)
    before = (await client.get(ORDER, **named)).row
    assert (await client.post(AMEND, {**named, **changes})).verdict == ("1", code)
    assert (await client.get(ORDER, **named)).row == before


async def test_cancel_on_failure_cancels(client: Client) -> None:
    named = await _resting(client)
    assert (await client.post(AMEND, {**named, "newSz": "1.005", "cxlOnFail": True})).verdict == ("1", "51121")
    assert (await client.get(ORDER, **named)).row["state"] == "canceled"
    assert (await client.post(AMEND, {**named, "newSz": "2"})).verdict == ("1", "51503")


async def test_a_batch_is_judged_item_by_item(client: Client) -> None:
    named = await _resting(client)
    answer = await client.post("/api/v5/trade/amend-batch-orders", [{**named, "newSz": "2"}, {**named, "ordId": "1", "newSz": "2"}])
    assert (answer.code, [row["sCode"] for row in answer.data]) == ("2", ["0", "51503"])
    assert (await client.get(ORDER, **named)).row["sz"] == "2"
    assert (await client.post("/api/v5/trade/amend-batch-orders", [{**named, "newSz": "2"}] * 21)).code == "51111"
