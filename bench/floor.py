"""The floor: the same requests by hand, signed by the venue's rules, sent on a bare aiohttp session, decoded with orjson."""

import base64
import hashlib
import hmac
import time
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

import aiohttp
import orjson
from yarl import URL

KEY, SECRET, PASSPHRASE = "key", "secret", "passphrase"


def _hex(message: str) -> str:
    return hmac.new(SECRET.encode(), message.encode(), hashlib.sha256).hexdigest()


async def binance(session: aiohttp.ClientSession, base: str, method: str, path: str, parameters: dict[str, str]) -> Any:
    query = urlencode({**parameters, "recvWindow": "5000", "timestamp": str(time.time_ns() // 1_000_000)})
    query += f"&signature={_hex(query)}"
    url = f"{base}/binance/fapi{path}"
    headers = {"X-MBX-APIKEY": KEY, "Content-Type": "application/x-www-form-urlencoded"}
    in_url = method == "GET"
    return await _send(session, method, f"{url}?{query}" if in_url else url, headers, None if in_url else query)


async def bybit(session: aiohttp.ClientSession, base: str, method: str, path: str, parameters: dict[str, str]) -> Any:
    payload = urlencode(parameters) if method == "GET" else orjson.dumps(parameters).decode()
    now = str(time.time_ns() // 1_000_000)
    headers = {
        "X-BAPI-API-KEY": KEY,
        "X-BAPI-SIGN": _hex(f"{now}{KEY}5000{payload}"),
        "X-BAPI-TIMESTAMP": now,
        "X-BAPI-RECV-WINDOW": "5000",
        "Content-Type": "application/json",
    }
    url = f"{base}/bybit{path}"
    return await _send(session, method, f"{url}?{payload}" if method == "GET" else url, headers, None if method == "GET" else payload)


async def okx(session: aiohttp.ClientSession, base: str, method: str, path: str, parameters: dict[str, str]) -> Any:
    target = f"{path}?{urlencode(parameters)}" if method == "GET" and parameters else path
    body = "" if method == "GET" else orjson.dumps(parameters).decode()
    now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    digest = hmac.new(SECRET.encode(), f"{now}{method}{target}{body}".encode(), hashlib.sha256).digest()
    headers = {
        "OK-ACCESS-KEY": KEY,
        "OK-ACCESS-SIGN": base64.b64encode(digest).decode(),
        "OK-ACCESS-TIMESTAMP": now,
        "OK-ACCESS-PASSPHRASE": PASSPHRASE,
        "Content-Type": "application/json",
    }
    return await _send(session, method, f"{base}/okx{target}", headers, body or None)


async def _send(session: aiohttp.ClientSession, method: str, url: str, headers: dict[str, str], body: str | None) -> Any:
    async with session.request(method, URL(url, encoded=True), headers=headers, data=body) as answer:
        return orjson.loads(await answer.read())


async def order(session: aiohttp.ClientSession, base: str, venue: str, client_id: str) -> Any:
    """Place a limit order; where the venue only acknowledges, ask once what became of it, as the adapter does."""
    if venue == "binance":
        fields = {"symbol": "COIN0USDT", "side": "BUY", "type": "LIMIT", "quantity": "0.010", "price": "60000.0", "timeInForce": "GTC"}
        return await binance(session, base, "POST", "/v1/order", {**fields, "newClientOrderId": client_id, "newOrderRespType": "RESULT"})
    if venue == "bybit":
        fields = {"category": "linear", "symbol": "COIN0USDT", "side": "Buy", "orderType": "Limit", "qty": "0.010", "price": "60000.0"}
        placed = await bybit(session, base, "POST", "/v5/order/create", {**fields, "timeInForce": "GTC", "orderLinkId": client_id})
        asked = {"category": "linear", "symbol": "COIN0USDT", "orderId": placed["result"]["orderId"]}
        return await bybit(session, base, "GET", "/v5/order/realtime", asked)
    fields = {"instId": "COIN0-USDT-SWAP", "tdMode": "cross", "side": "buy", "ordType": "limit", "sz": "1", "px": "60000.0"}
    placed = await okx(session, base, "POST", "/api/v5/trade/order", {**fields, "clOrdId": client_id})
    return await okx(session, base, "GET", "/api/v5/trade/order", {"instId": "COIN0-USDT-SWAP", "ordId": placed["data"][0]["ordId"]})


async def positions(session: aiohttp.ClientSession, base: str, venue: str) -> Any:
    if venue == "binance":
        return await binance(session, base, "GET", "/v3/positionRisk", {})
    if venue == "bybit":
        return await bybit(session, base, "GET", "/v5/position/list", {"category": "linear", "limit": "200", "settleCoin": "USDT"})
    return await okx(session, base, "GET", "/api/v5/account/positions", {})


async def wallet(session: aiohttp.ClientSession, base: str, venue: str) -> Any:
    if venue == "binance":
        return await binance(session, base, "GET", "/v3/account", {})
    if venue == "bybit":
        return await bybit(session, base, "GET", "/v5/account/wallet-balance", {"accountType": "UNIFIED"})
    return await okx(session, base, "GET", "/api/v5/account/balance", {})
