"""Looking orders up over a scripted local server: which lists are asked, every page of them, and what is no evidence."""

import pytest

from exchanges.domain import OrderStatus, OrderType
from exchanges.errors import BadVenueResponse, ExchangeUnavailable, UnknownOrder
from tests.exchanges.okx.venue import RESET, Raw, Request, envelope, payload

ORDER = "/api/v5/trade/order"
PLACE, QUERY = f"POST {ORDER}", f"GET {ORDER}"
PENDING = "/api/v5/trade/orders-pending"
HISTORY = "/api/v5/trade/orders-history"
ALGOS = "/api/v5/trade/orders-algo-pending"


async def test_order_status(venue, exchange):
    venue.script[QUERY] = [payload("order_filled"), payload("order_unknown")]
    assert (await exchange.get_order_status("BTCUSDT", "910000000000000001")).status is OrderStatus.FILLED
    with pytest.raises(UnknownOrder):
        await exchange.get_order_status("BTCUSDT", "910000000000000001")


async def test_find_order_by_client_id(venue, exchange):
    venue.script[QUERY] = payload("order_live")
    order = await exchange.find_order("BTCUSDT", "cb0001")
    assert order is not None
    assert order.order_id == "910000000000000001"
    assert venue.sent_to(ORDER)[0].query == {"instId": "BTC-USDT-SWAP", "clOrdId": "cb0001"}


async def test_find_order_is_none_only_when_query_open_orders_and_history_say_no(venue, exchange):
    venue.script[QUERY] = payload("order_unknown")
    assert await exchange.find_order("BTCUSDT", "cb0001") is None
    assert [request.path for request in venue.requests[1:]] == [ORDER, PENDING, HISTORY]
    assert venue.sent_to(HISTORY)[0].query == {"instType": "SWAP", "instId": "BTC-USDT-SWAP", "limit": "100"}


@pytest.mark.parametrize("where", [PENDING, HISTORY])
async def test_find_order_looks_into_both_lists(venue, exchange, where):
    venue.script |= {QUERY: payload("order_unknown"), where: payload("order_filled")}
    order = await exchange.find_order("BTCUSDT", "cb0001")
    assert order is not None
    assert order.status is OrderStatus.FILLED
    assert await exchange.find_order("BTCUSDT", "cb9999") is None


@pytest.mark.parametrize("where", [QUERY, PENDING, HISTORY])
@pytest.mark.parametrize(
    ("answer", "error_class"),
    [(Raw("<html>", 502), ExchangeUnavailable), (RESET, ExchangeUnavailable), (Raw("<html>"), BadVenueResponse)],
    ids=["502", "reset", "html"],
)
async def test_a_look_up_that_fails_is_no_evidence(venue, exchange, where, answer, error_class):
    venue.script |= {QUERY: payload("order_unknown")} | {where: answer}
    with pytest.raises(error_class):
        await exchange.find_order("BTCUSDT", "cb0001")


async def test_find_order_with_an_empty_answer_is_no_evidence(venue, exchange):
    venue.script[QUERY] = envelope()
    with pytest.raises(BadVenueResponse):
        await exchange.find_order("BTCUSDT", "cb0001")


def pages_of(count):
    """`count` resting orders, newest first, cut as OKX cuts them."""
    (row,) = payload("order_live")["data"]
    rows = [row | {"ordId": str(10_000 - number), "clOrdId": f"p{number}"} for number in range(count)]

    def answer(request):
        after = int(request.query.get("after", 10_001))
        return envelope(*[row for row in rows if int(row["ordId"]) < after][: int(request.query["limit"])])

    return answer


@pytest.mark.parametrize(("count", "calls"), [(0, 1), (99, 1), (100, 2), (250, 3)])
async def test_every_page_of_the_open_orders_is_read(venue, exchange, count, calls):
    venue.script[PENDING] = pages_of(count)
    found = await exchange.get_open_orders()
    assert [order.order_id for order in found] == [str(10_000 - number) for number in range(count)]
    assert len(venue.sent_to(PENDING)) == calls


async def test_pages_that_repeat_are_refused(venue, exchange):
    page = pages_of(100)
    venue.script[PENDING] = lambda request: page(type(request)(request.method, PENDING + "?limit=100", {}, ""))
    with pytest.raises(BadVenueResponse, match="repeat"):
        await exchange.get_open_orders()
    assert len(venue.sent_to(PENDING)) == 2


async def test_conditional_orders_are_listed_with_the_resting_ones(venue, exchange):
    lists = {"conditional,oco": "algo_conditional", "move_order_stop": "algo_trailing", "trigger": "algo_trigger"}
    venue.script |= {
        PENDING: payload("orders_pending"),
        ALGOS: lambda request: payload(lists[request.query["ordType"]]) if request.query["ordType"] in lists else envelope(),
    }
    found = await exchange.get_open_orders()
    assert len(found) == 4 + 5 + 1 + 1
    assert found[4].order_type is OrderType.STOP_MARKET
    assert [request.query["ordType"] for request in venue.sent_to(ALGOS)] == [
        "conditional,oco",
        "trigger",
        "move_order_stop",
        "chase",
        "iceberg",
        "twap",
    ]


async def test_an_order_that_triggers_while_the_lists_are_read_is_in_one_of_them(venue, exchange):
    waiting, resting = payload("algo_conditional")["data"][:1], payload("order_live")["data"]
    asked: list[Request] = []

    def as_it_stands(request):
        """It triggers as soon as one list has told of it, or has told that it rests nowhere."""
        has_triggered, is_of_algos = bool(asked), request.path == ALGOS
        asked.append(request)
        return envelope(*(waiting if is_of_algos else resting) if is_of_algos is not has_triggered else [])

    venue.script |= {PENDING: as_it_stands, ALGOS: as_it_stands}
    assert await exchange.get_open_orders() != []


async def test_open_orders_of_one_symbol(venue, exchange):
    await exchange.get_open_orders("ETHUSDT")
    assert {request.query["instId"] for request in venue.requests[1:]} == {"ETH-USDT-SWAP"}


async def test_a_list_that_fails_is_no_empty_list(venue, exchange):
    venue.script[ALGOS] = Raw("<html>", 502)
    with pytest.raises(ExchangeUnavailable):
        await exchange.get_open_orders()
