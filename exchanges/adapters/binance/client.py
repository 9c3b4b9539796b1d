"""python-binance 1.0.37 on our transport: its methods, paths, parameter order and HMAC; our moment of signing, sending and judging.

The only file that imports the SDK. An answer comes back decoded, or as an error of exchanges.errors; nothing is sent twice.
"""

import re
from typing import Any
from urllib.parse import urlencode

from binance.async_client import AsyncClient

from exchanges.adapters.binance.errors import EXCHANGE, refusal_in, to_code, to_error
from exchanges.adapters.usable_keys import refuse_unusable_keys
from exchanges.clock import VenueClock
from exchanges.errors import BadVenueResponse
from exchanges.transport import Response, decode_json
from exchanges.venue import VenueContext

_NEEDS_NO_ENCODING = re.compile(r"[A-Za-z0-9._~-]*").fullmatch


class BinanceClient(AsyncClient):  # type: ignore[misc]  # the SDK is untyped
    """The constructor of the SDK is left out on purpose: it opens a session of its own and two WebSocket clients, and wants a loop."""

    def __init__(self, *, api_key: str, api_secret: str, venue: VenueContext) -> None:
        # What the SDK's path and signature methods read.
        self.FUTURES_URL = f"{venue.endpoints.rest}/fapi"
        self.MARGIN_API_URL = f"{venue.endpoints.wallet}/sapi"
        self.API_KEY = api_key
        self.API_SECRET = api_secret
        self.PRIVATE_KEY = None
        self.testnet = False
        self.demo = False
        self._transport = venue.transport
        self._clock = venue.clock

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.FUTURES_URL})"

    async def _request(self, method: str, uri: str, signed: bool, force_params: bool = False, **kwargs: Any) -> Any:
        """Every method of the SDK ends here. Parameters of GET go into the URL, all others into a form body, DELETE included."""
        is_write = method != "get"
        # Public data is asked without a key, so that a bad key of one account cannot spoil what all of them share.
        needs_key = signed or is_write
        if needs_key:
            refuse_unusable_keys(EXCHANGE, self.API_SECRET, self.API_KEY)
        query = self._encode(kwargs.get("data") or {}, signed=signed)
        in_url = not is_write or force_params
        headers = {"Accept": "application/json"}
        if needs_key:
            headers["X-MBX-APIKEY"] = self.API_KEY
        if is_write:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        response = await self._transport.request(
            method.upper(),
            f"{uri}?{query}" if in_url and query else uri,
            exchange=EXCHANGE,
            headers=headers,
            body=query if query and not in_url else None,
        )
        return judge(response, is_write=is_write, clock=self._clock)

    def _encode(self, params: dict[str, Any], *, signed: bool) -> str:
        """The parameters exactly as they travel. What travels is what is signed: the SDK signs the values before they are URL-encoded,
        which the venue refuses wherever encoding changes them."""
        if not signed:
            return _url_encoded(self._order_params(params))
        moment = self._clock.moment()
        params = {**params, "timestamp": moment.timestamp_ms, "recvWindow": moment.window_ms}
        query = _url_encoded(self._order_params(params))
        return f"{query}&signature={self._hmac_signature(query)}"


def _url_encoded(params: list[tuple[str, str]]) -> str:
    """As urllib's urlencode, which takes long over values that need no encoding, as nearly all of ours."""
    if _NEEDS_NO_ENCODING("".join([value for _, value in params])):
        return "&".join([f"{name}={value}" for name, value in params])
    return urlencode(params)


def judge(response: Response, *, is_write: bool, clock: VenueClock) -> Any:
    """The decoded body of a success; raises what anything else means. In the list that a write answers (a batch) each item succeeded or
    failed alone, so it is handed on as it is; an item of a read that is an error fails the read."""
    if 200 <= response.status < 300:
        body = decode_json(response, exchange=EXCHANGE)
        refusal = refusal_in(body)
        if refusal is None and isinstance(body, list) and not is_write:
            refusal = next((item for item in body if refusal_in(item)), None)
        if refusal is None:
            return body
    else:
        refusal = _refusal_of(response)
    raise to_error(
        status=response.status,
        code=to_code(refusal.get("code")),
        message=str(refusal.get("msg") or ""),
        is_write=is_write,
        retry_after=response.headers.get("Retry-After"),
        now_ms=clock.now_ms(),
    )


def _refusal_of(response: Response) -> Any:
    """The error object of a failed request, also where it is the first of a list; {} for the page of a proxy."""
    try:
        body = decode_json(response, exchange=EXCHANGE)
    except BadVenueResponse:
        return {}
    if isinstance(body, list):
        body = next(iter(body), None)
    return body if isinstance(body, dict) else {}
