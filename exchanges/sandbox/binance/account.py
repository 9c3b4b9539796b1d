"""Money of an account as this venue reports it: balances, account, configuration and fees. USDT is the only asset."""

from decimal import Decimal

from exchanges.sandbox.binance.brackets import most_notional
from exchanges.sandbox.binance.endpoint import VENUE, Call, Json, Private
from exchanges.sandbox.binance.holdings import holdings
from exchanges.sandbox.binance.instruments import order_rate_limits
from exchanges.sandbox.binance.legs import legs_of
from exchanges.sandbox.binance.numbers import money, plain
from exchanges.sandbox.binance.positions import account_position_v2, account_position_v3
from exchanges.sandbox.keys import number_of
from exchanges.sandbox.model import ZERO, Account, Listing, MarginMode
from exchanges.sandbox.views import AccountView

Row = dict[str, object]
_PERMISSIONS: Row = {"feeTier": 0, "canTrade": True, "canDeposit": True, "canWithdraw": True}


def balance(call: Call, account: Account) -> Json:
    view = call.engine.view(account)
    return [
        {
            "accountAlias": f"{number_of(account.name):012x}",
            "asset": "USDT",
            "balance": money(view.wallet),
            "crossWalletBalance": money(view.cross_wallet),
            "crossUnPnl": money(view.cross_unrealized_pnl),
            "availableBalance": money(view.available),
            "maxWithdrawAmount": money(_withdrawable(view)),
            "marginAvailable": True,
            "updateTime": _updated_ms(account),
        }
    ]


def account_v2(call: Call, account: Account) -> Json:
    view = call.engine.view(account)
    every = holdings(call, account, view, call.engine.listings(VENUE), flat_too=True)
    return {
        **_PERMISSIONS,
        "updateTime": 0,
        "multiAssetsMargin": False,
        "tradeGroupId": -1,
        **_totals(view),
        "assets": [{**_asset(account, view), "marginAvailable": True}],
        "positions": [account_position_v2(holding) for holding in every],
    }


def account_v3(call: Call, account: Account) -> Json:
    view = call.engine.view(account)
    active = holdings(call, account, view, call.engine.listings(VENUE), flat_too=False)
    return {**_totals(view), "assets": [_asset(account, view)], "positions": [account_position_v3(holding) for holding in active]}


def _totals(view: AccountView) -> Row:
    return {
        "totalInitialMargin": money(view.position_margin + view.order_margin),
        "totalMaintMargin": money(view.maintenance_margin),
        "totalWalletBalance": money(view.wallet),
        "totalUnrealizedProfit": money(view.unrealized_pnl),
        "totalMarginBalance": money(view.equity),
        "totalPositionInitialMargin": money(view.position_margin),
        "totalOpenOrderInitialMargin": money(view.order_margin),
        "totalCrossWalletBalance": money(view.cross_wallet),
        "totalCrossUnPnl": money(view.cross_unrealized_pnl),
        "availableBalance": money(view.available),
        "maxWithdrawAmount": money(_withdrawable(view)),
    }


def _asset(account: Account, view: AccountView) -> Row:
    return {
        "asset": "USDT",
        "walletBalance": money(view.wallet),
        "unrealizedProfit": money(view.unrealized_pnl),
        "marginBalance": money(view.equity),
        "maintMargin": money(view.maintenance_margin),
        "initialMargin": money(view.position_margin + view.order_margin),
        "positionInitialMargin": money(view.position_margin),
        "openOrderInitialMargin": money(view.order_margin),
        "crossWalletBalance": money(view.cross_wallet),
        "crossUnPnl": money(view.cross_unrealized_pnl),
        "availableBalance": money(view.available),
        "maxWithdrawAmount": money(_withdrawable(view)),
        "updateTime": _updated_ms(account),
    }


def _withdrawable(view: AccountView) -> Decimal:
    """Profit that is not realised yet backs positions but cannot be withdrawn."""
    return max(ZERO, min(view.available, view.available - view.cross_unrealized_pnl))


def _updated_ms(account: Account) -> int:
    return max((position.updated_ms for position in account.positions.values()), default=account.opened_ms)


def account_config(_: Call, account: Account) -> Json:
    return {**_PERMISSIONS, "dualSidePosition": account.hedge, "updateTime": 0, "multiAssetsMargin": False, "tradeGroupId": -1}


def symbol_config(call: Call, account: Account) -> Json:
    return [_symbol_config(call, account, listing) for listing in call.chosen_listings()]


def _symbol_config(call: Call, account: Account, listing: Listing) -> Row:
    mode = call.engine.margin_mode(account, listing.symbol)
    leverage = call.engine.leverage(account, listing.symbol, mode, legs_of(account)[0])
    return {
        "symbol": listing.venue_symbol,
        "marginType": "ISOLATED" if mode is MarginMode.ISOLATED else "CROSSED",
        "isAutoAddMargin": False,
        "leverage": leverage,
        "maxNotionalValue": most_notional(listing, leverage),
    }


def commission_rate(call: Call, _: Account) -> Json:
    listing = call.listing()
    return {
        "symbol": listing.venue_symbol,
        "makerCommissionRate": plain(listing.maker_fee),
        "takerCommissionRate": plain(listing.taker_fee),
    }


def rate_limits(_: Call, __: Account) -> Json:
    return list(order_rate_limits())


def trading_status(call: Call, _: Account) -> Json:
    return {"indicators": {}, "updateTime": call.wall_ms}


ENDPOINTS = (
    Private("GET", "/fapi/v2/balance", balance, weight=5),
    Private("GET", "/fapi/v3/balance", balance, weight=5),
    Private("GET", "/fapi/v2/account", account_v2, weight=5),
    Private("GET", "/fapi/v3/account", account_v3, weight=5),
    Private("GET", "/fapi/v1/accountConfig", account_config, weight=5),
    Private("GET", "/fapi/v1/symbolConfig", symbol_config, weight=5),
    Private("GET", "/fapi/v1/commissionRate", commission_rate, weight=20),
    Private("GET", "/fapi/v1/rateLimit/order", rate_limits),
    Private("GET", "/fapi/v1/apiTradingStatus", trading_status),
)
