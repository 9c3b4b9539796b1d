"""Market data of the venue: time, tickers, marks, indices, books, candles, prints, funding. Volumes and book sizes are contracts."""

from exchanges.sandbox.model import Listing, Refused, Venue
from exchanges.sandbox.okx.bars import BARS, PRICE_BARS, SECOND_MS, Bar
from exchanges.sandbox.okx.endpoint import PublicCall, PublicHandler, Row
from exchanges.sandbox.okx.errors import invalid, missing
from exchanges.sandbox.okx.instruments import SWAP, family, selected, selected_or_named
from exchanges.sandbox.okx.wire import contracts, plain, price_limits, ratio, whole_lots
from exchanges.sandbox.views import Candle

RECENT_BARS = 1440  # what /market/candles keeps; older ones are in /market/history-candles
DEEPEST_BOOK = 5000
_FAR_FUTURE_MS = 1 << 53


def time(call: PublicCall) -> list[Row]:
    return [{"ts": str(call.wall_ms)}]


def tickers(call: PublicCall) -> list[Row]:
    return [_ticker_row(call, listing) for listing in selected(call)]


def ticker(call: PublicCall) -> list[Row]:
    return [_ticker_row(call, call.listing)]


def index_tickers(call: PublicCall) -> list[Row]:
    if call.parameters.text("instId"):
        return [_index_row(call, _indexed(call))]
    if not call.parameters.text("quoteCcy"):
        raise missing("instId")
    listings = call.engine.listings(Venue.OKX) if call.parameters.text("quoteCcy") in ("USDT", "USD") else ()
    return [_index_row(call, listing) for listing in listings]


def mark_prices(call: PublicCall) -> list[Row]:
    now = str(call.engine.now_ms())
    return [
        {
            "instId": listing.venue_symbol,
            "instType": SWAP,
            "markPx": plain(call.engine.mark(Venue.OKX, listing.symbol)),
            "ts": now,
        }
        for listing in selected_or_named(call)
    ]


def price_limit(call: PublicCall) -> list[Row]:
    listing = call.listing
    highest, lowest = price_limits(listing, call.engine.mark(Venue.OKX, listing.symbol))
    return [
        {
            "buyLmt": plain(highest),
            "enabled": True,
            "instId": listing.venue_symbol,
            "instType": SWAP,
            "sellLmt": plain(lowest),
            "ts": str(call.engine.now_ms()),
        }
    ]


def open_interest(call: PublicCall) -> list[Row]:
    """Half of the day's volume: the engine keeps no other traders whose positions could be added up."""
    rows: list[Row] = []
    for listing in selected_or_named(call):
        quote = call.engine.ticker(Venue.OKX, listing.symbol)
        held = whole_lots(listing, quote.volume_24h / 2)
        rows.append(
            {
                "instId": listing.venue_symbol,
                "instType": SWAP,
                "oi": contracts(listing, held),
                "oiCcy": plain(held),
                "oiUsd": plain(held * quote.mark),
                "ts": str(quote.time_ms),
            }
        )
    return rows


def books(call: PublicCall) -> list[Row]:
    listing = call.listing
    depth = min(call.parameters.integer("sz") or 1, 400)
    book = call.engine.book(Venue.OKX, listing.symbol, depth)
    asks, bids = (
        [[plain(level.price), contracts(listing, level.quantity), "0", "1"] for level in levels] for levels in (book.asks, book.bids)
    )
    return [{"asks": asks, "bids": bids, "ts": str(book.time_ms), "seqId": book.sequence}]


def full_books(call: PublicCall) -> list[Row]:
    """The deeper book, whose levels lack the number of liquidated orders."""
    listing = call.listing
    depth = call.parameters.integer("sz") or 1
    if depth > DEEPEST_BOOK:
        raise invalid("sz")
    book = call.engine.book(Venue.OKX, listing.symbol, depth)
    asks, bids = ([[plain(level.price), contracts(listing, level.quantity), "1"] for level in levels] for levels in (book.asks, book.bids))
    return [{"asks": asks, "bids": bids, "ts": str(book.time_ms)}]


def trades(call: PublicCall) -> list[Row]:
    """The public tape: one print a second, its volume at its closing price, so that prints and candles never disagree."""
    return _prints(call, older_than_ms=_FAR_FUTURE_MS, newer_than_ms=0, limit=call.parameters.capped_limit(default=100, maximum=500))


def trades_history(call: PublicCall) -> list[Row]:
    """The same tape page by page: by the ids of trades (type 1) or by their times (type 2)."""
    by_id = call.parameters.choice("type", ("1", "2"), default="1") == "1"
    older_than, newer_than = _moments(call)
    if by_id:
        older_than, newer_than = min(older_than * SECOND_MS, _FAR_FUTURE_MS), newer_than * SECOND_MS
    else:
        older_than, newer_than = older_than - SECOND_MS + 1, newer_than - SECOND_MS + 1
    limit = call.parameters.capped_limit(default=100, maximum=100)
    return _prints(call, older_than_ms=older_than, newer_than_ms=max(newer_than, 0), limit=limit)


def _prints(call: PublicCall, *, older_than_ms: int, newer_than_ms: int, limit: int) -> list[Row]:
    """Newest first, of at most `limit` seconds; the present one, in which the market stands still, and others without a trade have none."""
    listing = call.listing
    return [
        {
            "instId": listing.venue_symbol,
            "px": plain(candle.close),
            "side": "buy" if candle.close >= candle.open else "sell",
            "source": "0",
            "sz": contracts(listing, candle.volume),
            "tradeId": str(candle.open_ms // SECOND_MS),
            "ts": str(candle.close_ms - 1),
        }
        for candle in _newest_candles(call, listing, BARS["1s"], older_than_ms=older_than_ms, newer_than_ms=newer_than_ms, limit=limit)
        if candle.volume
    ]


def candles(*, maximum: int, recent_only: bool, prices_only: bool = False) -> PublicHandler:
    """A candles endpoint, newest first. Mark and index candles have prices only; the index is named without "-SWAP"."""

    def answer(call: PublicCall) -> list[list[str]]:
        listing = _indexed(call) if prices_only else call.listing
        bar = (PRICE_BARS if prices_only else BARS).get(call.parameters.text("bar") or "1m")
        if bar is None:
            raise invalid("bar")
        found = _requested_candles(call, listing, bar, maximum=maximum, recent_only=recent_only)
        return [_price_candle(candle) if prices_only else _candle(listing, candle) for candle in found]

    return answer


def funding_rate(call: PublicCall) -> list[Row]:
    if call.parameters.required("instId") == "ANY":
        return [_funding_row(call, listing) for listing in call.engine.listings(Venue.OKX)]
    return [_funding_row(call, call.listing)]


def funding_rate_history(call: PublicCall) -> list[Row]:
    listing = call.listing
    limit = call.parameters.capped_limit(default=400, maximum=400)
    older_than, newer_than = _moments(call)
    end_ms = min(older_than - 1, call.engine.now_ms())
    history = call.engine.funding_history(Venue.OKX, listing.symbol, max(newer_than + 1, listing.listed_at_ms), end_ms, limit)
    return [
        {
            "formulaType": "withRate",
            "fundingRate": plain(rate),
            "fundingTime": str(settled_ms),
            "instId": listing.venue_symbol,
            "instType": SWAP,
            "method": "current_period",
            "realizedRate": plain(rate),
        }
        for settled_ms, rate in reversed(history)
    ]


def system_status(_: PublicCall) -> list[Row]:
    """No maintenance is planned."""
    return []


def _moments(call: PublicCall) -> tuple[int, int]:
    """`after` asks for what is older, `before` for what is newer, both exclusive."""
    after, before = call.parameters.integer("after"), call.parameters.integer("before")
    return (_FAR_FUTURE_MS if after is None else min(after, _FAR_FUTURE_MS)), (-1 if before is None else before)


def _requested_candles(call: PublicCall, listing: Listing, bar: Bar, *, maximum: int, recent_only: bool) -> list[Candle]:
    older_than, newer_than = _moments(call)
    if recent_only:
        newer_than = max(newer_than, call.engine.now_ms() - RECENT_BARS * bar.interval_ms)
    limit = call.parameters.capped_limit(default=100, maximum=maximum)
    return _newest_candles(call, listing, bar, older_than_ms=older_than, newer_than_ms=newer_than, limit=limit)


def _newest_candles(call: PublicCall, listing: Listing, bar: Bar, *, older_than_ms: int, newer_than_ms: int, limit: int) -> list[Candle]:
    """At most `limit` candles, newest first, that open strictly between the two moments."""
    oldest_first = call.engine.candles(
        Venue.OKX, listing.symbol, bar.interval_ms, newer_than_ms + 1, older_than_ms - 1, limit, offset_ms=bar.offset_ms
    )
    return oldest_first[::-1]


def _candle(listing: Listing, candle: Candle) -> list[str]:
    return [
        *_price_candle(candle)[:5],
        contracts(listing, candle.volume),
        plain(candle.volume),
        plain(candle.turnover),
        "1" if candle.is_closed else "0",
    ]


def _price_candle(candle: Candle) -> list[str]:
    prices = (candle.open, candle.high, candle.low, candle.close)
    return [str(candle.open_ms), *map(plain, prices), "1" if candle.is_closed else "0"]


def _indexed(call: PublicCall) -> Listing:
    """Index and mark candles take BTC-USDT or BTC-USDT-SWAP: an index is named like the instrument family."""
    name = call.parameters.required("instId")
    try:
        return call.engine.listing_by_venue_symbol(Venue.OKX, f"{name.removesuffix('-SWAP')}-SWAP")
    except Refused:
        return call.listing


def _ticker_row(call: PublicCall, listing: Listing) -> Row:
    quote = call.engine.ticker(Venue.OKX, listing.symbol)
    return {
        "askPx": plain(quote.ask.price),
        "askSz": contracts(listing, quote.ask.quantity),
        "bidPx": plain(quote.bid.price),
        "bidSz": contracts(listing, quote.bid.quantity),
        "high24h": plain(quote.high_24h),
        "instId": listing.venue_symbol,
        "instType": SWAP,
        "last": plain(quote.last),
        "lastSz": contracts(listing, listing.min_quantity),
        "low24h": plain(quote.low_24h),
        "open24h": plain(quote.open_24h),
        **_day_opens(call, listing),
        "ts": str(quote.time_ms),
        "vol24h": contracts(listing, quote.volume_24h),
        "volCcy24h": plain(quote.volume_24h),
    }


def _index_row(call: PublicCall, listing: Listing) -> Row:
    quote = call.engine.ticker(Venue.OKX, listing.symbol)
    return {
        "high24h": plain(quote.high_24h),
        "idxPx": plain(quote.index),
        "instId": family(listing),
        "low24h": plain(quote.low_24h),
        "open24h": plain(quote.open_24h),
        **_day_opens(call, listing),
        "ts": str(quote.time_ms),
    }


def _day_opens(call: PublicCall, listing: Listing) -> Row:
    """The price at the last midnight, in UTC and in Hong Kong."""
    bars = {"sodUtc0": BARS["1Dutc"], "sodUtc8": BARS["1D"]}
    days = {name: _newest_candles(call, listing, bar, older_than_ms=_FAR_FUTURE_MS, newer_than_ms=0, limit=1) for name, bar in bars.items()}
    return {name: plain(candles[0].open) for name, candles in days.items()}


def _funding_row(call: PublicCall, listing: Listing) -> Row:
    quote = call.engine.ticker(Venue.OKX, listing.symbol)
    ((previous_ms, settled_rate),) = call.engine.funding_history(Venue.OKX, listing.symbol, 0, call.engine.now_ms(), 1)
    premium = (quote.mark - quote.index) / quote.index
    return {
        "formulaType": "withRate",
        "fundingRate": plain(quote.funding_rate),
        "fundingTime": str(quote.next_funding_ms),
        "impactValue": "20000",
        "instId": listing.venue_symbol,
        "instType": SWAP,
        "interestRate": "0.0001",
        "maxFundingRate": "0.00375",
        "method": "current_period",
        "minFundingRate": "-0.00375",
        "nextFundingRate": "",
        "nextFundingTime": str(2 * quote.next_funding_ms - previous_ms),
        "premium": ratio(premium),
        "prevFundingTime": str(previous_ms),
        "settFundingRate": plain(settled_rate),
        "settState": "settled",
        "ts": str(quote.time_ms),
    }
