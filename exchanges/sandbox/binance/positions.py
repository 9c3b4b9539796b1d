"""Positions on the wire: risk rows of both versions and the rows inside the account.

One-way mode and cross margin only: `positionSide` is BOTH, nothing is isolated.
"""

from dataclasses import dataclass
from decimal import Decimal

from exchanges.sandbox.binance.brackets import LARGEST_NOTIONAL
from exchanges.sandbox.binance.endpoint import VENUE, Call, Json, Private
from exchanges.sandbox.binance.numbers import at_least_one_decimal, average_places, fixed, money, money_or_zero, quantity
from exchanges.sandbox.model import ZERO, Account, AccountView, Listing, Order, Position, PositionView, Side

Row = dict[str, object]


@dataclass(frozen=True, slots=True)
class Holding:
    """One symbol of an account: its position if there is one, and what its open orders tie up."""

    listing: Listing
    mark: Decimal
    leverage: int
    view: PositionView | None
    bid_notional: Decimal
    ask_notional: Decimal
    order_margin: Decimal

    @property
    def position(self) -> Position | None:
        return self.view.position if self.view else None

    @property
    def amount(self) -> Decimal:
        return self.position.quantity if self.position else ZERO

    @property
    def notional(self) -> Decimal:
        return self.amount * self.mark

    @property
    def is_active(self) -> bool:
        return bool(self.amount or self.bid_notional or self.ask_notional)

    @property
    def unrealized_pnl(self) -> Decimal:
        return self.view.unrealized_pnl if self.view else ZERO

    @property
    def initial_margin(self) -> Decimal:
        return self.view.initial_margin if self.view else ZERO

    @property
    def maintenance_margin(self) -> Decimal:
        return self.view.maintenance_margin if self.view else ZERO

    @property
    def entry_price(self) -> Decimal:
        return self.position.entry_price if self.position and self.amount else ZERO

    @property
    def break_even_price(self) -> Decimal:
        """Where the position closed would leave nothing, counting what was realised and paid since it was opened."""
        if not self.position or not self.amount:
            return ZERO
        return max(ZERO, self.entry_price - self.position.realized_pnl / self.amount)

    @property
    def liquidation_price(self) -> Decimal:
        return (self.view.liquidation_price if self.view else None) or ZERO

    @property
    def updated_ms(self) -> int:
        return self.position.updated_ms if self.position else 0


def holdings(call: Call, account: Account, view: AccountView) -> list[Holding]:
    """Every symbol of the venue, in its order."""
    by_symbol = {each.position.symbol: each for each in view.positions}
    orders = call.engine.open_orders(account)
    return [_holding(call, account, listing, by_symbol.get(listing.symbol), orders) for listing in call.engine.listings(VENUE)]


def _holding(call: Call, account: Account, listing: Listing, view: PositionView | None, orders: list[Order]) -> Holding:
    leverage = call.engine.leverage(account, listing.symbol)
    ours = [order for order in orders if order.symbol == listing.symbol]
    held = view.position.quantity if view else ZERO
    adding = [order for order in ours if not order.reduce_only]
    return Holding(
        listing=listing,
        mark=view.mark if view else call.engine.mark(VENUE, listing.symbol),
        leverage=leverage,
        view=view,
        bid_notional=_notional(ours, Side.BUY),
        ask_notional=_notional(ours, Side.SELL),
        order_margin=max(_added_notional(adding, side, held) for side in Side) / leverage,
    )


def _notional(orders: list[Order], side: Side) -> Decimal:
    return sum((order.remaining * (order.limit_price or ZERO) for order in orders if order.side is side), ZERO)


def _added_notional(orders: list[Order], side: Side, held: Decimal) -> Decimal:
    """What the orders of one side would add to the position, at their average price; what only reduces it ties up nothing."""
    total = sum((order.remaining for order in orders if order.side is side), ZERO)
    added = abs(held + side.sign * total) - abs(held)
    return _notional(orders, side) * added / total if added > 0 else ZERO


def position_risk_v2(call: Call, account: Account) -> Json:
    """Every symbol, also those that are flat."""
    return [_risk_v2(holding) for holding in _asked(call, account)]


def position_risk_v3(call: Call, account: Account) -> Json:
    """Only symbols with a position or open orders."""
    return [_risk_v3(holding) for holding in _asked(call, account) if holding.is_active]


def _asked(call: Call, account: Account) -> list[Holding]:
    chosen = call.optional_listing()
    everything = holdings(call, account, call.engine.view(account))
    return [holding for holding in everything if chosen is None or holding.listing.symbol == chosen.symbol]


def _risk_v2(holding: Holding) -> Row:
    return {
        **_risk(holding),
        "leverage": str(holding.leverage),
        "maxNotionalValue": str(LARGEST_NOTIONAL),
        "marginType": "cross",
        "isolatedMargin": "0.00000000",
        "isAutoAddMargin": "false",
        "isolated": False,
        "adlQuantile": 0,
    }


def _risk_v3(holding: Holding) -> Row:
    return {
        **_risk(holding),
        "isolatedMargin": "0",
        "marginAsset": "USDT",
        "initialMargin": money_or_zero(holding.initial_margin + holding.order_margin),
        "maintMargin": money_or_zero(holding.maintenance_margin),
        "positionInitialMargin": money_or_zero(holding.initial_margin),
        "openOrderInitialMargin": money_or_zero(holding.order_margin),
        "adl": 0,
        "bidNotional": money_or_zero(holding.bid_notional),
        "askNotional": money_or_zero(holding.ask_notional),
    }


def _risk(holding: Holding) -> Row:
    return {
        "symbol": holding.listing.venue_symbol,
        "positionSide": "BOTH",
        "positionAmt": quantity(holding.amount, holding.listing),
        "entryPrice": _entry(holding.entry_price, holding.listing),
        "breakEvenPrice": _entry(holding.break_even_price, holding.listing),
        "markPrice": money(holding.mark),
        "unRealizedProfit": money(holding.unrealized_pnl),
        "liquidationPrice": money_or_zero(holding.liquidation_price),
        "notional": money_or_zero(holding.notional),
        "isolatedWallet": "0",
        "updateTime": holding.updated_ms,
    }


def _entry(value: Decimal, listing: Listing) -> str:
    """As many decimals as it has, at least one."""
    return at_least_one_decimal(Decimal(fixed(value, average_places(listing))))


def account_position_v2(holding: Holding) -> Row:
    return {
        "symbol": holding.listing.venue_symbol,
        "initialMargin": money_or_zero(holding.initial_margin + holding.order_margin),
        "maintMargin": money_or_zero(holding.maintenance_margin),
        "unrealizedProfit": money(holding.unrealized_pnl),
        "positionInitialMargin": money_or_zero(holding.initial_margin),
        "openOrderInitialMargin": money_or_zero(holding.order_margin),
        "leverage": str(holding.leverage),
        "isolated": False,
        "entryPrice": _entry(holding.entry_price, holding.listing),
        "breakEvenPrice": _entry(holding.break_even_price, holding.listing),
        "maxNotional": str(LARGEST_NOTIONAL),
        "bidNotional": money_or_zero(holding.bid_notional),
        "askNotional": money_or_zero(holding.ask_notional),
        "positionSide": "BOTH",
        "positionAmt": quantity(holding.amount, holding.listing),
        "notional": money_or_zero(holding.notional),
        "isolatedWallet": "0",
        "updateTime": holding.updated_ms,
    }


def account_position_v3(holding: Holding) -> Row:
    return {
        "symbol": holding.listing.venue_symbol,
        "positionSide": "BOTH",
        "positionAmt": quantity(holding.amount, holding.listing),
        "unrealizedProfit": money(holding.unrealized_pnl),
        "isolatedMargin": "0",
        "notional": money_or_zero(holding.notional),
        "isolatedWallet": "0",
        "initialMargin": money_or_zero(holding.initial_margin + holding.order_margin),
        "maintMargin": money_or_zero(holding.maintenance_margin),
        "updateTime": holding.updated_ms,
    }


def deleveraging_ranks(call: Call, account: Account) -> Json:
    """The places in the queue for automatic deleveraging: nothing is ever deleveraged here."""
    chosen = call.optional_listing()
    held = [view.position.symbol for view in call.engine.view(account).positions]
    listings = [listing for listing in call.engine.listings(VENUE) if listing.symbol in held and chosen in (None, listing)]
    return [{"symbol": listing.venue_symbol, "adlQuantile": {"LONG": 0, "SHORT": 0, "BOTH": 0}} for listing in listings]


ENDPOINTS = (
    Private("GET", "/fapi/v1/adlQuantile", deleveraging_ranks, weight=5),
    Private("GET", "/fapi/v2/positionRisk", position_risk_v2, weight=5),
    Private("GET", "/fapi/v3/positionRisk", position_risk_v3, weight=5),
)
