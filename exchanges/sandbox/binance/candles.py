"""Candles of trades and of the mark.

The tape's taker side is not simulated trade by trade: the share bought by takers follows where a candle closes within its range.
"""

from collections.abc import Callable
from decimal import Decimal

from exchanges.sandbox.binance import errors
from exchanges.sandbox.binance.endpoint import VENUE, Call, Json, Public
from exchanges.sandbox.binance.numbers import average_places, fixed, price, quantity
from exchanges.sandbox.binance.params import Params
from exchanges.sandbox.binance.periods import asked_range
from exchanges.sandbox.market import HOUR_MS, MONTH_MS, WEEK_MS
from exchanges.sandbox.model import Listing
from exchanges.sandbox.path import DAY_MS
from exchanges.sandbox.views import Candle

_MINUTE_MS = 60_000
_LONGEST_MS = {
    **{f"{count}m": count * _MINUTE_MS for count in (1, 3, 5, 15, 30)},
    **{f"{count}h": count * HOUR_MS for count in (1, 2, 4, 6, 8, 12)},
    "1d": DAY_MS,
    "3d": 3 * DAY_MS,
    "1w": WEEK_MS,
    "1M": 31 * DAY_MS,
}
_ENGINE_MS = {**_LONGEST_MS, "1M": MONTH_MS}
_WEIGHTS = ((99, 1), (499, 2), (1000, 5), (1500, 10))
_HALF = Decimal("0.5")
ToRow = Callable[[Candle, Listing], list[object]]


def klines(call: Call) -> Json:
    return _rows(call, call.listing(), _traded)


def continuous_klines(call: Call) -> Json:
    listing = call.engine.listing_by_venue_symbol(VENUE, call.params.required("pair"))
    if call.params.required("contractType") != "PERPETUAL":
        raise errors.VenueError(-1110, "Invalid symbolType.")
    return _rows(call, listing, _traded)


def mark_price_klines(call: Call) -> Json:
    return _rows(call, call.listing(), _untraded)


def index_price_klines(call: Call) -> Json:
    """This venue's prices come from one path, so the index has the candles of the marks."""
    return _rows(call, call.engine.listing_by_venue_symbol(VENUE, call.params.required("pair")), _untraded)


def taker_share(candle: Candle) -> Decimal:
    """The share of a candle's volume that takers bought."""
    spread = candle.high - candle.low
    return (candle.close - candle.low) / spread if spread else _HALF


def _rows(call: Call, listing: Listing, to_row: ToRow) -> Json:
    """Oldest first: the first `limit` from `startTime` on where it was sent, else the newest up to `endTime`."""
    interval = call.params.required("interval")
    if interval not in _LONGEST_MS:
        raise errors.VenueError(-1120, "Invalid interval.")
    limit = call.params.limit(default=500, most=1500)
    start_ms, end_ms = asked_range(call.params)
    end_ms = call.engine.now_ms() if end_ms is None else end_ms
    most = limit
    if start_ms is not None:
        start_ms = max(start_ms, listing.listed_at_ms)
        end_ms = min(end_ms, start_ms + limit * _LONGEST_MS[interval])
        most = 2 * limit
    candles = call.engine.candles(VENUE, listing.symbol, _ENGINE_MS[interval], start_ms or 0, end_ms, most)
    return [to_row(candle, listing) for candle in candles[:limit]]


def _traded(candle: Candle, listing: Listing) -> list[object]:
    bought = taker_share(candle)
    return [
        *_prices(candle, listing),
        quantity(candle.volume, listing),
        candle.close_ms - 1,
        fixed(candle.turnover, average_places(listing)),
        candle.trades,
        quantity(candle.volume * bought, listing),
        fixed(candle.turnover * bought, average_places(listing)),
        "0",
    ]


def _untraded(candle: Candle, listing: Listing) -> list[object]:
    """Marks have no volume; where it would stand there are zeros."""
    return [*_prices(candle, listing), "0", candle.close_ms - 1, "0", candle.trades, "0", "0", "0"]


def _prices(candle: Candle, listing: Listing) -> list[object]:
    return [candle.open_ms, *(price(value, listing) for value in (candle.open, candle.high, candle.low, candle.close))]


def _weight(params: Params) -> int:
    limit = params.integer("limit") or 500
    return next((weight for most, weight in _WEIGHTS if limit <= most), _WEIGHTS[-1][1])


ENDPOINTS = (
    Public("GET", "/fapi/v1/klines", klines, weight=_weight),
    Public("GET", "/fapi/v1/continuousKlines", continuous_klines, weight=_weight),
    Public("GET", "/fapi/v1/markPriceKlines", mark_price_klines, weight=_weight),
    Public("GET", "/fapi/v1/indexPriceKlines", index_price_klines, weight=_weight),
)
