"""The settings of an account and what stands in the way of changing them: leverage, position mode, margin mode, isolated margin.

Each change is in the ledger before it returns; a refused one changes nothing.
"""

from collections.abc import Iterator, Mapping
from decimal import ROUND_DOWN, Decimal

from .accounts import Changes, Desk
from .books import Books
from .brackets import check_bracket
from .margin import leverage_of, maintenance_of, unrealized
from .model import ZERO, Listing, MarginMode, Position, PositionKey, Reason, Refused
from .positions import CENT, to_cent
from .prices import Prices
from .rules import RULES, Scope


class Settings:
    def __init__(self, prices: Prices, books: Books) -> None:
        self._prices = prices
        self._books = books

    def set_leverages(self, desk: Desk, listing: Listing, wanted: Mapping[PositionKey, int]) -> None:
        """Of positions of one symbol, all of them or none."""
        for leverage in wanted.values():
            if not 1 <= leverage <= listing.max_leverage:
                raise Refused(Reason.LEVERAGE_TOO_HIGH, leverage=str(leverage), maximum=str(listing.max_leverage))
        held = [position for position in map(desk.account.positions.get, wanted) if position]
        for position in held:
            leverage = wanted[position.key]
            if leverage > leverage_of(desk, position.key):
                notional = abs(position.quantity) * self._prices.mark(listing.venue, listing.symbol)
                check_bracket(listing.brackets, notional, leverage)
        moves = dict(self._margin_moves(desk, listing, held, wanted))
        self._check_spare(desk, wanted, sum(moves.values(), ZERO))
        desk.account.leverage |= wanted
        changes = Changes()
        for key, amount in moves.items():
            self._books.move_margin(desk, changes, desk.account.positions[key], amount, time_ms=self._prices.moment(desk))
        self._books.keep(desk, changes)

    def set_position_mode(self, desk: Desk, hedge: bool, symbol: str | None) -> None:
        account = desk.account
        if RULES[account.venue].position_mode_scope is Scope.ACCOUNT:
            symbol = None
        elif symbol is None:
            busy = {order.symbol for order in desk.open.values()} | {key.symbol for key in account.positions}
            account.hedge_modes = {each: not hedge for each in sorted(busy) if account.is_hedged(each) is not hedge}
            account.hedge = hedge
            self._books.keep(desk, Changes())
            return
        if hedge is (account.hedge if symbol is None else account.is_hedged(symbol)):
            raise Refused(Reason.UNCHANGED)
        self._check_clear(desk, symbol)
        if symbol is None:
            account.hedge = hedge
        else:
            account.hedge_modes[symbol] = hedge
        self._books.keep(desk, Changes())

    def set_margin_mode(self, desk: Desk, symbol: str | None, mode: MarginMode) -> None:
        account, scope = desk.account, RULES[desk.account.venue].margin_mode_scope
        if scope is Scope.ORDER or (scope is Scope.SYMBOL and symbol is None):
            raise Refused(Reason.MARGIN_MODE)
        if scope is Scope.ACCOUNT:
            symbol = None
        if mode is (account.margin_mode if symbol is None else account.margin_mode_of(symbol)):
            raise Refused(Reason.UNCHANGED)
        self._check_clear(desk, symbol)
        if symbol is None:
            account.margin_mode = mode
        else:
            account.margin_modes[symbol] = mode
        self._books.keep(desk, Changes())

    def add_margin(self, desk: Desk, key: PositionKey, amount: Decimal) -> Position:
        position, amount = desk.account.positions.get(key), amount.quantize(CENT, ROUND_DOWN)
        if position is None:
            raise Refused(Reason.NO_POSITION)
        if key.margin_mode is not MarginMode.ISOLATED:
            raise Refused(Reason.NOT_ISOLATED)
        if not amount:
            raise Refused(Reason.BELOW_MINIMUM, minimum=format(CENT, "f"))
        if amount > 0 and amount > (available := self._prices.available(desk)):
            raise Refused(Reason.INSUFFICIENT_MARGIN, required=format(amount, "f"), available=format(available, "f"))
        if amount < 0 and -amount > (removable := self.removable_margin(desk, position)):
            raise Refused(Reason.BELOW_INITIAL_MARGIN, removable=format(removable, "f"))
        changes = Changes()
        self._books.move_margin(desk, changes, position, amount, time_ms=self._prices.moment(desk))
        self._books.keep(desk, changes)
        return position

    def removable_margin(self, desk: Desk, position: Position) -> Decimal:
        """What an isolated wallet holds beyond the initial margin at the mark, a loss counted as gone and a profit not counted."""
        mark = self._prices.mark(desk.account.venue, position.symbol)
        needed = abs(position.quantity) * mark / leverage_of(desk, position.key)
        left = position.margin + min(ZERO, unrealized(position, mark)) - needed
        return max(ZERO, left).quantize(CENT, ROUND_DOWN)

    def _margin_moves(
        self, desk: Desk, listing: Listing, held: list[Position], wanted: Mapping[PositionKey, int]
    ) -> Iterator[tuple[PositionKey, Decimal]]:
        """What goes into the wallets of isolated positions (out of them: negative) when they get another leverage."""
        mark = self._prices.mark(listing.venue, listing.symbol)
        for position in held:
            previous, leverage = leverage_of(desk, position.key), wanted[position.key]
            if position.margin_mode is MarginMode.CROSS or leverage == previous:
                continue
            if not RULES[listing.venue].isolated_margin_follows_leverage:
                if leverage < previous:
                    raise Refused(Reason.LEVERAGE_REDUCTION)
                continue
            margin = to_cent(abs(position.quantity) * position.entry_price / leverage)
            if margin < position.margin and margin + unrealized(position, mark) <= maintenance_of(position, listing, mark):
                raise Refused(Reason.WOULD_LIQUIDATE)
            yield position.key, margin - position.margin

    def _check_spare(self, desk: Desk, wanted: Mapping[PositionKey, int], moved: Decimal) -> None:
        """What is held and open must stay covered; a change that makes an uncovered account no worse is let through."""
        account, before = desk.account, self._prices.spare(desk)
        previous = account.leverage
        account.leverage = previous | dict(wanted)
        after = self._prices.spare(desk) - moved
        account.leverage = previous
        if after < 0 and after < before:
            raise Refused(Reason.INSUFFICIENT_MARGIN, required=format(before - after, "f"), available=format(max(ZERO, before), "f"))

    def _check_clear(self, desk: Desk, symbol: str | None) -> None:
        """Neither position nor open order, of the symbol or at all."""
        in_the_way = []
        if any(symbol in (None, key.symbol) for key in desk.account.positions):
            in_the_way.append(Reason.OPEN_POSITIONS)
        if any(symbol in (None, order.symbol) for order in desk.open.values()):
            in_the_way.append(Reason.OPEN_ORDERS)
        if not RULES[desk.account.venue].positions_stand_first:
            in_the_way.reverse()
        if in_the_way:
            raise Refused(in_the_way[0])
