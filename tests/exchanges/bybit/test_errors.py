"""What an answer that is no success means, over real HTTP: status, body, retCode and header, for a write and for a read."""

import pytest
from aiohttp import web

from exchanges import errors
from exchanges.adapters.bybit.client import BybitClient
from exchanges.adapters.bybit.errors import CLASS_BY_CODE, error_from_code
from exchanges.adapters.bybit.exchange import BybitExchange
from exchanges.errors import ExchangeAPIError, WriteEffect
from exchanges.venue import VenueContext
from tests.exchanges.bybit.conftest import KEY, SECRET, config, limit_order
from tests.exchanges.bybit.recording import RecordingVenue, refusal

# status, body, class on a write, class on a read
ANSWERS = [
    (500, b"oops", errors.OutcomeUnknown, errors.ExchangeUnavailable),
    (502, b"<html>bad gateway</html>", errors.OutcomeUnknown, errors.ExchangeUnavailable),
    (503, refusal(10001), errors.OutcomeUnknown, errors.ExchangeUnavailable),
    (429, refusal(10429), errors.OverloadedOutcomeUnknown, errors.Overloaded),
    (408, b"", errors.OutcomeUnknown, errors.ExchangeUnavailable),
    (204, b"", errors.OutcomeUnknown, errors.ExchangeUnavailable),
    (302, b"", errors.BadVenueResponse, errors.BadVenueResponse),
    (400, b"bad request", errors.BadParameter, errors.BadParameter),
    (401, b"", errors.BadApiKey, errors.BadApiKey),
    (401, refusal(10010), errors.IpNotAllowed, errors.IpNotAllowed),
    (403, b"403, access too frequent", errors.Banned, errors.Banned),
    (403, refusal(10018, "Access too frequent. Please try again in 5 minutes."), errors.Banned, errors.Banned),
    (
        403,
        b"<html>The Amazon CloudFront distribution is configured to block access</html>",
        errors.RegionRestricted,
        errors.RegionRestricted,
    ),
    (404, b"not found", errors.WrongEndpoint, errors.WrongEndpoint),
    (200, b"", errors.BadVenueResponse, errors.BadVenueResponse),
    (200, b"<html>captive portal</html>", errors.BadVenueResponse, errors.BadVenueResponse),
    (200, refusal(0)[:-5], errors.BadVenueResponse, errors.BadVenueResponse),
    (200, b"null", errors.BadVenueResponse, errors.BadVenueResponse),
    (200, b"[]", errors.BadVenueResponse, errors.BadVenueResponse),
    (200, b"{}", errors.BadVenueResponse, errors.BadVenueResponse),
    (200, refusal(True), errors.BadVenueResponse, errors.BadVenueResponse),
    (200, refusal("0"), errors.BadVenueResponse, errors.BadVenueResponse),
    (200, refusal(0.0), errors.BadVenueResponse, errors.BadVenueResponse),
    (200, refusal(10000), errors.OutcomeUnknown, errors.ExchangeUnavailable),
    (200, refusal(10016), errors.OutcomeUnknown, errors.ExchangeUnavailable),
    (200, refusal(429), errors.OverloadedOutcomeUnknown, errors.Overloaded),
    (200, refusal(10429), errors.OverloadedOutcomeUnknown, errors.Overloaded),
    (200, refusal(987654), errors.UnmappedVenueError, errors.UnmappedVenueError),
    (200, refusal(110072), errors.DuplicateClientOrderId, errors.DuplicateClientOrderId),
    (200, refusal(10002), errors.ClockSkew, errors.ClockSkew),
    (200, refusal(-1), errors.RequestExpired, errors.RequestExpired),
    (200, refusal(10003, None), errors.BadApiKey, errors.BadApiKey),
    (200, refusal(110007), errors.InsufficientMargin, errors.InsufficientMargin),
    (200, refusal(110017), errors.ReduceOnlyRejected, errors.ReduceOnlyRejected),
]


@pytest.mark.parametrize(("status", "body", "on_write", "on_read"), ANSWERS)
async def test_answers_are_judged(
    status: int,
    body: bytes,
    on_write: type[ExchangeAPIError],
    on_read: type[ExchangeAPIError],
    venue: RecordingVenue,
    context: VenueContext,
) -> None:
    venue.answer("/v5/order/create", web.Response(status=status, body=body))
    venue.answer("/v5/account/wallet-balance", web.Response(status=status, body=body))
    client = BybitClient(config(), context)

    with pytest.raises(ExchangeAPIError) as written:
        await client.place_order(category="linear")
    with pytest.raises(ExchangeAPIError) as read:
        await client.get_wallet_balance(accountType="UNIFIED")

    assert (type(written.value), type(read.value)) == (on_write, on_read)
    assert written.value.exchange == "bybit"
    assert written.value.http_status == status


async def test_a_ban_lasts_ten_minutes(venue: RecordingVenue, exchange: BybitExchange) -> None:
    venue.answer("/v5/market/time", web.Response(status=403, text="403, access too frequent"))
    with pytest.raises(errors.Banned) as caught:
        await exchange.get_server_time_ms()
    assert caught.value.retry_after_s == 600


@pytest.mark.parametrize(
    ("ahead_ms", "at_least", "at_most"), [("4000", 2.0, 4.0), ("-4000", 0.0, 0.0), ("soon", None, None), (None, None, None)]
)
async def test_a_rate_limit_says_when_it_resets(
    ahead_ms: str | None, at_least: float | None, at_most: float | None, venue: RecordingVenue, context: VenueContext
) -> None:
    headers = {}
    if ahead_ms is not None:
        is_number = ahead_ms.lstrip("-").isdigit()
        headers["X-Bapi-Limit-Reset-Timestamp"] = str(context.clock.now_ms() + int(ahead_ms)) if is_number else ahead_ms
    venue.answer("/v5/account/wallet-balance", web.Response(body=refusal(10006, "Too many visits!"), headers=headers))
    with pytest.raises(errors.RateLimited) as caught:
        await BybitClient(config(), context).get_wallet_balance(accountType="UNIFIED")
    retry_after_s = caught.value.retry_after_s
    if at_least is None or at_most is None:
        assert retry_after_s is None
    else:
        assert retry_after_s is not None
        assert at_least <= retry_after_s <= at_most


@pytest.mark.parametrize("code", [110043, 110025, 110026, 110027, 34040])
async def test_leverage_that_already_is_so_is_a_success(code: int, venue: RecordingVenue, exchange: BybitExchange) -> None:
    venue.answer("/v5/position/set-leverage", web.Response(body=refusal(code, "not modified")))
    assert await exchange.set_leverage("BTCUSDT", 10) is True


async def test_no_error_shows_key_secret_signature_or_query(venue: RecordingVenue, exchange: BybitExchange) -> None:
    echo = f"error sign! origin_string[1795500000000{KEY}5000accountType=UNIFIED]"
    for message in (echo, f"key {KEY} is not known"):
        venue.answer("/v5/account/wallet-balance", web.Response(body=refusal(10004, message)))
        with pytest.raises(errors.BadSignature) as caught:
            await exchange.get_balances()
        signature = venue.requests[-1].headers["X-BAPI-SIGN"]
        for text in (str(caught.value), repr(caught.value), caught.value.user_message):
            assert not [secret for secret in (KEY, SECRET, signature, "accountType") if secret in text]


@pytest.mark.parametrize(
    ("message", "expected", "field"),
    [
        ("params error: position idx not match position mode", errors.PositionModeMismatch, "position_side"),
        ("The number of contracts exceeds minimum limit allowed", errors.FilterViolation, "quantity"),
        ("Qty invalid", errors.FilterViolation, "quantity"),
        ("Price invalid", errors.FilterViolation, "price"),
        ("params error: symbol invalid", errors.BadParameter, ""),
        ("", errors.BadParameter, ""),
    ],
)
async def test_the_text_of_10001_tells_which_parameter(
    message: str, expected: type[ExchangeAPIError], field: str, venue: RecordingVenue, exchange: BybitExchange
) -> None:
    venue.answer("/v5/order/create", web.Response(body=refusal(10001, message)))
    with pytest.raises(ExchangeAPIError) as caught:
        await exchange.place_order(limit_order())
    assert (type(caught.value), caught.value.field) == (expected, field)
    assert str(caught.value)


def test_only_answers_that_leave_something_open_say_so() -> None:
    unknown = {code for code, error_class in CLASS_BY_CODE.items() if error_class.write_effect is WriteEffect.UNKNOWN}
    assert unknown == {10000, 10014, 10016, 429, 10429, 110072, 40004, 110035, 110079}
    assert {code for code, error_class in CLASS_BY_CODE.items() if error_class.write_effect is WriteEffect.APPLIED} == {
        34040,
        110025,
        110026,
        110027,
        110043,
    }
    assert error_from_code(123456789, "", is_write=True).write_effect is WriteEffect.UNKNOWN
