"""pybit 5.17.0 on our transport: its methods, paths, payloads and signature; our moment of signing, our sending, our judgement of answers.

Every SDK method ends in `return self._submit_request(...)`, so with that one method awaitable the whole surface is. A call returns the
venue's envelope (retCode 0) or raises an ExchangeAPIError; nothing is sent twice. Knows nothing of orders or positions.
"""

from typing import Any

from pybit._v5_account import AccountHTTP
from pybit._v5_market import MarketHTTP
from pybit._v5_position import PositionHTTP
from pybit._v5_trade import TradeHTTP
from pybit._v5_user import UserHTTP

from exchanges.adapters.bybit.errors import EXCHANGE, error_from_code, error_from_status, is_ban
from exchanges.adapters.bybit.wire import QUERY_VALUE
from exchanges.adapters.usable_keys import refuse_unusable_keys
from exchanges.clock import VenueClock
from exchanges.domain import ExchangeConfig
from exchanges.errors import BadParameter, BadVenueResponse, ExchangeAPIError
from exchanges.transport import Response, decode_json
from exchanges.venue import VenueContext

Envelope = dict[str, Any]

_RATE_RESET_HEADER = "X-Bapi-Limit-Reset-Timestamp"


class BybitClient(MarketHTTP, TradeHTTP, PositionHTTP, AccountHTTP, UserHTTP):  # type: ignore[misc]  # the SDK is untyped
    """One account's requests."""

    def __init__(self, config: ExchangeConfig, venue: VenueContext) -> None:
        # The SDK's own constructor is left out on purpose: it builds a requests.Session and adds a log handler.
        self.endpoint = venue.endpoints.rest
        self.api_key = config.api_key.get_secret_value()
        self.api_secret = config.api_secret.get_secret_value()
        self.rsa_authentication = False
        self._transport = venue.transport
        self._clock = venue.clock

    def __repr__(self) -> str:
        """The SDK's classes are dataclasses whose repr shows key and secret."""
        return f"<{type(self).__name__} {self.endpoint}>"

    async def _submit_request(self, method: str, path: str, query: dict[str, Any] | None = None, auth: bool = False) -> Envelope:
        is_write = method != "GET"
        parameters = self._clean_query(query)
        if not is_write:
            _refuse_unsafe(parameters)
        payload = self.prepare_payload(method, parameters)
        response = await self._transport.request(
            method,
            path if is_write or not payload else f"{path}?{payload}",
            exchange=EXCHANGE,
            headers=self._prepare_headers(payload) if auth else {"Content-Type": "application/json"},
            body=payload if is_write else None,
        )
        return self._judge(response, is_write=is_write)

    def _prepare_headers(self, payload: str, recv_window: int | None = None, content_type: str = "application/json") -> dict[str, str]:
        """The SDK's headers, with the moment of the call in place of this machine's clock and the SDK's one window for all."""
        refuse_unusable_keys(EXCHANGE, self.api_secret, self.api_key)
        moment = self._clock.moment()
        window_ms = moment.window_ms if recv_window is None else recv_window
        return {
            "Content-Type": content_type,
            "X-BAPI-API-KEY": self.api_key,
            "X-BAPI-SIGN": self._auth(payload=payload, recv_window=window_ms, timestamp=moment.timestamp_ms),
            "X-BAPI-SIGN-TYPE": "2",
            "X-BAPI-TIMESTAMP": str(moment.timestamp_ms),
            "X-BAPI-RECV-WINDOW": str(window_ms),
        }

    def _judge(self, response: Response, *, is_write: bool) -> Envelope:
        """The envelope of a success. HTTP status first, then JSON, then retCode: HTTP 200 alone is no success."""
        if response.status >= 500 or response.status == 429:
            raise error_from_status(response.status, "", is_write=is_write)
        if response.status != 200:
            raise self._refusal(response, is_write=is_write)
        envelope = decode_json(response, exchange=EXCHANGE)
        code = _code_in(envelope)
        if code is None:
            raise BadVenueResponse("the exchange's answer has no retCode", exchange=EXCHANGE, http_status=response.status)
        if code != 0:
            raise self._error_in(envelope, code, response, is_write=is_write)
        return envelope  # type: ignore[no-any-return]  # _code_in has seen that it is a dict

    def _refusal(self, response: Response, *, is_write: bool) -> ExchangeAPIError:
        """A 4xx: an address ban by its words, else by the retCode in the body where there is one, else by the status."""
        text = response.body[:500].decode("utf-8", "replace")
        try:
            envelope = decode_json(response, exchange=EXCHANGE)
        except BadVenueResponse:
            envelope = None
        code = _code_in(envelope)
        if not code or is_ban(response.status, text):
            return error_from_status(response.status, text, is_write=is_write)
        return self._error_in(envelope, code, response, is_write=is_write)

    def _error_in(self, envelope: Envelope, code: int, response: Response, *, is_write: bool) -> ExchangeAPIError:
        text = _words_of(envelope)
        return error_from_code(
            code,
            text.replace(self.api_key, "***") if self.api_key else text,
            is_write=is_write,
            http_status=response.status,
            retry_after_s=_seconds_until_reset(response, self._clock),
        )


def _words_of(envelope: Envelope) -> str:
    """The venue's message, and behind it the reasons that some refusals list."""
    message, answer = envelope.get("retMsg"), envelope.get("result")
    reasons = answer.get("reasons") if isinstance(answer, dict) else None
    listed = [each.get("reasonMsg") for each in reasons if isinstance(each, dict)] if isinstance(reasons, list) else []
    return ": ".join(text for text in (message, *listed) if isinstance(text, str) and text)


def _code_in(envelope: object) -> int | None:
    code = envelope.get("retCode") if isinstance(envelope, dict) else None
    return code if isinstance(code, int) and not isinstance(code, bool) else None


def _seconds_until_reset(response: Response, clock: VenueClock) -> float | None:
    reset_ms = response.headers.get(_RATE_RESET_HEADER, "")
    if not (reset_ms.isascii() and reset_ms.isdigit()):
        return None
    return max(0, int(reset_ms[:20]) - clock.now_ms()) / 1_000


def _refuse_unsafe(parameters: dict[str, Any]) -> None:
    for name, value in parameters.items():
        if not QUERY_VALUE.fullmatch(str(value)):
            raise BadParameter(f"{name} must be plain letters, digits and signs, was {str(value)!r:.80}", exchange=EXCHANGE, field=name)
