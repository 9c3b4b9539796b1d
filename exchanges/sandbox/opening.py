"""How an account begins: with 100,000 USDT; "demo" with a past, which it lived through like any other, and resting orders too."""

from decimal import Decimal

from .accounts import Changes, Desk
from .books import Books, Occasion
from .demo import NAME, DemoOrder, demo_orders
from .matching import Take
from .model import ZERO, Account, EntryKind, Kind, Lifetime, Order, Venue
from .prices import Prices
from .settlement import Settlement

OPENING_WALLET = Decimal(100_000)


def open_account(prices: Prices, books: Books, settlement: Settlement, venue: Venue, name: str) -> Desk:
    now_ms, changes = prices.now_ms(), Changes()
    past = list(demo_orders(prices.market, venue, now_ms)) if name == NAME else []
    opened_ms = min((each.time_ms for each in past), default=now_ms)
    desk = Desk(Account(name=name, venue=venue, wallet=ZERO, opened_ms=opened_ms), settled_ms=opened_ms)
    books.pay(desk, changes, EntryKind.DEPOSIT, OPENING_WALLET, Occasion(opened_ms))
    for each in past:
        settlement.advance(desk, changes, each.time_ms)
        order = _order(desk.account, each, books.next_id())
        if each.kind is Kind.MARKET:
            books.fill(desk, changes, each.listing, order, Take(each.price, each.quantity), is_maker=False, time_ms=each.time_ms)
        changes.orders.append(order)
    settlement.advance(desk, changes, prices.market_ms())
    books.keep(desk, changes)
    return desk


def _order(account: Account, each: DemoOrder, order_id: int) -> Order:
    return Order(
        id=order_id,
        client_id="",
        account=account.name,
        venue=account.venue,
        symbol=each.listing.symbol,
        side=each.side,
        kind=each.kind,
        lifetime=Lifetime.GTC,
        quantity=each.quantity,
        limit_price=each.price if each.kind is Kind.LIMIT else None,
        reduce_only=False,
        created_ms=each.time_ms,
        updated_ms=each.time_ms,
    )
