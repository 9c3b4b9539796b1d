"""Somebody who trades on the same accounts without Crossbook: signs requests by hand, as each venue's documentation says, and asks the
venue itself what it knows. Shares no code with the adapters."""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

import httpx

BINANCE, BYBIT, OKX = "binance", "bybit", "okx"
VENUES = (BINANCE, BYBIT, OKX)

_BYBIT_STATES = {"New": "NEW", "PartiallyFilled": "PARTIALLY_FILLED", "Filled": "FILLED", "Cancelled": "CANCELED", "Rejected": "REJECTED"}
_OKX_STATES = {"live": "NEW", "partially_filled": "PARTIALLY_FILLED", "filled": "FILLED", "canceled": "CANCELED"}

Found = tuple[str, Decimal]


class Outsider:
    """Quantities are base units, shorts negative; symbols are written as in Crossbook."""

    def __init__(self, url: str, account: str = "demo") -> None:
        self._key = f"sandbox-{account}"
        self._http = httpx.Client(base_url=url, timeout=10)
        self._contract_sizes: dict[str, Decimal] = {}

    def close(self) -> None:
        self._http.close()

    def mark(self, venue: str, symbol: str) -> Decimal:
        if venue == BINANCE:
            return Decimal(self._http.get("/binance/fapi/v1/premiumIndex", params={"symbol": symbol}).json()["markPrice"])
        if venue == BYBIT:
            answer = self._http.get("/bybit/v5/market/tickers", params={"category": "linear", "symbol": symbol}).json()
            return Decimal(answer["result"]["list"][0]["markPrice"])
        answer = self._http.get("/okx/api/v5/public/mark-price", params={"instType": "SWAP", "instId": _swap(symbol)}).json()
        return Decimal(answer["data"][0]["markPx"])

    def place(self, venue: str, symbol: str, quantity: Decimal, price: Decimal | None = None) -> None:
        """At the market, or resting at `price`."""
        side, kind = ("buy" if quantity > 0 else "sell"), ("limit" if price else "market")
        if venue == BINANCE:
            fields = {"symbol": symbol, "side": side.upper(), "type": kind.upper(), "quantity": f"{abs(quantity):f}"}
            self._binance("POST", "/fapi/v1/order", **fields, **({"price": f"{price:f}", "timeInForce": "GTC"} if price else {}))
        elif venue == BYBIT:
            fields = {"category": "linear", "symbol": symbol, "side": side.title(), "orderType": kind.title(), "qty": f"{abs(quantity):f}"}
            self._bybit("POST", "/v5/order/create", **fields, **({"price": f"{price:f}"} if price else {}))
        else:
            contracts = abs(quantity) / self._contract_size(symbol)
            fields = {"instId": _swap(symbol), "tdMode": "cross", "side": side, "ordType": kind, "sz": f"{contracts.normalize():f}"}
            self._okx("POST", "/api/v5/trade/order", **fields, **({"px": f"{price:f}"} if price else {}))

    def order(self, venue: str, symbol: str, client_order_id: str) -> Found | None:
        """State (in Crossbook's words) and filled quantity of the order with this client order id; None where the venue knows none."""
        asked: dict[str, Callable[[str, str], Found | None]] = {BINANCE: self._on_binance, BYBIT: self._on_bybit, OKX: self._on_okx}
        return asked[venue](symbol, client_order_id)

    def positions(self, venue: str) -> dict[str, Decimal]:
        """Signed base quantity per symbol, flat ones left out."""
        if venue == BINANCE:
            rows = self._binance("GET", "/fapi/v3/positionRisk")
            held = {row["symbol"]: Decimal(row["positionAmt"]) for row in rows}
        elif venue == BYBIT:
            rows = self._bybit("GET", "/v5/position/list", category="linear", settleCoin="USDT", limit="200")["list"]
            held = {row["symbol"]: Decimal(row["size"] or 0) * (-1 if row["side"] == "Sell" else 1) for row in rows}
        else:
            rows = self._okx("GET", "/api/v5/account/positions", instType="SWAP")
            held = {_symbol(row["instId"]): Decimal(row["pos"]) * self._contract_size(_symbol(row["instId"])) for row in rows}
        return {symbol: quantity for symbol, quantity in held.items() if quantity}

    def _on_binance(self, symbol: str, client_order_id: str) -> Found | None:
        row = self._binance("GET", "/fapi/v1/order", none_code="-2013", symbol=symbol, origClientOrderId=client_order_id)
        return (row["status"], Decimal(row["executedQty"])) if row else None

    def _on_bybit(self, symbol: str, client_order_id: str) -> Found | None:
        for path in ("/v5/order/realtime", "/v5/order/history"):
            rows = self._bybit("GET", path, category="linear", symbol=symbol, orderLinkId=client_order_id)["list"]
            if rows:
                return _BYBIT_STATES[rows[0]["orderStatus"]], Decimal(rows[0]["cumExecQty"])
        return None

    def _on_okx(self, symbol: str, client_order_id: str) -> Found | None:
        rows = self._okx("GET", "/api/v5/trade/order", none_code="51603", instId=_swap(symbol), clOrdId=client_order_id)
        return (_OKX_STATES[rows[0]["state"]], Decimal(rows[0]["accFillSz"]) * self._contract_size(symbol)) if rows else None

    def _contract_size(self, symbol: str) -> Decimal:
        if symbol not in self._contract_sizes:
            answer = self._http.get("/okx/api/v5/public/instruments", params={"instType": "SWAP", "instId": _swap(symbol)}).json()
            self._contract_sizes[symbol] = Decimal(answer["data"][0]["ctVal"])
        return self._contract_sizes[symbol]

    def _binance(self, method: str, path: str, *, none_code: str = "", **fields: str) -> Any:
        """The answer, or None for `none_code`."""
        text = urlencode({"timestamp": str(time.time_ns() // 1_000_000), **fields})
        text += f"&signature={self._digest(text).hex()}"
        answer = self._http.request(method, f"/binance{path}?{text}", headers={"X-MBX-APIKEY": self._key})
        body = answer.json()
        if none_code and isinstance(body, dict) and str(body.get("code")) == none_code:
            return None
        assert answer.status_code == 200, answer.text
        return body

    def _bybit(self, method: str, path: str, **fields: str) -> Any:
        payload = urlencode(fields) if method == "GET" else json.dumps(fields)
        now_ms = str(time.time_ns() // 1_000_000)
        headers = {
            "X-BAPI-API-KEY": self._key,
            "X-BAPI-TIMESTAMP": now_ms,
            "X-BAPI-RECV-WINDOW": "5000",
            "X-BAPI-SIGN": self._digest(f"{now_ms}{self._key}5000{payload}").hex(),
            "Content-Type": "application/json",
        }
        target = f"/bybit{path}?{payload}" if method == "GET" else f"/bybit{path}"
        answer = self._http.request(method, target, content=None if method == "GET" else payload, headers=headers).json()
        assert answer["retCode"] == 0, answer
        return answer["result"]

    def _okx(self, method: str, path: str, *, none_code: str = "", **fields: str) -> Any:
        """The rows, or none for `none_code`."""
        target, payload = (f"{path}?{urlencode(fields)}", "") if method == "GET" else (path, json.dumps(fields))
        timestamp = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
        headers = {
            "OK-ACCESS-KEY": self._key,
            "OK-ACCESS-SIGN": base64.b64encode(self._digest(f"{timestamp}{method}{target}{payload}")).decode(),
            "OK-ACCESS-TIMESTAMP": timestamp,
            "OK-ACCESS-PASSPHRASE": f"{self._key}-passphrase",
            "Content-Type": "application/json",
        }
        answer = self._http.request(method, f"/okx{target}", content=payload or None, headers=headers).json()
        if none_code and answer["code"] == none_code:
            return []
        assert answer["code"] == "0", answer
        return answer["data"]

    def _digest(self, text: str) -> bytes:
        return hmac.new(f"{self._key}-secret".encode(), text.encode(), hashlib.sha256).digest()


def _swap(symbol: str) -> str:
    return f"{symbol.removesuffix('USDT')}-USDT-SWAP"


def _symbol(swap: str) -> str:
    return swap.removesuffix("-SWAP").replace("-", "")
