"""Order books, tickers and funding: payloads of the documented shapes, with literal expected values, and what is asked for them."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from exchanges.adapters.bybit import mapping, quotes
from exchanges.adapters.bybit.exchange import BybitExchange
from exchanges.adapters.bybit.wire import answered
from exchanges.domain import BookLevel, FundingRate, OrderBook, Ticker
from exchanges.errors import BadVenueResponse
from tests.exchanges.bybit.recording import RecordingVenue, payload

D = Decimal
INSTRUMENTS = {instrument.venue_symbol: instrument for instrument in mapping.to_instruments([payload("instruments")])}
BTC = INSTRUMENTS["BTCUSDT"]


def at(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds // 1_000, UTC).replace(microsecond=milliseconds % 1_000 * 1_000)


def changed_row(**fields: Any) -> dict[str, Any]:
    """The tickers, with fields of Bitcoin's changed."""
    answer = payload("tickers")
    answer["result"]["list"][0] |= fields
    return answer


def changed_book(**fields: Any) -> dict[str, Any]:
    answer = payload("order_book")
    answer["result"] |= fields
    return answer


def test_a_book_is_as_of_the_matching_engine() -> None:
    assert quotes.to_order_book(payload("order_book"), BTC, 2) == OrderBook(
        symbol="BTCUSDT",
        bids=[BookLevel(D("96010.10"), D("1.204")), BookLevel(D("96010.00"), D("0.001"))],
        asks=[BookLevel(D("96010.20"), D("0.300")), BookLevel(D("96010.90"), D("2.500"))],
        as_of=at(1_795_500_000_119),
    )
    without = changed_book()
    del without["result"]["cts"]
    assert quotes.to_order_book(without, BTC, 2).as_of == at(1_795_500_000_123)


@pytest.mark.parametrize(
    "fields",
    [{"s": "ETHUSDT"}, {"b": [["1", "1"], ["2", "1"]]}, {"a": [["2", "1"], ["1", "1"]]}, {"a": [["1", "0"]]}, {"b": [["1", "1", "1"]]}],
    ids=str,
)
def test_a_book_of_another_symbol_or_out_of_order_is_no_answer(fields: dict[str, Any]) -> None:
    with pytest.raises(BadVenueResponse):
        answered(quotes.to_order_book, changed_book(**fields), BTC, 5)


@pytest.mark.parametrize(("depth", "asked"), [(1, 1), (50, 50), (1_000, 1_000), (9_999, 1_000)])
async def test_the_depth_is_asked_for_up_to_the_venues_own(venue: RecordingVenue, exchange: BybitExchange, depth: int, asked: int) -> None:
    venue.answer("/v5/market/orderbook", payload("order_book"))
    await exchange.get_order_book("BTCUSDT", depth)
    assert venue.lines() == [("GET", f"/v5/market/orderbook?category=linear&limit={asked}&symbol=BTCUSDT", "")]


def test_a_ticker_with_all_its_figures() -> None:
    figures = {"bid1Price": "96010.10", "ask1Price": "96010.30", "highPrice24h": "97001.5", "lowPrice24h": "94800"}
    answer = changed_row(**figures, volume24h="81022.117", turnover24h="7777123456.91", price24hPcnt="-0.006512")
    ticker = next(each for each in quotes.to_tickers(answer, INSTRUMENTS) if each.symbol == "BTCUSDT")
    assert ticker == Ticker(
        symbol="BTCUSDT",
        last_price=D("96010.20"),
        bid_price=D("96010.10"),
        ask_price=D("96010.30"),
        mark_price=D("96010.20"),
        index_price=D("96002.77"),
        high_24h=D("97001.5"),
        low_24h=D(94_800),
        volume_24h=D("81022.117"),
        turnover_24h=D("7777123456.91"),
        change_24h=D("-0.006512"),
        updated_at=at(payload("tickers")["time"]),
    )


def test_a_market_that_has_not_traded_has_no_ticker_and_what_is_not_covered_none_either() -> None:
    symbols = {each.symbol for each in quotes.to_tickers(payload("tickers"), INSTRUMENTS)}
    assert symbols <= {instrument.symbol for instrument in INSTRUMENTS.values()}
    assert "BTCUSDT" in symbols
    for last in ("", "0"):
        assert "BTCUSDT" not in {each.symbol for each in quotes.to_tickers(changed_row(lastPrice=last), INSTRUMENTS)}


def test_a_side_without_an_order_has_no_best_price() -> None:
    [ticker] = quotes.to_tickers(changed_row(bid1Price="", ask1Price="0"), {"BTCUSDT": BTC})
    assert (ticker.bid_price, ticker.ask_price) == (None, None)


def test_funding_is_told_with_its_interval() -> None:
    answer = changed_row(fundingRate="-0.000215", fundingIntervalHour="4")
    [rate] = quotes.to_funding_rates(answer, {"BTCUSDT": BTC})
    moment = at(payload("tickers")["time"])
    assert rate == FundingRate("BTCUSDT", D("-0.000215"), 4, at(1_795_507_200_000), D("96010.20"), moment)


@pytest.mark.parametrize(
    ("fields", "interval_h", "next_at"), [({"fundingIntervalHour": ""}, None, True), ({"nextFundingTime": "0"}, 8, False)]
)
def test_what_is_not_told_of_funding_is_none(fields: dict[str, str], interval_h: int | None, next_at: bool) -> None:
    [rate] = quotes.to_funding_rates(changed_row(**fields), {"BTCUSDT": BTC})
    assert (rate.interval_h, rate.next_funding_at is not None) == (interval_h, next_at)


def test_a_market_without_funding_is_left_out() -> None:
    assert quotes.to_funding_rates(changed_row(fundingRate=""), {"BTCUSDT": BTC}) == []


@pytest.mark.parametrize("interval", ["0", "-8", "1.5", "often"])
def test_an_interval_that_is_none_is_no_answer(interval: str) -> None:
    with pytest.raises(BadVenueResponse):
        answered(quotes.to_funding_rates, changed_row(fundingIntervalHour=interval), {"BTCUSDT": BTC})


async def test_one_symbol_is_asked_for_alone_and_another_one_is_no_answer(venue: RecordingVenue, exchange: BybitExchange) -> None:
    answer = payload("tickers")
    answer["result"]["list"] = answer["result"]["list"][:1]
    venue.answer("/v5/market/tickers", answer)
    assert [ticker.symbol for ticker in await exchange.get_tickers("BTCUSDT")] == ["BTCUSDT"]
    assert [rate.symbol for rate in await exchange.get_funding_rates("BTCUSDT")] == ["BTCUSDT"]
    assert set(venue.lines()) == {("GET", "/v5/market/tickers?category=linear&symbol=BTCUSDT", "")}
    for ask in (exchange.get_tickers, exchange.get_funding_rates):
        with pytest.raises(BadVenueResponse):
            await ask("1000PEPEUSDT")
    venue.answer("/v5/market/tickers", payload("order_none"))
    with pytest.raises(BadVenueResponse):
        await exchange.get_tickers("BTCUSDT")
