"""The market as it stands in the present second, and what accounts are worth and bound by in it."""

from collections.abc import Callable
from decimal import Decimal

from .accounts import Desk
from .course import SECOND_MS
from .margin import Figures, spare, value
from .market import Market
from .model import ZERO, Venue
from .views import AccountView


class Prices:
    def __init__(self, market: Market, now_ms: Callable[[], int]) -> None:
        self.market = market
        self.now_ms = now_ms

    def market_ms(self) -> int:
        """The second the market is in; it stands still within it."""
        now_ms = self.now_ms()
        return now_ms - now_ms % SECOND_MS

    def moment(self, desk: Desk) -> int:
        """When something that is done to an account happens: now, but within the second that the account is settled up to. Where the clock
        has just gone on to the next one, what falls due in that has not been booked yet and must not find what comes after it."""
        second_ms = desk.settled_ms - desk.settled_ms % SECOND_MS
        return max(desk.settled_ms, min(self.now_ms(), second_ms + SECOND_MS - 1))

    def mark(self, venue: Venue, symbol: str) -> Decimal:
        return self.market.price(venue, symbol, self.market_ms())

    def view(self, desk: Desk) -> AccountView:
        return value(desk, self._figures(desk))

    def spare(self, desk: Desk) -> Decimal:
        """What could be bound by more positions; negative where too much is bound already."""
        return spare(desk, self._figures(desk))

    def available(self, desk: Desk) -> Decimal:
        return max(ZERO, self.spare(desk))

    def _figures(self, desk: Desk) -> Figures:
        venue, symbols = desk.account.venue, {key.symbol for key in desk.account.positions}
        return {symbol: (self.market.listing(venue, symbol), self.mark(venue, symbol)) for symbol in symbols}
