"""Bybit's market data -> domain: order books, the last day, funding. Pure.

Source: the V5 documentation of Get Orderbook and Get Tickers, read November 2026.
"""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from exchanges.adapters.bybit.errors import EXCHANGE
from exchanges.adapters.bybit.wire import NO_TIME, Row, to_moment, to_price_or_none, to_rows
from exchanges.decimals import to_decimal, to_decimal_or_none, to_decimals
from exchanges.domain import BookLevel, FundingRate, Instrument, OrderBook, Ticker
from exchanges.errors import BadParameter

BOOK_DEPTH = 1_000


def to_wire_depth(depth: int) -> int:
    """Raises BadParameter."""
    if depth < 1:
        raise BadParameter(f"depth must be at least 1, was {depth}", exchange=EXCHANGE, field="depth")
    return min(depth, BOOK_DEPTH)


def to_order_book(envelope: Row, instrument: Instrument, depth: int) -> OrderBook:
    """As of `cts`, the moment of the matching engine, where the venue says it; `ts` is when the answer was made."""
    book = envelope["result"]
    if book["s"] != instrument.venue_symbol:
        raise ValueError("the book of another symbol")
    return OrderBook(instrument.symbol, _levels(book["b"], depth), _levels(book["a"], depth), to_moment(book.get("cts") or book["ts"]))


def _levels(rows: list[Any], depth: int) -> list[BookLevel]:
    return [BookLevel(*to_decimals(row)) for row in rows[:depth]]


def to_tickers(envelope: Row, instruments: Mapping[str, Instrument], asked: Instrument | None = None) -> list[Ticker]:
    updated_at = to_moment(envelope["time"])
    return [
        _ticker(row, instrument.symbol, last, updated_at)
        for row in _rows(envelope, asked)
        if (instrument := instruments.get(row["symbol"])) and (last := to_price_or_none(row["lastPrice"]))
    ]


def _ticker(row: Row, symbol: str, last: Decimal, updated_at: datetime) -> Ticker:
    return Ticker(
        symbol=symbol,
        last_price=last,
        bid_price=to_price_or_none(row.get("bid1Price")),
        ask_price=to_price_or_none(row.get("ask1Price")),
        mark_price=to_price_or_none(row.get("markPrice")),
        index_price=to_price_or_none(row.get("indexPrice")),
        high_24h=to_price_or_none(row.get("highPrice24h")),
        low_24h=to_price_or_none(row.get("lowPrice24h")),
        volume_24h=to_decimal(row["volume24h"]),
        turnover_24h=to_decimal(row["turnover24h"]),
        change_24h=to_decimal_or_none(row.get("price24hPcnt")),
        updated_at=updated_at,
    )


def to_funding_rates(envelope: Row, instruments: Mapping[str, Instrument], asked: Instrument | None = None) -> list[FundingRate]:
    """Of tickers. A market without funding, as one that is listed but not open yet, has an empty rate and is left out."""
    updated_at = to_moment(envelope["time"])
    return [
        FundingRate(
            symbol=instrument.symbol,
            funding_rate=to_decimal(row["fundingRate"]),
            interval_h=_hours(row.get("fundingIntervalHour")),
            next_funding_at=None if row["nextFundingTime"] in NO_TIME else to_moment(row["nextFundingTime"]),
            mark_price=to_price_or_none(row.get("markPrice")),
            updated_at=updated_at,
        )
        for row in _rows(envelope, asked)
        if (instrument := instruments.get(row["symbol"])) and row["fundingRate"] != ""
    ]


def _rows(envelope: Row, asked: Instrument | None) -> list[Any]:
    """ValueError where the answer is about another symbol than was asked about."""
    rows = to_rows(envelope)
    if asked is not None and [row["symbol"] for row in rows] != [asked.venue_symbol]:
        raise ValueError("another symbol than was asked about")
    return rows


def _hours(value: object) -> int | None:
    hours = to_decimal_or_none(value)
    if hours is None:
        return None
    if hours <= 0 or hours % 1:
        raise ValueError("not a number of hours")
    return int(hours)
