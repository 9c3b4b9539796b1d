"""The few answers of the venue's wallet and margin hosts that client libraries want when they load markets with keys."""

from exchanges.sandbox.binance.endpoint import VENUE, Call, Json, Private, Public
from exchanges.sandbox.model import Account

Row = dict[str, object]


def system_status(_: Call) -> Json:
    return {"status": 0, "msg": "normal"}


def coins(call: Call, _: Account) -> Json:
    """The wallet host's list of coins: the assets that trade here, with no network to move them over and nothing in spot."""
    names = ["USDT", *(listing.base for listing in call.engine.listings(VENUE))]
    return [_coin(name) for name in names]


def _coin(name: str) -> Row:
    nothing = dict.fromkeys(("free", "locked", "freeze", "withdrawing", "ipoing", "ipoable", "storage"), "0")
    switches = {"depositAllEnable": False, "withdrawAllEnable": False, "isLegalMoney": False, "trading": True}
    return {"coin": name, "name": name, **switches, **nothing, "networkList": []}


def no_margin_pairs(_: Call, __: Account) -> Json:
    return []


ENDPOINTS = (
    Public("GET", "/sapi/v1/system/status", system_status),
    Private("GET", "/sapi/v1/capital/config/getall", coins, weight=10),
    Private("GET", "/sapi/v1/margin/allPairs", no_margin_pairs, is_signed=False),
    Private("GET", "/sapi/v1/margin/isolated/allPairs", no_margin_pairs, is_signed=False),
)
