"""Order books, tickers and funding: payloads of the documented shapes, with literal expected values, and what is asked for them."""

from decimal import Decimal

import pytest

from exchanges.adapters.binance import quotes
from exchanges.adapters.binance.intervals import FundingIntervals
from exchanges.adapters.binance.mapping import read
from exchanges.domain import BookLevel, FundingRate, OrderBook, Ticker
from exchanges.errors import BadVenueResponse, ExchangeUnavailable
from tests.exchanges.binance.rows import INSTRUMENTS, at, own
from tests.exchanges.binance.venue_server import Answer, Setup

D = Decimal
DEPTH, DAY, BEST, MARKS = "/fapi/v1/depth", "/fapi/v1/ticker/24hr", "/fapi/v1/ticker/bookTicker", "/fapi/v1/premiumIndex"
TERMS = "/fapi/v1/fundingInfo"


@pytest.fixture
def venue(setup: Setup) -> Setup:
    setup.server.on("GET", "/fapi/v1/exchangeInfo", own("instruments"))
    setup.server.on("GET", DEPTH, own("order_book"))
    setup.server.on("GET", TERMS, own("funding_info"))
    return setup


def test_a_book_is_as_of_its_transaction_time() -> None:
    assert quotes.to_order_book(own("order_book"), symbol="ETHUSDT", depth=2) == OrderBook(
        symbol="ETHUSDT",
        bids=[BookLevel(D("2951.10"), D("4.250")), BookLevel(D("2951.00"), D("0.003"))],
        asks=[BookLevel(D("2951.20"), D("1.100")), BookLevel(D("2951.35"), D("7.020"))],
        as_of=at(1_795_500_000_123),
    )


@pytest.mark.parametrize(
    "changed",
    [
        {"bids": [["1", "1"], ["2", "1"]]},
        {"asks": [["2", "1"], ["1", "1"]]},
        {"asks": [["2", "1"], ["2", "1"]]},
        {"asks": [["0", "1"]]},
        {"bids": [["1", "-1"]]},
        {"bids": [["1", "0"]]},
        {"bids": [["1"]]},
        {"bids": {}},
        {"T": 0},
    ],
)
def test_a_book_that_is_out_of_order_is_no_answer(changed: dict[str, object]) -> None:
    with pytest.raises(BadVenueResponse):
        read("order book", quotes.to_order_book, own("order_book") | changed, symbol="ETHUSDT", depth=5)


def test_a_side_may_be_empty() -> None:
    book = quotes.to_order_book(own("order_book") | {"asks": []}, symbol="ETHUSDT", depth=5)
    assert (len(book.bids), book.asks) == (3, [])


@pytest.mark.parametrize(("depth", "asked"), [(1, 5), (5, 5), (6, 10), (50, 50), (51, 100), (999, 1_000), (5_000, 1_000)])
async def test_the_smallest_depth_that_holds_what_was_asked_for_is_requested(venue: Setup, depth: int, asked: int) -> None:
    await venue.exchange.get_order_book("ETHUSDT", depth)
    [request] = venue.server.asked(DEPTH)
    assert request.parameters == {"symbol": "ETHUSDT", "limit": str(asked)}


def test_a_ticker_is_made_of_three_answers() -> None:
    """A market that has not traded yet has zeros, and one that is not covered is left out."""
    assert quotes.to_tickers(own("tickers_24h"), own("book_tickers"), own("premium_index"), INSTRUMENTS) == [
        Ticker(
            symbol="ETHUSDT",
            last_price=D("2951.15"),
            bid_price=D("2951.10"),
            ask_price=D("2951.20"),
            mark_price=D("2951.14000000"),
            index_price=D("2952.01235417"),
            high_24h=D("3012.00"),
            low_24h=D("2940.05"),
            volume_24h=D("1520333.250"),
            turnover_24h=D("4527719655.12"),
            change_24h=D("-0.01476"),
            updated_at=at(1_795_500_000_100),
        )
    ]


def test_what_the_other_answers_do_not_tell_of_a_ticker_is_none() -> None:
    [ticker] = quotes.to_tickers(own("tickers_24h"), [], [], INSTRUMENTS)
    assert (ticker.bid_price, ticker.ask_price, ticker.mark_price, ticker.index_price) == (None, None, None, None)


async def test_one_ticker_asks_for_one_symbol_three_times(venue: Setup) -> None:
    for path, name in ((DAY, "tickers_24h"), (BEST, "book_tickers"), (MARKS, "premium_index")):
        venue.server.on("GET", path, own(name)[0])
    [ticker] = await venue.exchange.get_tickers("ETHUSDT")
    assert ticker.bid_price == D("2951.10")
    for path in (DAY, BEST, MARKS):
        [request] = venue.server.asked(path)
        assert request.parameters == {"symbol": "ETHUSDT"}


@pytest.mark.parametrize("path", [DAY, BEST, MARKS])
async def test_a_ticker_of_another_symbol_or_without_a_part_is_no_ticker(venue: Setup, path: str) -> None:
    for each, name in ((DAY, "tickers_24h"), (BEST, "book_tickers"), (MARKS, "premium_index")):
        venue.server.on("GET", each, own(name)[0])
    venue.server.on("GET", path, own("premium_index")[1])
    with pytest.raises(BadVenueResponse):
        await venue.exchange.get_tickers("ETHUSDT")
    venue.server.on("GET", path, Answer(b"", 502))
    with pytest.raises(ExchangeUnavailable):
        await venue.exchange.get_tickers("ETHUSDT")


def test_funding_is_due_every_eight_hours_unless_the_terms_say_otherwise() -> None:
    """A dated contract pays none."""
    intervals = quotes.to_funding_intervals(own("funding_info"))
    assert quotes.to_funding_rates(own("premium_index"), intervals, INSTRUMENTS) == [
        FundingRate("ETHUSDT", D("-0.00004321"), 8, at(1_795_507_200_000), D("2951.14000000"), at(1_795_500_000_000)),
        FundingRate("1000PEPEUSDT", D("0.00010000"), 4, at(1_795_507_200_000), D("0.01298000"), at(1_795_500_000_000)),
    ]


async def test_the_terms_of_funding_are_asked_for_once_an_hour(venue: Setup) -> None:
    now = [0.0]
    intervals = FundingIntervals(venue.exchange._client, monotonic=lambda: now[0])
    for moment, times in ((0.0, 1), (3_599.0, 1), (3_600.0, 2)):
        now[0] = moment
        assert await intervals.by_symbol() == {"1000PEPEUSDT": 4}
        assert len(venue.server.asked(TERMS)) == times


async def test_without_its_terms_funding_is_not_told(venue: Setup) -> None:
    venue.server.on("GET", MARKS, own("premium_index"))
    venue.server.on("GET", TERMS, Answer(b"", 502))
    with pytest.raises(ExchangeUnavailable):
        await venue.exchange.get_funding_rates()
    venue.server.on("GET", TERMS, own("funding_info"))
    assert [rate.interval_h for rate in await venue.exchange.get_funding_rates()] == [8, 4]
