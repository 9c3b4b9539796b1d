"""Order books, the last day and funding: public, in base units, and the same picture at every venue."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from exchanges.decimals import is_multiple
from exchanges.domain import BookLevel, ExchangeType
from exchanges.errors import BadParameter, UnknownSymbol
from exchanges.protocol import IExchangeClient
from tests.exchanges.contract.desk import Desk

DEEPEST = {ExchangeType.BINANCE: 1_000, ExchangeType.BYBIT: 1_000, ExchangeType.OKX: 400}
SOON = timedelta(seconds=5)


def is_now(moment: datetime) -> bool:
    return abs(datetime.now(UTC) - moment) < SOON


async def test_an_order_book_is_best_first_around_the_mark(desk: Desk) -> None:
    instrument, mark = await desk.instrument("BTCUSDT"), await desk.mark("BTCUSDT")
    book = await desk.client.get_order_book("BTCUSDT", 10)
    assert (book.symbol, len(book.bids), len(book.asks)) == ("BTCUSDT", 10, 10)
    assert book.bids == sorted(book.bids, reverse=True)
    assert book.asks == sorted(book.asks)
    assert book.bids[0].price < book.asks[0].price
    assert abs(book.bids[0].price / mark - 1) < Decimal("0.01")
    assert is_now(book.as_of)
    for level in book.bids + book.asks:
        assert is_multiple(level.price, instrument.tick), level
        assert is_multiple(level.quantity, instrument.lot), level


@pytest.mark.parametrize("depth", [1, 3, 21, 50])
async def test_a_book_has_as_many_levels_as_were_asked_for(client: IExchangeClient, depth: int) -> None:
    book = await client.get_order_book("ETHUSDT", depth)
    assert (len(book.bids), len(book.asks)) == (depth, depth)


async def test_a_book_deeper_than_the_venue_gives_is_its_deepest(desk: Desk) -> None:
    book = await desk.client.get_order_book("ETHUSDT", 5_000)
    assert 100 <= len(book.bids) <= DEEPEST[desk.exchange]


@pytest.mark.parametrize("depth", [0, -1])
async def test_a_book_without_levels_is_refused_and_not_asked_for(client: IExchangeClient, depth: int) -> None:
    with pytest.raises(BadParameter) as refusal:
        await client.get_order_book("BTCUSDT", depth)
    assert refusal.value.field == "depth"


async def test_books_of_the_venues_hold_alike_amounts_of_the_underlying(desks: dict[ExchangeType, Desk]) -> None:
    """OKX counts contracts of 0.01 BTC: taken for base units, its book would look a hundred times as deep."""
    best: list[BookLevel] = [(await desk.client.get_order_book("BTCUSDT", 5)).bids[0] for desk in desks.values()]
    prices, quantities = [level.price for level in best], [level.quantity for level in best]
    assert max(prices) / min(prices) < Decimal("1.01")
    assert max(quantities) / min(quantities) < 20


async def test_every_instrument_has_a_ticker_with_a_price_inside_its_day(client: IExchangeClient) -> None:
    tickers = {each.symbol: each for each in await client.get_tickers()}
    assert sorted(tickers) == sorted(each.symbol for each in await client.get_instruments())
    for ticker in tickers.values():
        assert ticker.bid_price is not None
        assert ticker.ask_price is not None
        assert ticker.low_24h is not None
        assert ticker.high_24h is not None
        assert ticker.bid_price < ticker.ask_price
        assert ticker.low_24h <= ticker.last_price <= ticker.high_24h
        assert ticker.volume_24h > 0
        assert ticker.change_24h is not None
        assert abs(ticker.change_24h) < 1
        assert is_now(ticker.updated_at)


async def test_a_ticker_knows_mark_and_index_as_the_marks_do(desk: Desk) -> None:
    [ticker] = await desk.client.get_tickers("BTCUSDT")
    mark = await desk.mark("BTCUSDT")
    assert ticker.symbol == "BTCUSDT"
    assert ticker.mark_price is not None
    assert ticker.index_price is not None
    assert abs(ticker.mark_price / mark - 1) < Decimal("0.005")
    assert abs(ticker.index_price / mark - 1) < Decimal("0.01")


async def test_a_turnover_is_the_volume_at_the_prices_of_the_day_or_not_told(desk: Desk) -> None:
    """OKX tells none of a contract; it is not made up from a price."""
    for ticker in await desk.client.get_tickers():
        if desk.exchange is ExchangeType.OKX:
            assert ticker.turnover_24h is None
        else:
            assert ticker.turnover_24h is not None
            assert (
                (ticker.low_24h or 0) * Decimal("0.99")
                <= ticker.turnover_24h / ticker.volume_24h
                <= (ticker.high_24h or 0) * Decimal("1.01")
            )


async def test_volumes_are_comparable_in_units_of_the_underlying(desks: dict[ExchangeType, Desk]) -> None:
    """BTC is 1 a contract on two venues and 0.01 on the third; PEPE goes by thousands and by tens of millions."""
    for underlying in ("BTC", "PEPE"):
        volumes = []
        for desk in desks.values():
            [instrument] = [each for each in await desk.client.get_instruments() if each.underlying == underlying]
            [ticker] = await desk.client.get_tickers(instrument.symbol)
            volumes.append(ticker.volume_24h * instrument.multiplier)
        assert max(volumes) / min(volumes) < 20, (underlying, volumes)


async def test_a_change_is_a_ratio_of_the_price_a_day_ago(client: IExchangeClient) -> None:
    [ticker] = await client.get_tickers("SOLUSDT")
    day_ago = datetime.now(UTC) - timedelta(days=1)
    [candle] = await client.get_klines("SOLUSDT", "1m", 1, day_ago - timedelta(minutes=1), day_ago)
    expected = ticker.last_price / candle.close - 1
    assert ticker.change_24h is not None
    assert abs(ticker.change_24h - expected) < Decimal("0.01")


async def test_every_instrument_pays_funding_at_a_time_to_come(client: IExchangeClient) -> None:
    rates = {each.symbol: each for each in await client.get_funding_rates()}
    assert sorted(rates) == sorted(each.symbol for each in await client.get_instruments())
    now = datetime.now(UTC)
    for rate in rates.values():
        assert abs(rate.funding_rate) < Decimal("0.01")
        assert rate.interval_h in (1, 2, 4, 8)
        assert rate.next_funding_at is not None
        assert rate.next_funding_at - now <= timedelta(hours=rate.interval_h)
        assert rate.next_funding_at > now - SOON
        assert rate.next_funding_at.minute == rate.next_funding_at.second == 0
        assert rate.mark_price is not None
        assert is_now(rate.updated_at)


async def test_the_three_venues_agree_on_intervals(desks: dict[ExchangeType, Desk]) -> None:
    """The venues tell it in three ways."""
    found = []
    for desk in desks.values():
        underlyings = {each.symbol: each.underlying for each in await desk.client.get_instruments()}
        found.append({underlyings[each.symbol]: each.interval_h for each in await desk.client.get_funding_rates()})
    assert found[0] == found[1] == found[2]
    assert set(found[0].values()) == {4, 8}


async def test_one_symbols_funding_is_that_of_the_list(client: IExchangeClient) -> None:
    [alone] = await client.get_funding_rates("BTCUSDT")
    [listed] = [each for each in await client.get_funding_rates() if each.symbol == "BTCUSDT"]
    assert (alone.interval_h, alone.next_funding_at) == (listed.interval_h, listed.next_funding_at)
    assert abs(alone.funding_rate - listed.funding_rate) < Decimal("0.001")


@pytest.mark.parametrize("question", ["get_order_book", "get_tickers", "get_funding_rates"])
async def test_an_unlisted_symbol_has_no_market(client: IExchangeClient, question: str) -> None:
    with pytest.raises(UnknownSymbol):
        await getattr(client, question)("NOSUCHUSDT")


@pytest.mark.parametrize("question", ["get_order_book", "get_tickers", "get_funding_rates"])
async def test_market_data_needs_no_key(desk: Desk, question: str) -> None:
    stranger = desk.another_client(api_key="never-issued-to-anybody")
    assert await getattr(stranger, question)("BTCUSDT")


@pytest.mark.parametrize("question", ["get_order_book", "get_tickers", "get_funding_rates"])
async def test_market_data_that_fails_is_never_an_empty_market(desk: Desk, question: str) -> None:
    await desk.client.get_instruments()
    await getattr(desk.client, question)("BTCUSDT")
    desk.fault({"kind": "body", "body": desk.wire.malformed}, times=None)
    with pytest.raises(Exception, match=r"cannot be read|could not be read|no retCode|lacks code"):
        await getattr(desk.client, question)("BTCUSDT")
