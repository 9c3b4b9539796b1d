"""Every answer of the Binance dialect against the recorded or documented payload of the same endpoint: no field less, no type else."""

import json
from collections import defaultdict
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from tests.sandbox.binance_venue import BTC, Answer, Client, serve_binance

FIXTURES = Path(__file__).parents[3] / "shared" / "fixtures" / "binance"

# (file, field): why this answer differs from that payload.
JUSTIFIED = {
    # ccxt keeps every JSON number of its recorded responses as a string
    ("open_orders__ccxt-postonly-new.json", "orderId"),
    ("open_orders__ccxt-postonly-new.json", "goodTillDate"),
    ("open_orders__ccxt-postonly-new.json", "time"),
    ("open_orders__ccxt-postonly-new.json", "updateTime"),
    ("order_history__ccxt-hedge-market-filled.json", "[].orderId"),
    ("order_history__ccxt-hedge-market-filled.json", "[].goodTillDate"),
    ("order_history__ccxt-hedge-market-filled.json", "[].time"),
    ("order_history__ccxt-hedge-market-filled.json", "[].updateTime"),
    # only trailing orders have these, and there are none
    ("order_query__trailing-docs.json", "activatePrice"),
    ("order_query__trailing-docs.json", "priceRate"),
    ("open_orders__docs.json", "[].activatePrice"),
    ("open_orders__docs.json", "[].priceRate"),
    # the sample is of version 2: version 3 has neither leverage nor margin type
    ("positions__v3-docs.json", "[].leverage"),
    ("positions__v3-docs.json", "[].maxNotionalValue"),
    ("positions__v3-docs.json", "[].marginType"),
    ("positions__v3-docs.json", "[].isAutoAddMargin"),
    # an old sample: the venue's specification of 2026, as its own library checks it, has a number and a text
    ("fills__income-history.json", "[].tranId"),
}

Ask = Callable[[Client], Awaitable[Answer]]


def _public(path: str, **parameters: object) -> Ask:
    return lambda client: client.public(path, **parameters)


def _get(path: str, **parameters: object) -> Ask:
    return lambda client: client.get(path, **parameters)


def _post(path: str, **parameters: object) -> Ask:
    return lambda client: client.post(path, **parameters)


async def _rest(client: Client) -> Answer:
    price = (await client.public("/fapi/v1/ticker/price", symbol="LTCUSDT")).body["price"]
    return await client.order(
        symbol="LTCUSDT", type="LIMIT", timeInForce="GTX", quantity="1.000", price=f"{float(price) * 0.97:.2f}", newClientOrderId="rests"
    )


async def _query_resting(client: Client) -> Answer:
    await _rest(client)
    return await client.get("/fapi/v1/order", symbol="LTCUSDT", origClientOrderId="rests")


async def _query_open(client: Client) -> Answer:
    await _rest(client)
    return await client.get("/fapi/v1/openOrder", symbol="LTCUSDT", origClientOrderId="rests")


async def _cancel_unknown(client: Client) -> Answer:
    return await client.delete("/fapi/v1/order", symbol=BTC, orderId=1)


async def _cancel_all(client: Client) -> Answer:
    return await client.delete("/fapi/v1/allOpenOrders", symbol=BTC)


async def _batch_with_a_refusal(client: Client) -> Answer:
    item = {"symbol": "LTCUSDT", "side": "BUY", "type": "LIMIT", "timeInForce": "GTC", "quantity": "1", "price": "60.00"}
    return await client.post("/fapi/v1/batchOrders", batchOrders=json.dumps([item | {"quantity": "100000"}, item]))


async def _amend(client: Client) -> Answer:
    order = (await _rest(client)).body
    changed = {"symbol": "LTCUSDT", "side": "BUY", "orderId": order["orderId"], "quantity": "2.000", "price": order["price"]}
    return await client.signed("PUT", "/fapi/v1/order", **changed)


async def _hedged_history(client: Client) -> Answer:
    """Of an account that has nothing yet, which it needs to change its position mode."""
    fresh = Client(client.http, client.base, client.clock, "hedged")
    await fresh.hedge()
    await fresh.order(positionSide="LONG")
    return await fresh.get("/fapi/v1/allOrders", symbol=BTC)


async def _income(client: Client) -> Answer:
    await client.order()
    await client.order(side="SELL", reduceOnly="true")
    return await client.get("/fapi/v1/income")


CASES: dict[str, Ask] = {
    "balance__account-v2-flat.json": _get("/fapi/v2/account"),
    "balance__account-v3-docs.json": _get("/fapi/v3/account"),
    "error__invalid-symbol.json": _public("/fapi/v1/ticker/24hr", symbol="BTCUSD_201225"),
    "error__margin-insufficient.json": lambda client: client.order(quantity="100"),
    "error__order-does-not-exist.json": _get("/fapi/v1/order", symbol=BTC, orderId=1),
    "error__qty-too-big.json": lambda client: client.order(quantity="1000"),
    "error__timestamp-outside-recvwindow.json": _get("/fapi/v3/balance", timestamp=1_600_000_000_000),
    "error__unknown-order-cancel.json": _cancel_unknown,
    "fees__commissionRate-btc.json": _get("/fapi/v1/commissionRate", symbol=BTC),
    "fees__commissionRate-docs.json": _get("/fapi/v1/commissionRate", symbol=BTC),
    "fills__income-history.json": _income,
    "fills__pm-userTrades.json": _get("/fapi/v1/userTrades", symbol=BTC),
    "funding__fundingRate-history-BTCUSDT.json": _public("/fapi/v1/fundingRate", symbol=BTC),
    "instruments__exchangeInfo-full.json": _public("/fapi/v1/exchangeInfo"),
    "klines__LTCUSDT-5m.json": _public("/fapi/v1/klines", symbol="LTCUSDT", interval="5m"),
    "leverage__margin-type.json": _post("/fapi/v1/marginType", symbol="LTCUSDT", marginType="ISOLATED"),
    "leverage__set-leverage.json": _post("/fapi/v1/leverage", symbol=BTC, leverage=21),
    "mark_price__premiumIndex-BTCUSDT.json": _public("/fapi/v1/premiumIndex", symbol=BTC),
    "open_orders__ccxt-postonly-new.json": _query_open,
    "open_orders__docs.json": _get("/fapi/v1/openOrders"),
    "order_cancel__cancel-all.json": _cancel_all,
    "order_create__batch-one-rejected.json": _batch_with_a_refusal,
    "order_create__edit-limit-new.json": _amend,
    "order_history__allOrders.json": _get("/fapi/v1/allOrders", symbol=BTC),
    "order_history__ccxt-hedge-market-filled.json": _hedged_history,
    "order_query__old-shape-new.json": _query_resting,
    "order_query__open-order-new.json": _query_open,
    "order_query__trailing-docs.json": _query_resting,
    "orderbook__depth-BTCUSDT-5.json": _public("/fapi/v1/depth", symbol=BTC, limit=5),
    "position_mode__dual-true.json": _get("/fapi/v1/positionSide/dual"),
    "positions__oneway-flat.json": _get("/fapi/v2/positionRisk"),
    "positions__symbol-config.json": _get("/fapi/v1/symbolConfig"),
    "positions__v3-docs.json": _get("/fapi/v3/positionRisk"),
    "ticker__price-BTCUSDT.json": _public("/fapi/v1/ticker/price", symbol=BTC),
    "ticker__ticker24hr-BTCUSDT.json": _public("/fapi/v1/ticker/24hr", symbol=BTC),
}

SAME_TEXT = [name for name in CASES if name.startswith("error__")] + ["order_cancel__cancel-all.json", "leverage__margin-type.json"]


def _payload(name: str) -> Any:
    path = FIXTURES / name
    if not path.exists():
        pytest.skip(f"{path} is absent: recorded payloads are kept beside the project")
    return json.loads(path.read_text())["payload"]


def _types(value: Any, at: str = "") -> dict[str, set[str]]:
    """The JSON types found at each field. What stands in a list is looked at together, but place by place in a row of mixed values
    (a candle), where the place is the field's name."""
    found: dict[str, set[str]] = defaultdict(set)
    found[at].add(type(value).__name__)
    children: list[tuple[str, Any]] = []
    if isinstance(value, dict):
        children = [(f"{at}.{name}".lstrip("."), each) for name, each in value.items()]
    elif isinstance(value, list):
        is_mixed = len({type(each) for each in value}) > 1
        children = [(f"{at}[{index}]" if is_mixed else f"{at}[]", each) for index, each in enumerate(value)]
    for place, child in children:
        for field, types in _types(child, place).items():
            found[field] |= types
    return found


@pytest.mark.parametrize("name", CASES)
async def test_answer_has_the_fields_and_types_of_the_payload(name: str) -> None:
    expected = _types(_payload(name))
    async with serve_binance() as venue:
        answer = await CASES[name](venue.client("demo"))
    actual = _types(answer.body)
    wrong = {
        field: (types, actual.get(field))
        for field, types in expected.items()
        if (name, field) not in JUSTIFIED and not (actual.get(field) and actual[field] <= types)
    }
    assert not wrong


@pytest.mark.parametrize("name", SAME_TEXT)
async def test_refusals_and_acknowledgements_say_the_same_words(name: str) -> None:
    payload = _payload(name)
    async with serve_binance() as venue:
        assert (await CASES[name](venue.client())).body == payload


async def test_filters_are_those_of_the_recorded_venue() -> None:
    recorded = {row["symbol"]: row for row in _payload("instruments__exchangeInfo-full.json")["symbols"]}
    async with serve_binance() as venue:
        ours = (await venue.client().public("/fapi/v1/exchangeInfo")).body["symbols"]
    for row in ours:
        theirs = recorded[row["symbol"]]
        assert {each["filterType"]: each for each in row["filters"]} == {each["filterType"]: each for each in theirs["filters"]}
        assert (row["pricePrecision"], row["quantityPrecision"]) == (theirs["pricePrecision"], theirs["quantityPrecision"])
