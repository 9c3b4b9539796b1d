"""Open interest and what takers bought: the figures this venue publishes about its market as a whole.

The engine keeps no crowd of positions: open interest is a share of the volume of the last whole day, the same for every asker.
"""

from decimal import Decimal

from exchanges.sandbox.binance import errors
from exchanges.sandbox.binance.candles import taker_share
from exchanges.sandbox.binance.endpoint import VENUE, Call, Json, Public
from exchanges.sandbox.binance.numbers import fixed, money, quantity
from exchanges.sandbox.binance.periods import asked_range, rows_range
from exchanges.sandbox.market import HOUR_MS
from exchanges.sandbox.model import ZERO, Listing
from exchanges.sandbox.path import DAY_MS
from exchanges.sandbox.views import Candle

_MINUTE_MS = 60_000
_PERIODS_MS = {
    **{f"{count}m": count * _MINUTE_MS for count in (5, 15, 30)},
    **{f"{count}h": count * HOUR_MS for count in (1, 2, 4, 6, 12)},
    "1d": DAY_MS,
}
_KEPT_MS = 30 * DAY_MS
_SHARE = Decimal("0.75")  # of the contracts traded on the day before
_RATIO_PLACES = 4
Row = dict[str, object]


def open_interest(call: Call) -> Json:
    listing, now_ms = call.listing(), call.engine.now_ms()
    return {"openInterest": quantity(_held(call, listing, now_ms), listing), "symbol": listing.venue_symbol, "time": now_ms}


def open_interest_history(call: Call) -> Json:
    listing = call.listing()
    return [_held_row(call, listing, moment_ms) for moment_ms in _moments(call, listing)]


def taker_volume(call: Call) -> Json:
    """What takers bought and sold in each period that has ended, by the candles' own measure."""
    listing = call.listing()
    period_ms, moments = _period(call), _moments(call, listing)
    if not moments:
        return []
    candles = call.engine.candles(VENUE, listing.symbol, period_ms, moments[0] - period_ms, moments[-1] - period_ms, len(moments))
    return [_taker_row(candle, listing) for candle in candles]


def _period(call: Call) -> int:
    period_ms = _PERIODS_MS.get(call.params.required("period"))
    if period_ms is None:
        raise errors.invalid_data("period")
    return period_ms


def _moments(call: Call, listing: Listing) -> list[int]:
    """The ends of the periods asked for, oldest first: thirty by default, none older than thirty days."""
    period_ms, limit, now_ms = _period(call), call.params.limit(default=30, most=500), call.engine.now_ms()
    earliest_ms = max(listing.listed_at_ms + DAY_MS, now_ms - _KEPT_MS)
    asked = asked_range(call.params)
    first_ms, last_ms = rows_range(asked, period_ms=period_ms, limit=limit, earliest_ms=earliest_ms, now_ms=now_ms)
    return list(range(first_ms + -first_ms % period_ms, last_ms + 1, period_ms))


def _held(call: Call, listing: Listing, at_ms: int) -> Decimal:
    yesterday_ms = at_ms // DAY_MS * DAY_MS - DAY_MS
    days = call.engine.candles(VENUE, listing.symbol, DAY_MS, yesterday_ms, yesterday_ms, 1)
    return days[0].volume * _SHARE if days else ZERO


def _held_row(call: Call, listing: Listing, at_ms: int) -> Row:
    held = _held(call, listing, at_ms)
    return {
        "symbol": listing.venue_symbol,
        "sumOpenInterest": money(held),
        "sumOpenInterestValue": money(held * call.engine.mark(VENUE, listing.symbol, at_ms)),
        "timestamp": at_ms,
    }


def _taker_row(candle: Candle, listing: Listing) -> Row:
    bought = candle.volume * taker_share(candle)
    sold = candle.volume - bought
    return {
        "buySellRatio": fixed(bought / sold if sold else ZERO, _RATIO_PLACES),
        "sellVol": quantity(sold, listing),
        "buyVol": quantity(bought, listing),
        "timestamp": candle.close_ms,
    }


ENDPOINTS = (
    Public("GET", "/fapi/v1/openInterest", open_interest),
    Public("GET", "/futures/data/openInterestHist", open_interest_history),
    Public("GET", "/futures/data/takerlongshortRatio", taker_volume),
)
