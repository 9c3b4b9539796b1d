"""OKX codes and HTTP statuses -> exchanges.errors. Knows what each code says about a write; knows no transport.

From OKX's error code list (read November 2026). 6xxxx are codes of its WebSocket and have no place here; a code that is not listed
leaves a write unknown until it is looked up.
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
    InvalidOrder,
    IpNotAllowed,
    Maintenance,
    MarketNotTrading,
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
    ReduceOnlyRejected,
    RegionRestricted,
    RequestExpired,
    RiskLimitExceeded,
    SettingRefused,
    TooManyOpenOrders,
    UnknownOrder,
    UnknownSymbol,
    UnmappedVenueError,
    WouldTriggerImmediately,
    WrongEnvironment,
)

EXCHANGE = "okx"

# OKX counts in windows of two seconds and names no time to come back.
RATE_WINDOW_S = 2.0

_CODES_BY_CLASS: dict[type[ExchangeAPIError], str] = {
    AccountBlocked: "50007 50009 50012 50017 50018 50019 50020 50021 50022 50023 50027 50100 51009 51024",
    # By user id on private endpoints; what the network's edge refuses is counted by address.
    AccountRateLimited: "50011 50061 51113",
    BadApiKey: "50103 50104 50105 50106 50107 50111 50114 50119",
    BadParameter: "50000 50002 50006 50014 50015 50016 50024 51000 51003 51111 59102 59105",
    BadSignature: "50113",
    ClockSkew: "50102 50112",
    DuplicateClientOrderId: "51011 51016",
    ExchangeUnavailable: "50005",
    FilterViolation: "51005 51007 51020 51100 51118 51120 51121 51150 51185 51201 51202 51203",
    InsufficientMargin: "51008 51119 51127 51131 51502 59103 59108",
    InvalidOrder: "54084 54085",
    IpNotAllowed: "50035 50110",
    Maintenance: "50001",
    MarketNotTrading: "51021 51022 51027 51028 51029 51030 51110 51124 54072",
    OpenOrdersInTheWay: "59101 59107 59112",
    OrderAlreadyFinal: "51401 51402 51509 51510",
    OrderBusy: "51410 51513",
    OutcomeUnknown: "50004 50026 51149",
    OverloadedOutcomeUnknown: "50013",
    PermissionDenied: "50028 50030 51010",
    PositionInTheWay: "59100",
    PriceOutOfBand: "51006 51031 51116 51122 51135 51136 51137 51138",
    ReduceOnlyRejected: "51023 51112 51134 51148 51169 51170",
    RegionRestricted: "51155 51734",
    # expTime is always this adapter's own, so "expTime is earlier than now" (50036) says the same as "expired" (50037).
    RequestExpired: "50036 50037",
    # 59000 names orders, positions and trading bots alike.
    SettingRefused: "59000 59001 59002",
    RiskLimitExceeded: "51004 51101 51102 51103 51104 51105 51106 51107 51129",
    TooManyOpenOrders: "51025 51117 51174",
    UnknownOrder: "51400 51503 51603",
    UnknownSymbol: "51001 51014 51015",
    WouldTriggerImmediately: "51277 51278 51279 51280",
    WrongEnvironment: "50038 50101",
}
CLASS_BY_CODE = {code: error_class for error_class, codes in _CODES_BY_CLASS.items() for code in codes.split()}

# The same trouble on a read leaves nothing open: the venue did not answer, that is all.
_CLASS_ON_READS: dict[type[ExchangeAPIError], type[ExchangeAPIError]] = {
    OutcomeUnknown: ExchangeUnavailable,
    OverloadedOutcomeUnknown: Overloaded,
}
_FIELD_BY_CLASS: dict[type[ExchangeAPIError], str] = {
    FilterViolation: "quantity",
    PriceOutOfBand: "price",
    PositionModeMismatch: "position_side",
    UnknownSymbol: "symbol",
    RiskLimitExceeded: "quantity",
    DuplicateClientOrderId: "client_order_id",
}
# 51150 is the precision of either the quantity or the price.
_FIELD_BY_CODE = {"51150": "", "59102": "leverage", "59105": "leverage"}


def error_from_code(code: str, message: str, http_status: int, retry_after_s: float | None = None, *, is_write: bool) -> ExchangeAPIError:
    """What an envelope's code or an item's sCode means. `retry_after_s` is the Retry-After header, where there was one."""
    error_class = CLASS_BY_CODE.get(code, UnmappedVenueError)
    # 51000 is every wrong parameter; only its text tells that posSide does not fit the account's position mode.
    if code == "51000" and "posside" in message.lower():
        error_class = PositionModeMismatch
    if not is_write:
        error_class = _CLASS_ON_READS.get(error_class, error_class)
    return error_class(
        message or f"the exchange refused the request with code {code}",
        code,
        EXCHANGE,
        http_status=http_status,
        field=_FIELD_BY_CODE.get(code, _FIELD_BY_CLASS.get(error_class, "")),
        retry_after_s=(retry_after_s or RATE_WINDOW_S) if issubclass(error_class, RateLimited) else None,
    )


def error_from_server_failure(http_status: int, code: str, message: str, *, is_write: bool) -> ExchangeAPIError:
    """HTTP 5xx. A write may have been carried out, whatever the body says; for a read the body's code may say more."""
    text = message or f"the exchange answered HTTP {http_status}"
    said = OutcomeUnknown if is_write else CLASS_BY_CODE.get(code, ExchangeUnavailable)
    error_class = said if is_write else _CLASS_ON_READS.get(said, said)
    return error_class(text, code, EXCHANGE, http_status=http_status)


def error_from_edge(http_status: int, retry_after_s: float | None) -> ExchangeAPIError | None:
    """A refusal without OKX's envelope comes from the network edge before the venue, so nothing was done; None for any other status."""
    if http_status == 429:
        return RateLimited("too many requests", http_status=429, exchange=EXCHANGE, retry_after_s=retry_after_s or RATE_WINDOW_S)
    if http_status == 403:
        return Banned("the exchange's edge refused this address", http_status=403, exchange=EXCHANGE, retry_after_s=retry_after_s)
    if http_status == 451:
        return RegionRestricted("not available from this region", http_status=451, exchange=EXCHANGE)
    return None
