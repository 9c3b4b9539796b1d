"""What a refusal means, judged over real HTTP, and the table itself against the list of known codes."""

import csv
from pathlib import Path
from typing import Any

import pytest

from exchanges import errors
from exchanges.adapters.binance.errors import to_error
from exchanges.errors import ExchangeAPIError, WriteEffect
from tests.exchanges.binance.venue_server import Answer, Setup

CODES = Path(__file__).parents[4] / "shared" / "error_codes.csv"
WITHOUT_A_CLASS = {"ComplianceRestricted": "RegionRestricted"}
LATER = {"ListenKeyExpired"}

UNKNOWN = "Unknown error, please check your request or try again later."
FAILED = "Internal error; unable to process your request. Please try again."
THROTTLED = "Request throttled by system-level protection. Reduce-only/close-position orders are exempt. Please try again."
BANNED = "Way too many requests; IP(203.0.113.7) banned until 1763990460000. Please use the websocket for live updates to avoid bans."

JUDGED: list[tuple[str, Answer, type[ExchangeAPIError], type[ExchangeAPIError]]] = [
    ("503 unknown", Answer({"code": -1000, "msg": UNKNOWN}, 503), errors.OutcomeUnknown, errors.ExchangeUnavailable),
    ("503 without a code", Answer({"msg": UNKNOWN}, 503), errors.OutcomeUnknown, errors.ExchangeUnavailable),
    ("503 unavailable", Answer({"code": 0, "msg": "Service Unavailable."}, 503), errors.ExchangeUnavailable, errors.ExchangeUnavailable),
    ("503 with other words", Answer({"msg": "Service Unavailable. Try a mirror."}, 503), errors.OutcomeUnknown, errors.ExchangeUnavailable),
    ("503 internal", Answer({"code": -1001, "msg": FAILED}, 503), errors.ExchangeUnavailable, errors.ExchangeUnavailable),
    ("503 throttled", Answer({"code": -1008, "msg": THROTTLED}, 503), errors.Overloaded, errors.Overloaded),
    ("503 of a proxy", Answer(b"<h1>503 Service Unavailable</h1>", 503), errors.OutcomeUnknown, errors.ExchangeUnavailable),
    ("503 unavailable, said by a proxy", Answer(b"Service Unavailable.", 503), errors.OutcomeUnknown, errors.ExchangeUnavailable),
    ("502 of a proxy", Answer(b"<html>Bad Gateway</html>", 502), errors.OutcomeUnknown, errors.ExchangeUnavailable),
    ("500 with a definite code", Answer({"code": -2019, "msg": "?"}, 500), errors.OutcomeUnknown, errors.ExchangeUnavailable),
    (
        "504 timeout",
        Answer({"code": -1007, "msg": "Timeout waiting for response."}, 504),
        errors.OutcomeUnknown,
        errors.ExchangeUnavailable,
    ),
    ("408", Answer({"code": -1007, "msg": "Timeout"}, 408), errors.OutcomeUnknown, errors.ExchangeUnavailable),
    ("400 without JSON", Answer(b"Bad Request", 400), errors.BadVenueResponse, errors.BadVenueResponse),
    ("400 unlisted code", Answer({"code": -9999, "msg": "new"}, 400), errors.UnmappedVenueError, errors.UnmappedVenueError),
    ("400 list", Answer([{"code": -2019, "msg": "Margin is insufficient."}], 400), errors.InsufficientMargin, errors.InsufficientMargin),
    ("401 key, address or permission", Answer({"code": -2015, "msg": "no"}, 401), errors.PermissionDenied, errors.PermissionDenied),
    ("401 signature", Answer({"code": -1022, "msg": "no"}, 401), errors.BadSignature, errors.BadSignature),
    ("400 clock", Answer({"code": -1021, "msg": "outside of the recvWindow"}, 400), errors.ClockSkew, errors.ClockSkew),
    ("451", Answer({"code": 0, "msg": "restricted location"}, 451), errors.RegionRestricted, errors.RegionRestricted),
    ("429", Answer({"code": -1003, "msg": "Too many requests"}, 429), errors.RateLimited, errors.RateLimited),
    ("429 orders", Answer({"code": -1015, "msg": "Too many new orders"}, 429), errors.AccountRateLimited, errors.AccountRateLimited),
    ("418", Answer({"code": -1003, "msg": BANNED}, 418), errors.Banned, errors.Banned),
    ("418 of a proxy", Answer(b"teapot", 418), errors.Banned, errors.Banned),
    ("403 firewall", Answer(b"<html>Forbidden</html>", 403), errors.Banned, errors.Banned),
    ("400 duplicate id", Answer({"code": -4116, "msg": "dup"}, 400), errors.DuplicateClientOrderId, errors.DuplicateClientOrderId),
    ("200 that is a refusal", Answer({"code": -2010, "msg": "NEW_ORDER_REJECTED"}), errors.InvalidOrder, errors.InvalidOrder),
    ("200 with a text code", Answer({"code": "-2011", "msg": "Unknown order sent."}), errors.UnknownOrder, errors.UnknownOrder),
    ("200 with an odd code", Answer({"code": [], "msg": 1}), errors.BadVenueResponse, errors.BadVenueResponse),
    ("200 that is cut", Answer(b'{"orderId": 1, "symb'), errors.BadVenueResponse, errors.BadVenueResponse),
    ("200 of a proxy", Answer(b"<html>ok</html>"), errors.BadVenueResponse, errors.BadVenueResponse),
    ("200 empty", Answer(b""), errors.BadVenueResponse, errors.BadVenueResponse),
    ("302", Answer(b"", 302, {"Location": "/elsewhere"}), errors.BadVenueResponse, errors.BadVenueResponse),
]


@pytest.mark.parametrize(("name", "answer", "write", "read"), JUDGED, ids=[name for name, *_ in JUDGED])
async def test_an_answer_is_judged(setup: Setup, name: str, answer: Answer, write: Any, read: Any) -> None:
    setup.server.on("POST", "/fapi/v1/leverage", answer)
    setup.server.on("GET", "/fapi/v3/account", answer)

    with pytest.raises(ExchangeAPIError) as written:
        await setup.exchange._client.futures_change_leverage(symbol="BTCUSDT", leverage=5)
    with pytest.raises(ExchangeAPIError) as was_read:
        await setup.exchange.get_balances()

    assert (type(written.value), type(was_read.value)) == (write, read)
    assert (written.value.exchange, bool(written.value.message)) == ("binance", True)
    assert len(setup.server.requests) == 2


@pytest.mark.parametrize(
    ("answer", "retry_after_s"),
    [
        (Answer({"code": -1003, "msg": BANNED}, 418, {"Retry-After": "120"}), 120),
        (Answer({"code": -1003, "msg": "Too many requests"}, 429, {"Retry-After": "7"}), 7),
        (Answer({"code": -1003, "msg": "Too many requests"}, 429), None),
        (Answer({"code": -1003, "msg": "Too many requests"}, 429, {"Retry-After": "soon"}), None),
        (Answer(b"Forbidden", 403), 300),
    ],
)
async def test_a_limit_says_when_to_come_back(setup: Setup, answer: Answer, retry_after_s: float | None) -> None:
    setup.server.on("GET", "/fapi/v3/account", answer)
    with pytest.raises(errors.RateLimited) as caught:
        await setup.exchange.get_balances()
    assert caught.value.retry_after_s == retry_after_s


@pytest.mark.parametrize(("now_ms", "retry_after_s"), [(1_763_990_400_000, 60), (1_763_990_459_500, 0.5), (1_763_990_470_000, 0)])
def test_a_ban_until_a_moment_is_a_duration_on_the_venues_clock(now_ms: int, retry_after_s: float) -> None:
    for status in (400, 418, 429):
        error = to_error(status=status, code=-1003, message=BANNED, is_write=False, retry_after=None, now_ms=now_ms)
        assert (type(error), error.retry_after_s) == (errors.Banned, retry_after_s)


async def test_the_venues_text_and_code_are_kept(setup: Setup) -> None:
    setup.server.on("POST", "/fapi/v1/leverage", Answer({"code": -4028, "msg": "Leverage 500 is not valid"}, 400))
    with pytest.raises(errors.BadParameter) as caught:
        await setup.exchange.set_leverage("BTCUSDT", 500)
    error = caught.value
    assert (error.code, error.http_status, error.field, error.message) == ("-4028", 400, "leverage", "Leverage 500 is not valid")


async def test_an_item_of_a_read_that_is_an_error_fails_the_read(setup: Setup) -> None:
    setup.server.on("GET", "/fapi/v1/openAlgoOrders", [{"code": -1121, "msg": "Invalid symbol."}])
    with pytest.raises(errors.UnknownSymbol):
        await setup.exchange.get_open_orders()


async def test_items_of_a_batch_stand_for_themselves(setup: Setup) -> None:
    items = [{"code": -4005, "msg": "Quantity greater than max quantity."}, {"orderId": 1}]
    setup.server.on("POST", "/fapi/v1/batchOrders", items)
    answer = await setup.exchange._client.futures_place_batch_order(batchOrders=[{"symbol": "BTCUSDT", "newClientOrderId": "cb1"}])
    assert answer == items


@pytest.mark.parametrize("code", [200, "200"])
async def test_code_200_is_a_success(setup: Setup, code: object) -> None:
    body = {"code": code, "msg": "success"}
    setup.server.on("DELETE", "/fapi/v1/allOpenOrders", body)
    assert await setup.exchange._client.futures_cancel_all_open_orders(symbol="BTCUSDT") == body


def test_every_listed_code_has_its_class() -> None:
    if not CODES.is_file():
        pytest.skip(f"no list of codes at {CODES}")
    rows = [row for row in csv.DictReader(CODES.read_text().splitlines()) if row["venue"] == "binance" and row["code"].startswith("-")]
    assert len(rows) > 100
    for row in rows:
        if row["class"] in LATER:
            continue
        error = to_error(status=400, code=int(row["code"]), message="", is_write=True, retry_after=None, now_ms=0)
        # The list knows one class of limits; here the one that is counted per account is told from those per address.
        expected = "AccountRateLimited" if row["code"] == "-1015" else WITHOUT_A_CLASS.get(row["class"], row["class"])
        assert type(error).__name__ == expected, row
        if row["class"] != "OrderBusy":
            assert error.write_effect == WriteEffect(row["write_effect"]), row
