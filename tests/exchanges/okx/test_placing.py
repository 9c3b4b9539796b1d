"""Placing and canceling over a scripted local server: what is sent, and what an answer or its absence means."""

from decimal import Decimal

import pytest

from exchanges.domain import OrderRequest, OrderStatus
from exchanges.errors import (
    BadParameter,
    BadVenueResponse,
    DuplicateClientOrderId,
    FilterViolation,
    InsufficientMargin,
    OrderAlreadyFinal,
    OutcomeUnknown,
    ReduceOnlyRejected,
    UnknownSymbol,
    UnsupportedField,
)
from exchanges.protocol import IExchangeClient
from tests.exchanges.okx.venue import HANG, RESET, Raw, envelope, payload

ORDER = "/api/v5/trade/order"
PLACE, QUERY = f"POST {ORDER}", f"GET {ORDER}"


def limit_order(**fields) -> OrderRequest:
    defaults = {
        "symbol": "BTCUSDT",
        "side": "BUY",
        "order_type": "LIMIT",
        "quantity": "0.025",
        "price": "64000.1",
        "client_order_id": "cb0001",
    }
    return OrderRequest.model_validate(defaults | fields)


def test_it_is_an_exchange_client(exchange):
    assert isinstance(exchange, IExchangeClient)
    assert exchange.get_exchange_name() == "okx"


async def test_a_placed_order_is_answered_as_one_query_finds_it(venue, exchange):
    venue.script |= {PLACE: payload("order_ack"), QUERY: payload("order_live")}
    order = await exchange.place_order(limit_order())
    assert (order.status, order.confirmed, order.quantity) == (OrderStatus.NEW, True, Decimal("0.025"))
    assert [request.method for request in venue.sent_to(ORDER)] == ["POST", "GET"]
    assert venue.sent_to(ORDER)[1].query == {"instId": "BTC-USDT-SWAP", "ordId": "910000000000000001"}


async def test_a_post_only_order_that_would_take_comes_back_canceled(venue, exchange):
    venue.script |= {PLACE: payload("order_ack"), QUERY: payload("order_post_only_canceled")}
    order = await exchange.place_order(limit_order(time_in_force="GTX"))
    assert (order.status, order.reason) == (OrderStatus.CANCELED, "the post-only order would have taken liquidity")


@pytest.mark.parametrize(
    "query_answer",
    [
        RESET,
        HANG,
        Raw("<html>", 502),
        payload("order_unknown"),
        envelope(),
        envelope(payload("order_live")["data"][0] | {"clOrdId": "other"}),
    ],
    ids=["reset", "no answer", "502", "not visible yet", "empty", "another order"],
)
async def test_a_query_that_fails_leaves_the_acknowledgement(venue, exchange, query_answer, monkeypatch):
    monkeypatch.setattr("exchanges.adapters.okx.exchange.CONFIRM_DEADLINE_S", 0.2)
    venue.script |= {PLACE: payload("order_ack"), QUERY: query_answer}
    order = await exchange.place_order(limit_order())
    assert (order.order_id, order.status, order.confirmed) == ("910000000000000001", OrderStatus.NEW, False)
    assert len(venue.sent_to(ORDER, "POST")) == 1


@pytest.mark.parametrize(
    ("answer", "error_class"),
    [
        (payload("order_refused"), InsufficientMargin),
        (
            envelope({"ordId": "", "clOrdId": "cb0001", "sCode": "51016", "sMsg": "Duplicated client order ID"}, code="1"),
            DuplicateClientOrderId,
        ),
        (envelope({"ordId": "1", "clOrdId": "another", "sCode": "0"}), BadVenueResponse),
        (envelope({"ordId": "", "clOrdId": "cb0001", "sCode": "0"}), BadVenueResponse),
        (envelope(), BadVenueResponse),
        (Raw("<html>"), BadVenueResponse),
        (Raw("", 302, headers={"Location": "https://example.invalid"}), BadVenueResponse),
        (Raw("busy", 503), OutcomeUnknown),
        (RESET, OutcomeUnknown),
    ],
    ids=["margin", "duplicate", "another id", "no order id", "empty", "html", "redirect", "503", "reset"],
)
async def test_an_order_that_was_not_acknowledged_raises_and_is_sent_once(venue, exchange, answer, error_class):
    venue.script[PLACE] = answer
    with pytest.raises(error_class):
        await exchange.place_order(limit_order())
    assert [request.method for request in venue.sent_to(ORDER)] == ["POST"]


@pytest.mark.parametrize(
    ("fields", "error_class", "field"),
    [
        ({"stop_price": "60000"}, UnsupportedField, "stop_price"),
        ({"take_profit_price": "70000"}, UnsupportedField, "take_profit_price"),
        ({"order_type": "STOP_MARKET", "price": None, "stop_price": "60000"}, UnsupportedField, "order_type"),
        ({"position_side": "LONG", "reduce_only": True}, ReduceOnlyRejected, "reduce_only"),
        ({"leverage": 5, "stop_loss_price": "60000"}, UnsupportedField, "stop_loss_price"),
        ({"quantity": "0.00005"}, FilterViolation, "quantity"),
        ({"leverage": 5, "quantity": "0.00005"}, FilterViolation, "quantity"),
        ({"symbol": "NOSUCHUSDT"}, UnknownSymbol, "symbol"),
    ],
    ids=str,
)
async def test_an_order_that_would_not_be_carried_out_is_not_sent(venue, exchange, fields, error_class, field):
    with pytest.raises(error_class) as refusal:
        await exchange.place_order(limit_order(**fields))
    assert refusal.value.field == field
    assert [request.path for request in venue.requests if request.method == "POST"] == []


async def test_a_cancel_is_acknowledged(venue, exchange):
    venue.script["/api/v5/trade/cancel-order"] = payload("cancel_ack")
    result = await exchange.cancel_order("BTCUSDT", "910000000000000001")
    assert (result.order_id, result.client_order_id, result.confirmed) == ("910000000000000001", "cb0001", False)
    assert venue.sent_to("cancel-order")[0].json == {"instId": "BTC-USDT-SWAP", "ordId": "910000000000000001", "clOrdId": ""}


async def test_a_cancel_of_a_finished_order(venue, exchange):
    venue.script["/api/v5/trade/cancel-order"] = payload("cancel_refused")
    with pytest.raises(OrderAlreadyFinal):
        await exchange.cancel_order("BTCUSDT", "910000000000000001")


async def test_an_order_id_that_is_none_is_not_sent(venue, exchange):
    for method in (exchange.cancel_order, exchange.get_order_status, exchange.find_order):
        with pytest.raises(BadParameter):
            await method("BTCUSDT", "1&instId=ETH-USDT-SWAP")
    assert venue.sent_to(ORDER) == venue.sent_to("cancel-order") == []
