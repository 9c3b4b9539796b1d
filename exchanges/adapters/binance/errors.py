"""What a refusal of Binance USD-M means: HTTP status, code and text in, one error of exchanges.errors out. Pure.

Rules: Binance's "General Info" (HTTP return codes, 503 by its text) and "Error Codes" for USD-M futures. The status is judged before the
code; a code that is not listed here leaves a write unknown until it is looked up.
"""

import re
from collections.abc import Mapping
from typing import Any

from exchanges import errors
from exchanges.errors import ExchangeAPIError

EXCHANGE = "binance"
SUCCESS_CODE = 200
WAF_PAUSE_S = 300.0
"""A 403 is the web application firewall; it names no time."""

_CODES: dict[type[ExchangeAPIError], tuple[int, ...]] = {
    errors.RateLimited: (-1003,),
    errors.AccountRateLimited: (-1015,),  # orders are counted per account, all else per address
    errors.OutcomeUnknown: (-1000, -1006, -1007, -1010, -2012),
    errors.ExchangeUnavailable: (-1001,),
    errors.Overloaded: (-1008,),
    errors.Maintenance: (-1016,),
    errors.ClockSkew: (-1021,),
    errors.RequestExpired: (-5028,),
    errors.BadSignature: (-1022,),
    errors.BadApiKey: (-1002, -1099, -2014, -4056, -4057),
    errors.PermissionDenied: (-1109, -2015, -2017),
    errors.IpNotAllowed: (-1005, -1011),
    errors.RegionRestricted: (-4088, -4192, -4202, -4203, -4206, -4402, -4403),
    errors.ReduceOnlyAccount: (-4087, -4400, -4401),
    errors.AccountBlocked: (-2023,),
    errors.BadParameter: (
        *(-1013, -1014, -1020, -1023, -1100, -1101, -1102, -1103, -1104, -1105, -1106, -1114, -1115, -1116, -1117, -1118, -1119),
        *(-1128, -1130, -1136, -4015, -4028, -4062, -4082, -5037, -5038, -5039, -5040),
    ),
    errors.FilterViolation: (-1111, -4001, -4002, -4003, -4004, -4005, -4013, -4014, -4023, -4164),
    errors.PriceOutOfBand: (-4006, -4007, -4016, -4024, -4131, -4183, -4184, -4210, -4211),
    errors.UnknownSymbol: (-1121, -1126, -4144),
    errors.MarketNotTrading: (-1112, -1122, -4022, -4140, -4141, -5024, -5041),
    errors.WrongEndpoint: (-4120,),
    errors.InvalidOrder: (-2010, -2026, -4136, -4137, -4138, -5025),
    errors.UnknownOrder: (-2011, -2013),
    errors.InsufficientMargin: (-2018, -2019, -2028, -4050, -4051, -4118),
    errors.ReduceOnlyRejected: (-2022, -2024, -5047),
    errors.NotFillable: (-2020, -5021),
    errors.PostOnlyWouldTake: (-5022,),
    errors.WouldTriggerImmediately: (-2021, -4142),
    errors.TooManyOpenOrders: (-2025, -4045),
    errors.RiskLimitExceeded: (-2027,),
    errors.PositionModeMismatch: (-4060, -4061),
    errors.DuplicateClientOrderId: (-4116,),
    errors.OrderBusy: (-4117, -5026),
    errors.OpenOrdersInTheWay: (-4047, -4067),
    errors.PositionInTheWay: (-4048, -4068, -4161),
    errors.SettingRefused: (-4168,),  # isolated margin under multi-assets mode
    errors.NoChange: (-4046, -4059, -4171, -5027),
}
_BY_CODE = {code: error for error, codes in _CODES.items() for code in codes}

_FIELDS: dict[str, tuple[int, ...]] = {
    "symbol": (-1121, -4144),
    "quantity": (-4003, -4004, -4005, -4023, -4164),
    "price": (-4001, -4002, -4006, -4007, -4013, -4014, -4016, -4024, -4131),
    "side": (-1117,),
    "order_type": (-1116,),
    "time_in_force": (-1115,),
    "client_order_id": (-4015, -4116),
    "position_side": (-4060, -4061),
    "leverage": (-4028, -4161),
    "margin_mode": (-4047, -4048, -4168),
}
_FIELD_BY_CODE = {code: field for field, codes in _FIELDS.items() for code in codes}

_BY_STATUS: dict[int, type[ExchangeAPIError]] = {
    403: errors.Banned,
    408: errors.OutcomeUnknown,
    418: errors.Banned,
    451: errors.RegionRestricted,
}
_BANNED_UNTIL = re.compile(r"banned until (\d{13})\b")


def to_code(value: object) -> int | None:
    """A code as a number (Binance sends -2011 and "200" alike); None where it is none."""
    if isinstance(value, str) and re.fullmatch(r"-?\d{1,9}", value):
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def refusal_in(body: object) -> Mapping[str, Any] | None:
    """The `{code, msg}` object that a body is, or None: a code of 200 is a success, and a body without one is data."""
    if isinstance(body, dict) and "code" in body and to_code(body["code"]) != SUCCESS_CODE:
        return body
    return None


def to_error(*, status: int, code: int | None, message: str, is_write: bool, retry_after: str | None, now_ms: int) -> ExchangeAPIError:
    """The error for one refusal. `retry_after` is the HTTP header; `now_ms`, on the venue's clock, makes "banned until" a duration."""
    kind = _class_of(status, code, message)
    if kind is errors.OutcomeUnknown and not is_write:
        kind = errors.ExchangeUnavailable
    is_limit = issubclass(kind, errors.RateLimited)
    return kind(
        message or f"the exchange answered HTTP {status}",
        code,
        EXCHANGE,
        http_status=status,
        field="" if code is None else _FIELD_BY_CODE.get(code, ""),
        retry_after_s=_retry_after_s(status, retry_after, message, now_ms) if is_limit else None,
    )


def _class_of(status: int, code: int | None, message: str) -> type[ExchangeAPIError]:
    if status in _BY_STATUS:
        return _BY_STATUS[status]
    if _BANNED_UNTIL.search(message):
        return errors.Banned
    if status == 429:
        return errors.AccountRateLimited if _BY_CODE.get(code or 0) is errors.AccountRateLimited else errors.RateLimited
    if status == 503:
        return _class_of_503(code, message)
    if status >= 500:
        return errors.OutcomeUnknown
    if code is None:
        return errors.BadVenueResponse
    return _BY_CODE.get(code, errors.UnmappedVenueError)


def _class_of_503(code: int | None, message: str) -> type[ExchangeAPIError]:
    """Four meanings of one status, told apart by the text (General Info). Only a text that says "failed" is taken as such: whatever else
    comes with a 503, from a proxy for example, may have been carried out."""
    text = message.strip().lower()
    if code == -1008 or "throttled by system-level protection" in text:
        return errors.Overloaded
    if text == "service unavailable." or text.startswith("internal error; unable to process"):
        return errors.ExchangeUnavailable
    if code == -1016:
        return errors.Maintenance
    return errors.OutcomeUnknown


def _retry_after_s(status: int, header: str | None, message: str, now_ms: int) -> float | None:
    if header is not None and re.fullmatch(r"[0-9]{1,9}", header.strip()):
        return int(header)
    until = _BANNED_UNTIL.search(message)
    if until:
        return max(0.0, (int(until[1]) - now_ms) / 1_000)
    return WAF_PAUSE_S if status == 403 else None
