"""What Bybit's refusals mean: retCode or HTTP status -> an error class.

Knows codes, nothing of requests. Sources: the error and rate limit pages of the V5 documentation, read July 2026. A code that is not here
is UnmappedVenueError, so a write that met it is looked up.
"""

from exchanges.errors import (
    AccountBlocked,
    AccountRateLimited,
    BadApiKey,
    BadParameter,
    BadSignature,
    Banned,
    ClockSkew,
    DuplicateClientOrderId,
    ExchangeAPIError,
    ExchangeUnavailable,
    FilterViolation,
    InsufficientMargin,
    IpNotAllowed,
    Maintenance,
    MarketNotTrading,
    NoChange,
    NotFillable,
    OpenOrdersInTheWay,
    OrderAlreadyFinal,
    OrderBusy,
    OutcomeUnknown,
    Overloaded,
    OverloadedOutcomeUnknown,
    PermissionDenied,
    PositionInTheWay,
    PositionModeMismatch,
    PriceOutOfBand,
    RateLimited,
    ReduceOnlyMarket,
    ReduceOnlyRejected,
    RegionRestricted,
    RequestExpired,
    RiskLimitExceeded,
    SettingRefused,
    TooManyOpenOrders,
    UnknownOrder,
    UnmappedVenueError,
    WouldTriggerImmediately,
    WrongEndpoint,
)

EXCHANGE = "bybit"
# "403, access too frequent": end all sessions and wait for at least 10 minutes.
BAN_S = 600.0

_CODES_BY_CLASS: dict[type[ExchangeAPIError], str] = {
    AccountBlocked: "10008 10027 110066 110080 3100197",
    AccountRateLimited: "10006 20003",
    BadApiKey: "10003 10007 33004 -2015",
    BadParameter: "10001 10404 20006 110015 110018 110019 110032 110036 110037 110038 110049 110050",
    BadSignature: "10004",
    ClockSkew: "10002",
    DuplicateClientOrderId: "110072",
    FilterViolation: "110064 110094",
    # 110011, 110039, 110040 and 110046: carrying it out would start a liquidation.
    InsufficientMargin: ("110004 110006 110007 110011 110012 110014 110039 110040 110044 110045 110046 110047 110051 110052 110053 110131"),
    IpNotAllowed: "10010",
    Maintenance: "10019",
    MarketNotTrading: "110063 110070 110074 110095 110098 110099 110103",
    NoChange: "34040 110025 110026 110027 110043",
    NotFillable: "110118",
    OrderAlreadyFinal: "110008 110010",
    OrderBusy: "40004 110035 110079",
    OutcomeUnknown: "10000 10014 10016",
    OverloadedOutcomeUnknown: "429 10429",
    PermissionDenied: "10005 10028 10029 30133 30134 110065 110067 110068 110069 110088 110096 110097 110100 110119 110135 110136",
    OpenOrdersInTheWay: "110028",
    PositionInTheWay: "110024",
    PositionModeMismatch: "110005 110029",
    PriceOutOfBand: "30208 30209 110003 110120 110121",
    RateLimited: "10018",
    ReduceOnlyMarket: "30228 110023 110042 110137",
    ReduceOnlyRejected: "110017 110033 110034",
    RegionRestricted: "10009 10024 110123 110124 110125 110132",
    RequestExpired: "-1",
    SettingRefused: "3400045",
    RiskLimitExceeded: "30135 30136 110013 110021 110022 110031 110048 110085 110086 110087 110089 110090 3400139",
    TooManyOpenOrders: "110009 110020 110061",
    UnknownOrder: "110001",
    WouldTriggerImmediately: "110092 110093",
    WrongEndpoint: "10017",
}
CLASS_BY_CODE = {int(code): error_class for error_class, codes in _CODES_BY_CLASS.items() for code in codes.split()}

# The same trouble on a read leaves nothing open: the venue did not answer, that is all.
_CLASS_ON_READS: dict[type[ExchangeAPIError], type[ExchangeAPIError]] = {
    OutcomeUnknown: ExchangeUnavailable,
    OverloadedOutcomeUnknown: Overloaded,
}
_FIELD_BY_CLASS: dict[type[ExchangeAPIError], str] = {
    DuplicateClientOrderId: "client_order_id",
    FilterViolation: "quantity",
    PriceOutOfBand: "price",
    RiskLimitExceeded: "quantity",
}
# Codes of which only the text tells what is wrong: 10001 is every wrong parameter, 3400045 every refusal of a margin mode.
_MEANINGS_BY_TEXT: dict[int, tuple[tuple[str, type[ExchangeAPIError], str], ...]] = {
    10001: (
        ("openapi sign params", BadApiKey, ""),
        ("position idx", PositionModeMismatch, "position_side"),
        ("number of contracts", FilterViolation, "quantity"),
        ("qty invalid", FilterViolation, "quantity"),
        ("price invalid", FilterViolation, "price"),
        ("leverage", BadParameter, "leverage"),
    ),
    3400045: (
        ("active order", OpenOrdersInTheWay, "margin_mode"),
        ("open order", OpenOrdersInTheWay, "margin_mode"),
        ("position", PositionInTheWay, "margin_mode"),
        ("", SettingRefused, "margin_mode"),
    ),
}
_FIELD_BY_CODE = {30135: "leverage", 30136: "leverage", 110013: "leverage", 110086: "leverage", 110087: "leverage"}
_CLASS_BY_STATUS: dict[int, type[ExchangeAPIError]] = {
    400: BadParameter,
    401: BadApiKey,
    404: WrongEndpoint,
    429: OverloadedOutcomeUnknown,
}


def error_from_code(
    code: int, message: str, *, is_write: bool, http_status: int = 200, retry_after_s: float | None = None
) -> ExchangeAPIError:
    """What an envelope's retCode (not 0) means; `retry_after_s` is when the venue's rate window resets, where it said so."""
    error_class, field = _meaning(code, message)
    if not is_write:
        error_class = _CLASS_ON_READS.get(error_class, error_class)
    return error_class(
        _without_echo(message) or f"the exchange refused the request with code {code}",
        code,
        EXCHANGE,
        http_status=http_status,
        field=field,
        retry_after_s=retry_after_s if issubclass(error_class, RateLimited) else None,
    )


def is_ban(status: int, text: str) -> bool:
    return status == 403 and "too frequent" in text.lower()


def error_from_status(status: int, text: str, *, is_write: bool) -> ExchangeAPIError:
    """What an HTTP status other than 200 means where the body holds no retCode. `text` is read for the two meanings of 403 only."""
    message = f"the exchange answered HTTP {status}"
    if is_ban(status, text):
        return Banned(f"{message}: access too frequent", exchange=EXCHANGE, http_status=status, retry_after_s=BAN_S)
    if status in (403, 451):
        return RegionRestricted(f"{message}: forbidden", exchange=EXCHANGE, http_status=status)
    error_class = _CLASS_BY_STATUS.get(status, OutcomeUnknown)
    if not is_write:
        error_class = _CLASS_ON_READS.get(error_class, error_class)
    return error_class(message, exchange=EXCHANGE, http_status=status)


def _meaning(code: int, message: str) -> tuple[type[ExchangeAPIError], str]:
    for words, error_class, field in _MEANINGS_BY_TEXT.get(code, ()):
        if words in message.lower():
            return error_class, field
    error_class = CLASS_BY_CODE.get(code, UnmappedVenueError)
    return error_class, _FIELD_BY_CODE.get(code, _FIELD_BY_CLASS.get(error_class, ""))


def _without_echo(message: str) -> str:
    """Bybit's refusal of a signature (10004) repeats what was signed, the API key included."""
    return message.partition("origin_string")[0].strip()
