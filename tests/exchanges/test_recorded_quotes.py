"""Market data that others recorded, read where the folder is there: what ours makes of it against an independent reading of the same."""

import json
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from exchanges.adapters.binance import quotes as binance
from exchanges.adapters.bybit import quotes as bybit
from exchanges.adapters.okx import quotes as okx
from exchanges.domain import BookLevel, Instrument, InstrumentStatus, OrderBook

FOLDER = Path(__file__).parents[3] / "shared" / "fixtures"
D = Decimal

pytestmark = pytest.mark.skipif(not FOLDER.is_dir(), reason=f"no recorded payloads at {FOLDER}")


def recorded(name: str) -> Any:
    fixture = json.loads((FOLDER / f"{name}.json").read_text(), parse_float=str)
    return fixture["payload"], fixture["expected"]


def bitcoin(venue_symbol: str, contract_size: str = "1") -> Instrument:
    step = D("0.0001")
    return Instrument(
        symbol="BTCUSDT",
        venue_symbol=venue_symbol,
        underlying="BTC",
        tick=step,
        lot=step,
        min_quantity=step,
        contract_size=D(contract_size),
        status=InstrumentStatus.TRADING,
    )


def agrees(book: OrderBook, expected: Mapping[str, Any]) -> None:
    for levels, side in ((book.bids, "bids"), (book.asks, "asks")):
        assert levels == [BookLevel(D(str(price)), D(str(quantity))) for price, quantity in expected[side]]
    assert round(book.as_of.timestamp() * 1_000) == expected["timestamp"]


def test_a_recorded_book_of_binance() -> None:
    payload, expected = recorded("binance/orderbook__depth-BTCUSDT-5")
    agrees(binance.to_order_book(payload, symbol="BTCUSDT", depth=5), expected)


def test_a_recorded_book_of_bybit() -> None:
    payload, expected = recorded("bybit/orderbook__ccxt-2")
    agrees(bybit.to_order_book(payload, bitcoin("BTCUSDT"), 5), expected)


def test_a_recorded_book_of_okx_in_base_units() -> None:
    payload, _ = recorded("okx/orderbook__books")
    book = okx.to_order_book(payload["data"], bitcoin("BTC-USDT-SWAP", "0.01"), 5)
    assert book.bids[0] == BookLevel(D("41006.7"), D("0.0048792100"))
    assert (len(book.bids), len(book.asks)) == (3, 3)


def test_a_recorded_day_and_funding_of_binance() -> None:
    day, expected = recorded("binance/ticker__ticker24hr-BTCUSDT")
    mark, marked = recorded("binance/mark_price__premiumIndex-BTCUSDT")
    known = {"BTCUSDT": bitcoin("BTCUSDT")}
    [ticker] = binance.to_tickers([day], [], [mark], known)
    figures = (ticker.last_price, ticker.high_24h, ticker.low_24h, ticker.volume_24h, ticker.turnover_24h)
    assert figures == tuple(D(str(expected[name])) for name in ("close", "high", "low", "baseVolume", "quoteVolume"))
    assert ticker.change_24h is not None
    assert ticker.change_24h * 100 == D(str(expected["percentage"]))
    [rate] = binance.to_funding_rates([mark], {}, known)
    assert (rate.mark_price, rate.funding_rate) == (D(str(marked["markPrice"])), D(mark["lastFundingRate"]))


def test_a_recorded_day_and_funding_of_bybit() -> None:
    """Recorded before the venue told the interval in this answer."""
    result, _ = recorded("bybit/ticker__tickers-majors")
    known = {"BTCUSDT": bitcoin("BTCUSDT")}
    [ticker] = bybit.to_tickers({"result": result, "time": 1_678_190_000_000}, known)
    assert (ticker.last_price, ticker.index_price, ticker.mark_price) == (D("22379.70"), D("22418.80"), D("22421.12"))
    [rate] = bybit.to_funding_rates({"result": result, "time": 1_678_190_000_000}, known)
    assert (rate.interval_h, rate.mark_price) == (None, D("22421.12"))
    assert rate.next_funding_at is not None
    assert rate.next_funding_at.timestamp() == 1_678_204_800


def test_a_documented_day_and_funding_of_okx() -> None:
    """The day is an inverse contract's, so it is left out."""
    days, _ = recorded("okx/ticker__docs")
    rates, _ = recorded("okx/funding__rate-docs")
    known = {"BTC-USDT-SWAP": bitcoin("BTC-USDT-SWAP", "0.01")}
    assert okx.to_tickers(days["data"], [], [], known) == []
    [rate] = okx.to_funding_rates(rates["data"], [], known)
    assert (rate.funding_rate, rate.interval_h) == (D("0.0000792386885340"), 8)
