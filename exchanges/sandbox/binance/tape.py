"""The public tape: one print a second, drawn from that second's candle, so that prints and candles never disagree.

A print's id is its second of the epoch; seconds in which nothing traded have none.
"""

from exchanges.sandbox.binance import errors
from exchanges.sandbox.binance.endpoint import VENUE, Call, Json, Private, Public
from exchanges.sandbox.binance.numbers import average_places, fixed, price, quantity
from exchanges.sandbox.binance.periods import asked_range, rows_range
from exchanges.sandbox.model import ZERO, Account, Listing
from exchanges.sandbox.views import Candle

SECOND_MS = 1_000


def prints(call: Call, listing: Listing, start_ms: int, end_ms: int, limit: int) -> list[Candle]:
    """The finished seconds of a window in which something traded, oldest first."""
    candles = call.engine.candles(VENUE, listing.symbol, SECOND_MS, start_ms, end_ms, limit)
    return [candle for candle in candles if candle.is_closed and candle.volume]


def print_id(candle: Candle) -> int:
    return candle.open_ms // SECOND_MS


def trades(call: Call) -> Json:
    return _trades(call, (None, None))


def historical_trades(call: Call, _: Account) -> Json:
    """From `fromId` on, else the newest."""
    from_id = call.params.integer("fromId")
    return _trades(call, (None if from_id is None else from_id * SECOND_MS, None))


def _trades(call: Call, asked: tuple[int | None, int | None]) -> Json:
    listing = call.listing()
    limit = call.params.limit(default=500, most=1000)
    start_ms, end_ms = rows_range(asked, **_tape(call, listing, limit))
    return [
        {
            "id": print_id(candle),
            "price": price(candle.close, listing),
            "qty": quantity(candle.volume, listing),
            "quoteQty": fixed(candle.close * candle.volume, average_places(listing)),
            "time": candle.close_ms - 1,
            "isBuyerMaker": is_sale(candle),
            "isRPITrade": False,
        }
        for candle in prints(call, listing, start_ms, end_ms, limit)
    ]


def aggregate_trades(call: Call) -> Json:
    """The newest without parameters; else from `fromId` or `startTime` on, oldest first."""
    listing = call.listing()
    limit = call.params.limit(default=500, most=1000)
    asked, from_id = asked_range(call.params), call.params.integer("fromId")
    if from_id is not None:
        if asked != (None, None):
            raise errors.VenueError(-1128, "Combination of optional parameters invalid.")
        asked = (from_id * SECOND_MS, None)
    start_ms, end_ms = rows_range(asked, **_tape(call, listing, limit))
    return [
        {
            "a": print_id(candle),
            "p": price(candle.close, listing),
            "q": quantity(candle.volume, listing),
            "f": print_id(candle),
            "l": print_id(candle),
            "T": candle.close_ms - 1,
            "m": is_sale(candle),
        }
        for candle in prints(call, listing, start_ms, end_ms, limit)
    ]


def is_sale(candle: Candle) -> bool:
    """Whether the taker sold: the buyer was the maker."""
    return candle.close - candle.open < ZERO


def _tape(call: Call, listing: Listing, limit: int) -> dict[str, int]:
    return {"period_ms": SECOND_MS, "limit": limit, "earliest_ms": listing.listed_at_ms, "now_ms": call.engine.now_ms()}


ENDPOINTS = (
    Public("GET", "/fapi/v1/trades", trades, weight=5),
    Private("GET", "/fapi/v1/historicalTrades", historical_trades, weight=20, is_signed=False),
    Public("GET", "/fapi/v1/aggTrades", aggregate_trades, weight=20),
)
