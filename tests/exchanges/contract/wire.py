"""What a test must know of each venue's wire to disturb or watch it, from the venues' documentation. The adapters are not asked."""

import time
from dataclasses import dataclass
from typing import Any

from exchanges.domain import ExchangeType


@dataclass(frozen=True, slots=True)
class Wire:
    """Routes are (method, path). `malformed` is a success in form whose content has the wrong types; it fits every read and write."""

    create: tuple[str, str]
    cancel: tuple[str, str]
    leverage: tuple[str, str]
    confirm: tuple[str, str]
    positions: tuple[str, str]
    malformed: dict[str, Any]


WIRES: dict[ExchangeType, Wire] = {
    ExchangeType.BINANCE: Wire(
        create=("POST", "/fapi/v1/order"),
        cancel=("DELETE", "/fapi/v1/order"),
        leverage=("POST", "/fapi/v1/leverage"),
        confirm=("GET", "/fapi/v1/order"),
        positions=("GET", "/fapi/v3/positionRisk"),
        malformed={"symbol": 5, "orderId": [], "serverTime": "soon", "symbols": 7, "assets": {"asset": "USDT"}, "leverage": "many"},
    ),
    ExchangeType.BYBIT: Wire(
        create=("POST", "/v5/order/create"),
        cancel=("POST", "/v5/order/cancel"),
        leverage=("POST", "/v5/position/set-leverage"),
        confirm=("GET", "/v5/order/realtime"),
        positions=("GET", "/v5/position/list"),
        malformed={
            "retCode": 0,
            "retMsg": "OK",
            "result": {"list": [{"symbol": "BTCUSDT", "size": []}], "orderId": 5, "timeNano": []},
            "time": "soon",
        },
    ),
    ExchangeType.OKX: Wire(
        create=("POST", "/api/v5/trade/order"),
        cancel=("POST", "/api/v5/trade/cancel-order"),
        leverage=("POST", "/api/v5/account/set-leverage"),
        confirm=("GET", "/api/v5/trade/order"),
        positions=("GET", "/api/v5/account/positions"),
        malformed={"code": "0", "msg": "", "data": [{"instId": "BTC-USDT-SWAP", "ordId": 5, "markPx": {}, "ts": "soon", "lever": []}]},
    ),
}


def rate_limit(exchange: ExchangeType, seconds: int) -> dict[str, Any]:
    """The venue's own way of saying: too many requests, come back in `seconds`."""
    if exchange is ExchangeType.BYBIT:
        reset_ms = time.time_ns() // 1_000_000 + seconds * 1_000
        body = {"retCode": 10006, "retMsg": "Too many visits. Exceeded the API Rate Limit.", "result": {}, "time": 0}
        return {"kind": "status", "status": 200, "headers": {"X-Bapi-Limit-Reset-Timestamp": str(reset_ms)}, "body": body}
    bodies: dict[ExchangeType, dict[str, Any]] = {
        ExchangeType.BINANCE: {"code": -1003, "msg": "Too many requests; current limit is 2400 requests per minute."},
        ExchangeType.OKX: {"code": "50011", "msg": "Rate limit reached. Please refer to API documentation.", "data": []},
    }
    return {"kind": "status", "status": 429, "headers": {"Retry-After": str(seconds)}, "body": bodies[exchange]}


def address_limit(exchange: ExchangeType, seconds: int) -> dict[str, Any]:
    """The same of all that comes from this address. Bybit names no time: ten minutes are its rule."""
    if exchange is ExchangeType.BINANCE:
        return rate_limit(exchange, seconds)
    if exchange is ExchangeType.BYBIT:
        return {"kind": "status", "status": 403, "content_type": "text/html", "body": "403, access too frequent"}
    return {"kind": "status", "status": 429, "content_type": "text/html", "headers": {"Retry-After": str(seconds)}, "body": "<html>"}


# Answers that are none, whatever the venue.
NO_ANSWERS: dict[str, dict[str, Any]] = {
    "reset": {"kind": "reset"},
    "bad gateway": {"kind": "status", "status": 502, "content_type": "text/html", "body": "<html><h1>502 Bad Gateway</h1></html>"},
    "html with status 200": {"kind": "body", "content_type": "text/html", "body": "<html>Please log in to this network</html>"},
    "truncated": {"kind": "body", "body": '{"code":"0","retCode":0,"orderId":1,"data":[{"ordId":"'},
    "empty": {"kind": "body", "body": ""},
    "null": {"kind": "body", "body": "null"},
    "a number": {"kind": "body", "body": "17"},
    "no content": {"kind": "status", "status": 204},
    "redirect": {"kind": "status", "status": 302, "headers": {"Location": "https://example.com/"}, "body": ""},
}


def no_answer(kind: str, exchange: ExchangeType) -> dict[str, Any]:
    return {"kind": "body", "body": WIRES[exchange].malformed} if kind == "wrong types" else NO_ANSWERS[kind]


NO_ANSWER_KINDS = (*NO_ANSWERS, "wrong types")
