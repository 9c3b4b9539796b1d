"""Orders of the simulated Binance changed in place, and the record of the changes."""

import json
from collections.abc import AsyncIterator
from decimal import Decimal

import pytest

from tests.sandbox.binance_venue import BTC, Answer, Client, Served, serve_binance

ORDER = "/fapi/v1/order"


@pytest.fixture
async def venue() -> AsyncIterator[Served]:
    async with serve_binance() as served:
        yield served


@pytest.fixture
def client(venue: Served) -> Client:
    return venue.client()


async def _resting(venue: Served, client: Client, **fields: object) -> dict[str, object]:
    answer = await client.order(**{"type": "LIMIT", "timeInForce": "GTC", "price": venue.price("0.96"), **fields})
    assert answer.body["status"] == "NEW"
    return dict(answer.body)


async def _amend(client: Client, order: dict[str, object], **changes: object) -> Answer:
    terms = {"symbol": BTC, "side": "BUY", "orderId": order["orderId"], "quantity": order["origQty"], "price": order["price"], **changes}
    return await client.signed("PUT", ORDER, **{name: value for name, value in terms.items() if value is not None})


async def test_quantity_and_price_change_and_the_order_stays_the_same(venue: Served, client: Client) -> None:
    order = await _resting(venue, client, newClientOrderId="mine", selfTradePreventionMode="EXPIRE_MAKER")
    price = f"{Decimal(venue.price('0.97')):.2f}"
    changed = (await _amend(client, order, orderId=None, origClientOrderId="mine", quantity="0.020", price=price)).body
    assert (changed["orderId"], changed["clientOrderId"], changed["status"]) == (order["orderId"], "mine", "NEW")
    assert (changed["origQty"], changed["price"], changed["selfTradePreventionMode"]) == ("0.020", price, "NONE")
    (listed,) = (await client.get("/fapi/v1/openOrders", symbol=BTC)).body
    asked = (await client.get(ORDER, symbol=BTC, orderId=order["orderId"])).body
    assert listed == asked
    assert (listed["origQty"], listed["price"]) == ("0.020", price)


async def test_a_price_across_the_book_fills(venue: Served, client: Client) -> None:
    order = await _resting(venue, client)
    assert (await _amend(client, order, price=venue.price("1.01"))).body["status"] == "FILLED"


async def test_a_gtx_order_that_would_take_is_canceled(venue: Served, client: Client) -> None:
    order = await _resting(venue, client, timeInForce="GTX")
    assert (await _amend(client, order, price=venue.price("1.01"))).body["status"] == "CANCELED"
    assert (await client.get("/fapi/v1/openOrders")).body == []


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({}, -5027),
        ({"quantity": None}, -1102),
        ({"price": None}, -1102),
        ({"side": None}, -1102),
        ({"side": "SELL"}, -1117),
        ({"quantity": "0.0005"}, -1111),
        ({"quantity": "0"}, -4003),
        ({"quantity": "100000"}, -4005),
        ({"price": "50000.05"}, -4014),
        ({"price": "900000.00"}, -4016),
        ({"quantity": "0.001", "price": "90000.00"}, -4164),
        ({"quantity": "900"}, -2019),
        ({"priceMatch": "QUEUE"}, -5037),
        ({"orderId": 1}, -2013),
        ({"orderId": None}, -1102),
    ],
)
async def test_what_is_refused_leaves_the_order(venue: Served, client: Client, changes: dict[str, object], code: int) -> None:
    order = await _resting(venue, client)
    before = (await client.get("/fapi/v1/openOrders")).body
    assert (await _amend(client, order, **changes)).refusal == (400, code)
    assert (await client.get("/fapi/v1/openOrders")).body == before


async def test_an_order_that_is_over_cannot_be_amended(venue: Served, client: Client) -> None:
    order = await _resting(venue, client)
    await client.delete(ORDER, symbol=BTC, orderId=order["orderId"])
    assert (await _amend(client, order, quantity="0.020")).refusal == (400, -2013)


async def test_a_batch_is_judged_item_by_item(venue: Served, client: Client) -> None:
    order = await _resting(venue, client)
    terms = {"symbol": BTC, "side": "BUY", "quantity": "0.020", "price": order["price"]}
    items = [terms | {"orderId": order["orderId"]}, terms | {"orderId": 1}]
    answer = await client.signed("PUT", "/fapi/v1/batchOrders", batchOrders=json.dumps(items))
    assert [item.get("code", item.get("origQty")) for item in answer.body] == ["0.020", -2013]
    assert (await client.signed("PUT", "/fapi/v1/batchOrders", batchOrders="[]")).refusal == (400, -4082)


async def test_every_change_is_on_record(venue: Served, client: Client) -> None:
    order = await _resting(venue, client)
    assert (await client.get("/fapi/v1/orderAmendment", symbol=BTC, orderId=order["orderId"])).body == []
    price = f"{Decimal(venue.price('0.97')):.2f}"
    await _amend(client, order, quantity="0.020")
    await _amend(client, order, quantity="0.020", price=price)
    newest, oldest = (await client.get("/fapi/v1/orderAmendment", symbol=BTC, orderId=order["orderId"])).body
    assert oldest["amendment"] == {
        "price": {"before": order["price"], "after": order["price"]},
        "origQty": {"before": "0.010", "after": "0.020"},
        "count": 1,
    }
    assert newest["amendment"]["price"] == {"before": order["price"], "after": price}
    asked = {"symbol": BTC, "orderId": order["orderId"]}
    assert (await client.get("/fapi/v1/orderAmendment", **asked, limit=1)).body == [newest]
    assert (await client.get("/fapi/v1/orderAmendment", **asked, endTime=oldest["time"] - 1)).body == []
