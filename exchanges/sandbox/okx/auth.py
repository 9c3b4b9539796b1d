"""Who signed a request: the four OK-ACCESS headers, verified over the raw bytes that arrived. Knows no account, only its name.

A client signs the path that it appends to its base URL. One that was pointed at ".../okx" by a base URL signs "/api/v5/...";
one that changed its host only and puts "/okx" into its paths signs "/okx/api/v5/...". The venue has no such prefix, so neither
can be called wrong, and a signature over either form is accepted.
"""

import base64
import hashlib
import hmac
import re
from collections.abc import Mapping
from datetime import datetime

from exchanges.sandbox.okx.errors import Refusal, Rejected

TIMESTAMP_TOLERANCE_MS = 30_000
_KEY = re.compile(r"sandbox-([A-Za-z0-9_-]{1,64})")
_TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?Z")
_API_ROOT = "/api/v5/"
# In the order in which the venue asks for them.
_REQUIRED = (("OK-ACCESS-KEY", "50103"), ("OK-ACCESS-PASSPHRASE", "50104"), ("OK-ACCESS-SIGN", "50106"), ("OK-ACCESS-TIMESTAMP", "50107"))


def account_name(method: str, raw_path: str, headers: Mapping[str, str], body: bytes, *, now_ms: int) -> str:
    """The name in the key `sandbox-<name>`. `raw_path` is the request target as received, with its query. Raises Rejected."""
    for header, code in _REQUIRED:
        if not headers.get(header):
            raise Rejected(Refusal(code, f'Request header "{header}" cannot be empty.', 401))
    timestamp = headers["OK-ACCESS-TIMESTAMP"]
    if abs(now_ms - _epoch_ms(timestamp)) > TIMESTAMP_TOLERANCE_MS:
        raise Rejected(Refusal("50102", "Timestamp request expired.", 401))
    key = headers["OK-ACCESS-KEY"]
    known = _KEY.fullmatch(key)
    if known is None:
        raise Rejected(Refusal("50111", "Invalid OK-ACCESS-KEY.", 401))
    if headers.get("x-simulated-trading") == "1":
        raise Rejected(Refusal("50101", "APIKey does not match current environment.", 401))
    if not _is_signed(f"{key}-secret", timestamp + method, raw_path, body, headers["OK-ACCESS-SIGN"]):
        raise Rejected(Refusal("50113", "Invalid signature.", 401))
    if not _equal(headers["OK-ACCESS-PASSPHRASE"], f"{key}-passphrase"):
        raise Rejected(Refusal("50105", 'Request header "OK-ACCESS-PASSPHRASE" incorrect.', 401))
    return known.group(1)


def _epoch_ms(timestamp: str) -> int:
    try:
        if not _TIMESTAMP.fullmatch(timestamp):
            raise ValueError(timestamp)
        moment = datetime.fromisoformat(timestamp)
    except ValueError as error:
        raise Rejected(Refusal("50112", "Invalid OK-ACCESS-TIMESTAMP.", 401)) from error
    return int(moment.timestamp()) * 1000 + moment.microsecond // 1000


def _is_signed(secret: str, prologue: str, raw_path: str, body: bytes, signature: str) -> bool:
    paths = {raw_path, raw_path[max(raw_path.find(_API_ROOT), 0) :]}
    return any(_equal(signature, _signature(secret, (prologue + path).encode() + body)) for path in paths)


def _signature(secret: str, message: bytes) -> str:
    return base64.b64encode(hmac.new(secret.encode(), message, hashlib.sha256).digest()).decode()


def _equal(given: str, expected: str) -> bool:
    return hmac.compare_digest(given.encode("utf-8", "surrogateescape"), expected.encode())
