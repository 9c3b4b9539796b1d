"""What the account "demo" of each venue holds when it is first opened: positions taken in the last days and orders well away from
the price. Some assets are held in opposite directions on two venues, so that long, short, net and gross differ."""

from collections.abc import Iterator
from decimal import Decimal
from typing import NamedTuple

from .market import HOUR_MS, Market
from .model import Kind, Listing, Side, Venue

NAME = "demo"


class DemoOrder(NamedTuple):
    """An order to begin with: filled at a time in the past, or resting now."""

    listing: Listing
    side: Side
    kind: Kind
    quantity: Decimal
    price: Decimal
    time_ms: int


# symbol, side, USDT, hours ago
_POSITIONS: dict[Venue, tuple[tuple[str, Side, int, int], ...]] = {
    Venue.BINANCE: (
        ("BTCUSDT", Side.BUY, 28_500, 61),
        ("ETHUSDT", Side.SELL, 13_600, 27),
        ("SOLUSDT", Side.BUY, 5_400, 9),
        ("1000PEPEUSDT", Side.BUY, 3_450, 38),
    ),
    Venue.BYBIT: (
        ("ETHUSDT", Side.BUY, 10_200, 44),
        ("XRPUSDT", Side.SELL, 6_600, 19),
        ("ADAUSDT", Side.BUY, 3_000, 73),
    ),
    Venue.OKX: (
        ("BTCUSDT", Side.SELL, 19_000, 33),
        ("DOGEUSDT", Side.BUY, 4_200, 52),
        ("LINKUSDT", Side.SELL, 3_600, 14),
        ("AVAXUSDT", Side.BUY, 2_800, 88),
    ),
}
_AWAY = Decimal("0.08")
# symbol, side, USDT
_RESTING: dict[Venue, tuple[tuple[str, Side, int], ...]] = {
    Venue.BINANCE: (("BTCUSDT", Side.BUY, 9_500), ("ETHUSDT", Side.SELL, 6_800), ("BNBUSDT", Side.BUY, 3_400)),
    Venue.BYBIT: (("ETHUSDT", Side.SELL, 5_100), ("LTCUSDT", Side.BUY, 1_900)),
    Venue.OKX: (("BTCUSDT", Side.BUY, 9_500), ("DOGEUSDT", Side.SELL, 4_200), ("DOTUSDT", Side.BUY, 1_560)),
}


def demo_orders(market: Market, venue: Venue, now_ms: int) -> Iterator[DemoOrder]:
    """Filled ones first, oldest first."""
    for symbol, side, usd, hours in sorted(_POSITIONS[venue], key=lambda row: -row[3]):
        listing, time_ms = market.listing(venue, symbol), now_ms - hours * HOUR_MS
        price = market.price(venue, symbol, time_ms)
        yield DemoOrder(listing, side, Kind.MARKET, _lots(listing, usd, price), price, time_ms)
    for symbol, side, usd in _RESTING[venue]:
        listing = market.listing(venue, symbol)
        away = market.price(venue, symbol, now_ms) * (1 - side.sign * _AWAY)
        price = away // listing.tick * listing.tick
        yield DemoOrder(listing, side, Kind.LIMIT, _lots(listing, usd, price), price, now_ms)


def _lots(listing: Listing, usd: int, price: Decimal) -> Decimal:
    return max(listing.min_quantity, Decimal(usd) / price // listing.lot * listing.lot)
