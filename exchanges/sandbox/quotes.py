"""What each listing is quoted by: its price path, its volumes and the key of its book, read by the clock and along the market's course.

The three venues share one path per asset and differ by a basis of a few hundredths of a percent that moves from day to day.
Floats are at home here as in the paths; prices leave as whole ticks.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from math import log
from typing import NamedTuple

from .course import Course
from .model import Listing, Venue
from .noise import Drift, subject_key
from .path import Path
from .volume import Traded, Volumes


class _Asset(NamedTuple):
    price: float
    volatility: float  # of one day
    daily_usd: float
    level_usd: float  # what usually stands at the best price


_ASSETS = {
    "BTC": _Asset(95_000, 0.022, 12e9, 25e3),
    "ETH": _Asset(3_400, 0.028, 9e9, 18e3),
    "SOL": _Asset(180, 0.035, 3e9, 10e3),
    "ADA": _Asset(0.75, 0.036, 0.6e9, 4e3),
    "XRP": _Asset(2.2, 0.033, 2e9, 10e3),
    "DOGE": _Asset(0.21, 0.038, 1.2e9, 8e3),
    "BNB": _Asset(680, 0.024, 0.8e9, 6e3),
    "AVAX": _Asset(28, 0.037, 0.3e9, 3e3),
    "LINK": _Asset(18, 0.035, 0.4e9, 4e3),
    "LTC": _Asset(95, 0.029, 0.3e9, 3e3),
    "DOT": _Asset(5.2, 0.034, 0.2e9, 2e3),
    "PEPE": _Asset(0.0000115, 0.046, 0.7e9, 5e3),
}
_ACTIVITY = {Venue.BINANCE: 1.0, Venue.BYBIT: 0.45, Venue.OKX: 0.35}


@dataclass(frozen=True, slots=True)
class Quoted:
    """One unit of the listing's base holds `scale` of the asset; `key` draws its book and its funding."""

    listing: Listing
    asset: str
    scale: int
    key: bytes
    level_lots: float
    path: Path
    volumes: Volumes
    course: Course

    def ticks(self, at_ms: int) -> int:
        """The price at a moment, in ticks."""
        return _scaled(self.path.ticks(self.course.path_ms(at_ms)), self.course.factor(self.asset, at_ms))

    def extremes(self, start_ms: int, end_ms: int) -> tuple[int, int]:
        """The lowest and the highest price from one moment to another, both included, in ticks."""
        *earlier, (since_ms, until_ms, factor) = self.course.stretches(self.asset, start_ms, end_ms)
        found = [self._extremes(since_ms, until_ms, factor), *(self._extremes(since, until - 1, each) for since, until, each in earlier)]
        return min(low for low, _ in found), max(high for _, high in found)

    def traded(self, start_ms: int, end_ms: int) -> Traded:
        """From one moment (included) to another (excluded)."""
        lots = turnover = trades = 0
        for since_ms, until_ms, factor in self.course.stretches(self.asset, start_ms, end_ms):
            part = self.volumes.between(self.course.path_ms(since_ms), self.course.path_ms(until_ms))
            lots, trades = lots + part.lots, trades + part.trades
            turnover += part.turnover if factor == 1 else round(part.turnover * factor)
        return Traded(lots, turnover, trades)

    def _extremes(self, start_ms: int, end_ms: int, factor: float) -> tuple[int, int]:
        low, high = self.path.extremes(self.course.path_ms(start_ms), self.course.path_ms(end_ms))
        return _scaled(low, factor), _scaled(high, factor)


def quote_all(seed: int, listings: Iterable[Listing], course: Course) -> dict[tuple[Venue, str], Quoted]:
    """By venue and symbol."""
    trend = Drift(subject_key(seed, "trend"), amplitude=0.6, octaves=7)
    guides = {name: _asset_path(seed, name, trend) for name in _ASSETS}
    return {(each.venue, each.symbol): _quote(seed, each, guides, course) for each in listings}


def _scaled(ticks: int, factor: float) -> int:
    return ticks if factor == 1 else max(1, round(ticks * factor))


def _asset_path(seed: int, name: str, trend: Drift) -> Path:
    """What the asset itself is worth, in dollars; the venues' paths follow it."""
    asset, own = _ASSETS[name], Drift(subject_key(seed, "drift", name), amplitude=0.6, octaves=7)
    start = log(asset.price)
    level = lru_cache(maxsize=64)(lambda day: start + asset.volatility * (trend(day) + own(day)))
    return Path(subject_key(seed, "path", name), level=level, volatility=asset.volatility, tick=1.0)


def _quote(seed: int, listing: Listing, guides: dict[str, Path], course: Course) -> Quoted:
    name, scale = _asset_of(listing.base)
    guide, asset, tick, lot = guides[name], _ASSETS[name], float(listing.tick), float(listing.lot)
    basis = Drift(subject_key(seed, "basis", listing.venue, name), amplitude=0.0001, octaves=3)
    path = Path(
        subject_key(seed, "path", name),
        level=lambda day: guide.day(day).start + log(scale) + basis(day),
        volatility=asset.volatility,
        tick=tick,
        guide=guide,
    )
    daily_usd = asset.daily_usd * _ACTIVITY[listing.venue]
    volumes = Volumes(subject_key(seed, "volume", listing.venue, name), path, daily_usd=daily_usd, tick=tick, lot=lot)
    key = subject_key(seed, "book", listing.venue, name)
    return Quoted(listing, name, scale, key, asset.level_usd / (asset.price * scale) / lot, path, volumes, course)


def _asset_of(base: str) -> tuple[str, int]:
    """The asset behind a base and how many of it one unit holds: 1000PEPE is a thousand PEPE."""
    return (base[4:], 1000) if base.startswith("1000") else (base, 1)
