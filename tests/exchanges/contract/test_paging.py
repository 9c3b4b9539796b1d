"""More than one page: everything comes, each once."""

import asyncio
from decimal import Decimal

import pytest

from exchanges.adapters.bybit.client import BybitClient
from exchanges.adapters.bybit.pages import every_page
from exchanges.domain import ExchangeType, OrderRequest, OrderSide
from exchanges.errors import BadVenueResponse
from tests.exchanges.contract.desk import Desk, new_client_id, sandbox_config

ORDERS_PER_SYMBOL = 10


async def _place_all(desk: Desk, requests: list[OrderRequest]) -> None:
    for start in range(0, len(requests), 20):
        await asyncio.gather(*(desk.client.place_order(each) for each in requests[start : start + 20]))


async def test_a_hundred_and_twenty_resting_orders_over_all_symbols_come_once_each(desk: Desk) -> None:
    symbols = [each.symbol for each in await desk.client.get_instruments()]
    requests = [await desk.resting_request(symbol) for symbol in symbols]
    copies = [each.model_copy(update={"client_order_id": new_client_id()}) for each in requests for _ in range(ORDERS_PER_SYMBOL)]
    await _place_all(desk, copies)
    found = await desk.client.get_open_orders()
    assert len(found) == 120
    assert {each.client_order_id for each in found} == {each.client_order_id for each in copies}
    assert len(await desk.client.get_open_orders("BTCUSDT")) == ORDERS_PER_SYMBOL


async def test_a_hundred_and_twenty_resting_orders_of_one_symbol_come_once_each(desk: Desk) -> None:
    request = await desk.resting_request("XRPUSDT", OrderSide.SELL)
    copies = [request.model_copy(update={"client_order_id": new_client_id()}) for _ in range(120)]
    await _place_all(desk, copies)
    found = await desk.client.get_open_orders("XRPUSDT")
    assert sorted(each.client_order_id for each in found) == sorted(each.client_order_id or "" for each in copies)
    first, last = copies[0].client_order_id or "", copies[-1].client_order_id or ""
    for client_id in (first, last):
        order = await desk.client.find_order("XRPUSDT", client_id)
        assert order is not None
        assert order.client_order_id == client_id


async def test_positions_of_every_symbol_come_once_each(desk: Desk) -> None:
    symbols = [each.symbol for each in await desk.client.get_instruments()]
    await asyncio.gather(*(desk.market(symbol, side) for symbol, side in zip(symbols, 6 * list(OrderSide), strict=True)))
    book = await desk.client.get_position_book()
    assert sorted(each.symbol for each in book.positions) == sorted(symbols)
    assert book.not_covered == []
    assert all(each.quantity > 0 for each in book.positions)


@pytest.mark.parametrize(
    ("exchange", "path"), [(ExchangeType.BYBIT, "/v5/order/realtime"), (ExchangeType.OKX, "/api/v5/trade/orders-pending")]
)
async def test_a_page_that_fails_fails_the_whole_list(desks: dict[ExchangeType, Desk], exchange: ExchangeType, path: str) -> None:
    """A list with its second page missing would show orders as gone that are there. Binance answers on one page."""
    desk = desks[exchange]
    request = await desk.resting_request("XRPUSDT")
    await _place_all(desk, [request.model_copy(update={"client_order_id": new_client_id()}) for _ in range(120)])
    first_page_passes: dict[str, object] = {"kind": "delay", "ms": 0}
    desk.fault(first_page_passes, ("GET", path))
    desk.fault({"kind": "body", "body": "{"}, ("GET", path))
    before = len(desk.requests(("GET", path)))
    with pytest.raises(BadVenueResponse):
        await desk.client.get_open_orders("XRPUSDT")
    assert len(desk.requests(("GET", path))) == before + 2


async def test_bybits_pages_of_five_positions_are_all_read(desks: dict[ExchangeType, Desk]) -> None:
    desk = desks[ExchangeType.BYBIT]
    symbols = [each.symbol for each in await desk.client.get_instruments()]
    await asyncio.gather(*(desk.market(symbol) for symbol in symbols))
    config = sandbox_config(ExchangeType.BYBIT, desk.name)
    client = BybitClient(config, desk.registry.venue(config))
    envelopes = await every_page(client.get_positions, category="linear", settleCoin="USDT", limit=5)
    rows = [row for envelope in envelopes for row in envelope["result"]["list"]]
    assert len(envelopes) >= 3
    assert sorted(row["symbol"] for row in rows if Decimal(row["size"])) == sorted(symbols)
