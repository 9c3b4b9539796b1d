"""Who is calling: API key, timestamp window and HMAC signature over the raw query string or body, checked in the venue's order.

The rules are of the V5 integration guide (read July 2026): server_time - recv_window <= timestamp < server_time + 1000, signature
over timestamp + key + recv_window + payload. Knows nothing of parameters: it signs bytes.
"""

import hashlib
import hmac
import re
from collections.abc import Mapping

from exchanges.sandbox.bybit.errors import VenueError

DEFAULT_WINDOW_MS = 5_000
AHEAD_MS = 1_000

_KEY = re.compile(r"sandbox-([A-Za-z0-9][A-Za-z0-9_-]{0,63})")
_NUMBER = re.compile(r"[0-9]{1,18}")


def authenticate(headers: Mapping[str, str], payload: bytes, now_ms: int) -> str:
    """The name of the account whose key signed `payload`. Raises VenueError."""
    key = headers.get("X-BAPI-API-KEY", "")
    timestamp = headers.get("X-BAPI-TIMESTAMP", "")
    signature = headers.get("X-BAPI-SIGN", "")
    if not (key or timestamp or signature):
        raise VenueError(10003, "API key is invalid.", status=401)  # the gateway's answer to a private path without credentials
    if not (key and timestamp and signature):
        raise VenueError(
            10001, f"empty value: apiTimestamp[{timestamp}] apiKey[{key}] apiSignature[{signature}]: openapi sign params error!"
        )
    name = account_name(key)
    window = headers.get("X-BAPI-RECV-WINDOW", "") or str(DEFAULT_WINDOW_MS)
    _check_time(timestamp, window, now_ms)
    _check_signature(f"{key}-secret", f"{timestamp}{key}{window}".encode() + payload, signature)
    return name


def account_name(key: str) -> str:
    match = _KEY.fullmatch(key)
    if match is None:
        raise VenueError(10003, "API key is invalid.")
    return match.group(1)


def _check_time(timestamp: str, window: str, now_ms: int) -> None:
    if not _NUMBER.fullmatch(timestamp) or not _NUMBER.fullmatch(window):
        raise VenueError(10001, "params error: timestamp or recv_window invalid")
    if now_ms - int(window) <= int(timestamp) < now_ms + AHEAD_MS:
        return
    raise VenueError(
        10002,
        "invalid request, please check your server timestamp or recv_window param. "
        f"req_timestamp[{timestamp}],server_timestamp[{now_ms}],recv_window[{window}]",
    )


def _check_signature(secret: str, signed: bytes, signature: str) -> None:
    expected = hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()
    if not hmac.compare_digest(expected.encode(), signature.encode("utf-8", "surrogateescape")):
        origin = signed.decode(errors="replace")
        raise VenueError(10004, f"error sign! origin_string[{origin}]")
