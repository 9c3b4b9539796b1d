"""Public market data: time, instruments, prices, books, candles, funding, and the public tape. Reads the engine, changes nothing."""

from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

from exchanges.sandbox.bybit import candles, tape, wire
from exchanges.sandbox.bybit.errors import bad_parameter, unsupported_symbol
from exchanges.sandbox.bybit.paging import by_name
from exchanges.sandbox.bybit.serving import Call, Reply
from exchanges.sandbox.engine import Engine
from exchanges.sandbox.model import Listing, Refused, Venue

HOUR_MS = 3_600_000
RISK_LIMIT_PAGE = 15  # symbols

_OPEN_INTEREST_SHARE = Decimal("0.75")  # open contracts per contract traded on the day before
_OPEN_INTEREST_STEPS_MS = {
    "5min": 300_000,
    "15min": 900_000,
    "30min": 1_800_000,
    "1h": HOUR_MS,
    "4h": 4 * HOUR_MS,
    "1d": 24 * HOUR_MS,
}


def time(call: Call) -> Reply:
    return Reply({"timeSecond": str(call.wall_ms // 1000), "timeNano": f"{call.wall_ms}000000"})


def system_status(call: Call) -> Reply:
    """No maintenance, past or planned."""
    return Reply({"list": []})


def instruments(call: Call) -> Reply:
    category = call.category()
    limit = call.params.limit(default=500, most=1000)
    listings = list(enumerate(call.engine.listings(Venue.BYBIT), start=1)) if category == "linear" else []
    symbol, base, status = (call.params.text(name) for name in ("symbol", "baseCoin", "status"))
    if symbol and category == "linear":
        _listing(call.engine, symbol)
    wanted = [
        (number, listing)
        for number, listing in listings
        if symbol in ("", listing.venue_symbol) and base in ("", listing.base) and status in ("", "Trading")
    ]
    wanted.sort(key=lambda row: row[1].venue_symbol)
    page, cursor = by_name(wanted, call.params, limit=limit, name=lambda row: row[1].venue_symbol, is_endless=False)
    rows = [wire.from_listing(listing, number) for number, listing in page]
    return Reply({"category": category, "list": rows, "nextPageCursor": cursor})


def tickers(call: Call) -> Reply:
    category = call.category()
    symbol = call.params.text("symbol")
    if category != "linear":
        return Reply({"category": category, "list": []})
    listings = [_listing(call.engine, symbol)] if symbol else call.engine.listings(Venue.BYBIT)
    return Reply({"category": category, "list": [_ticker(call.engine, listing) for listing in listings]})


def orderbook(call: Call) -> Reply:
    listing = _linear_listing(call)
    depth = call.params.limit(default=25, most=1000)
    book = call.engine.book(Venue.BYBIT, listing.symbol, depth)
    return Reply(wire.from_book(listing, book, call.wall_ms))


def kline(call: Call) -> Reply:
    return _candles(call, with_volume=True)


def priced_kline(call: Call) -> Reply:
    """Mark and index candles: this venue's prices come from one path, so they are its candles without volumes."""
    return _candles(call, with_volume=False)


def price_limit(call: Call) -> Reply:
    """The highest price of a buy and the lowest of a sell, on the tick."""
    listing = _linear_listing(call)
    mark = call.engine.mark(Venue.BYBIT, listing.symbol)
    highest = (mark * (1 + listing.price_band) / listing.tick).to_integral_value(ROUND_FLOOR) * listing.tick
    lowest = (mark * (1 - listing.price_band) / listing.tick).to_integral_value(ROUND_CEILING) * listing.tick
    limits = {"buyLmt": wire.scaled(highest, listing.tick), "sellLmt": wire.scaled(lowest, listing.tick)}
    return Reply({"symbol": listing.venue_symbol, **limits, "ts": str(call.engine.now_ms())})


def recent_trades(call: Call) -> Reply:
    listing = _linear_listing(call)
    limit = call.params.limit(default=500, most=1000)
    return Reply({"category": "linear", "list": tape.fetch(call.engine, listing, limit)})


def funding_history(call: Call) -> Reply:
    listing = _linear_listing(call)
    start_ms, end_ms = call.params.integer("startTime"), call.params.integer("endTime")
    if start_ms is not None and end_ms is None:
        raise bad_parameter("endTime")  # documented: only startTime is an error
    limit = call.params.limit(default=200, most=200)
    last_ms = call.engine.now_ms() if end_ms is None else end_ms
    first_ms = listing.listed_at_ms if start_ms is None else start_ms
    history = call.engine.funding_history(Venue.BYBIT, listing.symbol, first_ms, last_ms, limit)
    rows = [
        {"symbol": listing.venue_symbol, "fundingRate": wire.plain(rate), "fundingRateTimestamp": str(at_ms)}
        for at_ms, rate in reversed(history)
    ]
    return Reply({"category": "linear", "list": rows})


def risk_limit(call: Call) -> Reply:
    """Pages are counted in symbols, each with all its tiers."""
    category = call.category()
    symbol = call.params.text("symbol")
    if category != "linear":
        return Reply({"category": category, "list": [], "nextPageCursor": ""})
    listings = [_listing(call.engine, symbol)] if symbol else call.engine.listings(Venue.BYBIT)
    page, cursor = by_name(
        sorted(listings, key=lambda listing: listing.venue_symbol),
        call.params,
        limit=RISK_LIMIT_PAGE,
        name=lambda listing: listing.venue_symbol,
        is_endless=False,
    )
    tiers = [tier for listing in page for tier in wire.from_brackets(listing)]
    return Reply({"category": category, "list": tiers, "nextPageCursor": cursor})


def open_interest(call: Call) -> Reply:
    listing = _linear_listing(call)
    step_ms = _OPEN_INTEREST_STEPS_MS.get(call.params.required("intervalTime"))
    if step_ms is None:
        raise bad_parameter("intervalTime")
    limit = call.params.limit(default=50, most=200)
    end_ms = call.params.integer("endTime")
    last_ms = min(call.engine.now_ms() if end_ms is None else end_ms, call.engine.now_ms()) // step_ms * step_ms
    first_ms = max(call.params.integer("startTime") or 0, last_ms - (limit - 1) * step_ms, listing.listed_at_ms + candles.DAY_MS)
    rows = [
        {
            "openInterest": wire.scaled(amount, listing.lot),
            "singleOpenInterest": wire.scaled(amount / 2, listing.lot),
            "timestamp": str(at_ms),
        }
        for at_ms in range(last_ms, first_ms - 1, -step_ms)
        for amount in [_open_interest(call.engine, listing, at_ms)]
    ]
    return Reply({"symbol": listing.venue_symbol, "category": "linear", "list": rows, "nextPageCursor": ""})


def _ticker(engine: Engine, listing: Listing) -> dict[str, object]:
    ticker = engine.ticker(Venue.BYBIT, listing.symbol)
    hour_ago_ms = ticker.time_ms - HOUR_MS
    earlier = engine.candles(Venue.BYBIT, listing.symbol, candles.MINUTE_MS, hour_ago_ms - candles.MINUTE_MS, hour_ago_ms, 1)
    return wire.from_ticker(
        listing,
        ticker,
        price_1h_ago=earlier[-1].close if earlier else ticker.open_24h,
        open_interest=_open_interest(engine, listing, ticker.time_ms),
    )


def _open_interest(engine: Engine, listing: Listing, at_ms: int) -> Decimal:
    """The engine keeps no crowd of positions; open interest is a share of the volume of the last whole day (base units)."""
    day_ms = at_ms // candles.DAY_MS * candles.DAY_MS - candles.DAY_MS
    days = engine.candles(Venue.BYBIT, listing.symbol, candles.DAY_MS, day_ms, day_ms, 1)
    return days[0].volume * _OPEN_INTEREST_SHARE if days else Decimal(0)


def _candles(call: Call, *, with_volume: bool) -> Reply:
    category = call.category("linear")
    if category != "linear":
        raise unsupported_symbol()
    listing = _listing(call.engine, call.params.required("symbol"))
    chosen = candles.fetch(
        call.engine,
        listing,
        call.params.required("interval"),
        start_ms=call.params.integer("start"),
        end_ms=call.params.integer("end"),
        limit=call.params.limit(default=200, most=1000),
    )
    rows = [wire.from_candle(listing, candle, with_volume=with_volume) for candle in chosen]
    return Reply({"category": category, "symbol": listing.venue_symbol, "list": rows})


def _linear_listing(call: Call) -> Listing:
    if not call.is_listed():
        raise unsupported_symbol()
    return _listing(call.engine, call.params.required("symbol"))


def _listing(engine: Engine, symbol: str) -> Listing:
    try:
        return engine.listing_by_venue_symbol(Venue.BYBIT, symbol)
    except Refused as refused:
        raise unsupported_symbol() from refused
