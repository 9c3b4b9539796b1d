"""OKX orders -> domain, and orders -> OKX parameters, over the project's own payloads, with literal expected values."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchanges.adapters.okx import mapping, orders
from exchanges.adapters.okx.wire import answered
from exchanges.domain import (
    CancelResult,
    OrderSide,
    OrderStatus,
    OrderType,
    PositionSide,
    TimeInForce,
)
from exchanges.errors import BadParameter, BadVenueResponse, FilterViolation
from tests.exchanges.okx.rows import BTC, at, instruments, request, rows

D = Decimal


def test_a_resting_order():
    order = orders.to_order(rows("order_live"), BTC, "910000000000000001", "cb0001")
    assert (order.symbol, order.order_id, order.client_order_id) == ("BTCUSDT", "910000000000000001", "cb0001")
    assert (order.status, order.side, order.order_type, order.time_in_force) == (
        OrderStatus.NEW,
        OrderSide.BUY,
        OrderType.LIMIT,
        TimeInForce.GTC,
    )
    assert (order.quantity, order.filled_quantity, order.price, order.average_price) == (D("0.025"), D(0), D("64000.1"), None)
    assert (order.confirmed, order.reduce_only, order.reason) == (True, False, "")
    assert (order.created_at, order.updated_at) == (at(1763900010000), at(1763900010100))
    assert order.raw_response == rows("order_live")[0]


def test_a_filled_market_order():
    order = orders.to_order(rows("order_filled"), BTC)
    assert (order.status, order.side, order.order_type, order.time_in_force) == (OrderStatus.FILLED, OrderSide.SELL, OrderType.MARKET, None)
    assert (order.quantity, order.filled_quantity, order.price, order.average_price) == (D("0.025"), D("0.025"), None, D("64001.26"))
    assert order.reduce_only


def test_a_post_only_order_that_would_have_taken_is_canceled_with_the_reason():
    order = orders.to_order(rows("order_post_only_canceled"), BTC)
    assert (order.status, order.time_in_force) == (OrderStatus.CANCELED, TimeInForce.GTX)
    assert order.reason == "the post-only order would have taken liquidity"


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"cancelSource": "1"}, "canceled by the user"),
        ({"cancelSource": "32", "cancelSourceReason": "Self trade prevention"}, "Self trade prevention"),
        ({"cancelSource": "44"}, "canceled, source 44"),
        ({"cancelSource": ""}, "canceled, source unknown"),
    ],
)
def test_a_canceled_order_says_why(fields, reason):
    (row,) = rows("order_live")
    assert orders.to_order([row | {"state": "canceled"} | fields], BTC).reason == reason


def test_pending_orders_of_covered_instruments_in_their_own_contracts():
    found = orders.to_orders(rows("orders_pending"), instruments())
    assert [order.order_id[-1] for order in found] == ["1", "2", "3", "5"]
    assert [(order.quantity, order.filled_quantity) for order in found][1] == (D("1"), D("0.4")), "ETH contracts are 0.1"
    assert [order.time_in_force for order in found] == [TimeInForce.GTC, TimeInForce.IOC, TimeInForce.FOK, None]
    assert found[1].status is OrderStatus.PARTIALLY_FILLED
    assert found[1].position_side is PositionSide.SHORT
    assert found[3].order_type is None, "an order type without a name of ours is still listed"


def test_conditional_orders_carry_a_type_where_it_can_be_told():
    found = orders.to_algo_orders(rows("algo_conditional") + rows("algo_trailing") + rows("algo_trigger"), instruments())
    assert [(order.order_type, order.price) for order in found] == [
        (OrderType.STOP_MARKET, None),
        (OrderType.STOP_LIMIT, D("59990.5")),
        (OrderType.TAKE_PROFIT_MARKET, None),
        (OrderType.TAKE_PROFIT_LIMIT, D("70010")),
        (None, None),
        (OrderType.TRAILING_STOP_MARKET, None),
        (None, D("2999.5")),
    ]
    assert {order.status for order in found} == {OrderStatus.NEW}
    assert [order.quantity for order in found][:3] == [D("0.02"), D("0.02"), None]
    assert found[6].quantity == D("0.2")
    assert (found[0].order_id, found[0].client_order_id, found[0].reduce_only) == ("920000000000000001", "alg1", True)


def test_an_acknowledgement_is_new_and_not_confirmed():
    order = orders.to_acknowledgement(rows("order_ack"), request(time_in_force="GTX", reduce_only=True))
    assert (order.status, order.confirmed, order.order_id, order.client_order_id) == (
        OrderStatus.NEW,
        False,
        "910000000000000001",
        "cb0001",
    )
    assert (order.quantity, order.price, order.time_in_force, order.reduce_only) == (D("0.025"), D("64000.10"), TimeInForce.GTX, True)
    assert order.created_at == at(1763900010000)


@pytest.mark.parametrize(
    "change",
    [{"clOrdId": "another"}, {"ordId": ""}, {"ordId": None}, {"ordId": 910000000000000001}],
    ids=["another client id", "no order id", "null order id", "a number for an id"],
)
def test_an_acknowledgement_of_something_else_is_refused(change):
    (row,) = rows("order_ack")
    with pytest.raises(BadVenueResponse):
        answered(orders.to_acknowledgement, [row | change], request())


@pytest.mark.parametrize("count", [0, 2])
def test_an_acknowledgement_of_other_than_one_order_is_refused(count):
    with pytest.raises(BadVenueResponse):
        answered(orders.to_acknowledgement, rows("order_ack") * count, request())


@pytest.mark.parametrize(
    "change",
    [
        {"instId": "ETH-USDT-SWAP"},
        {"ordId": "1"},
        {"clOrdId": "other"},
        {"state": "weird"},
        {"sz": "NaN"},
        {"sz": 2.5},
        {"px": "1,5"},
        {"cTime": "soon"},
        {"uTime": 5},
        {"side": "hold"},
        {"posSide": ""},
        {"reduceOnly": "perhaps"},
    ],
    ids=str,
)
def test_an_order_row_with_something_wrong_in_it_is_refused(change):
    (row,) = rows("order_live")
    with pytest.raises(BadVenueResponse):
        answered(orders.to_order, [row | change], BTC, "910000000000000001", "cb0001")


def test_a_cancel_is_an_acknowledgement():
    expected = CancelResult(symbol="BTCUSDT", order_id="910000000000000001", client_order_id="cb0001", confirmed=False)
    assert orders.to_cancel_result(rows("cancel_ack"), "BTCUSDT", "910000000000000001") == expected
    with pytest.raises(BadVenueResponse):
        answered(orders.to_cancel_result, rows("cancel_ack"), "BTCUSDT", "2")


def test_a_limit_order_on_the_wire():
    assert orders.from_order_request(request(), BTC) == {
        "instId": "BTC-USDT-SWAP",
        "tdMode": "cross",
        "side": "buy",
        "ordType": "limit",
        "sz": "2.5",
        "px": "64000.10",
        "posSide": "net",
        "reduceOnly": "false",
        "clOrdId": "cb0001",
    }


@pytest.mark.parametrize(
    ("time_in_force", "name"), [("GTC", "limit"), ("GTX", "post_only"), ("IOC", "ioc"), ("FOK", "fok"), (None, "limit")]
)
def test_time_in_force_is_part_of_the_order_type(time_in_force, name):
    assert orders.from_order_request(request(time_in_force=time_in_force), BTC)["ordType"] == name


def test_a_reduce_only_market_order_on_the_wire():
    wire = orders.from_order_request(
        request(order_type="MARKET", price=None, side="SELL", reduce_only=True, client_order_id=None, quantity="0.0001"), BTC
    )
    assert (wire["ordType"], wire["px"], wire["side"], wire["reduceOnly"], wire["clOrdId"]) == ("market", "", "sell", "true", "")
    assert wire["sz"] == "0.01"


def test_numbers_go_out_in_fixed_notation():
    pepe = instruments()["PEPE-USDT-SWAP"]
    wire = orders.from_order_request(request(symbol="PEPEUSDT", quantity="1E+9", price="0.000000001"), pepe)
    assert (wire["sz"], wire["px"]) == ("100", "0.000000001")


@pytest.mark.parametrize("quantity", ["0.00015", "0.00001", "0.000100000000000001"])
def test_a_quantity_that_is_no_whole_number_of_lots_is_refused(quantity):
    with pytest.raises(FilterViolation, match=r"quantity must be a multiple of 0\.0001, was") as refusal:
        orders.from_order_request(request(quantity=quantity), BTC)
    assert refusal.value.field == "quantity"


@given(
    lots=st.integers(1, 10**6),  # the products below stay within the 28 digits that Decimal computes with
    lot_size=st.decimals("0.0001", "1000", places=4).filter(bool),
    contract_size=st.decimals("0.000001", "10000000", places=6).filter(bool),
)
def test_contracts_convert_exactly_both_ways(lots, lot_size, contract_size):
    row = rows("instruments")[0] | {"ctVal": f"{contract_size:f}", "lotSz": f"{lot_size:f}", "minSz": f"{lot_size:f}"}
    (instrument,) = mapping.to_instruments([row])
    quantity = lots * instrument.lot
    contracts = orders.to_contracts(quantity, instrument)
    assert contracts == lots * lot_size
    assert orders.to_order([rows("order_live")[0] | {"sz": f"{contracts:f}"}], instrument).quantity == quantity


@pytest.mark.parametrize("value", ["", "a&instId=X", "1 2", "ä", "x" * 33, "1%20"])
def test_an_id_that_could_change_a_signed_query_is_refused(value):
    with pytest.raises(BadParameter):
        orders.to_wire_id("order_id", value)
