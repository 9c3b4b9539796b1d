"""An engine on a clock of its own, short ways to order, and what must hold of its books after anything."""

from collections import defaultdict
from collections.abc import Set
from decimal import ROUND_HALF_EVEN, Decimal
from itertools import pairwise
from typing import Any

import pytest

from exchanges.sandbox.engine import Engine
from exchanges.sandbox.ledger import Ledger
from exchanges.sandbox.market import Market
from exchanges.sandbox.model import (
    ZERO,
    Account,
    EntryKind,
    Fill,
    Kind,
    Lifetime,
    Listing,
    MarginMode,
    Order,
    PositionKey,
    Reason,
    Refused,
    Side,
    Status,
)
from exchanges.sandbox.opening import OPENING_WALLET
from exchanges.sandbox.positions import CENT

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
    others = (EntryKind.FUNDING, EntryKind.LIQUIDATION_FEE, EntryKind.INSURANCE)
    brought = sum((account.totals.get(kind, ZERO) for kind in others), ZERO)
    assert account.wallet == OPENING_WALLET + sum(fill.realized_pnl - fill.fee for fill in fills) + brought
    assert view.equity == view.wallet + view.unrealized_pnl
    assert view.equity == view.cross_equity + view.isolated_margin + view.isolated_unrealized_pnl
    assert view.available >= 0 <= view.order_margin
    assert account.positions or account.wallet >= 0
    check_statement(engine, account)
    held: dict[PositionKey, Decimal] = {}
    orders = {order.id: order for order in engine.order_history(account)}
    for fill in fills:
        check_fill(engine.listing(account.venue, fill.symbol), fill, orders[fill.order_id], held, is_amended=fill.order_id in amended)
    assert held == {key: position.quantity for key, position in account.positions.items()}
    for order in orders.values():
        mine = [fill for fill in fills if fill.order_id == order.id]
        assert order.filled == sum(fill.quantity for fill in mine) <= order.quantity
        assert order.filled_value == sum(fill.quantity * fill.price for fill in mine)
        assert order.fees == sum(fill.fee for fill in mine)
        assert order.realized_pnl == sum(fill.realized_pnl for fill in mine)
        assert (order.status is Status.FILLED) == (order.remaining == 0)
        assert order.quantity % engine.listing(account.venue, order.symbol).lot == 0
        if order.status.is_open and order.closes:
            assert held.get(order.key, ZERO) * order.side.sign < 0
    assert [order for order in orders.values() if order.status.is_open][::-1] == engine.open_orders(account)


def check_statement(engine: Engine, account: Account) -> None:
    """Of an account whose statement has not been shortened yet."""
    entries, balance, moved = engine.statement(account)[::-1], ZERO, defaultdict[PositionKey, Decimal](Decimal)
    totals = defaultdict[EntryKind, Decimal](Decimal)
    assert all(earlier.time_ms <= later.time_ms for earlier, later in pairwise(entries))
    for entry in entries:
        balance += entry.amount
        assert entry.balance == balance
        key = PositionKey(entry.symbol, entry.leg, entry.margin_mode)
        moved[key] += entry.moved
        if entry.kind is EntryKind.FUNDING and key.margin_mode is MarginMode.ISOLATED:
            moved[key] += entry.amount
        if entry.kind in (EntryKind.MARGIN_IN, EntryKind.MARGIN_OUT):
            assert entry.amount == 0 != entry.moved
        else:
            totals[entry.kind] += entry.amount
    assert account.wallet == balance == sum(account.totals.values())
    assert account.totals == totals
    held = {key: position.margin for key, position in account.positions.items() if position.margin}
    assert held == {key: amount for key, amount in moved.items() if amount}


def check_fill(listing: Listing, fill: Fill, order: Order, held: dict[PositionKey, Decimal], *, is_amended: bool) -> None:
    before = held.get(fill.key, ZERO)
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
    if order.closes:
        assert abs(after) < abs(before)
        assert after * before >= 0
    if after:
        held[fill.key] = after
    else:
        held.pop(fill.key, None)
