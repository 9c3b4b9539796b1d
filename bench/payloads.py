"""What the benchmark's venues answer: the venues' own shapes, prepared once as bytes. Orders echo the ids that were sent."""

from typing import Any

import orjson

SYMBOLS = [f"COIN{number}" for number in range(100)]
ASSETS = ["USDT", *(f"ASSET{number}" for number in range(19))]


def _binance_instrument(base: str) -> dict[str, Any]:
    return {
        "symbol": f"{base}USDT",
        "pair": f"{base}USDT",
        "contractType": "PERPETUAL",
        "status": "TRADING",
        "baseAsset": base,
        "quoteAsset": "USDT",
        "marginAsset": "USDT",
        "underlyingType": "COIN",
        "filters": [
            {"filterType": "PRICE_FILTER", "minPrice": "0.1", "maxPrice": "1000000", "tickSize": "0.1"},
            {"filterType": "LOT_SIZE", "minQty": "0.001", "maxQty": "1000", "stepSize": "0.001"},
            {"filterType": "MARKET_LOT_SIZE", "minQty": "0.001", "maxQty": "100", "stepSize": "0.001"},
            {"filterType": "MIN_NOTIONAL", "notional": "5"},
        ],
    }


def _binance_position(base: str) -> dict[str, Any]:
    return {
        "symbol": f"{base}USDT",
        "positionSide": "BOTH",
        "positionAmt": "-0.250",
        "entryPrice": "64231.5",
        "breakEvenPrice": "64199.38",
        "markPrice": "64410.70000000",
        "unRealizedProfit": "-44.80000000",
        "liquidationPrice": "98123.45",
        "isolatedMargin": "0",
        "notional": "-16102.67500000",
        "marginAsset": "USDT",
        "isolatedWallet": "0",
        "initialMargin": "1610.26750000",
        "maintMargin": "64.41070000",
        "positionInitialMargin": "1610.26750000",
        "openOrderInitialMargin": "0",
        "adl": 2,
        "bidNotional": "0",
        "askNotional": "0",
        "updateTime": 1795486714852,
    }


def _binance_account() -> dict[str, Any]:
    totals = ("totalInitialMargin", "totalMaintMargin", "totalWalletBalance", "totalUnrealizedProfit", "totalMarginBalance")
    more = ("totalPositionInitialMargin", "totalOpenOrderInitialMargin", "totalCrossWalletBalance", "totalCrossUnPnl", "availableBalance")
    asset_figures = ("walletBalance", "unrealizedProfit", "marginBalance", "maintMargin", "initialMargin", "positionInitialMargin")
    asset_more = ("openOrderInitialMargin", "crossWalletBalance", "crossUnPnl", "availableBalance", "maxWithdrawAmount")
    return {
        **dict.fromkeys((*totals, *more, "maxWithdrawAmount"), "103427.11000000"),
        "assets": [
            {"asset": asset, **dict.fromkeys((*asset_figures, *asset_more), "5171.35550000"), "updateTime": 1795486714852}
            for asset in ASSETS
        ],
        "positions": [],
    }


def _bybit_instrument(base: str) -> dict[str, Any]:
    return {
        "symbol": f"{base}USDT",
        "contractType": "LinearPerpetual",
        "status": "Trading",
        "baseCoin": base,
        "quoteCoin": "USDT",
        "settleCoin": "USDT",
        "priceFilter": {"minPrice": "0.1", "maxPrice": "1999999.80", "tickSize": "0.1"},
        "leverageFilter": {"minLeverage": "1", "maxLeverage": "100", "leverageStep": "0.01"},
        "lotSizeFilter": {
            "minOrderQty": "0.001",
            "maxOrderQty": "1000",
            "maxMktOrderQty": "100",
            "qtyStep": "0.001",
            "minNotionalValue": "5",
            "postOnlyMaxOrderQty": "1000",
        },
    }


def _bybit_position(base: str) -> dict[str, Any]:
    figures = {"leverage": "10", "positionBalance": "0", "positionIM": "1610.3", "positionMM": "81.2", "cumRealisedPnl": "-12.5"}
    empty = dict.fromkeys(("bustPrice", "takeProfit", "stopLoss", "trailingStop", "sessionAvgPrice", "delta", "gamma", "vega", "theta"), "")
    return {
        "positionIdx": 0,
        "riskId": 1,
        "riskLimitValue": "2000000",
        "symbol": f"{base}USDT",
        "side": "Sell",
        "size": "0.25",
        "avgPrice": "64231.5",
        "positionValue": "16057.875",
        "tradeMode": 0,
        "positionStatus": "Normal",
        "autoAddMargin": 0,
        "markPrice": "64410.7",
        "liqPrice": "98123.4",
        "unrealisedPnl": "-44.8",
        "curRealisedPnl": "-1.2",
        "adlRankIndicator": 2,
        "createdTime": "1795486000000",
        "updatedTime": "1795486714852",
        "seq": 5723621632,
        "isReduceOnly": False,
        **figures,
        **empty,
    }


def _bybit_wallet() -> dict[str, Any]:
    totals = ("totalEquity", "totalWalletBalance", "totalMarginBalance", "totalAvailableBalance", "totalPerpUPL", "totalInitialMargin")
    coin = ("equity", "usdValue", "walletBalance", "unrealisedPnl", "cumRealisedPnl", "totalOrderIM", "totalPositionIM", "totalPositionMM")
    return {
        "list": [
            {
                **dict.fromkeys((*totals, "totalMaintenanceMargin", "accountIMRate", "accountMMRate"), "103427.11"),
                "accountType": "UNIFIED",
                "accountLTV": "",
                "coin": [
                    {"coin": asset, **dict.fromkeys(coin, "5171.3555"), "locked": "0", "borrowAmount": "0", "availableToWithdraw": ""}
                    for asset in ASSETS
                ],
            }
        ]
    }


def _okx_instrument(base: str) -> dict[str, Any]:
    return {
        "instId": f"{base}-USDT-SWAP",
        "instType": "SWAP",
        "uly": f"{base}-USDT",
        "instFamily": f"{base}-USDT",
        "ctType": "linear",
        "ctVal": "0.01",
        "ctMult": "1",
        "ctValCcy": base,
        "settleCcy": "USDT",
        "tickSz": "0.1",
        "lotSz": "0.1",
        "minSz": "0.1",
        "maxLmtSz": "100000",
        "maxMktSz": "10000",
        "lever": "100",
        "state": "live",
    }


def _okx_position(base: str) -> dict[str, Any]:
    empty = ("baseBal", "quoteBal", "posCcy", "liab", "liabCcy", "optVal", "deltaBS", "gammaBS", "thetaBS", "vegaBS", "usdPx")
    return {
        **dict.fromkeys(empty, ""),
        "instId": f"{base}-USDT-SWAP",
        "instType": "SWAP",
        "mgnMode": "cross",
        "posId": "653944598162657280",
        "posSide": "net",
        "pos": "-25",
        "availPos": "",
        "avgPx": "64231.5",
        "markPx": "64410.7",
        "liqPx": "98123.4",
        "upl": "-44.8",
        "uplRatio": "-0.0279",
        "lever": "10",
        "imr": "1610.3",
        "margin": "",
        "mgnRatio": "18.3",
        "mmr": "81.2",
        "notionalUsd": "16102.7",
        "adl": "2",
        "ccy": "USDT",
        "last": "64409.1",
        "realizedPnl": "-12.5",
        "fee": "-6.4",
        "fundingFee": "-6.1",
        "pnl": "0",
        "liqPenalty": "0",
        "closeOrderAlgo": [],
        "cTime": "1795486000000",
        "uTime": "1795486714852",
    }


def _okx_balance() -> dict[str, Any]:
    detail = ("eq", "cashBal", "availBal", "availEq", "eqUsd", "disEq", "frozenBal", "ordFrozen", "upl", "imr", "mmr", "isoEq")
    return {
        "totalEq": "103427.11",
        "adjEq": "",
        "imr": "",
        "mmr": "",
        "upl": "",
        "uTime": "1795486714852",
        "details": [{"ccy": asset, **dict.fromkeys(detail, "5171.3555"), "uTime": "1795486714852"} for asset in ASSETS],
    }


def _bybit(result: Any) -> dict[str, Any]:
    return {"retCode": 0, "retMsg": "OK", "result": result, "retExtInfo": {}, "time": 1795486714852}


def _okx(data: Any) -> dict[str, Any]:
    return {"code": "0", "msg": "", "data": data}


def prepared(positions: int) -> dict[str, bytes]:
    """Path -> body, with that many open positions."""
    held = SYMBOLS[:positions]
    answers: dict[str, Any] = {
        "/binance/fapi/v1/exchangeInfo": {"symbols": [_binance_instrument(base) for base in SYMBOLS]},
        "/binance/fapi/v3/positionRisk": [_binance_position(base) for base in held],
        "/binance/fapi/v3/account": _binance_account(),
        "/binance/fapi/v1/symbolConfig": [
            {"symbol": f"{base}USDT", "marginType": "CROSSED", "isAutoAddMargin": False, "leverage": 10, "maxNotionalValue": "1000000"}
            for base in SYMBOLS
        ],
        "/binance/fapi/v1/positionSide/dual": {"dualSidePosition": False},
        "/bybit/v5/market/instruments-info": _bybit(
            {"category": "linear", "list": [_bybit_instrument(base) for base in SYMBOLS], "nextPageCursor": ""}
        ),
        "/bybit/v5/position/list": _bybit({"category": "linear", "list": [_bybit_position(base) for base in held], "nextPageCursor": ""}),
        "/bybit/v5/account/wallet-balance": _bybit(_bybit_wallet()),
        "/bybit/v5/account/info": _bybit({"marginMode": "REGULAR_MARGIN", "unifiedMarginStatus": 6, "updatedTime": "1795486714852"}),
        "/okx/api/v5/public/instruments": _okx([_okx_instrument(base) for base in SYMBOLS]),
        "/okx/api/v5/account/positions": _okx([_okx_position(base) for base in held]),
        "/okx/api/v5/account/balance": _okx([_okx_balance()]),
        "/okx/api/v5/account/config": _okx([{"acctLv": "2", "posMode": "net_mode", "uid": "1", "perm": "read_only,trade"}]),
    }
    return {path: orjson.dumps(body) for path, body in answers.items()}


def time_answer(path: str, now_ms: int) -> bytes:
    if path.startswith("/binance"):
        return orjson.dumps({"serverTime": now_ms})
    if path.startswith("/bybit"):
        return orjson.dumps(_bybit({"timeSecond": str(now_ms // 1_000), "timeNano": f"{now_ms}000000"}) | {"time": now_ms})
    return orjson.dumps(_okx([{"ts": str(now_ms)}]))


def order_answer(path: str, sent: dict[str, str], *, okx_order_id: str, okx_client_id: str) -> bytes | None:
    """Answers that echo the order. Quantities are fixed: what is measured does not depend on them."""
    price, quantity = "60000.0", "0.010"
    if path == "/binance/fapi/v1/order":
        return orjson.dumps(
            {
                "orderId": 8886774112,
                "symbol": sent["symbol"],
                "status": "NEW",
                "clientOrderId": sent["newClientOrderId"],
                "price": price,
                "avgPrice": "0.00",
                "origQty": quantity,
                "executedQty": "0.000",
                "cumQty": "0.000",
                "cumQuote": "0.00000",
                "timeInForce": "GTC",
                "type": "LIMIT",
                "reduceOnly": False,
                "closePosition": False,
                "side": "BUY",
                "positionSide": "BOTH",
                "stopPrice": "0.00",
                "workingType": "CONTRACT_PRICE",
                "origType": "LIMIT",
                "updateTime": 1795486714852,
            }
        )
    if path == "/bybit/v5/order/create":
        return orjson.dumps(_bybit({"orderId": f"id-{sent['orderLinkId']}", "orderLinkId": sent["orderLinkId"]}))
    if path == "/bybit/v5/order/realtime":
        row = {
            "orderId": sent["orderId"],
            "orderLinkId": sent["orderId"].removeprefix("id-"),
            "symbol": "COIN0USDT",
            "price": price,
            "qty": quantity,
            "side": "Buy",
            "positionIdx": 0,
            "orderStatus": "New",
            "rejectReason": "EC_NoError",
            "cancelType": "UNKNOWN",
            "avgPrice": "",
            "leavesQty": quantity,
            "cumExecQty": "0",
            "cumExecValue": "0",
            "cumExecFee": "0",
            "timeInForce": "GTC",
            "orderType": "Limit",
            "stopOrderType": "",
            "triggerPrice": "",
            "reduceOnly": False,
            "closeOnTrigger": False,
            "createdTime": "1795486714852",
            "updatedTime": "1795486714852",
        }
        return orjson.dumps(_bybit({"category": "linear", "list": [row], "nextPageCursor": ""}))
    if path == "/okx/api/v5/trade/order" and "ordType" in sent:
        return orjson.dumps(
            _okx([{"ordId": okx_order_id, "clOrdId": sent["clOrdId"], "tag": "", "sCode": "0", "sMsg": "", "ts": "1795486714852"}])
        )
    if path == "/okx/api/v5/trade/order":
        return orjson.dumps(_okx([_OKX_ORDER | {"ordId": sent["ordId"], "clOrdId": okx_client_id}]))
    return None


_OKX_ORDER = {
    "instType": "SWAP",
    "instId": "COIN0-USDT-SWAP",
    "tdMode": "cross",
    "px": "60000",
    "sz": "1",
    "ordType": "limit",
    "side": "buy",
    "posSide": "net",
    "accFillSz": "0",
    "avgPx": "",
    "state": "live",
    "lever": "10",
    "fee": "0",
    "reduceOnly": "false",
    "cancelSource": "",
    "cTime": "1795486714852",
    "uTime": "1795486714852",
}
