"""Books what happens to accounts: executions, moves of margin and every change of a wallet, each with its line of the statement; and keeps
them in the ledger. Knows no prices: whoever books says at which price and when."""

from collections.abc import Callable
from decimal import Decimal
from typing import NamedTuple

from .accounts import Changes, Desk
from .ledger import Ledger
from .margin import leverage_of
from .matching import Take
from .model import ZERO, Entry, EntryKind, Fill, Listing, Order, Position, PositionKey, Status
from .positions import execute

WHOLE_ACCOUNT = PositionKey("")  # what belongs to no position


class Occasion(NamedTuple):
    """What a line of the statement refers to."""

    time_ms: int
    key: PositionKey = WHOLE_ACCOUNT
    order_id: int = 0
    fill_id: int = 0

    @classmethod
    def of(cls, fill: Fill) -> "Occasion":
        return cls(fill.time_ms, fill.key, fill.order_id, fill.id)


class Books:
    def __init__(self, ledger: Ledger, now_ms: Callable[[], int]) -> None:
        self.ledger = ledger
        self._now_ms = now_ms
        self._last_id = ledger.last_id

    def next_id(self) -> int:
        """Grows with time, also over the loss of the ledger, and stays below 2**53."""
        self._last_id = max(self._last_id + 1, self._now_ms() * 1000)
        return self._last_id

    def keep(self, desk: Desk, changes: Changes) -> None:
        """Writes an account as it is now, with what changed. Raises OSError."""
        self.ledger.keep(desk, changes)

    def fill(self, desk: Desk, changes: Changes, listing: Listing, order: Order, take: Take, *, is_maker: bool, time_ms: int) -> Fill:
        """One execution of an order: in its position, in the order itself, in the wallet and the statement."""
        key = order.key
        effect = execute(
            desk.account,
            listing,
            key,
            side=order.side,
            quantity=take.quantity,
            price=take.price,
            fee_rate=listing.maker_fee if is_maker else listing.taker_fee,
            leverage=leverage_of(desk, key),
            time_ms=time_ms,
        )
        order.filled += take.quantity
        order.filled_value += take.quantity * take.price
        order.fees += effect.fee
        order.realized_pnl += effect.realized_pnl
        order.updated_ms = time_ms
        order.status = Status.PARTIALLY_FILLED if order.remaining else Status.FILLED
        fill = Fill(
            id=self.next_id(),
            order_id=order.id,
            client_id=order.client_id,
            account=order.account,
            venue=order.venue,
            symbol=order.symbol,
            side=order.side,
            quantity=take.quantity,
            price=take.price,
            fee=effect.fee,
            realized_pnl=effect.realized_pnl,
            is_maker=is_maker,
            time_ms=time_ms,
            leg=order.leg,
            margin_mode=order.margin_mode,
        )
        changes.fills.append(fill)
        occasion = Occasion.of(fill)
        if effect.closed:
            self.pay(desk, changes, EntryKind.REALIZED, effect.realized_pnl, occasion)
        self.pay(desk, changes, EntryKind.FEE, -effect.fee, occasion)
        for moved in (-effect.freed, effect.bound):
            if moved:
                self._enter_move(desk, changes, moved, occasion)
        return fill

    def pay(self, desk: Desk, changes: Changes, kind: EntryKind, amount: Decimal, occasion: Occasion) -> None:
        """Changes the account's wallet, its total of that kind and its statement. The wallet of an isolated position that pays or is paid
        is its caller's to change."""
        account = desk.account
        account.wallet += amount
        account.totals[kind] = account.totals.get(kind, ZERO) + amount
        changes.entries.append(self._entry(desk, kind, amount, ZERO, occasion))

    def make_good(self, desk: Desk, changes: Changes, fill: Fill) -> None:
        """What the venue's insurance puts in where a fill has left nothing that is held and a wallet below zero."""
        account = desk.account
        if not account.positions and account.wallet < 0:
            self.pay(desk, changes, EntryKind.INSURANCE, -account.wallet, Occasion.of(fill))

    def move_margin(self, desk: Desk, changes: Changes, position: Position, amount: Decimal, *, time_ms: int) -> None:
        """Into an isolated position's wallet out of the account's other cash, or back (negative), because the user wants it so."""
        position.margin += amount
        position.updated_ms = time_ms
        self._enter_move(desk, changes, amount, Occasion(time_ms, position.key))

    def _enter_move(self, desk: Desk, changes: Changes, moved: Decimal, occasion: Occasion) -> None:
        kind = EntryKind.MARGIN_IN if moved > 0 else EntryKind.MARGIN_OUT
        changes.entries.append(self._entry(desk, kind, ZERO, moved, occasion))

    def _entry(self, desk: Desk, kind: EntryKind, amount: Decimal, moved: Decimal, occasion: Occasion) -> Entry:
        key = occasion.key
        return Entry(
            id=self.next_id(),
            kind=kind,
            symbol=key.symbol,
            leg=key.leg,
            margin_mode=key.margin_mode,
            amount=amount,
            moved=moved,
            balance=desk.account.wallet,
            order_id=occasion.order_id,
            fill_id=occasion.fill_id,
            time_ms=occasion.time_ms,
        )
