"""The life of an order at every venue: placed, filled, rested, partly filled, canceled, found again."""

import re
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from exchanges.decimals import round_down
from exchanges.domain import OrderRequest, OrderResult, OrderSide, OrderStatus, OrderType, TimeInForce
from exchanges.errors import BadVenueResponse, OrderAlreadyFinal, PostOnlyWouldTake, UnknownOrder
from exchanges.protocol import IExchangeClient
from tests.exchanges.contract.desk import BTC, ZERO, Desk, new_client_id

LARGE = Decimal(400_000)  # of LTC far more than stands within a tenth of a percent, and within the margin at tenfold leverage


async def test_a_market_order_is_filled_at_the_market(desk: Desk) -> None:
    client_id = new_client_id()
    order = await desk.market("BTCUSDT", OrderSide.BUY, quantity=BTC, client_order_id=client_id)
    assert (order.status, order.filled_quantity, order.quantity) == (OrderStatus.FILLED, BTC, BTC)
    assert (order.symbol, order.client_order_id) == ("BTCUSDT", client_id)
    assert (order.side, order.order_type, order.price, order.reduce_only) == (OrderSide.BUY, OrderType.MARKET, None, False)
    assert order.average_price is not None
    assert abs(order.average_price / await desk.mark("BTCUSDT") - 1) < Decimal("0.01")
    [row] = desk.orders_in_ledger()
    assert (row["status"], Decimal(row["filled"]), row["client_id"]) == ("filled", BTC, client_id)


async def test_an_order_without_a_client_id_gets_along_without_one(desk: Desk) -> None:
    order = await desk.market("BTCUSDT", quantity=BTC)
    assert order.order_id
    assert order.status is OrderStatus.FILLED


@pytest.mark.parametrize("time_in_force", [None, TimeInForce.GTC, TimeInForce.GTX])
async def test_a_limit_order_away_from_the_market_rests(desk: Desk, time_in_force: TimeInForce | None) -> None:
    request = await desk.resting_request("BTCUSDT", time_in_force=time_in_force)
    order = await desk.client.place_order(request)
    assert (order.status, order.filled_quantity, order.average_price) == (OrderStatus.NEW, ZERO, None)
    assert (order.quantity, order.price, order.client_order_id) == (request.quantity, request.price, request.client_order_id)
    assert (order.order_type, order.time_in_force) == (OrderType.LIMIT, time_in_force or TimeInForce.GTC)
    assert [each.order_id for each in await desk.client.get_open_orders("BTCUSDT")] == [order.order_id]


async def test_a_placed_order_is_confirmed_where_the_venue_answers(desk: Desk) -> None:
    order = await desk.rest()
    assert order.confirmed
    moment = order.created_at or order.updated_at
    assert moment is not None
    assert abs(datetime.now(UTC) - moment) < timedelta(seconds=10)


@pytest.mark.parametrize("time_in_force", [TimeInForce.GTC, TimeInForce.IOC, TimeInForce.FOK])
async def test_a_limit_order_that_crosses_is_filled_no_worse_than_its_price(desk: Desk, time_in_force: TimeInForce) -> None:
    request = await desk.crossing_request("BTCUSDT", time_in_force, usd=Decimal(400))
    order = await desk.settled(await desk.client.place_order(request))
    assert (order.status, order.filled_quantity) == (OrderStatus.FILLED, request.quantity)
    assert order.average_price is not None
    assert order.average_price <= (request.price or 0)


async def test_an_immediate_or_cancel_order_keeps_what_it_got_and_ends(desk: Desk) -> None:
    request = await desk.crossing_request("LTCUSDT", TimeInForce.IOC, usd=LARGE)
    order = await desk.settled(await desk.client.place_order(request))
    assert order.status in (OrderStatus.CANCELED, OrderStatus.EXPIRED)
    assert 0 < order.filled_quantity < request.quantity
    assert order.average_price is not None
    [position] = await desk.client.get_open_positions("LTCUSDT")
    assert position.quantity == order.filled_quantity


async def test_a_fill_or_kill_order_that_cannot_be_filled_does_nothing(desk: Desk) -> None:
    request = await desk.crossing_request("LTCUSDT", TimeInForce.FOK, usd=LARGE)
    order = await desk.settled(await desk.client.place_order(request))
    assert order.status in (OrderStatus.CANCELED, OrderStatus.EXPIRED)
    assert order.filled_quantity == 0
    assert await desk.client.get_open_positions() == []


async def test_a_post_only_order_that_would_take_does_nothing(desk: Desk) -> None:
    """Binance refuses it, Bybit and OKX take it and cancel it; nothing is filled, nothing rests."""
    request = await desk.crossing_request("BTCUSDT", TimeInForce.GTX, usd=Decimal(400))
    if desk.client.capabilities.acknowledges_without_state:
        order = await desk.settled(await desk.client.place_order(request))
        assert (order.status, order.filled_quantity) == (OrderStatus.CANCELED, ZERO)
        assert order.reason
    else:
        with pytest.raises(PostOnlyWouldTake):
            await desk.client.place_order(request)
    assert await desk.client.get_open_orders() == []
    assert await desk.client.get_open_positions() == []


async def test_a_partly_filled_order_rests_with_the_remainder_until_canceled(desk: Desk) -> None:
    request = await desk.crossing_request("LTCUSDT", TimeInForce.GTC, usd=LARGE)
    placed = await desk.client.place_order(request)
    assert placed.status is OrderStatus.PARTIALLY_FILLED
    assert 0 < placed.filled_quantity < request.quantity
    [resting] = await desk.client.get_open_orders("LTCUSDT")
    assert (resting.order_id, resting.status) == (placed.order_id, OrderStatus.PARTIALLY_FILLED)
    canceled = await cancel(desk, placed)
    assert canceled.status is OrderStatus.CANCELED
    assert canceled.filled_quantity >= placed.filled_quantity
    [position] = await desk.client.get_open_positions("LTCUSDT")
    assert position.quantity == canceled.filled_quantity


async def cancel(desk: Desk, order: OrderResult) -> OrderResult:
    await desk.client.cancel_order(order.symbol, order.order_id)
    return await desk.settled(order)


async def test_a_canceled_order_is_gone_from_the_book_and_remembered(desk: Desk) -> None:
    order = await desk.rest("ETHUSDT")
    answer = await desk.client.cancel_order("ETHUSDT", order.order_id)
    assert (answer.symbol, answer.order_id) == ("ETHUSDT", order.order_id)
    assert answer.client_order_id in ("", order.client_order_id)
    assert answer.confirmed or desk.client.capabilities.acknowledges_without_state
    after = await desk.settled(order)
    assert (after.status, after.filled_quantity) == (OrderStatus.CANCELED, ZERO)
    assert await desk.client.get_open_orders() == []
    assert [row["status"] for row in desk.orders_in_ledger()] == ["canceled"]


async def test_a_filled_order_cannot_be_canceled(desk: Desk) -> None:
    order = await desk.market("BTCUSDT", quantity=BTC)
    with pytest.raises(UnknownOrder) as refusal:
        await desk.client.cancel_order("BTCUSDT", order.order_id)
    assert refusal.value.write_effect == "none"
    assert (await desk.client.get_order_status("BTCUSDT", order.order_id)).status is OrderStatus.FILLED


async def test_a_second_cancel_changes_nothing(desk: Desk) -> None:
    order = await desk.rest()
    await cancel(desk, order)
    with pytest.raises(UnknownOrder):
        await desk.client.cancel_order("BTCUSDT", order.order_id)
    assert issubclass(OrderAlreadyFinal, UnknownOrder)
    assert (await desk.client.get_order_status("BTCUSDT", order.order_id)).status is OrderStatus.CANCELED


async def test_status_and_look_up_by_client_id_tell_the_same(desk: Desk) -> None:
    resting = await desk.rest("SOLUSDT")
    filled = await desk.market("SOLUSDT", quantity=Decimal(2), client_order_id=new_client_id())
    canceled = await cancel(desk, await desk.rest("SOLUSDT"))
    for order in (resting, filled, canceled):
        status = await desk.client.get_order_status("SOLUSDT", order.order_id)
        found = await desk.client.find_order("SOLUSDT", order.client_order_id)
        assert found is not None
        for seen in (status, found):
            assert (seen.order_id, seen.client_order_id, seen.status) == (order.order_id, order.client_order_id, order.status)
            assert (seen.quantity, seen.filled_quantity, seen.price) == (order.quantity, order.filled_quantity, order.price)


async def test_a_client_id_that_was_never_used_is_not_found(client: IExchangeClient) -> None:
    assert await client.find_order("BTCUSDT", new_client_id()) is None


async def test_an_order_never_answers_for_another_symbol_or_account(desk: Desk) -> None:
    """Bybit looks for the client id before it looks at the symbol: the row of the other symbol is refused, not taken for an answer."""
    order = await desk.rest("BTCUSDT")
    with suppress(BadVenueResponse):
        assert await desk.client.find_order("ETHUSDT", order.client_order_id) is None
    with pytest.raises((UnknownOrder, BadVenueResponse)):
        await desk.client.get_order_status("ETHUSDT", order.order_id)
    assert await desk.another_client(f"{desk.name}b").find_order("BTCUSDT", order.client_order_id) is None


async def test_an_order_of_another_account_is_unknown_and_stays(desk: Desk) -> None:
    order = await desk.rest()
    other = desk.another_client(f"{desk.name}b")
    with pytest.raises(UnknownOrder):
        await other.get_order_status("BTCUSDT", order.order_id)
    with pytest.raises(UnknownOrder):
        await other.cancel_order("BTCUSDT", order.order_id)
    assert (await desk.client.get_order_status("BTCUSDT", order.order_id)).status is OrderStatus.NEW


async def test_open_orders_come_together_and_by_symbol(desk: Desk) -> None:
    bought = await desk.rest("BTCUSDT", OrderSide.BUY)
    sold = await desk.rest("ETHUSDT", OrderSide.SELL)
    everything = await desk.client.get_open_orders()
    assert {(each.symbol, each.order_id, each.side) for each in everything} == {
        ("BTCUSDT", bought.order_id, OrderSide.BUY),
        ("ETHUSDT", sold.order_id, OrderSide.SELL),
    }
    assert [each.order_id for each in await desk.client.get_open_orders("ETHUSDT")] == [sold.order_id]
    assert await desk.client.get_open_orders("XRPUSDT") == []


async def test_a_reduce_only_order_takes_off_no_more_than_there_is(desk: Desk) -> None:
    await desk.market("BTCUSDT", OrderSide.BUY, quantity=BTC)
    order = await desk.market("BTCUSDT", OrderSide.SELL, quantity=3 * BTC, reduce_only=True)
    assert order.filled_quantity == BTC
    assert order.reduce_only
    assert await desk.client.get_open_positions() == []


async def test_a_resting_reduce_only_order_says_that_it_is_one(desk: Desk) -> None:
    await desk.market("BTCUSDT", OrderSide.BUY, quantity=BTC)
    order = await desk.rest("BTCUSDT", OrderSide.SELL, quantity=BTC, reduce_only=True)
    [resting] = await desk.client.get_open_orders()
    assert (order.status, order.reduce_only, resting.reduce_only) == (OrderStatus.NEW, True, True)
    assert [row["reduce_only"] for row in desk.orders_in_ledger()] == [False, True]


async def test_quantities_and_prices_travel_exactly(desk: Desk) -> None:
    """The smallest step, and figures that a binary fraction cannot hold; what arrives is what was asked for."""
    for symbol in [each.symbol for each in await desk.client.get_instruments()]:
        instrument, mark = await desk.instrument(symbol), await desk.mark(symbol)
        price = round_down(mark * Decimal("0.71"), instrument.tick) + instrument.tick
        quantity = round_down(Decimal(211) / price, instrument.lot) + instrument.lot
        order = await desk.rest(symbol, quantity=quantity, price=price)
        [row] = [row for row in desk.orders_in_ledger() if row["symbol"] == symbol]
        assert (order.quantity, order.price) == (quantity, price)
        assert (Decimal(row["quantity"]), Decimal(row["limit_price"])) == (quantity, price)


async def test_trailing_zeros_and_tiny_numbers_are_no_matter(desk: Desk) -> None:
    order = await desk.rest("BTCUSDT", quantity=Decimal("0.00400000"))
    assert order.quantity == BTC
    [pepe] = [each for each in await desk.client.get_instruments() if each.underlying == "PEPE"]
    price = round_down(await desk.mark(pepe.symbol) * Decimal("0.7"), pepe.tick)
    tiny = await desk.rest(pepe.symbol, price=price.normalize(), quantity=(pepe.lot * 100_000).normalize())
    assert (tiny.price, tiny.quantity) == (price, pepe.lot * 100_000)


async def test_an_order_is_answered_with_the_venues_own_words_and_no_secret(desk: Desk) -> None:
    order = await desk.rest()
    text = repr(order.raw_response)
    assert order.raw_response
    assert not re.search(rf"sandbox-{desk.name}|secret|passphrase|signature", text, re.IGNORECASE)


async def test_the_smallest_lot_of_the_venue_is_taken(desk: Desk) -> None:
    """On OKX a hundredth of a contract, 0.0001 BTC; on the others as many lots as the smallest notional wants."""
    instrument, mark = await desk.instrument("BTCUSDT"), await desk.mark("BTCUSDT")
    quantity = instrument.min_quantity
    while quantity * mark < (instrument.min_notional or 0):
        quantity += instrument.lot
    order = await desk.market("BTCUSDT", quantity=quantity)
    assert order.filled_quantity == quantity
    request = OrderRequest(symbol="BTCUSDT", side=OrderSide.SELL, order_type=OrderType.MARKET, quantity=quantity)
    assert (await desk.settled(await desk.client.place_order(request))).filled_quantity == quantity
