"""Lists of more than one page: all of them are read, each row counts once, and what is no list of pages is no answer."""

from typing import Any

import pytest
from aiohttp import web

from exchanges.adapters.bybit.exchange import BybitExchange
from exchanges.adapters.bybit.pages import MAX_PAGES
from exchanges.errors import BadVenueResponse, ExchangeUnavailable
from tests.exchanges.bybit.recording import RecordingVenue, payload


def page(name: str, cursor: str) -> dict[str, Any]:
    envelope = payload(name)
    envelope["result"]["nextPageCursor"] = cursor
    return envelope


async def test_every_page_is_read_and_an_order_on_two_pages_counts_once(venue: RecordingVenue, exchange: BybitExchange) -> None:
    venue.answer(
        "/v5/order/realtime",
        page("open_orders_plain", "a%3D1%26"),
        page("open_orders_plain", "b%3D1%26"),
        page("open_orders_conditional", ""),
    )
    orders = await exchange.get_open_orders()
    assert len(orders) == 11
    assert [request.target.partition("cursor=")[2] for request in venue.requests if request.path == "/v5/order/realtime"] == [
        "",
        "a%3D1%26&limit=50&settleCoin=USDT",
        "b%3D1%26&limit=50&settleCoin=USDT",
    ]


async def test_a_cursor_after_the_last_page_ends_with_the_empty_page(venue: RecordingVenue, exchange: BybitExchange) -> None:
    venue.answer("/v5/position/list", page("positions", "x"), page("order_none", "x"))
    positions = await exchange.get_open_positions()
    assert [position.symbol for position in positions] == ["BTCUSDT", "1000PEPEUSDT"]


async def test_a_page_that_fails_fails_the_whole_read(venue: RecordingVenue, exchange: BybitExchange) -> None:
    venue.answer("/v5/position/list", page("positions", "x"), web.Response(status=500))
    with pytest.raises(ExchangeUnavailable):
        await exchange.get_open_positions()


@pytest.mark.parametrize("cursor", ["same", "a b", 5])
async def test_pages_that_repeat_or_cannot_be_asked_for_are_no_answer(cursor: Any, venue: RecordingVenue, exchange: BybitExchange) -> None:
    venue.answer("/v5/position/list", page("positions", cursor))
    with pytest.raises(BadVenueResponse):
        await exchange.get_open_positions()
    assert len([request for request in venue.requests if request.path == "/v5/position/list"]) == (2 if cursor == "same" else 1)


async def test_pages_without_an_end_are_no_answer(venue: RecordingVenue, exchange: BybitExchange) -> None:
    venue.answer("/v5/position/list", *(page("positions_flat_one_way", f"c{number}") for number in range(MAX_PAGES + 5)))
    with pytest.raises(BadVenueResponse):
        await exchange.get_open_positions()
    assert len([request for request in venue.requests if request.path == "/v5/position/list"]) == MAX_PAGES
