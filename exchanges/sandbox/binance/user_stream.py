"""Opening, renewing and closing an account's listen key; the API key alone decides."""

from exchanges.sandbox.binance import errors
from exchanges.sandbox.binance.endpoint import Call, Json, Private
from exchanges.sandbox.model import Account


def open_listen_key(call: Call, account: Account) -> Json:
    return {"listenKey": call.listen_keys.obtain(account.name, call.wall_ms)}


def renew_listen_key(call: Call, account: Account) -> Json:
    key = call.listen_keys.renew(account.name, call.wall_ms)
    if key is None:
        raise errors.VenueError(-1125, "This listenKey does not exist.")
    return {"listenKey": key}


def close_listen_key(call: Call, account: Account) -> Json:
    call.listen_keys.drop(account.name)
    return {}


ENDPOINTS = (
    Private("POST", "/fapi/v1/listenKey", open_listen_key, is_signed=False),
    Private("PUT", "/fapi/v1/listenKey", renew_listen_key, is_signed=False),
    Private("DELETE", "/fapi/v1/listenKey", close_listen_key, is_signed=False),
)
