"""Orders of the Bybit dialect: refusals, endings, batches, pages and identifiers, over real HTTP."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchanges.sandbox.bybit import ids
from exchanges.sandbox.bybit.closing import effects
from exchanges.sandbox.model import Fill, Side, Venue
from tests.sandbox.bybit_venue import BTC, CLOSE_ALL, LIMIT_BUY, MARKET_BUY, Client, price_of, serving


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with serving() as address:
        yield address


@pytest.fixture
def client(url: str) -> Client:
    """A fresh account of the test's own."""
    return Client(url, uuid4().hex)


@pytest.mark.parametrize(
    ("changed", "code", "words"),
    [
        ({"category": "linea"}, 10001, "Illegal category"),
        ({"category": None}, 10001, "Illegal category"),
        ({"category": "spot"}, 170121, "Invalid symbol."),
        ({"symbol": "NOSUCHUSDT"}, 10001, "params error: symbol invalid"),
        ({"symbol": None}, 10001, "params error: symbol invalid"),
        ({"side": "buy"}, 10001, "params error: side invalid"),
        ({"orderType": "Stop"}, 10001, "params error: orderType invalid"),
        ({"timeInForce": "GTX"}, 10001, "params error: timeInForce invalid"),
        ({"timeInForce": "RPI"}, 110119, "Order failed. RPI orders are restricted to approved market makers only"),
        ({"qty": None}, 10001, "params error: qty invalid"),
        ({"qty": 0.01}, 10001, "Qty invalid"),
        ({"qty": "1e-2"}, 10001, "Qty invalid"),
        ({"qty": "0.0105"}, 10001, "Qty invalid"),
        ({"qty": "0"}, 10001, "The number of contracts exceeds minimum limit allowed"),
        ({"qty": "1000.001"}, 10001, "The number of contracts exceeds maximum limit allowed: too large"),
        ({"price": None}, 10001, "Price invalid"),
        ({"price": "0.05", "qty": "0.01"}, 10001, "Price invalid"),
        ({"price": "1000.0", "qty": "0.001"}, 110094, "Order does not meet minimum order value 5USDT"),
        ({"price": "1999999.0"}, 110003, "Order price exceeds the allowable range."),
        ({"qty": "900"}, 110007, "ab not enough for new order"),
        ({"positionIdx": 1}, 10001, "position idx not match position mode"),
        ({"reduceOnly": True}, 110017, "current position is zero, cannot fix reduce-only order qty"),
        ({"triggerPrice": "50000", "triggerDirection": 2}, 110032, "Order is illegal"),
        ({"takeProfit": "900000"}, 110032, "Order is illegal"),
        ({"orderLinkId": "no spaces"}, 10001, "params error: orderLinkId invalid"),
        ({"orderLinkId": "x" * 37}, 10001, "params error: orderLinkId invalid"),
    ],
)
def test_orders_are_refused_with_the_venues_codes(client: Client, changed: dict[str, object], code: int, words: str) -> None:
    order = {**LIMIT_BUY, "price": price_of(client, "0.98")} | changed

    refused = client.refusal("/v5/order/create", order)

    assert refused[0] == code
    assert refused[1].startswith(words)
    assert client.rows("/v5/order/realtime", "category=linear&settleCoin=USDT") == []


def test_a_link_id_is_unique_for_good_and_filled_orders_cannot_be_canceled(client: Client) -> None:
    order_id = client.order(**MARKET_BUY, orderLinkId="once")

    assert client.refusal("/v5/order/create", {**MARKET_BUY, "orderLinkId": "once"}) == (110072, "OrderLinkedID is duplicate")
    late = (110001, "order not exists or too late to cancel")
    assert client.refusal("/v5/order/cancel", {**BTC, "orderId": order_id}) == late
    assert client.refusal("/v5/order/cancel", {**BTC, "orderId": "1"}) == late
    assert client.refusal("/v5/order/amend", {**BTC, "orderId": order_id, "qty": "0.02"})[0] == 110001


def test_an_order_is_amended_in_place(client: Client) -> None:
    low, lower = price_of(client, "0.98"), price_of(client, "0.97")
    order_id = client.order(**LIMIT_BUY, price=low, orderLinkId="amended")

    by_id = client.post("/v5/order/amend", {**BTC, "orderId": order_id, "qty": "0.02"}).json()
    by_link = client.post("/v5/order/amend", {**BTC, "orderLinkId": "amended", "price": lower, "qty": "0"}).json()
    order = client.rows("/v5/order/realtime", "category=linear&symbol=BTCUSDT")[0]

    assert by_id["result"] == by_link["result"] == {"orderId": order_id, "orderLinkId": "amended"}
    assert (order["orderId"], order["qty"], order["orderStatus"]) == (order_id, "0.020", "New")
    assert Decimal(order["price"]) == Decimal(lower)


@pytest.mark.parametrize(
    ("changes", "code", "words"),
    [
        ({}, 10001, "The order remains unchanged as the parameters entered match the existing ones."),
        ({"qty": "0.010"}, 10001, "The order remains unchanged as the parameters entered match the existing ones."),
        ({"qty": "0.0105"}, 10001, "Qty invalid"),
        ({"qty": "1e-2"}, 10001, "Qty invalid"),
        ({"price": "0.05"}, 10001, "Price invalid"),
        ({"price": "1999999.0"}, 110003, "Order price exceeds the allowable range."),
        ({"qty": "900"}, 110007, "ab not enough for new order"),
        ({"takeProfit": "900000"}, 110032, "Order is illegal"),
    ],
)
def test_a_refused_amendment_leaves_the_order(client: Client, changes: dict[str, object], code: int, words: str) -> None:
    order_id = client.order(**LIMIT_BUY, price=price_of(client, "0.98"))
    before = client.rows("/v5/order/realtime", "category=linear&symbol=BTCUSDT")

    assert client.refusal("/v5/order/amend", {**BTC, "orderId": order_id, **changes}) == (code, words)
    assert client.rows("/v5/order/realtime", "category=linear&symbol=BTCUSDT") == before


def test_amendments_in_a_batch_are_judged_one_by_one(client: Client) -> None:
    order_id = client.order(**LIMIT_BUY, price=price_of(client, "0.98"))
    items = [{"symbol": "BTCUSDT", "orderId": each, "qty": "0.03"} for each in (order_id, "1")]

    answer = client.post("/v5/order/amend-batch", {"category": "linear", "request": items}).json()

    assert [item["code"] for item in answer["retExtInfo"]["list"]] == [0, 110001]
    assert client.rows("/v5/order/realtime", "category=linear&symbol=BTCUSDT")[0]["qty"] == "0.030"


def test_post_only_ioc_and_fok_end_as_the_venue_ends_them(client: Client) -> None:
    above, below = price_of(client, "1.01"), price_of(client, "0.99")
    post_only = client.order(**LIMIT_BUY, price=above, timeInForce="PostOnly")
    ioc = client.order(**LIMIT_BUY, price=below, timeInForce="IOC")
    fok = client.order(**LIMIT_BUY, price=below, timeInForce="FOK")

    ended = {row["orderId"]: row for row in client.rows("/v5/order/history", "category=linear")}

    assert [ended[each]["orderStatus"] for each in (post_only, ioc, fok)] == ["Cancelled"] * 3
    assert [ended[each]["rejectReason"] for each in (post_only, ioc, fok)] == [
        "EC_PostOnlyWillTakeLiquidity",
        "EC_NoImmediateQtyToFill",
        "EC_CancelForNoFullFill",
    ]
    assert [ended[each]["cumExecQty"] for each in (post_only, ioc, fok)] == ["0.000"] * 3


def test_an_ioc_remainder_is_canceled_and_its_fills_are_kept(client: Client) -> None:
    book = client.get("/v5/market/orderbook", "category=linear&symbol=BTCUSDT&limit=1").json()["result"]
    price, size = book["a"][0]
    client.order(**{**LIMIT_BUY, "qty": str(Decimal(size) + 10)}, price=price, timeInForce="IOC")

    order = client.rows("/v5/order/realtime", "category=linear&symbol=BTCUSDT&openOnly=1")[0]

    assert order["orderStatus"] in ("Cancelled", "Filled")
    executions = client.rows("/v5/execution/list", "category=linear")
    assert sum(Decimal(row["execQty"]) for row in executions) == Decimal(order["cumExecQty"])
    assert order["leavesQty"] == "0.000"


def test_closing_with_quantity_zero_closes_all_and_never_flips(client: Client) -> None:
    client.order(**MARKET_BUY)

    assert client.refusal("/v5/order/create", {**CLOSE_ALL, "side": "Buy"})[0] == 110017
    client.order(**CLOSE_ALL, side="Sell")

    assert client.rows("/v5/position/list", "category=linear&settleCoin=USDT") == []
    assert client.refusal("/v5/order/create", {**CLOSE_ALL, "side": "Sell"})[0] == 110017


def test_a_short_and_its_close_add_up_in_every_list(client: Client) -> None:
    client.order(**{**MARKET_BUY, "side": "Sell"})
    short = client.rows("/v5/position/list", "category=linear&settleCoin=USDT")[0]
    client.order(**CLOSE_ALL, side="Buy")

    wallet = client.rows("/v5/account/wallet-balance", "accountType=UNIFIED")[0]
    log = client.rows("/v5/account/transaction-log", "accountType=UNIFIED")
    behind = [Decimal(row["cashBalance"]) for row in log]
    before = [balance - Decimal(row["change"]) for balance, row in zip(behind, log, strict=True)]

    assert (short["side"], short["size"]) == ("Sell", "0.010")
    assert {row["timeInForce"] for row in client.rows("/v5/order/history", "category=linear")} == {"IOC"}
    assert [*behind, 0] == [Decimal(wallet["totalWalletBalance"]), *before]
    assert [row["type"] for row in log] == ["TRADE", "TRADE", "TRANSFER_IN"]
    assert Decimal(wallet["coin"][0]["cumRealisedPnl"]) == Decimal(wallet["totalWalletBalance"]) - 100_000
    assert Decimal(log[0]["size"]) == 0


def test_batches_answer_item_by_item(client: Client) -> None:
    price = price_of(client, "0.97")
    good = {"symbol": "BTCUSDT", "side": "Buy", "orderType": "Limit", "qty": "0.01", "price": price, "orderLinkId": "good"}

    placed = client.post(
        "/v5/order/create-batch", {"category": "linear", "request": [good | {"qty": "9999", "orderLinkId": ""}, good]}
    ).json()
    unknown = {"symbol": "BTCUSDT", "orderLinkId": "unknown"}
    canceled = client.post("/v5/order/cancel-batch", {"category": "linear", "request": [good, unknown]}).json()

    assert (placed["retCode"], canceled["retCode"]) == (0, 0)
    assert [item["code"] for item in placed["retExtInfo"]["list"]] == [10001, 0]
    assert [bool(item["orderId"]) for item in placed["result"]["list"]] == [False, True]
    assert [item["code"] for item in canceled["retExtInfo"]["list"]] == [0, 110001]
    assert canceled["result"]["list"][0]["orderId"] == placed["result"]["list"][1]["orderId"]


def test_cancel_all_is_bound_to_its_symbol_and_knows_no_conditional_orders(client: Client) -> None:
    client.order(**LIMIT_BUY, price=price_of(client, "0.97"))
    eth = Decimal(client.rows("/v5/market/tickers", "category=linear&symbol=ETHUSDT")[0]["lastPrice"])
    client.order(**{**LIMIT_BUY, "symbol": "ETHUSDT"}, price=str((eth * Decimal("0.97")).quantize(Decimal("0.01"))))

    def canceled(**scope: str) -> int:
        return len(client.post("/v5/order/cancel-all", {"category": "linear"} | scope).json()["result"]["list"])

    assert client.rows("/v5/order/realtime", "category=linear&settleCoin=USDT&orderFilter=StopOrder") == []
    assert canceled(settleCoin="USDT", orderFilter="StopOrder") == 0
    assert (canceled(symbol="BTCUSDT"), canceled(settleCoin="USDT"), canceled(settleCoin="USDT")) == (1, 1, 0)
    assert client.refusal("/v5/order/cancel-all", {"category": "linear"})[0] == 10001


def pages(client: Client, path: str, query: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    cursor = ""
    for _ in range(30):
        result = client.get(path, f"{query}&limit=1" + (f"&cursor={cursor}" if cursor else "")).json()["result"]
        assert len(result["list"]) <= 1
        found += result["list"]
        cursor = result["nextPageCursor"]
        if not cursor:
            return found
    raise AssertionError("the pages never end")


@pytest.mark.parametrize(
    ("path", "query", "key"),
    [
        ("/v5/market/instruments-info", "category=linear", "symbol"),
        ("/v5/position/list", "category=linear&settleCoin=USDT", "symbol"),
        ("/v5/order/realtime", "category=linear&settleCoin=USDT", "orderId"),
        ("/v5/order/history", "category=linear", "orderId"),
        ("/v5/execution/list", "category=linear", "execId"),
        ("/v5/account/transaction-log", "accountType=UNIFIED", "id"),
        ("/v5/position/closed-pnl", "category=linear", "orderId"),
    ],
)
def test_pages_of_one_row_give_every_row_once(client: Client, path: str, query: str, key: str) -> None:
    for symbol, quantity in (("BTCUSDT", "0.01"), ("ETHUSDT", "0.1"), ("SOLUSDT", "1")):
        client.order(**{**MARKET_BUY, "symbol": symbol, "qty": quantity})
        client.order(**{**MARKET_BUY, "symbol": symbol, "qty": quantity, "side": "Sell"}, reduceOnly=True)
        client.order(**{**MARKET_BUY, "symbol": symbol, "qty": quantity})
        client.order(**LIMIT_BUY, price=price_of(client, "0.97"))

    whole = [row[key] for row in client.rows(path, f"{query}&limit=50")]

    assert len(whole) == len(set(whole)) >= 3
    assert [row[key] for row in pages(client, path, query)] == whole


def test_an_order_is_found_by_either_id_and_by_nothing_else(client: Client) -> None:
    order_id = client.order(**LIMIT_BUY, price=price_of(client, "0.97"), orderLinkId="mine")
    client.order(**LIMIT_BUY, price=price_of(client, "0.97"))
    base = "category=linear&symbol=BTCUSDT"

    for path in ("/v5/order/realtime", "/v5/order/history"):
        client.post("/v5/order/cancel", {**BTC, "orderId": order_id})
        assert [row["orderLinkId"] for row in client.rows(path, f"{base}&orderId={order_id}")] == ["mine"]
        assert [row["orderId"] for row in client.rows(path, f"{base}&orderLinkId=mine")] == [order_id]
        assert client.rows(path, f"{base}&orderLinkId=other") == []
    assert client.get("/v5/order/realtime", "category=linear").json()["retCode"] == 10001
    assert Client(client.url, "stranger").rows("/v5/order/history", f"{base}&orderId={order_id}") == []


@given(st.integers(min_value=0, max_value=(1 << 62) - 1))
def test_order_ids_lead_back_to_their_order_and_execution_ids_do_not(number: int) -> None:
    assert ids.order_number(ids.order_id(number)) == number
    assert ids.order_number(ids.execution_id(number)) is None


def _fill(number: int, side: Side, quantity: str, price: str, realized: str = "0") -> Fill:
    """Its fee is its quantity."""
    amount, pnl = Decimal(quantity), Decimal(realized)
    return Fill(number, number, "", "a", Venue.BYBIT, "BTCUSDT", side, amount, Decimal(price), amount, pnl, is_maker=False, time_ms=number)


def test_a_fill_that_turns_a_position_closes_the_old_part_only() -> None:
    turning = [_fill(1, Side.BUY, "1", "100"), _fill(2, Side.BUY, "1", "200"), _fill(3, Side.SELL, "3", "180", "60")]

    found = effects([*turning, _fill(4, Side.BUY, "1", "90", "90")])

    assert [effect.closed for effect in found] == [0, 0, 2, 1]
    assert [effect.entry_price for effect in found[2:]] == [150, 180]
    assert [effect.open_fee for effect in found[2:]] == [2, 1]
    assert [effect.close_fee for effect in found[2:]] == [2, 1]
    assert [effect.size_after for effect in found] == [1, 2, -1, 0]


def test_a_position_older_than_the_fills_is_closed_at_its_entry() -> None:
    found = effects([_fill(1, Side.BUY, "1", "90", "10")], size_before=Decimal(-3))

    assert [[effect.closed, effect.entry_price, effect.open_fee, effect.size_after] for effect in found] == [
        [*map(Decimal, (1, 100, 0, -2))]
    ]
