"""python-okx 0.4.4 on our transport: its methods, paths, bodies, query strings and signature; our sending and our judgement of answers.

The SDK's classes are synchronous httpx clients. Every one of their methods ends in `return self._request(...)`, so with that one method
awaitable the whole surface is. Nothing of httpx is built, nothing is retried, and `data` of the envelope is what a call returns.
"""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from okx import consts, utils
from okx.Account import AccountAPI
from okx.MarketData import MarketAPI
from okx.PublicData import PublicAPI
from okx.Trade import TradeAPI

from exchanges.adapters.okx.errors import EXCHANGE, error_from_code, error_from_edge, error_from_server_failure
from exchanges.adapters.usable_keys import refuse_unusable_keys
from exchanges.domain import ExchangeConfig
from exchanges.errors import BadVenueResponse, ExchangeAPIError
from exchanges.transport import Response, decode_json
from exchanges.venue import VenueContext

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_PUBLIC_PREFIXES = ("/api/v5/public/", "/api/v5/market/")
# Where OKX honours expTime ("Request effective deadline", general information of its API, read November 2026).
_FENCED_PATHS = frozenset({consts.PLACR_ORDER, consts.BATCH_ORDERS, consts.AMEND_ORDER, consts.AMEND_BATCH_ORDER})


class OkxClient(TradeAPI, AccountAPI, MarketAPI, PublicAPI):  # type: ignore[misc]
    """One account's requests. Every SDK method is a coroutine that returns the list `data` or raises an ExchangeAPIError."""

    # Account and Public both have a method of this name; the catalogue is shared by accounts and reads the public one.
    get_instruments = PublicAPI.get_instruments

    def __init__(self, config: ExchangeConfig, venue: VenueContext) -> None:
        # The SDK's own __init__ is left out on purpose: it builds an httpx client with a TLS context of its own.
        self._config = config
        self._venue = venue
        self._flag = "1" if venue.endpoints.is_paper else "0"

    async def _request(self, method: str, request_path: str, params: dict[str, Any]) -> list[Any]:
        is_write = method == consts.POST
        path = request_path if is_write else request_path + utils.parse_params_to_str(params)
        body = json.dumps(params) if is_write else ""
        response = await self._venue.transport.request(
            method,
            self._venue.endpoints.rest + path,
            exchange=EXCHANGE,
            headers=self._headers(method, request_path, path, body),
            body=body or None,
        )
        return judge(self._without_key(response), is_write=is_write)

    def _without_key(self, response: Response) -> Response:
        """A refusal may repeat the whole key (50110 does: an address that is not on its list), and refusals are shown, logged and kept."""
        key = self._config.api_key.get_secret_value().encode()
        return replace(response, body=response.body.replace(key, "…".encode())) if key and key in response.body else response

    def _headers(self, method: str, request_path: str, path: str, body: str) -> dict[str, str]:
        """Public data is asked for unsigned: a wrong key or clock of one account must not deprive the others of it."""
        if request_path.startswith(_PUBLIC_PREFIXES):
            return dict(utils.get_header_no_sign(self._flag, False))
        api_key, api_secret = self._config.api_key.get_secret_value(), self._config.api_secret.get_secret_value()
        passphrase = self._config.passphrase.get_secret_value() if self._config.passphrase else ""
        refuse_unusable_keys(EXCHANGE, api_secret, api_key, passphrase)
        moment = self._venue.clock.moment()
        timestamp = to_timestamp(moment.timestamp_ms)
        signature = utils.sign(utils.pre_hash(timestamp, method, path, body, False), api_secret)
        headers: dict[str, str] = utils.get_header(api_key, signature.decode(), timestamp, passphrase, self._flag, False)
        if method == consts.POST and request_path in _FENCED_PATHS:
            headers["expTime"] = str(moment.fence_ms)
        return headers


def to_timestamp(epoch_ms: int) -> str:
    """Epoch milliseconds as OKX signs them: 2026-11-24T08:00:00.123Z."""
    return (_EPOCH + timedelta(milliseconds=epoch_ms)).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def judge(response: Response, *, is_write: bool) -> list[Any]:
    """The envelope's `data`, or the error that status, envelope code or item code mean. Code 0 can hide a failed item."""
    if response.status >= 500:
        raise _server_failure(response, is_write=is_write)
    try:
        envelope = decode_json(response, exchange=EXCHANGE)
        code, message, data = _parts(envelope, response.status)
    except BadVenueResponse as error:
        refusal = error_from_edge(response.status, _retry_after_s(response))
        if refusal is None:
            raise
        raise refusal from error
    failed = _first_failed_item(data) if is_write else None
    if failed is not None:
        raise error_from_code(*failed, response.status, _retry_after_s(response), is_write=is_write)
    if code != "0":
        raise error_from_code(code, message, response.status, _retry_after_s(response), is_write=is_write)
    if response.status != 200:
        raise BadVenueResponse(f"the exchange answered HTTP {response.status} with code 0", "0", EXCHANGE, http_status=response.status)
    return data


def _parts(envelope: Any, http_status: int) -> tuple[str, str, list[Any]]:
    if isinstance(envelope, dict):
        code, message, data = envelope.get("code"), envelope.get("msg", ""), envelope.get("data")
        if isinstance(code, str) and isinstance(message, str) and (isinstance(data, list) or code != "0"):
            return code, message, data if isinstance(data, list) else []
    raise BadVenueResponse("the exchange's answer lacks code and data", exchange=EXCHANGE, http_status=http_status)


def _first_failed_item(data: list[Any]) -> tuple[str, str] | None:
    for item in data:
        code = item.get("sCode", "0") if isinstance(item, dict) else "0"
        if code not in ("0", ""):
            return str(code), str(item.get("sMsg", ""))
    return None


def _server_failure(response: Response, *, is_write: bool) -> ExchangeAPIError:
    try:
        code, message, _ = _parts(decode_json(response, exchange=EXCHANGE), response.status)
    except BadVenueResponse:
        code, message = "", ""
    return error_from_server_failure(response.status, code, message, is_write=is_write)


def _retry_after_s(response: Response) -> float | None:
    seconds = response.headers.get("Retry-After", "")
    return int(seconds) if seconds.isascii() and seconds.isdigit() and len(seconds) < 7 else None
