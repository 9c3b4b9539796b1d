"""What this venue lists: exchange information, and the few answers of its other hosts that client libraries ask for at start.

Only limit and market orders exist here, so only they are published.
"""

from exchanges.sandbox.binance.endpoint import VENUE, Call, Json, Public
from exchanges.sandbox.binance.numbers import fixed, plain, price_places, quantity_places
from exchanges.sandbox.binance.usage import ORDERS_PER_10_SECONDS, ORDERS_PER_MINUTE, WEIGHT_PER_MINUTE
from exchanges.sandbox.model import Listing

TIMES_IN_FORCE = ("GTC", "IOC", "FOK", "GTX")
ORDER_TYPES = ("LIMIT", "MARKET")
MOST_OPEN_ORDERS = 200
_MOST_ALGO_ORDERS = 10
_NEVER_DELIVERED_MS = 4_133_404_800_000
_SUBTYPES = {"BTC": "PoW", "LTC": "PoW", "XRP": "Payment", "LINK": "Oracle", "DOGE": "Meme", "1000PEPE": "Meme"}


def ping(_: Call) -> Json:
    return {}


def server_time(call: Call) -> Json:
    return {"serverTime": call.wall_ms}


def exchange_info(call: Call) -> Json:
    return {
        "timezone": "UTC",
        "serverTime": call.wall_ms,
        "futuresType": "U_MARGINED",
        "rateLimits": [_rate_limit("REQUEST_WEIGHT", "MINUTE", 1, WEIGHT_PER_MINUTE), *order_rate_limits()],
        "exchangeFilters": [],
        "assets": [{"asset": "USDT", "marginAvailable": True, "autoAssetExchange": "-10000"}],
        "symbols": [_symbol(listing) for listing in call.engine.listings(VENUE)],
    }


def other_market_info(call: Call) -> Json:
    """Exchange information of the spot and coin-margined hosts, where nothing is listed."""
    return {"timezone": "UTC", "serverTime": call.wall_ms, "rateLimits": [], "exchangeFilters": [], "symbols": []}


def order_rate_limits() -> list[dict[str, object]]:
    return [_rate_limit("ORDERS", "MINUTE", 1, ORDERS_PER_MINUTE), _rate_limit("ORDERS", "SECOND", 10, ORDERS_PER_10_SECONDS)]


def _rate_limit(kind: str, interval: str, count: int, limit: int) -> dict[str, object]:
    return {"rateLimitType": kind, "interval": interval, "intervalNum": count, "limit": limit}


def _symbol(listing: Listing) -> dict[str, object]:
    return {
        "symbol": listing.venue_symbol,
        "pair": listing.venue_symbol,
        "contractType": "PERPETUAL",
        "deliveryDate": _NEVER_DELIVERED_MS,
        "onboardDate": listing.listed_at_ms,
        "status": "TRADING",
        "maintMarginPercent": "2.5000",
        "requiredMarginPercent": "5.0000",
        "baseAsset": listing.base,
        "quoteAsset": "USDT",
        "marginAsset": "USDT",
        "pricePrecision": price_places(listing),
        "quantityPrecision": quantity_places(listing),
        "baseAssetPrecision": 8,
        "quotePrecision": 8,
        "underlyingType": "COIN",
        "underlyingSubType": [_SUBTYPES.get(listing.base, "Layer-1")],
        "settlePlan": 0,
        "triggerProtect": fixed(listing.price_band, 4),
        "liquidationFee": fixed(listing.liquidation_fee, 6),
        "marketTakeBound": fixed(listing.price_band, 2),
        "maxMoveOrderLimit": 10000,
        "filters": _filters(listing),
        "orderTypes": list(ORDER_TYPES),
        "timeInForce": list(TIMES_IN_FORCE),
    }


def _filters(listing: Listing) -> list[dict[str, object]]:
    lot = {"minQty": plain(listing.min_quantity), "stepSize": plain(listing.lot)}
    return [
        {
            "filterType": "PRICE_FILTER",
            "minPrice": f"{listing.min_price:f}",
            "maxPrice": plain(listing.max_price),
            "tickSize": f"{listing.tick:f}",
        },
        {"filterType": "LOT_SIZE", **lot, "maxQty": plain(listing.max_quantity)},
        {"filterType": "MARKET_LOT_SIZE", **lot, "maxQty": plain(listing.max_market_quantity)},
        {"filterType": "MAX_NUM_ORDERS", "limit": MOST_OPEN_ORDERS},
        {"filterType": "MAX_NUM_ALGO_ORDERS", "limit": _MOST_ALGO_ORDERS},
        {"filterType": "MIN_NOTIONAL", "notional": plain(listing.min_notional)},
        {
            "filterType": "PERCENT_PRICE",
            "multiplierUp": fixed(1 + listing.price_band, 4),
            "multiplierDown": fixed(1 - listing.price_band, 4),
            "multiplierDecimal": "4",
        },
    ]


ENDPOINTS = (
    Public("GET", "/fapi/v1/ping", ping),
    Public("GET", "/fapi/v1/time", server_time),
    Public("GET", "/fapi/v1/exchangeInfo", exchange_info),
    Public("GET", "/api/v3/ping", ping),
    Public("GET", "/api/v3/time", server_time),
    Public("GET", "/api/v3/exchangeInfo", other_market_info, weight=20),
    Public("GET", "/dapi/v1/exchangeInfo", other_market_info),
)
