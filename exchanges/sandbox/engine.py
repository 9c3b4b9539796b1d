"""One exchange for all three venues: the market's data, accounts, orders and settings, as the dialects ask for them.

Synchronous, single-threaded and exact. Within one second the market stands still: marks, books and fills seen in that second agree.
Every question about an account settles first what came due. Raises Refused and then changes nothing.
"""

import time
from collections.abc import Callable
from decimal import Decimal

from .accounts import Desk
from .ledger import Ledger
from .margin import leverage_of
from .market import HOUR_MS, Market, candle_bounds
from .model import (
    ZERO,
    Account,
    AccountView,
    Book,
    Candle,
    Fill,
    Kind,
    Lifetime,
    Listing,
    Order,
    Reason,
    Refused,
    Side,
    Ticker,
    Venue,
)
from .trading import Trading


def system_ms() -> int:
    return time.time_ns() // 1_000_000


class Engine:
    def __init__(
        self, *, seed: int, ledger: Ledger, now_ms: Callable[[], int] = system_ms, on_create: Callable[[Order], None] | None = None
    ) -> None:
        """`on_create` hears of every order that was accepted, once it is in the ledger."""
        self._now_ms = now_ms
        self._on_create = on_create
        self._market = Market(seed)
        self._trading = Trading(self._market, ledger, now_ms)
        self._trading.settle_all()

    def now_ms(self) -> int:
        return self._now_ms()

    def listings(self, venue: Venue) -> tuple[Listing, ...]:
        return self._market.listings(venue)

    def listing(self, venue: Venue, symbol: str) -> Listing:
        """Raises Refused(UNKNOWN_SYMBOL), as everything does that is asked about an unknown symbol."""
        return self._market.listing(venue, symbol)

    def listing_by_venue_symbol(self, venue: Venue, venue_symbol: str) -> Listing:
        for listing in self._market.listings(venue):
            if listing.venue_symbol == venue_symbol:
                return listing
        raise Refused(Reason.UNKNOWN_SYMBOL, symbol=venue_symbol)

    def mark(self, venue: Venue, symbol: str, at_ms: int | None = None) -> Decimal:
        return self._market.price(venue, symbol, self._trading.market_ms() if at_ms is None else at_ms)

    def ticker(self, venue: Venue, symbol: str) -> Ticker:
        return self._market.ticker(venue, symbol, self._trading.market_ms())

    def book(self, venue: Venue, symbol: str, depth: int) -> Book:
        """At most 1,000 levels a side."""
        return self._market.book(venue, symbol, depth, self._trading.market_ms())

    def candles(
        self, venue: Venue, symbol: str, interval_ms: int, start_ms: int, end_ms: int, limit: int, *, offset_ms: int = 0
    ) -> list[Candle]:
        """Oldest first: those that open in [start, end], of these the newest `limit`, none from the future or before the listing.
        `market.MONTH_MS` means calendar months; `offset_ms` = 8 h makes days begin at 16:00 UTC."""
        listing, now_ms = self._market.listing(venue, symbol), self._trading.market_ms()
        first_ms, last_ms = max(start_ms, listing.listed_at_ms), min(end_ms, now_ms)
        opens_ms, closes_ms = candle_bounds(interval_ms, first_ms, last_ms, limit, offset_ms)
        return self._market.candles(venue, symbol, opens_ms, closes_ms, now_ms)

    def funding_history(self, venue: Venue, symbol: str, start_ms: int, end_ms: int, limit: int) -> list[tuple[int, Decimal]]:
        """Times and rates, oldest first: of those in [start, end] that are past, the newest `limit`."""
        listing = self._market.listing(venue, symbol)
        opens_ms, _ = candle_bounds(
            listing.funding_interval_h * HOUR_MS, max(start_ms, listing.listed_at_ms), min(end_ms, self._now_ms()), limit
        )
        return [(at_ms, self._market.funding_rate(venue, symbol, at_ms)) for at_ms in opens_ms]

    def account(self, venue: Venue, name: str) -> Account:
        """Opened at first use with 100,000 USDT; "demo" starts with positions and resting orders."""
        return self._trading.desk(venue, name).account

    def view(self, account: Account) -> AccountView:
        return self._trading.view(self._desk(account))

    def settle(self) -> None:
        """Settles every account, as each would be at its next question."""
        self._trading.settle_all()

    def place(
        self,
        account: Account,
        *,
        symbol: str,
        side: Side,
        kind: Kind,
        lifetime: Lifetime,
        quantity: Decimal,
        limit_price: Decimal | None,
        reduce_only: bool = False,
        client_id: str = "",
        wire: dict[str, str] | None = None,
    ) -> Order:
        """On return market, IOC and FOK orders are final. Raises Refused."""
        desk, now_ms = self._desk(account), self._now_ms()
        order = Order(
            id=0,
            client_id=client_id,
            account=account.name,
            venue=account.venue,
            symbol=symbol,
            side=side,
            kind=kind,
            lifetime=lifetime,
            quantity=quantity,
            limit_price=limit_price if kind is Kind.LIMIT else None,
            reduce_only=reduce_only,
            created_ms=now_ms,
            updated_ms=now_ms,
            wire=wire or {},
        )
        self._trading.place(desk, order)
        if self._on_create is not None:
            self._on_create(order)
        return order

    def cancel(self, account: Account, *, symbol: str, order_id: int | None = None, client_id: str | None = None) -> Order:
        """Raises Refused(UNKNOWN_ORDER) or Refused(ALREADY_FINAL)."""
        desk = self._desk(account)
        order = _find(desk, symbol=symbol, order_id=order_id, client_id=client_id)
        if order is None:
            raise Refused(Reason.UNKNOWN_ORDER)
        return self._trading.cancel(desk, order)

    def amend(
        self,
        account: Account,
        order: Order,
        *,
        quantity: Decimal | None = None,
        limit_price: Decimal | None = None,
        wire: dict[str, str] | None = None,
    ) -> Order:
        """Changes an open limit order in place; None keeps what it has, `wire` is remembered if the change is accepted. Raises Refused."""
        return self._trading.amend(
            self._desk(account),
            order,
            quantity=order.quantity if quantity is None else quantity,
            limit_price=(order.limit_price or ZERO) if limit_price is None else limit_price,
            wire=wire or {},
        )

    def order(
        self, account: Account, *, symbol: str | None = None, order_id: int | None = None, client_id: str | None = None
    ) -> Order | None:
        """By id, or the newest with that client id."""
        return _find(self._desk(account), symbol=symbol, order_id=order_id, client_id=client_id)

    def open_orders(self, account: Account, symbol: str | None = None) -> list[Order]:
        """Oldest first."""
        return [order for order in self._desk(account).open.values() if symbol in (None, order.symbol)]

    def order_history(self, account: Account, symbol: str | None = None) -> list[Order]:
        """Newest first: open orders and the last 2,000 final ones."""
        return [order for order in reversed(self._desk(account).orders.values()) if symbol in (None, order.symbol)]

    def fills(self, account: Account, symbol: str | None = None, order_id: int | None = None) -> list[Fill]:
        """Newest first, the last 2,000."""
        fills = reversed(self._desk(account).fills)
        return [fill for fill in fills if symbol in (None, fill.symbol) and order_id in (None, fill.order_id)]

    def leverage(self, account: Account, symbol: str) -> int:
        return leverage_of(self._desk(account), self._market.listing(account.venue, symbol).symbol)

    def set_leverage(self, account: Account, symbol: str, leverage: int) -> None:
        """Raises Refused(LEVERAGE_TOO_HIGH) outside 1 to the listing's maximum, Refused(INSUFFICIENT_MARGIN) if what is held would
        then bind more than the account has."""
        self._trading.set_leverage(self._desk(account), self._market.listing(account.venue, symbol), leverage)

    def _desk(self, account: Account) -> Desk:
        return self._trading.desk(account.venue, account.name)


def _find(desk: Desk, *, symbol: str | None, order_id: int | None, client_id: str | None) -> Order | None:
    by_client_id = desk.newest_with(client_id) if client_id else None
    order = by_client_id if order_id is None else desk.orders.get(order_id)
    return order if order and symbol in (None, order.symbol) else None
