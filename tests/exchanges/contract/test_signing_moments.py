"""Orders sent at the same time are each signed with the moment that was stored for them, never with another's (ORDERS.md 0.3)."""

import asyncio

from exchanges.domain import OrderRequest, OrderResult
from exchanges.errors import ClockSkew, WriteEffect
from exchanges.signing import SigningMoment, signing_at, stored_moment
from tests.exchanges.contract.desk import Desk, new_client_id

ORDERS = 20


async def test_twenty_orders_at_once_keep_their_twenty_moments(desk: Desk) -> None:
    """Every second one is too old. Were one moment used for another order, a fresh one would be refused or an old one taken."""
    request = await desk.resting_request("BTCUSDT")
    await desk.client.get_account()
    now_ms = desk.client.clock.now_ms()
    requests = [request.model_copy(update={"client_order_id": new_client_id()}) for _ in range(ORDERS)]
    ages_ms = [60_000 + n if n % 2 else 10 * n for n in range(ORDERS)]

    async def place(order: OrderRequest, age_ms: int) -> OrderResult:
        with signing_at(SigningMoment(timestamp_ms=now_ms - age_ms, window_ms=5_000)):
            return await desk.client.place_order(order)

    outcomes = await asyncio.gather(*map(place, requests, ages_ms), return_exceptions=True)
    placed = {row["client_id"] for row in desk.orders_in_ledger()}
    assert placed == {each.client_order_id for each in requests[::2]}
    for n, outcome in enumerate(outcomes):
        if n % 2:
            assert isinstance(outcome, ClockSkew)
            assert outcome.write_effect is WriteEffect.NONE
        else:
            assert isinstance(outcome, OrderResult)
            assert outcome.client_order_id == requests[n].client_order_id
    assert stored_moment() is None


async def test_twenty_orders_at_once_are_twenty_orders(desk: Desk) -> None:
    request = await desk.resting_request("ETHUSDT")
    requests = [request.model_copy(update={"client_order_id": new_client_id()}) for _ in range(ORDERS)]
    results = await asyncio.gather(*(desk.client.place_order(each) for each in requests))
    assert [each.client_order_id for each in results] == [each.client_order_id for each in requests]
    assert len({each.order_id for each in results}) == ORDERS
    assert desk.ledger()["creates"] == {each.client_order_id: 1 for each in requests}


async def test_one_client_id_sent_twice_at_once_is_one_order(desk: Desk) -> None:
    request = await desk.resting_request("ETHUSDT")
    outcomes = await asyncio.gather(*(desk.client.place_order(request) for _ in range(5)), return_exceptions=True)
    assert sum(isinstance(outcome, OrderResult) for outcome in outcomes) == 1
    assert desk.ledger()["creates"] == {request.client_order_id: 1}
