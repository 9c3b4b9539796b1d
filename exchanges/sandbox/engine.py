"""One exchange for all three venues: the market's data, accounts, orders and settings, as the dialects ask for them.

Synchronous, single-threaded and exact. Within one second the market stands still: marks, books and fills seen in that second agree.
Every question about an account settles first what came due. Raises Refused and then changes nothing.
"""

import time
from collections.abc import Callable, Collection, Mapping
from decimal import Decimal

from .accounts import Desk
from .books import Books
from .course import Course
from .ledger import Ledger
from .margin import leverage_of
from .market import Market, candle_bounds
from .model import (
    ZERO,
    Account,
    Entry,
    EntryKind,
    Fill,
    Kind,
    Leg,
    Lifetime,
    Listing,
    MarginMode,
    Order,
    Position,
    PositionKey,
    Reason,
    Refused,
    Side,
    Venue,
)
from .opening import open_account
from .prices import Prices
from .settings import Settings
from .settlement import Settlement
from .trading import Trading
from .views import AccountView, Book, Candle, Ticker


def system_ms() -> int:
    return time.time_ns() // 1_000_000


class Engine:
    def __init__(
        self,
        *,
        seed: int,
        ledger: Ledger,
        now_ms: Callable[[], int] = system_ms,
        on_create: Callable[[Order], None] | None = None,
        speed: int = 1,
    ) -> None:
        """`on_create` hears of every order that was accepted, once it is in the ledger. From now on prices and funding run `speed` times as
        fast as the clock; until now they ran as the ledger says."""
        self._now_ms = now_ms
        self._on_create = on_create
        self._course = Course(ledger.departures, keep=ledger.keep_departure)
        self._course.set_speed(speed, now_ms())
        self._market = Market(seed, self._course)
        self._ledger = ledger
        self._prices = Prices(self._market, now_ms)
        self._books = Books(ledger, now_ms)
        self._trading = Trading(self._prices, self._books)
        self._settings = Settings(self._prices, self._books)
        self._settlement = Settlement(self._prices, self._books)
        self.settle()

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
        return self._market.price(venue, symbol, self._prices.market_ms() if at_ms is None else at_ms)

    def ticker(self, venue: Venue, symbol: str) -> Ticker:
        return self._market.ticker(venue, symbol, self._prices.market_ms())

    def book(self, venue: Venue, symbol: str, depth: int) -> Book:
        """At most 1,000 levels a side."""
        return self._market.book(venue, symbol, depth, self._prices.market_ms())

    def candles(
        self, venue: Venue, symbol: str, interval_ms: int, start_ms: int, end_ms: int, limit: int, *, offset_ms: int = 0
    ) -> list[Candle]:
        """Oldest first: those that open in [start, end], of these the newest `limit`, none from the future or before the listing.
        `market.MONTH_MS` means calendar months; `offset_ms` = 8 h makes days begin at 16:00 UTC."""
        listing, now_ms = self._market.listing(venue, symbol), self._prices.market_ms()
        first_ms, last_ms = max(start_ms, listing.listed_at_ms), min(end_ms, now_ms)
        opens_ms, closes_ms = candle_bounds(interval_ms, first_ms, last_ms, limit, offset_ms)
        return self._market.candles(venue, symbol, opens_ms, closes_ms, now_ms)

    def funding_history(self, venue: Venue, symbol: str, start_ms: int, end_ms: int, limit: int) -> list[tuple[int, Decimal]]:
        """Times and rates, oldest first: of those in [start, end] that are past, the newest `limit`."""
        start_ms, end_ms = max(start_ms, self._market.listing(venue, symbol).listed_at_ms), min(end_ms, self._now_ms())
        times = self._market.funding_times(venue, symbol, start_ms, end_ms, limit)
        return [(at_ms, self._market.funding_rate(venue, symbol, at_ms)) for at_ms in times]

    def shock(self, symbol: str, ratio: Decimal) -> int:
        """Multiplies the price of a symbol, as every venue quotes it, from the next second on, whose time it returns."""
        return self._course.shock(self._market.asset(symbol), format(ratio, "f"), self._now_ms()).clock_ms

    def account(self, venue: Venue, name: str) -> Account:
        """Opened at first use with 100,000 USDT; "demo" starts with positions and resting orders."""
        desk = self._ledger.desks.get((venue, name))
        if desk is None:
            return open_account(self._prices, self._books, self._settlement, venue, name).account
        self._settlement.settle(desk)
        return desk.account

    def view(self, account: Account) -> AccountView:
        return self._prices.view(self._desk(account))

    def settle(self) -> None:
        """Settles every account, as each would be at its next question."""
        for desk in list(self._ledger.desks.values()):
            self._settlement.settle(desk)

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
        leg: Leg = Leg.NET,
        margin_mode: MarginMode | None = None,
    ) -> Order:
        """On return market, IOC and FOK orders are final. `margin_mode` None: as the account is set for the symbol (OKX: cross). In hedge
        mode an order opens its leg or closes it, never more than that holds. Raises Refused."""
        desk = self._desk(account)
        now_ms = self._prices.moment(desk)
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
            leg=leg,
            margin_mode=margin_mode or account.margin_mode_of(symbol),
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

    def cancel_all(self, account: Account, is_meant: Callable[[Order], bool], *, most: int | None = None) -> list[Order]:
        """Those of the open orders that are meant, oldest first and at most that many, all at the same moment."""
        desk = self._desk(account)
        return self._trading.cancel_all(desk, list(filter(is_meant, desk.open.values()))[:most])

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

    def statement(
        self,
        account: Account,
        kinds: Collection[EntryKind] | None = None,
        symbol: str | None = None,
        start_ms: int | None = None,
        end_ms: int | None = None,
    ) -> list[Entry]:
        """What changed the account's wallet, newest first, of the last 5,000 lines; both times included."""
        return [
            entry
            for entry in reversed(self._desk(account).statement)
            if (kinds is None or entry.kind in kinds)
            and symbol in (None, entry.symbol)
            and (start_ms is None or entry.time_ms >= start_ms)
            and (end_ms is None or entry.time_ms <= end_ms)
        ]

    def leverage(self, account: Account, symbol: str, mode: MarginMode = MarginMode.CROSS, leg: Leg = Leg.NET) -> int:
        return leverage_of(self._desk(account), PositionKey(self._market.listing(account.venue, symbol).symbol, leg, mode))

    def set_leverage(self, account: Account, symbol: str, leverage: int, *, mode: MarginMode | None = None, leg: Leg | None = None) -> None:
        """For every margin mode and leg that is not named. Raises Refused: LEVERAGE_TOO_HIGH outside 1 to the listing's maximum,
        ABOVE_BRACKET where a position held is too large for it, INSUFFICIENT_MARGIN if what is held would then bind more than there is;
        of an isolated position LEVERAGE_REDUCTION (Binance) or WOULD_LIQUIDATE (the others, which set its margin anew)."""
        legs, modes = [leg] if leg else Leg, [mode] if mode else MarginMode
        keys = [PositionKey(symbol, each_leg, each_mode) for each_mode in modes for each_leg in legs]
        self.set_leverages(account, symbol, dict.fromkeys(keys, leverage))

    def set_leverages(self, account: Account, symbol: str, wanted: Mapping[PositionKey, int]) -> None:
        """Of several of the symbol's positions, each its own; all of them or none. Raises Refused, as above."""
        self._settings.set_leverages(self._desk(account), self._market.listing(account.venue, symbol), wanted)

    def position_mode(self, account: Account, symbol: str | None = None) -> bool:
        """Whether in hedge mode; `symbol` counts on Bybit only."""
        return account.hedge if symbol is None else account.is_hedged(symbol)

    def set_position_mode(self, account: Account, hedge: bool, symbol: str | None = None) -> None:
        """Of the whole account; on Bybit of a symbol, or without one of all that have neither position nor open order (then never
        refused). Raises Refused(UNCHANGED), Refused(OPEN_ORDERS) or Refused(OPEN_POSITIONS)."""
        self._settings.set_position_mode(self._desk(account), hedge, symbol)

    def margin_mode(self, account: Account, symbol: str) -> MarginMode:
        """What orders get that name none."""
        return account.margin_mode_of(symbol)

    def set_margin_mode(self, account: Account, symbol: str | None, mode: MarginMode) -> None:
        """Of a symbol on Binance, of the account on Bybit (whatever the symbol). Raises Refused: UNCHANGED, OPEN_ORDERS, OPEN_POSITIONS,
        and MARGIN_MODE on OKX, whose orders name theirs."""
        self._settings.set_margin_mode(self._desk(account), symbol, mode)

    def add_margin(self, account: Account, key: PositionKey, amount: Decimal) -> Position:
        """Into an isolated position's wallet, or out of it (negative), to 8 decimals. Raises Refused: NO_POSITION, NOT_ISOLATED,
        BELOW_MINIMUM for 0, INSUFFICIENT_MARGIN for more than is available, BELOW_INITIAL_MARGIN for more than may be taken out."""
        return self._settings.add_margin(self._desk(account), key, amount)

    def removable_margin(self, account: Account, key: PositionKey) -> Decimal:
        """How much `add_margin` would take out; 0 where there is no isolated position."""
        desk = self._desk(account)
        position = desk.account.positions.get(key)
        return self._settings.removable_margin(desk, position) if position and key.margin_mode is MarginMode.ISOLATED else ZERO

    def _desk(self, account: Account) -> Desk:
        """With everything settled that came due."""
        desk = self._ledger.desks[account.venue, account.name]
        self._settlement.settle(desk)
        return desk


def _find(desk: Desk, *, symbol: str | None, order_id: int | None, client_id: str | None) -> Order | None:
    by_client_id = desk.newest_with(client_id) if client_id else None
    order = by_client_id if order_id is None else desk.orders.get(order_id)
    return order if order and symbol in (None, order.symbol) else None
