"""Prices, candles, books, tickers and funding of every listing: pure functions of the seed, the course, venue, symbol and time, which is
the clock's.

Nothing here knows of accounts or orders: what is traded against the book leaves no trace in it.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from itertools import islice

from .course import SECOND_MS, Course
from .listings import listings_of
from .model import ZERO, Listing, Reason, Refused, Side, Venue
from .noise import DRAWS, draw, normal, uniform
from .path import DAY_MS
from .quotes import Quoted, quote_all
from .views import Book, Candle, Level, Ticker

HOUR_MS = 3_600_000
WEEK_MS = 7 * DAY_MS
MONTH_MS = 30 * DAY_MS  # as an interval: calendar months
QUARTER_MS = 90 * DAY_MS  # as an interval: quarters of a calendar year
MAX_DEPTH = 1000

_CALENDAR_MONTHS = {MONTH_MS: 1, QUARTER_MS: 3}
_MONDAY_MS = 4 * DAY_MS  # 1 January 1970 was a Thursday
_BOOK_GAP = 0.00001  # the usual distance of two levels, as a ratio of the price
_BOOK_DEPTHS = (1, 20, 100, MAX_DEPTH)
_BOOK_GROWTH = 0.1  # each level is that much larger than the one before it, in units of the first


_USUAL_FUNDING = 0.0001
_FUNDING_CAP = 0.003
_LEVEL, _SIZE = 101, 102  # places of a draw: the gaps and the sizes of a book


class Market:
    def __init__(self, seed: int, course: Course | None = None) -> None:
        self.course = course or Course()
        self._listings = {venue: listings_of(venue) for venue in Venue}
        self._quoted = quote_all(seed, [listing for venue in Venue for listing in self._listings[venue]], self.course)
        self._ticker = lru_cache(maxsize=256)(self._make_ticker)
        self._deep_book = lru_cache(maxsize=16)(self._make_book)

    def listings(self, venue: Venue) -> tuple[Listing, ...]:
        return self._listings[venue]

    def listing(self, venue: Venue, symbol: str) -> Listing:
        return self._find(venue, symbol).listing

    def price(self, venue: Venue, symbol: str, at_ms: int) -> Decimal:
        quoted = self._find(venue, symbol)
        return quoted.ticks(at_ms) * quoted.listing.tick

    def asset(self, symbol: str) -> str:
        """What a symbol of any venue is traded for; shocks are its own. Raises Refused(UNKNOWN_SYMBOL)."""
        for (_, name), quoted in self._quoted.items():
            if name == symbol:
                return quoted.asset
        raise Refused(Reason.UNKNOWN_SYMBOL, symbol=symbol)

    def index(self, venue: Venue, symbol: str, at_ms: int) -> Decimal:
        """The mean of what the venues that list this asset ask for it, in this venue's unit and tick."""
        quoted = self._find(venue, symbol)
        alike = [other for other in self._quoted.values() if other.asset == quoted.asset]
        prices = [other.ticks(at_ms) * other.listing.tick / other.scale for other in alike]
        return round(sum(prices, ZERO) * quoted.scale / len(prices) / quoted.listing.tick) * quoted.listing.tick

    def extremes(self, venue: Venue, symbol: str, start_ms: int, end_ms: int) -> tuple[Decimal, Decimal]:
        """Lowest and highest price from one moment to another, both included."""
        quoted = self._find(venue, symbol)
        low, high = quoted.extremes(start_ms, end_ms)
        return low * quoted.listing.tick, high * quoted.listing.tick

    def candles(self, venue: Venue, symbol: str, opens_ms: list[int], closes_ms: list[int], now_ms: int) -> list[Candle]:
        """One candle per pair of open and close; one that has not closed yet tells what happened until now."""
        quoted = self._find(venue, symbol)
        return [_candle(quoted, opened, closes, now_ms) for opened, closes in zip(opens_ms, closes_ms, strict=True)]

    def book(self, venue: Venue, symbol: str, depth: int, at_ms: int) -> Book:
        """The book as it stands during the second of that moment, at most `MAX_DEPTH` levels a side."""
        depth = min(depth, MAX_DEPTH)
        rounded = next(size for size in _BOOK_DEPTHS if depth <= size)
        deep = self._deep_book(venue, symbol, rounded, at_ms - at_ms % 1000)
        return Book(bids=deep.bids[:depth], asks=deep.asks[:depth], time_ms=deep.time_ms, sequence=deep.sequence)

    def levels(self, venue: Venue, symbol: str, side: Side, at_ms: int) -> Iterator[Level]:
        """What an order of that side can take, best first: the asks for a buy."""
        quoted, second_ms = self._find(venue, symbol), at_ms - at_ms % 1000
        return islice(_levels(quoted, quoted.ticks(second_ms), second_ms, side.sign), MAX_DEPTH)

    def level_quantity(self, venue: Venue, symbol: str, at_ms: int) -> Decimal:
        """What usually stands at one price: as much as a resting order is filled with when the price just touches it."""
        quoted = self._find(venue, symbol)
        share = 0.5 + 2 * uniform(draw(quoted.key, _SIZE, at_ms // 1000)[DRAWS - 1])
        return max(1, round(quoted.level_lots * share)) * quoted.listing.lot

    def ticker(self, venue: Venue, symbol: str, at_ms: int) -> Ticker:
        return self._ticker(venue, symbol, at_ms)

    def funding_rate(self, venue: Venue, symbol: str, at_ms: int) -> Decimal:
        """The rate of the funding that is paid at (or was last paid before) this moment; positive means that longs pay."""
        quoted = self._find(venue, symbol)
        number = self.course.path_ms(at_ms) // _funding_period_ms(quoted.listing)
        rate = _USUAL_FUNDING + 0.0001 * normal(draw(quoted.key, 0, number)[0])
        return round(Decimal(min(max(rate, -_FUNDING_CAP), _FUNDING_CAP)), 8)

    def funding_times(self, venue: Venue, symbol: str, start_ms: int, end_ms: int, limit: int | None = None) -> list[int]:
        """When funding is paid in [start, end], oldest first, and the newest `limit`: at whole seconds, the first ones at which path time
        has come to the end of a period."""
        period, times = _funding_period_ms(self._find(venue, symbol).listing), list[int]()
        number = self.course.path_ms(end_ms) // period
        while (at_ms := self._second_of(number * period)) >= start_ms and (limit is None or len(times) < limit):
            if at_ms <= end_ms:
                times.append(at_ms)
            number -= 1
        return times[::-1]

    def _second_of(self, path_ms: int) -> int:
        return -(-self.course.clock_ms(path_ms) // SECOND_MS) * SECOND_MS

    def _find(self, venue: Venue, symbol: str) -> Quoted:
        quoted = self._quoted.get((venue, symbol))
        if quoted is None:
            raise Refused(Reason.UNKNOWN_SYMBOL, symbol=symbol)
        return quoted

    def _make_book(self, venue: Venue, symbol: str, depth: int, at_ms: int) -> Book:
        quoted = self._find(venue, symbol)
        middle = quoted.ticks(at_ms)
        bids, asks = (tuple(islice(_levels(quoted, middle, at_ms, side.sign), depth)) for side in (Side.SELL, Side.BUY))
        return Book(bids=bids, asks=asks, time_ms=at_ms, sequence=at_ms)

    def _make_ticker(self, venue: Venue, symbol: str, at_ms: int) -> Ticker:
        quoted = self._find(venue, symbol)
        day_ago_ms = self.course.clock_ms(self.course.path_ms(at_ms) - DAY_MS)  # of path time: else it would be years at a high speed
        day, book = _candle(quoted, day_ago_ms, at_ms, at_ms), self.book(venue, symbol, 1, at_ms)
        period = _funding_period_ms(quoted.listing)
        next_funding_ms = self._second_of((self.course.path_ms(at_ms) // period + 1) * period)
        return Ticker(
            last=day.close,
            mark=day.close,
            index=self.index(venue, symbol, at_ms),
            bid=book.bids[0],
            ask=book.asks[0],
            open_24h=day.open,
            high_24h=day.high,
            low_24h=day.low,
            volume_24h=day.volume,
            turnover_24h=day.turnover,
            funding_rate=self.funding_rate(venue, symbol, next_funding_ms),
            next_funding_ms=next_funding_ms,
            time_ms=at_ms,
        )


def candle_bounds(interval_ms: int, start_ms: int, end_ms: int, limit: int, offset_ms: int = 0) -> tuple[list[int], list[int]]:
    """Opens in [start, end], oldest first and the newest `limit` of them, with their closes. Candles open at multiples of the
    interval (weeks on Mondays, `MONTH_MS` and `QUARTER_MS` on the first of a month) in a day that starts `offset_ms` before UTC's."""
    opens: list[int] = []
    closes: list[int] = []
    if end_ms < start_ms:
        return opens, closes  # the end may lie before the years that a calendar has
    opened = _open_of(interval_ms, end_ms, offset_ms)
    while opened >= start_ms and len(opens) < limit:
        opens.append(opened)
        closes.append(_next_open(interval_ms, opened, offset_ms))
        opened = _open_of(interval_ms, opened - 1, offset_ms)
    return opens[::-1], closes[::-1]


def _open_of(interval_ms: int, at_ms: int, offset_ms: int) -> int:
    if interval_ms in _CALENDAR_MONTHS:
        moment = datetime.fromtimestamp((at_ms + offset_ms) // 1000, UTC)
        month = moment.month - (moment.month - 1) % _CALENDAR_MONTHS[interval_ms]
        return int(moment.replace(month=month, day=1, hour=0, minute=0, second=0).timestamp()) * 1000 - offset_ms
    shift = offset_ms - (_MONDAY_MS if interval_ms == WEEK_MS else 0)
    return at_ms - (at_ms + shift) % interval_ms


def _next_open(interval_ms: int, opened_ms: int, offset_ms: int) -> int:
    if interval_ms in _CALENDAR_MONTHS:
        return _open_of(interval_ms, opened_ms + 31 * DAY_MS * _CALENDAR_MONTHS[interval_ms] + DAY_MS // 2, offset_ms)
    return opened_ms + interval_ms


def _funding_period_ms(listing: Listing) -> int:
    """In path time."""
    return listing.funding_interval_h * HOUR_MS


def _candle(quoted: Quoted, opened_ms: int, closes_ms: int, now_ms: int) -> Candle:
    until_ms = min(closes_ms, now_ms)
    low, high = quoted.extremes(opened_ms, until_ms)
    traded = quoted.traded(opened_ms, until_ms)
    tick, lot = quoted.listing.tick, quoted.listing.lot
    return Candle(
        open_ms=opened_ms,
        close_ms=closes_ms,
        open=quoted.ticks(opened_ms) * tick,
        high=high * tick,
        low=low * tick,
        close=quoted.ticks(until_ms) * tick,
        volume=traded.lots * lot,
        # A range that ends within a second may trade outside its own extremes by a tick; a candle never says so.
        turnover=min(max(traded.turnover, traded.lots * low), traded.lots * high) * tick * lot,
        trades=traded.trades,
        is_closed=closes_ms <= now_ms,
    )


def _levels(quoted: Quoted, middle: int, at_ms: int, away: int) -> Iterator[Level]:
    """One side of a book, best first, `away` from the middle (-1 bids, 1 asks): levels thin at the touch and grow with distance."""
    listing, second = quoted.listing, at_ms // 1000
    usual_gap = middle * _BOOK_GAP
    ticks, count = middle, 0
    while True:
        place = 2 * (count // DRAWS) + (away > 0)
        gaps, sizes = draw(quoted.key, _LEVEL + 2 * place, second), draw(quoted.key, _SIZE + 2 * place, second)
        for gap, size in zip(gaps, sizes, strict=True):
            ticks += away * (max(1, round(usual_gap * 2 * uniform(gap))) if count else 1)
            if ticks <= 0:
                return
            lots = quoted.level_lots * (0.2 + 1.6 * uniform(size)) * (1 + count * _BOOK_GROWTH)
            yield Level(ticks * listing.tick, max(1, round(lots)) * listing.lot)
            count += 1
