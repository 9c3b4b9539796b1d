"""Who is calling: API key, timestamp window and HMAC signature, checked as this venue checks them.

A key `sandbox-<name>` has the secret `sandbox-<name>-secret`; every other key is unknown.
"""

import hashlib
import hmac
import re
from collections.abc import Mapping

from exchanges.sandbox.binance import errors
from exchanges.sandbox.binance.errors import UNAUTHORIZED, VenueError
from exchanges.sandbox.binance.params import Sent

_KEY_HEADER = "X-MBX-APIKEY"
_KEY_FORMAT = re.compile(r"[A-Za-z0-9_-]{8,128}")
_OUR_KEY = re.compile(r"sandbox-([A-Za-z0-9_-]{1,64})")
_DEFAULT_WINDOW_MS = 5_000
_LONGEST_WINDOW_MS = 60_000
_TOLERATED_LEAD_MS = 1_000


def claimed_name(headers: Mapping[str, str]) -> str:
    """The account name behind a request that only has to bring a known key."""
    return _account_name(_key_of(headers))


def verified_name(headers: Mapping[str, str], sent: Sent, wall_ms: int) -> str:
    """The account name behind a signed request that is complete, timely and signed with the key's secret."""
    key = _key_of(headers)
    if not sent.signature:
        raise errors.missing("signature")
    _check_window(sent, wall_ms)
    name = _account_name(key)
    expected = hmac.new(f"{key}-secret".encode(), sent.signed_text.encode("utf-8", "surrogateescape"), hashlib.sha256).hexdigest()
    if not hmac.compare_digest(expected.encode(), sent.signature.lower().encode("utf-8", "surrogateescape")):
        raise VenueError(-1022, "Signature for this request is not valid.")
    return name


def _check_window(sent: Sent, wall_ms: int) -> None:
    timestamp = sent.params.required_integer("timestamp")
    window = sent.params.integer("recvWindow")
    if window is None:
        window = _DEFAULT_WINDOW_MS
    if window > _LONGEST_WINDOW_MS:
        raise VenueError(-1131, "recvWindow must be less than 60000")
    if window < 0:
        raise errors.missing("recvWindow")
    if timestamp >= wall_ms + _TOLERATED_LEAD_MS:
        raise VenueError(-1021, "Timestamp for this request was 1000ms ahead of the server's time.")
    if wall_ms - timestamp > window:
        raise VenueError(-1021, "Timestamp for this request is outside of the recvWindow.")


def _key_of(headers: Mapping[str, str]) -> str:
    """The API key that was sent, known or not; raises for none and for one that cannot be a key."""
    key = headers.get(_KEY_HEADER, "")
    if not _KEY_FORMAT.fullmatch(key):
        raise VenueError(-2014, "API-key format invalid.", status=UNAUTHORIZED)
    return key


def _account_name(key: str) -> str:
    known = _OUR_KEY.fullmatch(key)
    if not known:
        raise VenueError(-2015, "Invalid API-key, IP, or permissions for action.", status=UNAUTHORIZED)
    return known.group(1)
