"""An engine on a clock of its own, short ways to order, and what must hold of its books after anything."""

from collections.abc import Set
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any

import pytest

from exchanges.sandbox.engine import Engine
from exchanges.sandbox.ledger import Ledger
from exchanges.sandbox.market import Market
from exchanges.sandbox.model import ZERO, Account, Fill, Kind, Lifetime, Listing, Order, Reason, Refused, Side, Status
from exchanges.sandbox.positions import CENT
from exchanges.sandbox.trading import OPENING_WALLET

MARKET = Market(7)  # what the exchanges under test see
NOW_MS = 1_795_510_000_000
HOUR_MS = 3_600_000
BUY, SELL = Side.BUY, Side.SELL


class Clock:
    def __init__(self, at_ms: int = NOW_MS) -> None:
        self.ms = at_ms

    def __call__(self) -> int:
        return self.ms


def exchange(at_ms: int = NOW_MS) -> tuple[Engine, Clock]:
    clock = Clock(at_ms)
    return Engine(seed=7, ledger=Ledger(None), now_ms=clock), clock


def market(engine: Engine, account: Account, side: Side, quantity: str | Decimal, symbol: str = "BTCUSDT", **more: Any) -> Order:
    kind, lifetime = Kind.MARKET, Lifetime.GTC
    amount = Decimal(quantity)
    return engine.place(account, symbol=symbol, side=side, kind=kind, lifetime=lifetime, quantity=amount, limit_price=None, **more)


def limit(
    engine: Engine, account: Account, side: Side, quantity: str | Decimal, price: Decimal, symbol: str = "BTCUSDT", **more: Any
) -> Order:
    lifetime = more.pop("lifetime", Lifetime.GTC)
    amount = Decimal(quantity)
    return engine.place(account, symbol=symbol, side=side, kind=Kind.LIMIT, lifetime=lifetime, quantity=amount, limit_price=price, **more)


def away(engine: Engine, listing: Listing, ratio: str) -> Decimal:
    """The mark times a ratio, on the tick."""
    return engine.mark(listing.venue, listing.symbol) * Decimal(ratio) // listing.tick * listing.tick


def refusal(call: Any, *args: Any, **more: Any) -> Reason:
    with pytest.raises(Refused) as refused:
        call(*args, **more)
    return refused.value.reason


def check_books(engine: Engine, account: Account, *, amended: Set[int] = frozenset()) -> None:
    """`amended` orders have fills that were made by other terms than they have now."""
    view, fills = engine.view(account), engine.fills(account)[::-1]
    assert account.wallet == OPENING_WALLET + sum(fill.realized_pnl - fill.fee for fill in fills)
    assert view.equity == view.wallet + view.unrealized_pnl
    assert view.available >= 0 <= view.order_margin
    held: dict[str, Decimal] = {}
    orders = {order.id: order for order in engine.order_history(account)}
    for fill in fills:
        check_fill(engine.listing(account.venue, fill.symbol), fill, orders[fill.order_id], held, is_amended=fill.order_id in amended)
    assert held == {symbol: position.quantity for symbol, position in account.positions.items()}
    for order in orders.values():
        mine = [fill for fill in fills if fill.order_id == order.id]
        assert order.filled == sum(fill.quantity for fill in mine) <= order.quantity
        assert order.filled_value == sum(fill.quantity * fill.price for fill in mine)
        assert order.fees == sum(fill.fee for fill in mine)
        assert order.realized_pnl == sum(fill.realized_pnl for fill in mine)
        assert (order.status is Status.FILLED) == (order.remaining == 0)
        assert order.quantity % engine.listing(account.venue, order.symbol).lot == 0
        if order.status.is_open and order.reduce_only:
            assert held.get(order.symbol, ZERO) * order.side.sign < 0
    assert [order for order in orders.values() if order.status.is_open][::-1] == engine.open_orders(account)


def check_fill(listing: Listing, fill: Fill, order: Order, held: dict[str, Decimal], *, is_amended: bool) -> None:
    before = held.get(fill.symbol, ZERO)
    after = before + fill.side.sign * fill.quantity
    assert fill.quantity > 0 == fill.quantity % listing.lot
    assert fill.price % listing.tick == 0
    assert fill.fee == (fill.quantity * fill.price * (listing.maker_fee if fill.is_maker else listing.taker_fee)).quantize(
        CENT, ROUND_HALF_EVEN
    )
    assert fill.time_ms >= order.created_ms
    if order.limit_price is not None and not is_amended:
        assert (order.limit_price - fill.price) * order.side.sign >= 0
        assert not fill.is_maker or fill.price == order.limit_price
    if order.reduce_only:
        assert abs(after) < abs(before)
        assert after * before >= 0
    if after:
        held[fill.symbol] = after
    else:
        held.pop(fill.symbol, None)
