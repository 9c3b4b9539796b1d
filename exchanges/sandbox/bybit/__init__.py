"""The Bybit V5 dialect: the REST surface of a unified account trading linear USDT perpetuals, over the shared engine.

Paths, fields, codes and words are of the V5 documentation (read July 2026) and of recorded answers; what they mean is the engine's.
"""

from collections.abc import Callable

from aiohttp import web

from exchanges.sandbox.bybit import account, assets, market, orders, permissions, position, settings, statement, trade
from exchanges.sandbox.bybit.serving import Gateway, Route
from exchanges.sandbox.engine import Engine

_PUBLIC = (
    Route("GET", "/v5/system/status", market.system_status),
    Route("GET", "/v5/market/time", market.time),
    Route("GET", "/v5/market/instruments-info", market.instruments),
    Route("GET", "/v5/market/tickers", market.tickers),
    Route("GET", "/v5/market/orderbook", market.orderbook),
    Route("GET", "/v5/market/kline", market.kline),
    Route("GET", "/v5/market/mark-price-kline", market.priced_kline),
    Route("GET", "/v5/market/index-price-kline", market.priced_kline),
    Route("GET", "/v5/market/funding/history", market.funding_history),
    Route("GET", "/v5/market/recent-trade", market.recent_trades),
    Route("GET", "/v5/market/risk-limit", market.risk_limit),
    Route("GET", "/v5/market/open-interest", market.open_interest),
    Route("GET", "/v5/market/price-limit", market.price_limit),
)
_PRIVATE = (
    Route("GET", "/v5/account/info", account.info, 50),
    Route("GET", "/v5/account/wallet-balance", account.wallet_balance, 50),
    Route("GET", "/v5/account/fee-rate", account.fee_rate, 5),
    Route("GET", "/v5/account/transaction-log", statement.transaction_log, 25),
    Route("POST", "/v5/account/set-margin-mode", settings.set_margin_mode, 5),
    Route("GET", "/v5/user/query-api", permissions.query_api, 10),
    Route("GET", "/v5/asset/coin/query-info", account.coin_info, 5),
    Route("GET", "/v5/asset/transfer/query-account-coins-balance", assets.coins_balance, 5),
    Route("GET", "/v5/asset/transfer/query-account-coin-balance", assets.coin_balance, 5),
    Route("GET", "/v5/position/list", position.positions, 50),
    Route("GET", "/v5/position/closed-pnl", position.closed_pnl, 50),
    Route("POST", "/v5/position/set-leverage", settings.set_leverage, 10),
    Route("POST", "/v5/position/switch-mode", settings.switch_mode, 10),
    Route("POST", "/v5/position/switch-isolated", settings.switch_isolated, 10),
    Route("POST", "/v5/position/add-margin", settings.add_margin, 10),
    Route("POST", "/v5/position/set-auto-add-margin", settings.set_auto_add_margin, 10),
    Route("POST", "/v5/position/trading-stop", position.trading_stop, 10),
    Route("POST", "/v5/order/create", trade.create, 10),
    Route("POST", "/v5/order/cancel", trade.cancel, 10),
    Route("POST", "/v5/order/amend", trade.amend, 10),
    Route("POST", "/v5/order/cancel-all", trade.cancel_all, 10),
    Route("POST", "/v5/order/create-batch", trade.create_batch, 10),
    Route("POST", "/v5/order/cancel-batch", trade.cancel_batch, 10),
    Route("POST", "/v5/order/amend-batch", trade.amend_batch, 10),
    Route("GET", "/v5/order/realtime", orders.realtime, 50),
    Route("GET", "/v5/order/history", orders.order_history, 50),
    Route("GET", "/v5/execution/list", orders.executions, 50),
)


def routes(engine: Engine, wall_clock_ms: Callable[[], int]) -> list[web.RouteDef]:
    """Every path of the venue, without the prefix it is mounted under; the last one answers for paths that do not exist."""
    gateway = Gateway(engine, wall_clock_ms)
    return [*(gateway.definition(route) for route in _PUBLIC + _PRIVATE), gateway.not_found()]
