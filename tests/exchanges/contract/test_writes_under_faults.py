"""A write without a proper answer may have been carried out: OutcomeUnknown, sent once, and a look-up tells the truth (ORDERS.md F03-F18).

Stage "before" loses the request on its way, stage "after" loses the answer.
"""

import asyncio
import time

import pytest

from exchanges.domain import ExchangeType, OrderRequest, OrderSide, OrderStatus, OrderType
from exchanges.errors import (
    BadVenueResponse,
    ExchangeAPIError,
    NotSent,
    OutcomeUnknown,
    RateLimited,
    WriteEffect,
)
from exchanges.venue import VenueRegistry
from tests.exchanges.contract.desk import BTC, Desk, new_client_id, open_desk
from tests.exchanges.contract.wire import NO_ANSWER_KINDS, no_answer, rate_limit
from tests.isolation import free_port
from tests.simulated import Sandbox


@pytest.mark.parametrize("kind", NO_ANSWER_KINDS)
async def test_a_create_whose_answer_is_lost_is_unknown_and_found(desk: Desk, kind: str) -> None:
    request = await desk.resting_request("BTCUSDT")
    desk.fault(no_answer(kind, desk.exchange), desk.wire.create, stage="after")
    with pytest.raises(OutcomeUnknown) as failure:
        await desk.client.place_order(request)
    assert failure.value.write_effect is WriteEffect.UNKNOWN
    assert isinstance(failure.value, BadVenueResponse) or kind in ("reset", "bad gateway", "no content"), repr(failure.value)
    found = await desk.client.find_order("BTCUSDT", request.client_order_id or "")
    assert found is not None
    assert (found.status, found.quantity, found.price) == (OrderStatus.NEW, request.quantity, request.price)
    assert desk.ledger()["creates"] == {request.client_order_id: 1}
    assert len(desk.requests(desk.wire.create)) == 1


@pytest.mark.parametrize("kind", NO_ANSWER_KINDS)
async def test_a_create_that_is_lost_on_its_way_is_unknown_and_not_found(desk: Desk, kind: str) -> None:
    request = await desk.resting_request("BTCUSDT")
    desk.fault(no_answer(kind, desk.exchange), desk.wire.create, stage="before")
    with pytest.raises(OutcomeUnknown):
        await desk.client.place_order(request)
    assert await desk.client.find_order("BTCUSDT", request.client_order_id or "") is None
    assert desk.orders_in_ledger() == []
    assert len(desk.requests(desk.wire.create)) == 1


async def test_a_market_order_whose_answer_is_lost_is_found_filled(desk: Desk) -> None:
    """The Binance trap (F05): the id of a filled order is free again, a second send would buy twice."""
    request = OrderRequest(
        symbol="ETHUSDT", side=OrderSide.BUY, order_type=OrderType.MARKET, quantity=BTC * 50, client_order_id=new_client_id()
    )
    desk.fault({"kind": "reset"}, desk.wire.create, stage="after")
    with pytest.raises(OutcomeUnknown):
        await desk.client.place_order(request)
    found = await desk.client.find_order("ETHUSDT", request.client_order_id or "")
    assert found is not None
    assert (found.status, found.filled_quantity) == (OrderStatus.FILLED, request.quantity)
    assert desk.ledger()["creates"] == {request.client_order_id: 1}


@pytest.mark.parametrize("kind", ["reset", "bad gateway", "truncated", "wrong types", "empty"])
async def test_a_look_up_that_fails_does_not_say_no(desk: Desk, kind: str) -> None:
    request = await desk.resting_request("BTCUSDT")
    desk.fault({"kind": "reset"}, desk.wire.create, stage="after")
    with pytest.raises(OutcomeUnknown):
        await desk.client.place_order(request)
    desk.fault(no_answer(kind, desk.exchange), times=None)
    with pytest.raises(ExchangeAPIError) as failure:
        await desk.client.find_order("BTCUSDT", request.client_order_id or "")
    assert failure.value.is_transient


@pytest.mark.parametrize("kind", ["reset", "bad gateway", "truncated"])
async def test_an_acknowledged_order_exists_even_if_the_query_after_it_fails(desk: Desk, kind: str) -> None:
    """Bybit and OKX acknowledge without a state and are asked for it; Binance is not asked, so nothing can fail."""
    request = await desk.resting_request("BTCUSDT")
    desk.fault(no_answer(kind, desk.exchange), desk.wire.confirm, times=None)
    order = await desk.client.place_order(request)
    assert (order.status, order.client_order_id, order.quantity) == (OrderStatus.NEW, request.client_order_id, request.quantity)
    assert order.confirmed is not desk.client.capabilities.acknowledges_without_state
    desk.sandbox.clear()
    assert (await desk.client.get_order_status("BTCUSDT", order.order_id)).client_order_id == request.client_order_id


@pytest.mark.parametrize("kind", NO_ANSWER_KINDS)
async def test_a_cancel_whose_answer_is_lost_is_unknown_and_the_query_tells(desk: Desk, kind: str) -> None:
    order = await desk.rest()
    desk.fault(no_answer(kind, desk.exchange), desk.wire.cancel, stage="after")
    with pytest.raises(OutcomeUnknown):
        await desk.client.cancel_order("BTCUSDT", order.order_id)
    assert (await desk.client.get_order_status("BTCUSDT", order.order_id)).status is OrderStatus.CANCELED
    assert len(desk.requests(desk.wire.cancel)) == 1


@pytest.mark.parametrize("kind", ["reset", "bad gateway", "truncated"])
async def test_a_cancel_that_is_lost_on_its_way_leaves_the_order_and_can_be_repeated(desk: Desk, kind: str) -> None:
    order = await desk.rest()
    desk.fault(no_answer(kind, desk.exchange), desk.wire.cancel)
    with pytest.raises(OutcomeUnknown):
        await desk.client.cancel_order("BTCUSDT", order.order_id)
    assert (await desk.client.get_order_status("BTCUSDT", order.order_id)).status is OrderStatus.NEW
    await desk.client.cancel_order("BTCUSDT", order.order_id)
    assert (await desk.client.get_order_status("BTCUSDT", order.order_id)).status is OrderStatus.CANCELED


async def test_a_close_whose_answer_is_lost_is_unknown_and_closes_once(desk: Desk) -> None:
    await desk.market("BTCUSDT", quantity=BTC)
    desk.fault({"kind": "reset"}, desk.wire.create, stage="after")
    with pytest.raises(OutcomeUnknown):
        await desk.client.close_position("BTCUSDT")
    assert await desk.client.get_open_positions() == []
    assert [row["side"] for row in desk.orders_in_ledger()] == ["buy", "sell"]


@pytest.mark.parametrize("kind", NO_ANSWER_KINDS)
async def test_a_close_that_cannot_read_the_position_sends_no_order(desk: Desk, kind: str) -> None:
    await desk.market("BTCUSDT", quantity=BTC)
    desk.fault(no_answer(kind, desk.exchange), desk.wire.positions, times=None)
    with pytest.raises(ExchangeAPIError) as failure:
        await desk.client.close_position("BTCUSDT")
    assert failure.value.is_transient, repr(failure.value)
    assert len(desk.requests(desk.wire.create)) == 1


@pytest.mark.parametrize("kind", ["reset", "bad gateway", "truncated", "empty", "redirect"])
async def test_a_change_of_leverage_whose_answer_is_lost_is_unknown(desk: Desk, kind: str) -> None:
    desk.fault(no_answer(kind, desk.exchange), desk.wire.leverage, stage="after")
    with pytest.raises(OutcomeUnknown):
        await desk.client.set_leverage("BTCUSDT", 6)
    assert len(desk.requests(desk.wire.leverage)) == 1
    assert await desk.client.set_leverage("BTCUSDT", 6) is True


async def test_a_rate_limit_on_a_write_places_nothing_and_says_when_to_come_back(desk: Desk) -> None:
    request = await desk.resting_request("BTCUSDT")
    desk.fault(rate_limit(desk.exchange, 7), desk.wire.create)
    with pytest.raises(RateLimited) as refusal:
        await desk.client.place_order(request)
    assert refusal.value.write_effect is WriteEffect.NONE
    assert refusal.value.retry_after_s is not None
    assert 6 <= refusal.value.retry_after_s <= 7
    assert desk.orders_in_ledger() == []
    assert (await desk.client.place_order(request)).client_order_id == request.client_order_id


async def test_an_order_to_a_venue_that_drops_connections_is_unknown_there_and_placed_elsewhere(
    desk: Desk, desks: dict[ExchangeType, Desk]
) -> None:
    requests = {each.exchange: await each.resting_request("BTCUSDT") for each in desks.values()}
    desk.sandbox.control("POST", "venue", {"venue": desk.exchange, "up": False})
    outcomes = await asyncio.gather(
        *(each.client.place_order(requests[exchange]) for exchange, each in desks.items()), return_exceptions=True
    )
    for exchange, outcome in zip(desks, outcomes, strict=True):
        if exchange is desk.exchange:
            assert isinstance(outcome, OutcomeUnknown)
        else:
            assert not isinstance(outcome, BaseException)


@pytest.mark.parametrize("exchange", ExchangeType)
async def test_an_order_where_nobody_listens_was_not_sent(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, exchange: ExchangeType
) -> None:
    monkeypatch.setenv("SANDBOX_URL", f"http://127.0.0.1:{free_port()}")
    registry = VenueRegistry()
    desk = open_desk(exchange, sandbox, registry)
    request = OrderRequest(symbol="BTCUSDT", side=OrderSide.BUY, order_type=OrderType.MARKET, quantity=BTC)
    with pytest.raises(NotSent) as failure:
        await desk.client.place_order(request)
    assert failure.value.write_effect is WriteEffect.NONE
    await registry.aclose()


async def test_a_venue_that_never_answers_is_given_up_at_the_deadline(desks: dict[ExchangeType, Desk]) -> None:
    """Five seconds for a write; all venues at once, so that the test takes ten for both stages."""
    await asyncio.gather(*(_hang(desk) for desk in desks.values()))


async def _hang(desk: Desk) -> None:
    for stage in ("before", "after"):
        request = await desk.resting_request("BTCUSDT")
        desk.fault({"kind": "hang"}, desk.wire.create, stage=stage)
        started = time.monotonic()
        with pytest.raises(OutcomeUnknown, match="deadline"):
            await desk.client.place_order(request)
        assert 4.5 < time.monotonic() - started < 9.5
        found = await desk.client.find_order("BTCUSDT", request.client_order_id or "")
        assert (found is not None) == (stage == "after")
        assert desk.ledger()["creates"] == ({request.client_order_id: 1} if stage == "after" else {})
