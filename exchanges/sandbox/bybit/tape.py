"""The public tape: four prints for each closed minute, at its open, its extremes and its close, that add up to the candle."""

from decimal import ROUND_DOWN, Decimal

from exchanges.sandbox.bybit import ids, wire
from exchanges.sandbox.bybit.candles import MINUTE_MS
from exchanges.sandbox.engine import Engine
from exchanges.sandbox.model import Listing, Venue
from exchanges.sandbox.views import Candle

_PRINTS = 4
_GAP_MS = MINUTE_MS // _PRINTS
_LONGEST = 1440  # minutes


def fetch(engine: Engine, listing: Listing, limit: int) -> list[dict[str, object]]:
    """Newest first. Minutes in which nothing was traded have no prints, so it looks back further and further, a day at most."""
    last_open_ms = engine.now_ms() // MINUTE_MS * MINUTE_MS - MINUTE_MS
    minutes = -(-limit // _PRINTS)
    while True:
        first_open_ms = last_open_ms - (minutes - 1) * MINUTE_MS
        candles = engine.candles(Venue.BYBIT, listing.symbol, MINUTE_MS, first_open_ms, last_open_ms, minutes)
        prints = [row for candle in candles for row in _prints(candle, listing)]
        if len(prints) >= limit or minutes >= _LONGEST:
            return prints[::-1][:limit]
        minutes = min(minutes * 4, _LONGEST)


def _prints(candle: Candle, listing: Listing) -> list[dict[str, object]]:
    rises = candle.close >= candle.open
    path = [candle.open, candle.low if rises else candle.high, candle.high if rises else candle.low, candle.close]
    quarter = (candle.volume / _PRINTS / listing.lot).to_integral_value(ROUND_DOWN) * listing.lot
    sizes = [quarter] * (_PRINTS - 1) + [candle.volume - quarter * (_PRINTS - 1)]
    before = [candle.close if rises else candle.open, *path[:-1]]
    return [
        _print(listing, candle.open_ms + number * _GAP_MS, price, size, is_buy=price >= earlier)
        for number, (price, size, earlier) in enumerate(zip(path, sizes, before, strict=True))
        if size > 0
    ]


def _print(listing: Listing, at_ms: int, price: Decimal, size: Decimal, *, is_buy: bool) -> dict[str, object]:
    return {
        "execId": ids.print_id(at_ms),
        "symbol": listing.venue_symbol,
        "price": wire.scaled(price, listing.tick),
        "size": wire.plain(size),
        "side": "Buy" if is_buy else "Sell",
        "time": str(at_ms),
        "isBlockTrade": False,
        "isRPITrade": False,
        "seq": str(at_ms),
    }
