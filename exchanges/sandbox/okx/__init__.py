"""The OKX V5 dialect: the REST API of www.okx.com over the engine, as the venue's own SDK and other client libraries speak it."""

from collections.abc import Callable

from aiohttp import web

from exchanges.sandbox.engine import Engine
from exchanges.sandbox.okx import account, amending, bills, closed, history, instruments, leverage, market, modes, positions, sizes, trade
from exchanges.sandbox.okx.endpoint import Endpoints, PrivateHandler, PublicHandler, unrouted


def routes(engine: Engine, wall_clock_ms: Callable[[], int]) -> list[web.RouteDef]:
    """Every route, on paths without the mount's prefix. `wall_clock_ms` is what signatures are checked against."""
    endpoints = Endpoints(engine, wall_clock_ms)
    served = [*_public(endpoints), *_account(endpoints), *_trade(endpoints), *_algo(endpoints)]
    return [*served, unrouted(frozenset(route.path for route in served))]


def _public(endpoints: Endpoints) -> list[web.RouteDef]:
    recent = market.candles(maximum=300, recent_only=True)
    history_candles = market.candles(maximum=300, recent_only=False)
    recent_prices = market.candles(maximum=100, recent_only=True, prices_only=True)
    history_prices = market.candles(maximum=100, recent_only=False, prices_only=True)
    handlers: dict[str, PublicHandler] = {
        "public/time": market.time,
        "public/instruments": instruments.instruments,
        "public/underlying": instruments.underlyings,
        "public/position-tiers": instruments.position_tiers,
        "public/mark-price": market.mark_prices,
        "public/price-limit": market.price_limit,
        "public/open-interest": market.open_interest,
        "public/funding-rate": market.funding_rate,
        "public/funding-rate-history": market.funding_rate_history,
        "market/tickers": market.tickers,
        "market/ticker": market.ticker,
        "market/index-tickers": market.index_tickers,
        "market/books": market.books,
        "market/books-full": market.full_books,
        "market/trades": market.trades,
        "market/history-trades": market.trades_history,
        "market/candles": recent,
        "market/history-candles": history_candles,
        "market/mark-price-candles": recent_prices,
        "market/history-mark-price-candles": history_prices,
        "market/index-candles": recent_prices,
        "market/history-index-candles": history_prices,
        "system/status": market.system_status,
    }
    return [endpoints.public(f"/api/v5/{path}", handler) for path, handler in handlers.items()]


def _account(endpoints: Endpoints) -> list[web.RouteDef]:
    readers: dict[str, PrivateHandler] = {
        "account/config": account.config,
        "account/balance": account.balance,
        "account/positions": positions.positions,
        "account/account-position-risk": positions.position_risk,
        "account/leverage-info": leverage.leverage_info,
        "account/trade-fee": account.trade_fee,
        "account/max-size": sizes.max_size,
        "account/max-avail-size": sizes.max_available_size,
        "account/max-withdrawal": sizes.max_withdrawal,
        "account/positions-history": closed.positions_history,
        "account/instruments": instruments.instruments,
        "account/bills": bills.bills(bills.RECENT_KEPT_MS),
        "account/bills-archive": bills.bills(bills.ARCHIVE_KEPT_MS),
        "asset/balances": account.funding_balances,
        "asset/currencies": instruments.currencies,
    }
    return [
        *(endpoints.read(f"/api/v5/{path}", handler) for path, handler in readers.items()),
        endpoints.write("/api/v5/account/set-leverage", leverage.set_leverage),
        endpoints.write("/api/v5/account/set-position-mode", modes.set_position_mode),
        endpoints.write("/api/v5/account/position/margin-balance", leverage.change_margin),
    ]


def _trade(endpoints: Endpoints) -> list[web.RouteDef]:
    readers: dict[str, PrivateHandler] = {
        "trade/order": history.order,
        "trade/orders-pending": history.orders_pending,
        "trade/orders-history": history.orders_history(history.ORDERS_KEPT_MS),
        "trade/orders-history-archive": history.orders_history(history.ARCHIVE_KEPT_MS),
        "trade/fills": history.fills(history.FILLS_KEPT_MS),
        "trade/fills-history": history.fills(history.ARCHIVE_KEPT_MS),
    }
    return [
        *(endpoints.read(f"/api/v5/{path}", handler) for path, handler in readers.items()),
        endpoints.trade("/api/v5/trade/order", trade.place),
        endpoints.trade("/api/v5/trade/batch-orders", trade.place_batch, batch=True),
        endpoints.trade("/api/v5/trade/cancel-order", trade.cancel),
        endpoints.trade("/api/v5/trade/cancel-batch-orders", trade.cancel_batch, batch=True),
        endpoints.trade("/api/v5/trade/amend-order", amending.amend),
        endpoints.trade("/api/v5/trade/amend-batch-orders", amending.amend_batch, batch=True),
        endpoints.write("/api/v5/trade/close-position", trade.close_position),
    ]


def _algo(endpoints: Endpoints) -> list[web.RouteDef]:
    return [
        endpoints.trade("/api/v5/trade/order-algo", trade.place_algo),
        endpoints.trade("/api/v5/trade/cancel-algos", trade.cancel_algos, batch=True),
        endpoints.read("/api/v5/trade/order-algo", history.no_such_algo_order),
        endpoints.read("/api/v5/trade/orders-algo-pending", history.no_algo_orders),
        endpoints.read("/api/v5/trade/orders-algo-history", history.algo_history),
    ]
