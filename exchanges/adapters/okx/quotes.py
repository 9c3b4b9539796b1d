"""OKX V5 market data -> domain: order books, the last day, funding. Pure; sizes leave here in base units.

From OKX's API documentation of market and public data, read November 2026.
"""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from exchanges.adapters.okx.errors import EXCHANGE
from exchanges.adapters.okx.wire import EXACT, Row, to_milliseconds, to_moment, to_price_or_none
from exchanges.decimals import to_decimal, to_decimals
from exchanges.domain import BookLevel, FundingRate, Instrument, OrderBook, Ticker
from exchanges.errors import BadParameter

BOOK_DEPTH = 400
_HOUR_MS = 3_600_000
_CHANGE_PLACES = Decimal("0.000001")


def to_wire_depth(depth: int) -> str:
    """Raises BadParameter."""
    if depth < 1:
        raise BadParameter(f"depth must be at least 1, was {depth}", exchange=EXCHANGE, field="depth")
    return str(min(depth, BOOK_DEPTH))


def to_order_book(rows: list[Row], instrument: Instrument, depth: int) -> OrderBook:
    (book,) = rows
    bids, asks = (_levels(book[side], instrument.contract_size, depth) for side in ("bids", "asks"))
    return OrderBook(instrument.symbol, bids, asks, to_moment(book["ts"]))


def _levels(rows: list[Any], contract_size: Decimal, depth: int) -> list[BookLevel]:
    """A level: price, contracts, a zero that means nothing any more, number of orders."""
    found = [to_decimals(row[:2]) for row in rows[:depth]]
    return [BookLevel(price, EXACT.multiply(contracts, contract_size)) for price, contracts in found]


def to_tickers(
    days: list[Row],
    marks: Iterable[Row],
    indices: Iterable[Row],
    instruments: Mapping[str, Instrument],
    *,
    asked: Instrument | None = None,
) -> list[Ticker]:
    """Three answers for one row: market/tickers has neither mark nor index. An index is named as its pair, BTC-USDT. The turnover in USDT
    of a contract is told nowhere."""
    mark_prices = {row["instId"]: to_price_or_none(row["markPx"]) for row in marks}
    index_prices = {row["instId"]: to_price_or_none(row["idxPx"]) for row in indices}
    return [
        _ticker(row, instrument.symbol, last, mark_prices.get(row["instId"]), index_prices.get(to_index_name(instrument)))
        for row in _rows(days, asked)
        if (instrument := instruments.get(row["instId"])) and (last := to_price_or_none(row["last"]))
    ]


def to_index_name(instrument: Instrument) -> str:
    return instrument.venue_symbol.removesuffix("-SWAP")


def _ticker(row: Row, symbol: str, last: Decimal, mark_price: Decimal | None, index_price: Decimal | None) -> Ticker:
    """`volCcy24h` is base units of a derivative; `vol24h` counts contracts."""
    opened = to_price_or_none(row["open24h"])
    return Ticker(
        symbol=symbol,
        last_price=last,
        bid_price=to_price_or_none(row["bidPx"]),
        ask_price=to_price_or_none(row["askPx"]),
        mark_price=mark_price,
        index_price=index_price,
        high_24h=to_price_or_none(row["high24h"]),
        low_24h=to_price_or_none(row["low24h"]),
        volume_24h=to_decimal(row["volCcy24h"]),
        turnover_24h=None,
        change_24h=None if opened is None else (last / opened - 1).quantize(_CHANGE_PLACES),
        updated_at=to_moment(row["ts"]),
    )


def to_funding_rates(
    rows: list[Row], marks: Iterable[Row], instruments: Mapping[str, Instrument], *, asked: Instrument | None = None
) -> list[FundingRate]:
    """`fundingTime` is when the present rate is due, `nextFundingTime` the one after: how far they lie apart is the interval."""
    mark_prices = {row["instId"]: to_price_or_none(row["markPx"]) for row in marks}
    return [
        FundingRate(
            symbol=instrument.symbol,
            funding_rate=to_decimal(row["fundingRate"]),
            interval_h=_interval_h(row),
            next_funding_at=to_moment(row["fundingTime"]),
            mark_price=mark_prices.get(row["instId"]),
            updated_at=to_moment(row["ts"]),
        )
        for row in _rows(rows, asked)
        if (instrument := instruments.get(row["instId"])) and row["fundingRate"] != ""
    ]


def _rows(rows: list[Row], asked: Instrument | None) -> list[Row]:
    """ValueError where the answer is about another instrument than was asked about."""
    if asked is not None and [row["instId"] for row in rows] != [asked.venue_symbol]:
        raise ValueError("another instrument than was asked about")
    return rows


def _interval_h(row: Row) -> int | None:
    if row["nextFundingTime"] == "":
        return None
    hours, rest = divmod(to_milliseconds(row["nextFundingTime"]) - to_milliseconds(row["fundingTime"]), _HOUR_MS)
    if hours < 1 or rest:
        raise ValueError("funding times that lie no hours apart")
    return hours
