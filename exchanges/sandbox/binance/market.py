"""Book, tickers, marks and funding."""

from collections.abc import Callable
from decimal import Decimal

from exchanges.sandbox.binance import errors, tape
from exchanges.sandbox.binance.endpoint import VENUE, Call, Json, Public
from exchanges.sandbox.binance.numbers import fixed, money, price, quantity
from exchanges.sandbox.binance.params import Params
from exchanges.sandbox.binance.periods import asked_range
from exchanges.sandbox.model import Listing
from exchanges.sandbox.views import Level, Ticker

_DAY_MS = 86_400_000
_HOUR_MS = 3_600_000
_SECOND_MS = 1_000
_DEPTHS = (5, 10, 20, 50, 100, 500, 1000)
_DEPTH_WEIGHTS = ((50, 2), (100, 5), (500, 10), (1000, 20))
_INTEREST_RATE = Decimal("0.0001")
_CAP_OF_MAINTENANCE = Decimal("0.75")
Row = dict[str, object]


def depth(call: Call) -> Json:
    listing = call.listing()
    limit = call.params.integer("limit")
    if limit is None:
        limit = 500
    if limit not in _DEPTHS:
        raise errors.VenueError(-4021, f"{limit} is not valid depth limit.")
    book = call.engine.book(VENUE, listing.symbol, limit)
    return {
        "lastUpdateId": book.sequence,
        "E": book.time_ms,
        "T": book.time_ms,
        "bids": [_level(level, listing) for level in book.bids],
        "asks": [_level(level, listing) for level in book.asks],
    }


def ticker_24h(call: Call) -> Json:
    return _one_or_all(call, lambda listing, ticker: _ticker_24h(call, listing, ticker))


def ticker_price(call: Call) -> Json:
    return _one_or_all(
        call,
        lambda listing, ticker: {"symbol": listing.venue_symbol, "price": price(ticker.last, listing), "time": ticker.time_ms},
    )


def book_ticker(call: Call) -> Json:
    return _one_or_all(call, lambda listing, ticker: _book_ticker(call, listing, ticker))


def premium_index(call: Call) -> Json:
    return _one_or_all(call, _premium_index)


def funding_rate(call: Call) -> Json:
    """Oldest first, of one symbol or of all."""
    limit = call.params.limit(default=100, most=1000)
    asked = asked_range(call.params)
    rows = [row for listing in call.chosen_listings() for row in _funding_rows(call, listing, asked, limit)]
    rows.sort(key=lambda row: row[0])
    kept = rows[-limit:] if asked[0] is None else rows[:limit]
    return [row for _, row in kept]


def funding_info(call: Call) -> Json:
    return [_funding_terms(listing) for listing in call.engine.listings(VENUE)]


def _one_or_all(call: Call, to_row: Callable[[Listing, Ticker], Row]) -> Json:
    listing = call.optional_listing()
    if listing:
        return to_row(listing, call.engine.ticker(VENUE, listing.symbol))
    return [to_row(each, call.engine.ticker(VENUE, each.symbol)) for each in call.engine.listings(VENUE)]


def _level(level: Level, listing: Listing) -> list[str]:
    return [price(level.price, listing), quantity(level.quantity, listing)]


def _ticker_24h(call: Call, listing: Listing, ticker: Ticker) -> Row:
    open_ms = ticker.time_ms - _DAY_MS
    prints = tape.prints(call, listing, ticker.time_ms - 60 * tape.SECOND_MS, ticker.time_ms, 60)
    last_id = tape.print_id(prints[-1]) if prints else ticker.time_ms // tape.SECOND_MS
    first_id = open_ms // tape.SECOND_MS
    change = ticker.last - ticker.open_24h
    average = ticker.turnover_24h / ticker.volume_24h if ticker.volume_24h else ticker.last
    return {
        "symbol": listing.venue_symbol,
        "priceChange": price(change, listing),
        "priceChangePercent": fixed(change / ticker.open_24h * 100, 3),
        "weightedAvgPrice": price(average, listing),
        "lastPrice": price(ticker.last, listing),
        "lastQty": quantity(prints[-1].volume if prints else Decimal(0), listing),
        "openPrice": price(ticker.open_24h, listing),
        "highPrice": price(ticker.high_24h, listing),
        "lowPrice": price(ticker.low_24h, listing),
        "volume": quantity(ticker.volume_24h, listing),
        "quoteVolume": fixed(ticker.turnover_24h, 2),
        "openTime": open_ms,
        "closeTime": ticker.time_ms,
        "firstId": first_id,
        "lastId": last_id,
        "count": last_id - first_id + 1,
    }


def _book_ticker(call: Call, listing: Listing, ticker: Ticker) -> Row:
    return {
        "symbol": listing.venue_symbol,
        "bidPrice": price(ticker.bid.price, listing),
        "bidQty": quantity(ticker.bid.quantity, listing),
        "askPrice": price(ticker.ask.price, listing),
        "askQty": quantity(ticker.ask.quantity, listing),
        "time": ticker.time_ms,
        "lastUpdateId": call.engine.book(VENUE, listing.symbol, 1).sequence,
    }


def _premium_index(listing: Listing, ticker: Ticker) -> Row:
    return {
        "symbol": listing.venue_symbol,
        "markPrice": money(ticker.mark),
        "indexPrice": money(ticker.index),
        "estimatedSettlePrice": money(ticker.index),
        "lastFundingRate": money(ticker.funding_rate),
        "interestRate": money(_INTEREST_RATE),
        "nextFundingTime": ticker.next_funding_ms,
        "time": ticker.time_ms,
    }


def _funding_rows(call: Call, listing: Listing, asked: tuple[int | None, int | None], limit: int) -> list[tuple[int, Row]]:
    """The first ones from `startTime` on where it was sent, else the newest."""
    start_ms, now_ms = asked[0], call.engine.now_ms()
    end_ms = now_ms if asked[1] is None else asked[1]
    if start_ms is None:
        paid = call.engine.funding_history(VENUE, listing.symbol, 0, end_ms, limit)
    else:
        end_ms = min(end_ms, now_ms, max(start_ms, listing.listed_at_ms) + limit * listing.funding_interval_h * _HOUR_MS)
        every = max(0, end_ms - start_ms) // _SECOND_MS + 1  # funding may come sooner than its interval says, but once a second at most
        paid = call.engine.funding_history(VENUE, listing.symbol, start_ms, end_ms, every)[:limit]
    return [(time_ms, _funding_row(call, listing, time_ms, rate)) for time_ms, rate in paid]


def _funding_row(call: Call, listing: Listing, time_ms: int, rate: Decimal) -> Row:
    return {
        "symbol": listing.venue_symbol,
        "fundingTime": time_ms,
        "fundingRate": money(rate),
        "markPrice": money(call.engine.mark(VENUE, listing.symbol, time_ms)),
    }


def _funding_terms(listing: Listing) -> Row:
    cap = listing.maintenance_rate * _CAP_OF_MAINTENANCE
    return {
        "symbol": listing.venue_symbol,
        "adjustedFundingRateCap": money(cap),
        "adjustedFundingRateFloor": money(-cap),
        "fundingIntervalHours": listing.funding_interval_h,
        "disclaimer": False,
    }


def _depth_weight(params: Params) -> int:
    limit = params.integer("limit") or 500
    return next((weight for most, weight in _DEPTH_WEIGHTS if limit <= most), _DEPTH_WEIGHTS[-1][1])


def _cheaper_with_symbol(with_symbol: int, without: int) -> Callable[[Params], int]:
    return lambda params: with_symbol if params.has("symbol") else without


ENDPOINTS = (
    Public("GET", "/fapi/v1/depth", depth, weight=_depth_weight),
    Public("GET", "/fapi/v1/ticker/24hr", ticker_24h, weight=_cheaper_with_symbol(1, 40)),
    Public("GET", "/fapi/v1/ticker/price", ticker_price, weight=_cheaper_with_symbol(1, 2)),
    Public("GET", "/fapi/v2/ticker/price", ticker_price, weight=_cheaper_with_symbol(1, 2)),
    Public("GET", "/fapi/v1/ticker/bookTicker", book_ticker, weight=_cheaper_with_symbol(2, 5)),
    Public("GET", "/fapi/v1/premiumIndex", premium_index, weight=_cheaper_with_symbol(1, 10)),
    Public("GET", "/fapi/v1/fundingRate", funding_rate),
    Public("GET", "/fapi/v1/fundingInfo", funding_info),
)
