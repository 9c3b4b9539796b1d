"""Order books, tickers and funding in base units: documented payloads with literal expected values, and what is asked for them."""

from decimal import Decimal

import pytest

from exchanges.adapters.okx import quotes
from exchanges.adapters.okx.wire import answered
from exchanges.domain import BookLevel, FundingRate, OrderBook, Ticker
from exchanges.errors import BadVenueResponse
from tests.exchanges.okx.rows import BTC, at, instruments, rows
from tests.exchanges.okx.venue import envelope, payload

D = Decimal
BOOKS, TICKER, TICKERS = "/api/v5/market/books", "/api/v5/market/ticker", "/api/v5/market/tickers"
INDEX, MARK, FUNDING = "/api/v5/market/index-tickers", "/api/v5/public/mark-price", "/api/v5/public/funding-rate"
KNOWN = instruments()


def book(**fields):
    return [rows("order_book")[0] | fields]


def test_the_contracts_of_a_book_become_base_units():
    assert quotes.to_order_book(rows("order_book"), BTC, 2) == OrderBook(
        symbol="BTCUSDT",
        bids=[BookLevel(D("64100.1"), D("2.5")), BookLevel(D("64099.9"), D("0.01"))],
        asks=[BookLevel(D("64100.3"), D("0.125")), BookLevel(D("64101"), D("0.0001"))],
        as_of=at(1_763_900_005_010),
    )


@pytest.mark.parametrize(
    "answer",
    [
        book(bids=[["1", "1", "0", "1"], ["2", "1", "0", "1"]]),
        book(asks=[["2", "1", "0", "1"], ["1", "1", "0", "1"]]),
        book(asks=[["1", "0", "0", "1"]]),
        book(ts=1),
        [],
        [*book(), *book()],
    ],
)
def test_a_book_that_is_out_of_order_is_no_answer(answer):
    with pytest.raises(BadVenueResponse):
        answered(quotes.to_order_book, answer, BTC, 5)


@pytest.mark.parametrize(("depth", "asked"), [(1, "1"), (50, "50"), (400, "400"), (5_000, "400")])
async def test_the_depth_is_asked_for_up_to_the_venues_own(venue, exchange, depth, asked):
    venue.script[BOOKS] = payload("order_book")
    await exchange.get_order_book("BTCUSDT", depth)
    assert venue.sent_to(BOOKS)[0].query == {"instId": "BTC-USDT-SWAP", "sz": asked}


def test_a_ticker_is_made_of_three_answers_and_tells_no_turnover():
    """A market that has not traded yet has empty figures, and one that is not covered is left out."""
    assert quotes.to_tickers(rows("tickers"), rows("mark_prices"), rows("index_tickers"), KNOWN) == [
        Ticker(
            symbol="BTCUSDT",
            last_price=D("64100.2"),
            bid_price=D("64100.1"),
            ask_price=D("64100.3"),
            mark_price=D("64100.2"),
            index_price=D("64093.7"),
            high_24h=D("64500"),
            low_24h=D("62800.4"),
            volume_24h=D("98765.4321"),
            turnover_24h=None,
            change_24h=D("0.017463"),
            updated_at=at(1_763_900_005_020),
        )
    ]


def test_what_is_not_told_of_a_ticker_is_none():
    day = rows("tickers")[0] | {"open24h": "", "bidPx": "", "askPx": "", "high24h": "", "low24h": ""}
    [ticker] = quotes.to_tickers([day], [], [], KNOWN)
    figures = (ticker.bid_price, ticker.ask_price, ticker.mark_price, ticker.index_price, ticker.high_24h, ticker.low_24h)
    assert (set(figures), ticker.change_24h) == ({None}, None)


async def test_tickers_of_all_are_asked_for_by_kind(venue, exchange):
    venue.script |= {TICKERS: payload("tickers"), MARK: payload("mark_prices"), INDEX: payload("index_tickers")}
    [ticker] = await exchange.get_tickers()
    assert (ticker.symbol, ticker.index_price) == ("BTCUSDT", D("64093.7"))
    assert [venue.sent_to(path)[0].query for path in (TICKERS, MARK, INDEX)] == [
        {"instType": "SWAP"},
        {"instType": "SWAP"},
        {"quoteCcy": "USDT"},
    ]


async def test_one_ticker_is_asked_for_by_name_and_another_one_is_no_answer(venue, exchange):
    venue.script |= {TICKER: envelope(rows("tickers")[0]), MARK: envelope(rows("mark_prices")[0]), INDEX: payload("index_tickers")}
    [ticker] = await exchange.get_tickers("BTCUSDT")
    assert ticker.symbol == "BTCUSDT"
    assert [venue.sent_to(path)[0].query for path in (TICKER, MARK, INDEX)] == [
        {"instId": "BTC-USDT-SWAP"},
        {"instType": "SWAP", "instId": "BTC-USDT-SWAP"},
        {"instId": "BTC-USDT"},
    ]
    for answer in (envelope(), envelope(rows("tickers")[2]), payload("tickers")):
        venue.script[TICKER] = answer
        with pytest.raises(BadVenueResponse):
            await exchange.get_tickers("BTCUSDT")


def test_the_interval_of_funding_is_how_far_its_times_lie_apart():
    assert quotes.to_funding_rates(rows("funding_rates"), rows("mark_prices"), KNOWN) == [
        FundingRate("BTCUSDT", D("0.0000792386885340"), 8, at(1_763_913_600_000), D("64100.2"), at(1_763_900_005_030)),
        FundingRate("PEPEUSDT", D("-0.000213"), 4, at(1_763_913_600_000), D("0.000004119"), at(1_763_900_005_031)),
    ]


@pytest.mark.parametrize("changed", [{"nextFundingTime": "1763913600000"}, {"nextFundingTime": "1763913600001"}, {"fundingTime": ""}])
def test_funding_times_that_make_no_interval_are_no_answer(changed):
    with pytest.raises(BadVenueResponse):
        answered(quotes.to_funding_rates, [rows("funding_rates")[0] | changed], [], KNOWN)


def test_without_the_time_after_next_the_interval_is_not_told():
    [rate] = quotes.to_funding_rates([rows("funding_rates")[0] | {"nextFundingTime": ""}], [], KNOWN)
    assert (rate.interval_h, rate.mark_price) == (None, None)


async def test_funding_of_all_is_one_question(venue, exchange):
    venue.script |= {FUNDING: payload("funding_rates"), MARK: payload("mark_prices")}
    assert [rate.symbol for rate in await exchange.get_funding_rates()] == ["BTCUSDT", "PEPEUSDT"]
    assert [request.query for request in venue.sent_to(FUNDING)] == [{"instId": "ANY"}]


async def test_funding_of_one_is_asked_for_by_name_and_another_one_is_no_answer(venue, exchange):
    venue.script |= {FUNDING: envelope(rows("funding_rates")[0]), MARK: envelope(rows("mark_prices")[0])}
    assert [rate.symbol for rate in await exchange.get_funding_rates("BTCUSDT")] == ["BTCUSDT"]
    assert venue.sent_to(FUNDING)[0].query == {"instId": "BTC-USDT-SWAP"}
    for answer in (envelope(), payload("funding_rates")):
        venue.script[FUNDING] = answer
        with pytest.raises(BadVenueResponse):
            await exchange.get_funding_rates("BTCUSDT")
