"""Binance USD-M market data to domain: order books, the last day, funding. Pure.

Source: Binance USD-M futures REST documentation, Order Book, 24hr Ticker, Order Book Ticker, Mark Price and Get Funding Rate Info.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from exchanges.adapters.binance.errors import EXCHANGE
from exchanges.adapters.binance.mapping import Row, rows_of, to_moment, to_time
from exchanges.decimals import to_decimal, to_decimal_or_none, to_decimals
from exchanges.domain import BookLevel, FundingRate, Instrument, OrderBook, Ticker
from exchanges.errors import BadParameter

# The list of intervals names only the symbols whose terms were changed.
USUAL_INTERVAL_H = 8
BOOK_DEPTHS = (5, 10, 20, 50, 100, 500, 1_000)
_NOTHING: Row = {}
_PERCENT = Decimal("0.01")


def to_wire_depth(depth: int) -> int:
    """The venue takes a few depths only: the smallest that holds `depth` levels. Raises BadParameter."""
    if depth < 1:
        raise BadParameter(f"depth must be at least 1, was {depth}", exchange=EXCHANGE, field="depth")
    return next((each for each in BOOK_DEPTHS if each >= depth), BOOK_DEPTHS[-1])


def to_order_book(body: Row, *, symbol: str, depth: int) -> OrderBook:
    """As of the transaction time, T."""
    return OrderBook(symbol, _levels(body["bids"], depth), _levels(body["asks"], depth), to_moment(body["T"]))


def _levels(rows: object, depth: int) -> list[BookLevel]:
    return [BookLevel(*to_decimals(row)) for row in rows_of(rows)[:depth]]


def to_tickers(
    days: object, best: object, marks: object, instruments: Mapping[str, Instrument], *, asked: str | None = None
) -> list[Ticker]:
    """Three answers for one row: ticker/24hr has neither the best prices (bookTicker) nor mark and index (premiumIndex). Each is one
    object where one symbol was asked about."""
    best_by_symbol, marks_by_symbol = ({row["symbol"]: row for row in _rows(answer, asked)} for answer in (best, marks))
    found = [
        _ticker(row, best_by_symbol.get(row["symbol"], _NOTHING), marks_by_symbol.get(row["symbol"], _NOTHING), instrument.symbol)
        for row in _rows(days, asked)
        if (instrument := instruments.get(row["symbol"]))
    ]
    return [ticker for ticker in found if ticker.last_price]


def _ticker(day: Row, best: Row, mark: Row, symbol: str) -> Ticker:
    last, volume, turnover, change_percent = to_decimals(
        (day["lastPrice"], day["volume"], day["quoteVolume"], day["priceChangePercent"]),
    )
    return Ticker(
        symbol=symbol,
        last_price=last,
        bid_price=_price(best.get("bidPrice")),
        ask_price=_price(best.get("askPrice")),
        mark_price=_price(mark.get("markPrice")),
        index_price=_price(mark.get("indexPrice")),
        high_24h=_price(day["highPrice"]),
        low_24h=_price(day["lowPrice"]),
        volume_24h=volume,
        turnover_24h=turnover,
        change_24h=change_percent * _PERCENT,
        updated_at=to_moment(day["closeTime"]),
    )


def to_funding_rates(
    answer: object, intervals_h: Mapping[str, int], instruments: Mapping[str, Instrument], *, asked: str | None = None
) -> list[FundingRate]:
    """Rows of premiumIndex. A market that pays no funding has an empty rate, or no next time, and is left out."""
    return [
        FundingRate(
            symbol=instrument.symbol,
            funding_rate=to_decimal(row["lastFundingRate"]),
            interval_h=intervals_h.get(row["symbol"], USUAL_INTERVAL_H),
            next_funding_at=to_moment(row["nextFundingTime"]),
            mark_price=_price(row.get("markPrice")),
            updated_at=to_moment(row["time"]),
        )
        for row in _rows(answer, asked)
        if (instrument := instruments.get(row["symbol"])) and row["lastFundingRate"] != "" and to_time(row["nextFundingTime"])
    ]


def to_funding_intervals(answer: object) -> dict[str, int]:
    """Hours by symbol."""
    return {row["symbol"]: _hours(row["fundingIntervalHours"]) for row in rows_of(answer)}


def _hours(value: object) -> int:
    hours = to_decimal(value)
    if hours <= 0 or hours % 1:
        raise ValueError("not a number of hours")
    return int(hours)


def _price(value: object) -> Decimal | None:
    """0 where there is none."""
    return to_decimal_or_none(value) or None


def _rows(answer: object, asked: str | None) -> list[Any]:
    """ValueError where the answer is about another symbol than was asked about."""
    if asked is None:
        return rows_of(answer)
    if not isinstance(answer, dict) or answer["symbol"] != asked:
        raise ValueError("another symbol than was asked about")
    return [answer]
