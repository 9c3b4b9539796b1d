"""What is public: instruments with exact filters, marks, the venue's time."""

import time
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from exchanges.decimals import is_multiple
from exchanges.domain import ExchangeType, Instrument, InstrumentStatus
from exchanges.protocol import IExchangeClient
from tests.exchanges.contract.desk import Desk

UNDERLYINGS = {"BTC", "ETH", "SOL", "ADA", "XRP", "DOGE", "BNB", "AVAX", "LINK", "LTC", "DOT", "PEPE"}

# symbol, venue symbol, tick, lot, smallest and largest quantity, largest market quantity, smallest notional, contract size, leverage
# (Binance tells leverage for signed requests only, its instruments are public)
BTC = {
    ExchangeType.BINANCE: ("BTCUSDT", "BTCUSDT", "0.1", "0.001", "0.001", "1000", "120", "100", "1", None),
    ExchangeType.BYBIT: ("BTCUSDT", "BTCUSDT", "0.1", "0.001", "0.001", "1000", "100", "5", "1", "100"),
    ExchangeType.OKX: ("BTCUSDT", "BTC-USDT-SWAP", "0.1", "0.0001", "0.0001", "1000000", "120", None, "0.01", "100"),
}
PEPE = {
    ExchangeType.BINANCE: ("1000PEPEUSDT", "1000PEPEUSDT", "0.0000001", "1", "1", "800000000", "100000000", "5", "1", None),
    ExchangeType.BYBIT: ("1000PEPEUSDT", "1000PEPEUSDT", "0.0000001", "100", "100", "400000000", "80000000", "5", "1", "50"),
    ExchangeType.OKX: ("PEPEUSDT", "PEPE-USDT-SWAP", "0.000000001", "1000000", "1000000", "1E15", "5E10", None, "1E7", "50"),
}


async def test_every_listed_perpetual_is_an_instrument_that_trades(client: IExchangeClient) -> None:
    instruments = await client.get_instruments()
    assert len(instruments) == 12
    assert {each.underlying for each in instruments} == UNDERLYINGS
    assert len({each.symbol for each in instruments}) == len({each.venue_symbol for each in instruments}) == 12
    assert all(each.status is InstrumentStatus.TRADING for each in instruments)


async def test_filters_are_exact_and_agree_with_each_other(client: IExchangeClient) -> None:
    for each in await client.get_instruments():
        assert is_multiple(each.min_quantity, each.lot), each
        assert is_multiple(each.market_lot or each.lot, each.lot), each
        assert 0 < each.min_quantity < (each.max_market_quantity or 0) <= (each.max_quantity or 0), each
        assert each.min_notional is None or each.min_notional >= 5, each
        assert is_multiple(each.lot, each.contract_size) or is_multiple(each.contract_size, each.lot), each
        assert each.max_leverage is None or each.max_leverage >= 50, each


async def test_filters_are_those_of_the_listing(desk: Desk) -> None:
    for expected in (BTC[desk.exchange], PEPE[desk.exchange]):
        assert _filters(await desk.instrument(expected[0])) == _numbers(*expected)


def _filters(each: Instrument) -> tuple[object, ...]:
    steps = (each.tick, each.lot, each.min_quantity, each.max_quantity, each.max_market_quantity)
    return (each.symbol, each.venue_symbol, *steps, each.min_notional, each.contract_size, each.max_leverage)


def _numbers(symbol: str | None, venue_symbol: str | None, *figures: str | None) -> tuple[object, ...]:
    return (symbol, venue_symbol, *(None if figure is None else Decimal(figure) for figure in figures))


async def test_a_thousandfold_contract_names_its_underlying_and_its_multiplier(desks: dict[ExchangeType, Desk]) -> None:
    multipliers = {}
    for exchange, desk in desks.items():
        pepe = await desk.instrument(PEPE[exchange][0] or "")
        assert pepe.underlying == "PEPE"
        multipliers[exchange] = pepe.multiplier
    assert multipliers == {ExchangeType.BINANCE: 1000, ExchangeType.BYBIT: 1000, ExchangeType.OKX: 1}


async def test_every_instrument_has_a_mark_on_its_tick(client: IExchangeClient) -> None:
    instruments = {each.symbol: each for each in await client.get_instruments()}
    marks = await client.get_mark_prices()
    assert sorted(each.symbol for each in marks) == sorted(instruments)
    for mark in marks:
        assert is_multiple(mark.mark_price, instruments[mark.symbol].tick), mark
        assert abs(datetime.now(UTC) - mark.updated_at) < timedelta(seconds=5)


async def test_the_three_venues_price_one_underlying_alike(desks: dict[ExchangeType, Desk]) -> None:
    """Per unit of the underlying, so PEPE and 1000PEPE are comparable."""
    prices: dict[str, list[Decimal]] = {}
    for desk in desks.values():
        instruments = {each.symbol: each for each in await desk.client.get_instruments()}
        for mark in await desk.client.get_mark_prices():
            instrument = instruments[mark.symbol]
            prices.setdefault(instrument.underlying, []).append(mark.mark_price / instrument.multiplier)
    assert set(prices) == UNDERLYINGS
    for underlying, found in prices.items():
        assert len(found) == 3
        assert max(found) / min(found) < Decimal("1.01"), (underlying, found)


async def test_the_index_lies_near_the_mark_where_the_venue_tells_it(client: IExchangeClient) -> None:
    for mark in await client.get_mark_prices():
        if mark.index_price is not None:
            assert abs(mark.index_price / mark.mark_price - 1) < Decimal("0.01"), mark


async def test_server_time_is_epoch_milliseconds_of_now(client: IExchangeClient) -> None:
    before_ms = time.time_ns() // 1_000_000
    venue_ms = await client.get_server_time_ms()
    assert before_ms - 50 <= venue_ms <= time.time_ns() // 1_000_000 + 50


async def test_the_clock_measures_the_venue_and_signs_with_its_time(client: IExchangeClient) -> None:
    """The sandbox runs on this machine's clock, so the offset is next to nothing."""
    assert client.clock.measured_at_ms is None
    offset_ms = await client.clock.measure(client.get_server_time_ms)
    assert abs(offset_ms) < 200
    assert not client.clock.is_older_than(5)
    assert abs(client.clock.moment().timestamp_ms - time.time_ns() // 1_000_000) < 400
