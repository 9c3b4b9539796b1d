"""Positions on the wire: risk rows of both versions, the rows inside the account, and places in the queue for deleveraging.

Sources ("Position Information V2" and "V3", "Account Information V2" and "V3", read November 2026): version 2 lists every symbol, version
3 those with a position or open orders; BOTH in one-way mode, LONG and SHORT in hedge mode. `isolatedMargin` is `isolatedWallet` with the
unrealised profit. Entry and break-even prices have as many decimals as they need, money has eight.
"""

from decimal import Decimal

from exchanges.sandbox.binance.brackets import most_notional
from exchanges.sandbox.binance.endpoint import VENUE, Call, Json, Private
from exchanges.sandbox.binance.holdings import Holding, holdings
from exchanges.sandbox.binance.legs import position_side
from exchanges.sandbox.binance.numbers import at_least_one_decimal, average_places, fixed, money, money_or_zero, quantity
from exchanges.sandbox.model import Account, Listing, MarginMode, Side

Row = dict[str, object]
_ENTRY_PLACES = 6  # beyond those of the tick
_NO_QUEUE = 0  # nothing is ever deleveraged here


def position_risk_v2(call: Call, account: Account) -> Json:
    """Every leg, also those that are flat."""
    return [_risk_v2(holding) for holding in _asked(call, account, flat_too=True)]


def position_risk_v3(call: Call, account: Account) -> Json:
    """Only legs with a position or open orders."""
    return [_risk_v3(holding) for holding in _asked(call, account, flat_too=False)]


def _asked(call: Call, account: Account, *, flat_too: bool) -> list[Holding]:
    listings = call.chosen_listings()
    return holdings(call, account, call.engine.view(account), listings, flat_too=flat_too)


def _risk_v2(holding: Holding) -> Row:
    return {
        **_risk(holding),
        "leverage": str(holding.leverage),
        "maxNotionalValue": most_notional(holding.listing, holding.leverage),
        "marginType": "isolated" if holding.is_isolated else "cross",
        "isolatedMargin": money(holding.isolated_margin),
        "isAutoAddMargin": "false",
        "isolated": holding.is_isolated,
        "adlQuantile": _NO_QUEUE,
    }


def _risk_v3(holding: Holding) -> Row:
    return {
        **_risk(holding),
        "isolatedMargin": money_or_zero(holding.isolated_margin),
        "marginAsset": "USDT",
        "initialMargin": money_or_zero(holding.initial_margin + holding.order_margin),
        "maintMargin": money_or_zero(holding.maintenance_margin),
        "positionInitialMargin": money_or_zero(holding.initial_margin),
        "openOrderInitialMargin": money_or_zero(holding.order_margin),
        "adl": _NO_QUEUE,
        "bidNotional": money_or_zero(holding.orders_notional(Side.BUY)),
        "askNotional": money_or_zero(holding.orders_notional(Side.SELL)),
    }


def _risk(holding: Holding) -> Row:
    return {
        "symbol": holding.listing.venue_symbol,
        "positionSide": position_side(holding.leg),
        "positionAmt": quantity(holding.amount, holding.listing),
        "entryPrice": _entry(holding.entry_price, holding.listing),
        "breakEvenPrice": _entry(holding.break_even_price, holding.listing),
        "markPrice": money(holding.mark),
        "unRealizedProfit": money(holding.unrealized_pnl),
        "liquidationPrice": money_or_zero(holding.liquidation_price),
        "notional": money_or_zero(holding.notional),
        "isolatedWallet": money_or_zero(holding.isolated_wallet),
        "updateTime": holding.updated_ms,
    }


def _entry(value: Decimal, listing: Listing) -> str:
    """As many decimals as it has, at least one."""
    return at_least_one_decimal(Decimal(fixed(value, average_places(listing) + _ENTRY_PLACES)))


def account_position_v2(holding: Holding) -> Row:
    return {
        "symbol": holding.listing.venue_symbol,
        "initialMargin": money_or_zero(holding.initial_margin + holding.order_margin),
        "maintMargin": money_or_zero(holding.maintenance_margin),
        "unrealizedProfit": money(holding.unrealized_pnl),
        "positionInitialMargin": money_or_zero(holding.initial_margin),
        "openOrderInitialMargin": money_or_zero(holding.order_margin),
        "leverage": str(holding.leverage),
        "isolated": holding.is_isolated,
        "entryPrice": _entry(holding.entry_price, holding.listing),
        "breakEvenPrice": _entry(holding.break_even_price, holding.listing),
        "maxNotional": most_notional(holding.listing, holding.leverage),
        "bidNotional": money_or_zero(holding.orders_notional(Side.BUY)),
        "askNotional": money_or_zero(holding.orders_notional(Side.SELL)),
        "positionSide": position_side(holding.leg),
        "positionAmt": quantity(holding.amount, holding.listing),
        "notional": money_or_zero(holding.notional),
        "isolatedWallet": money_or_zero(holding.isolated_wallet),
        "updateTime": holding.updated_ms,
    }


def account_position_v3(holding: Holding) -> Row:
    return {
        "symbol": holding.listing.venue_symbol,
        "positionSide": position_side(holding.leg),
        "positionAmt": quantity(holding.amount, holding.listing),
        "unrealizedProfit": money(holding.unrealized_pnl),
        "isolatedMargin": money_or_zero(holding.isolated_margin),
        "notional": money_or_zero(holding.notional),
        "isolatedWallet": money_or_zero(holding.isolated_wallet),
        "initialMargin": money_or_zero(holding.initial_margin + holding.order_margin),
        "maintMargin": money_or_zero(holding.maintenance_margin),
        "updateTime": holding.updated_ms,
    }


def deleveraging_ranks(call: Call, account: Account) -> Json:
    """Of the symbols that are held. HEDGE instead of BOTH is this venue's sign that both legs are cross-margined together."""
    chosen = call.optional_listing()
    held = {key.symbol for key in account.positions}
    listings = [listing for listing in call.engine.listings(VENUE) if listing.symbol in held and chosen in (None, listing)]
    return [{"symbol": listing.venue_symbol, "adlQuantile": _ranks(call, account, listing)} for listing in listings]


def _ranks(call: Call, account: Account, listing: Listing) -> Row:
    is_shared = account.hedge and call.engine.margin_mode(account, listing.symbol) is MarginMode.CROSS
    return dict.fromkeys(("LONG", "SHORT", "HEDGE" if is_shared else "BOTH"), _NO_QUEUE)


ENDPOINTS = (
    Private("GET", "/fapi/v1/adlQuantile", deleveraging_ranks, weight=5),
    Private("GET", "/fapi/v2/positionRisk", position_risk_v2, weight=5),
    Private("GET", "/fapi/v3/positionRisk", position_risk_v3, weight=5),
)
