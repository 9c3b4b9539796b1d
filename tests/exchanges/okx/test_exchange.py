"""The Protocol's methods over a scripted local server: what is asked, in which order, and what an answer or its absence means."""

import math
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from exchanges.domain import OrderRequest, OrderStatus, OrderType, PositionSide
from exchanges.errors import (
    BadParameter,
    BadVenueResponse,
    DuplicateClientOrderId,
    ExchangeUnavailable,
    FilterViolation,
    InsufficientMargin,
    OrderAlreadyFinal,
    OutcomeUnknown,
    PositionModeMismatch,
    RateLimited,
    ReduceOnlyRejected,
    UnknownOrder,
    UnknownSymbol,
    UnsupportedField,
)
from exchanges.protocol import IExchangeClient
from tests.exchanges.okx.venue import HANG, RESET, Raw, envelope, exchange_at, payload, recording_venue

ORDER = "/api/v5/trade/order"
PLACE, QUERY = f"POST {ORDER}", f"GET {ORDER}"
PENDING = "/api/v5/trade/orders-pending"
HISTORY = "/api/v5/trade/orders-history"
ALGOS = "/api/v5/trade/orders-algo-pending"
POSITIONS = "/api/v5/account/positions"


@pytest.fixture
async def venue():
    async with recording_venue() as recording:
        yield recording


@pytest.fixture
async def exchange(venue):
    async with exchange_at(venue) as client:
        yield client


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
        ({"leverage": 5}, UnsupportedField, "leverage"),
        ({"stop_price": "60000"}, UnsupportedField, "stop_price"),
        ({"take_profit_price": "70000"}, UnsupportedField, "take_profit_price"),
        ({"order_type": "STOP_MARKET", "price": None, "stop_price": "60000"}, UnsupportedField, "order_type"),
        ({"position_side": "LONG"}, UnsupportedField, "position_side"),
        ({"quantity": "0.00005"}, FilterViolation, "quantity"),
        ({"symbol": "NOSUCHUSDT"}, UnknownSymbol, "symbol"),
    ],
    ids=str,
)
async def test_an_order_that_would_not_be_carried_out_is_not_sent(venue, exchange, fields, error_class, field):
    with pytest.raises(error_class) as refusal:
        await exchange.place_order(limit_order(**fields))
    assert refusal.value.field == field
    assert venue.sent_to(ORDER) == []


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


async def test_open_orders_of_one_symbol(venue, exchange):
    await exchange.get_open_orders("ETHUSDT")
    assert {request.query["instId"] for request in venue.requests[1:]} == {"ETH-USDT-SWAP"}


async def test_a_list_that_fails_is_no_empty_list(venue, exchange):
    venue.script[ALGOS] = Raw("<html>", 502)
    with pytest.raises(ExchangeUnavailable):
        await exchange.get_open_orders()


async def test_positions_of_all_types_are_asked_for(venue, exchange):
    venue.script[POSITIONS] = payload("positions")
    book = await exchange.get_position_book()
    assert (len(book.positions), len(book.not_covered)) == (3, 5)
    assert venue.sent_to(POSITIONS)[0].target == POSITIONS
    assert [position.symbol for position in await exchange.get_open_positions("ETHUSDT")] == ["ETHUSDT"]
    assert len(await exchange.get_open_positions()) == 3
    with pytest.raises(UnknownSymbol):
        await exchange.get_open_positions("NOSUCHUSDT")


@pytest.mark.parametrize("answer", [RESET, Raw("<html>"), Raw("", 204), envelope(code="50011")], ids=["reset", "html", "204", "limit"])
async def test_positions_that_could_not_be_read_are_not_flat(venue, exchange, answer):
    venue.script[POSITIONS] = answer
    with pytest.raises((ExchangeUnavailable, BadVenueResponse, RateLimited)):
        await exchange.get_position_book()


async def test_balances_and_account(venue, exchange):
    venue.script |= {"/api/v5/account/balance": payload("balance"), "/api/v5/account/config": payload("account_config")}
    assert [balance.asset for balance in await exchange.get_balances()] == ["USDT", "BTC"]
    assert [balance.asset for balance in await exchange.get_balances("btc")] == ["BTC"]
    for _ in range(2):
        assert (await exchange.get_account()).equity_usd == Decimal("10234.5678")
    assert len(venue.sent_to("account/config")) == 1, "settings are kept for a minute"


async def test_account_settings_are_asked_for_again_when_they_are_old(venue, exchange, monkeypatch):
    venue.script |= {"/api/v5/account/balance": payload("balance"), "/api/v5/account/config": payload("account_config")}
    await exchange.get_account()
    monkeypatch.setattr("exchanges.adapters.okx.exchange.CONFIG_AGE_S", -1.0)
    await exchange.get_account()
    assert len(venue.sent_to("account/config")) == 2


async def test_set_leverage(venue, exchange):
    venue.script["/api/v5/account/set-leverage"] = payload("leverage")
    assert await exchange.set_leverage("BTCUSDT", 7) is True
    assert venue.sent_to("set-leverage")[0].json == {
        "lever": "7",
        "mgnMode": "cross",
        "instId": "BTC-USDT-SWAP",
        "ccy": "",
        "posSide": "",
    }
    assert await exchange.set_leverage("BTCUSDT", 9) is False, "the venue answered that it uses 7"
    with pytest.raises(BadParameter):
        await exchange.set_leverage("BTCUSDT", 0)


def closing(venue):
    (request,) = venue.sent_to(ORDER, "POST")
    return {name: request.json[name] for name in ("side", "ordType", "sz", "tdMode", "posSide", "reduceOnly")}


async def test_close_a_long_in_one_way_mode(venue, exchange):
    row = payload("positions")["data"][0]
    ack = envelope({"ordId": "910000000000000001", "clOrdId": "", "sCode": "0"})
    venue.script |= {POSITIONS: envelope(row), PLACE: ack, QUERY: payload("order_filled")}
    assert (await exchange.close_position("BTCUSDT")).status is OrderStatus.FILLED
    assert closing(venue) == {
        "side": "sell",
        "ordType": "market",
        "sz": "12.5",
        "tdMode": "cross",
        "posSide": "net",
        "reduceOnly": "true",
    }
    assert venue.sent_to(POSITIONS)[0].query == {"instType": "SWAP", "instId": "BTC-USDT-SWAP"}


async def test_close_an_isolated_short(venue, exchange):
    row = payload("positions")["data"][1]
    venue.script |= {
        POSITIONS: envelope(row),
        PLACE: envelope({"ordId": "5", "clOrdId": "", "sCode": "0"}),
        QUERY: payload("order_unknown"),
    }
    order = await exchange.close_position("ETHUSDT")
    assert (order.order_id, order.quantity, order.confirmed) == ("5", Decimal("3"), False)
    assert closing(venue) == {
        "side": "buy",
        "ordType": "market",
        "sz": "30",
        "tdMode": "isolated",
        "posSide": "net",
        "reduceOnly": "true",
    }


async def test_close_the_only_leg_in_hedge_mode(venue, exchange):
    row = payload("positions_hedge")["data"][1]
    venue.script |= {
        POSITIONS: envelope(row),
        PLACE: envelope({"ordId": "5", "clOrdId": "", "sCode": "0"}),
        QUERY: payload("order_unknown"),
    }
    order = await exchange.close_position("BTCUSDT")
    assert order.position_side is PositionSide.SHORT
    assert closing(venue) == {
        "side": "buy",
        "ordType": "market",
        "sz": "2.25",
        "tdMode": "cross",
        "posSide": "short",
        "reduceOnly": "false",
    }


async def test_close_with_two_legs_or_none_sends_nothing(venue, exchange):
    venue.script[POSITIONS] = [payload("positions_hedge"), envelope()]
    with pytest.raises(PositionModeMismatch):
        await exchange.close_position("BTCUSDT")
    with pytest.raises(ReduceOnlyRejected):
        await exchange.close_position("BTCUSDT")
    assert venue.sent_to(ORDER) == []


async def test_mark_prices_and_server_time(venue, exchange):
    venue.script |= {"/api/v5/public/mark-price": payload("mark_prices"), "/api/v5/public/time": payload("server_time")}
    assert [price.symbol for price in await exchange.get_mark_prices()] == ["BTCUSDT", "PEPEUSDT"]
    assert venue.sent_to("mark-price")[0].query == {"instType": "SWAP"}
    assert await exchange.get_server_time_ms() == 1763900006789


async def test_the_catalogue_is_asked_for_once(venue, exchange):
    for _ in range(3):
        await exchange.get_mark_prices()
    assert len(venue.sent_to("public/instruments")) == 1


class Candles:
    """A minute-candle tape as OKX serves it: newest first, `after` older than, `before` newer than, two endpoints of different reach."""

    def __init__(self, venue, now: datetime, listed: datetime) -> None:
        self.now_ms, self.listed_ms = (int(moment.timestamp()) * 1000 for moment in (now, listed))
        venue.script |= {"/api/v5/market/candles": self.recent, "/api/v5/market/history-candles": self.history}
        venue.script["/api/v5/public/instruments"] = self.instruments
        self.listed = listed

    def instruments(self, request):
        (btc, *_) = payload("instruments")["data"]
        return envelope(btc | {"listTime": str(self.listed_ms)})

    def recent(self, request):
        return self._page(request, maximum=300, oldest=max(self.listed_ms, self._floor(self.now_ms) - 1_439 * 60_000))

    def history(self, request):
        return self._page(request, maximum=100, oldest=self.listed_ms)

    def _floor(self, moment_ms):
        return moment_ms // 60_000 * 60_000

    def _page(self, request, *, maximum, oldest):
        query = request.query
        limit = int(query["limit"])
        assert limit <= maximum
        assert query["bar"] == "1m"
        newest = min(self._floor(self.now_ms), self._floor(int(query.get("after", 2**60)) - 1))
        oldest = max(oldest, int(query.get("before", 0)) + 1)
        opened = range(newest, oldest - 1, -60_000)
        return envelope(*[self.row(moment) for moment in opened[:limit]])

    def row(self, moment):
        is_closed = "0" if moment == self._floor(self.now_ms) else "1"
        return [str(moment), "10", "12", "9", "11", "100", "1", "11", is_closed]


NOW = datetime.now(UTC).replace(microsecond=0)
MINUTE = timedelta(minutes=1)


def floored(moment: datetime) -> datetime:
    return moment.replace(second=0, microsecond=0)


@pytest.mark.parametrize("limit", [1, 299, 300, 301, 1_300, 1_900])
async def test_the_newest_candles_oldest_first_over_both_endpoints(venue, exchange, limit):
    Candles(venue, NOW, NOW - 3_000 * MINUTE)
    klines = await exchange.get_klines("BTCUSDT", "1m", limit=limit)
    last = floored(NOW)
    assert [kline.open_time for kline in klines] == [last - MINUTE * back for back in reversed(range(limit))]
    assert [kline.is_closed for kline in klines] == [True] * (limit - 1) + [False]


async def test_fewer_candles_than_asked_for_when_the_listing_is_young(venue, exchange):
    Candles(venue, NOW, floored(NOW) - 400 * MINUTE)
    assert len(await exchange.get_klines("BTCUSDT", "1m", limit=1_000)) == 401


@pytest.mark.parametrize("age", [50, 1_100, 1_500, 5_000])
async def test_candles_of_a_range(venue, exchange, age):
    Candles(venue, NOW, NOW - 6_000 * MINUTE)
    start = floored(NOW) - age * MINUTE
    klines = await exchange.get_klines("BTCUSDT", "1m", start_time=start, end_time=start + 20 * MINUTE)
    assert [kline.open_time for kline in klines] == [start + number * MINUTE for number in range(21)]
    inside = await exchange.get_klines("BTCUSDT", "1m", start_time=start + MINUTE / 2, end_time=start + 1.5 * MINUTE)
    assert [kline.open_time for kline in inside] == [start + MINUTE]


async def test_of_a_range_with_more_than_the_limit_the_newest(venue, exchange):
    Candles(venue, NOW, NOW - 6_000 * MINUTE)
    end = floored(NOW) - 2_000 * MINUTE
    klines = await exchange.get_klines("BTCUSDT", "1m", limit=250, start_time=end - 1_000 * MINUTE, end_time=end)
    assert [kline.open_time for kline in klines] == [end - MINUTE * back for back in reversed(range(250))]


@pytest.mark.parametrize("age", [10, 1_000, 1_600, 4_000])
async def test_with_only_a_start_the_oldest_from_there(venue, exchange, age):
    Candles(venue, NOW, NOW - 6_000 * MINUTE)
    start = floored(NOW) - age * MINUTE
    klines = await exchange.get_klines("BTCUSDT", "1m", limit=700, start_time=start)
    assert [kline.open_time for kline in klines] == [start + number * MINUTE for number in range(min(700, age + 1))]


async def test_a_start_long_before_the_listing_finds_the_first_candles(venue, exchange):
    listed = floored(NOW) - 3_000 * MINUTE
    Candles(venue, NOW, listed)
    klines = await exchange.get_klines("BTCUSDT", "1m", limit=150, start_time=listed - timedelta(days=900))
    assert [kline.open_time for kline in klines] == [listed + number * MINUTE for number in range(150)]


async def test_candle_requests_that_make_no_sense(venue, exchange):
    for arguments, field in (
        ({"interval": "7m"}, "interval"),
        ({"limit": 0}, "limit"),
        ({"limit": 10_001}, "limit"),
        ({"start_time": datetime(2026, 1, 1)}, "start_time"),  # noqa: DTZ001
    ):
        with pytest.raises(BadParameter) as refusal:
            await exchange.get_klines(**({"symbol": "BTCUSDT", "interval": "1m"} | arguments))
        assert refusal.value.field == field
    assert venue.sent_to("candles") == []


async def test_candle_pages_that_repeat_are_refused(venue, exchange):
    tape = Candles(venue, NOW, NOW - 3_000 * MINUTE)
    venue.script["/api/v5/market/candles"] = envelope(*[tape.row(tape.now_ms // 60_000 * 60_000 - back * 60_000) for back in range(300)])
    with pytest.raises(BadVenueResponse):
        await exchange.get_klines("BTCUSDT", "1m", limit=500)
    assert len(venue.sent_to("candles")) == 2


async def test_ten_thousand_candles_take_as_few_requests_as_their_endpoints_allow(venue, exchange):
    Candles(venue, NOW, NOW - 20_000 * MINUTE)
    assert len(await exchange.get_klines("BTCUSDT", "1m", limit=10_000)) == 10_000
    assert len(venue.sent_to("market/candles")) == 4
    assert len(venue.sent_to("history-candles")) == math.ceil((10_000 - 4 * 300) / 100)
