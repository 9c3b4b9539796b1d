"""What status, envelope code and item code mean, for a write and for a read."""

import csv
import json
from pathlib import Path

import pytest
from multidict import CIMultiDict, CIMultiDictProxy

from exchanges import errors
from exchanges.adapters.okx.client import judge
from exchanges.adapters.okx.errors import CLASS_BY_CODE
from exchanges.transport import Response
from tests.exchanges.okx.venue import envelope, payload

SHARED_CODES = Path(__file__).parents[4] / "shared" / "error_codes.csv"
# Classes of that table that the project has under another name, with the same effect on a write.
RENAMED = {"ComplianceRestricted": "RegionRestricted", "SlippageExceeded": "InvalidOrder", "Overloaded": "OverloadedOutcomeUnknown"}


def response(body, status=200, headers=()):
    text = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Response(status, CIMultiDictProxy(CIMultiDict(headers)), text)


def refusal(body, status=200, headers=(), *, is_write=True):
    with pytest.raises(errors.ExchangeAPIError) as caught:
        judge(response(body, status, headers), is_write=is_write)
    assert caught.value.exchange == "okx"
    return caught.value


@pytest.mark.parametrize(
    ("code", "error_class"),
    [
        ("50004", errors.OutcomeUnknown),
        ("50011", errors.AccountRateLimited),
        ("50013", errors.OverloadedOutcomeUnknown),
        ("50026", errors.OutcomeUnknown),
        ("50036", errors.RequestExpired),
        ("50037", errors.RequestExpired),
        ("50061", errors.AccountRateLimited),
        ("50101", errors.WrongEnvironment),
        ("50102", errors.ClockSkew),
        ("50105", errors.BadApiKey),
        ("50110", errors.IpNotAllowed),
        ("50113", errors.BadSignature),
        ("51008", errors.InsufficientMargin),
        ("51010", errors.PermissionDenied),
        ("51016", errors.DuplicateClientOrderId),
        ("51121", errors.FilterViolation),
        ("51169", errors.ReduceOnlyRejected),
        ("51400", errors.UnknownOrder),
        ("51401", errors.OrderAlreadyFinal),
        ("51402", errors.OrderAlreadyFinal),
        ("51410", errors.OrderBusy),
        ("51603", errors.UnknownOrder),
        ("77777", errors.UnmappedVenueError),
    ],
)
def test_a_code_means_the_same_in_the_envelope_and_in_an_item(code, error_class):
    in_envelope = refusal(envelope(code=code, msg="words of the venue"))
    in_item = refusal(envelope({"ordId": "", "sCode": code, "sMsg": "words of the venue"}, code="1", msg="All operations failed"))
    hidden_by_code_0 = refusal(envelope({"ordId": "", "sCode": code, "sMsg": "words of the venue"}))
    for error in (in_envelope, in_item, hidden_by_code_0):
        assert type(error) is error_class
        assert (error.code, error.message) == (code, "words of the venue")


def test_a_partial_batch_raises_for_the_item_that_failed():
    error = refusal(envelope({"sCode": "0", "ordId": "1"}, {"sCode": "51008", "sMsg": "margin"}, code="2"))
    assert type(error) is errors.InsufficientMargin


def test_all_failed_without_an_item_is_unknown():
    error = refusal(envelope(code="1", msg="All operations failed"))
    assert type(error) is errors.UnmappedVenueError
    assert error.write_effect is errors.WriteEffect.UNKNOWN


def test_a_wrong_pos_side_is_a_position_mode_mismatch():
    item = {"ordId": "", "sCode": "51000", "sMsg": "Parameter posSide error "}
    assert type(refusal(envelope(item, code="1"))) is errors.PositionModeMismatch
    assert type(refusal(envelope(item | {"sMsg": "Parameter tdMode error "}, code="1"))) is errors.BadParameter


@pytest.mark.parametrize(
    ("status", "body", "of_a_write", "of_a_read"),
    [
        (500, b"<html>", errors.OutcomeUnknown, errors.ExchangeUnavailable),
        (502, b"", errors.OutcomeUnknown, errors.ExchangeUnavailable),
        (503, envelope(code="50001", msg="Service temporarily unavailable"), errors.OutcomeUnknown, errors.Maintenance),
        (500, envelope(code="50026", msg="System error"), errors.OutcomeUnknown, errors.ExchangeUnavailable),
        (400, envelope(code="50004", msg="Endpoint request timeout"), errors.OutcomeUnknown, errors.ExchangeUnavailable),
        (500, envelope(code="50013", msg="Systems are busy"), errors.OutcomeUnknown, errors.Overloaded),
        (429, b"<html>", errors.RateLimited, errors.RateLimited),
        (429, envelope(code="50011", msg="Too Many Requests"), errors.AccountRateLimited, errors.AccountRateLimited),
        (429, envelope(code="50013", msg="Systems are busy"), errors.OverloadedOutcomeUnknown, errors.Overloaded),
        (403, b"<html>cloudflare", errors.Banned, errors.Banned),
        (451, b"", errors.RegionRestricted, errors.RegionRestricted),
        (401, envelope(code="50113", msg="Invalid Sign"), errors.BadSignature, errors.BadSignature),
        (400, {"code": "51000", "msg": "Parameter sz error", "data": None}, errors.BadParameter, errors.BadParameter),
        (404, b"<html>", errors.BadVenueResponse, errors.BadVenueResponse),
        (400, envelope(), errors.BadVenueResponse, errors.BadVenueResponse),
        (200, b"<html>", errors.BadVenueResponse, errors.BadVenueResponse),
        (200, b"", errors.BadVenueResponse, errors.BadVenueResponse),
        (200, b'{"code":"0","data":[{"ordId"', errors.BadVenueResponse, errors.BadVenueResponse),
        (200, {"code": "0", "data": {}}, errors.BadVenueResponse, errors.BadVenueResponse),
        (200, {"code": "0", "data": None}, errors.BadVenueResponse, errors.BadVenueResponse),
        (200, {"code": "0", "msg": ""}, errors.BadVenueResponse, errors.BadVenueResponse),
        (200, {"code": 0, "data": []}, errors.BadVenueResponse, errors.BadVenueResponse),
        (200, [], errors.BadVenueResponse, errors.BadVenueResponse),
    ],
)
def test_status_and_body_together(status, body, of_a_write, of_a_read):
    write, read = refusal(body, status), refusal(body, status, is_write=False)
    assert (type(write), type(read)) == (of_a_write, of_a_read)
    assert write.http_status == read.http_status == status


def test_a_rate_limit_says_when_to_come_back():
    body = envelope(code="50011", msg="Too Many Requests")
    assert refusal(body, 429).retry_after_s == 2
    assert refusal(body, 429, {"Retry-After": "7"}).retry_after_s == 7
    assert refusal(body, 429, {"Retry-After": "soon"}).retry_after_s == 2
    assert refusal(b"", 403, {"Retry-After": "600"}).retry_after_s == 600


def test_a_refusal_names_the_field():
    assert refusal(envelope(code="51121")).field == "quantity"
    assert refusal(envelope(code="51006")).field == "price"
    assert refusal(envelope(code="59102")).field == "leverage"
    assert refusal(envelope(code="51121")).message == "the exchange refused the request with code 51121"


def test_recorded_refusals_of_an_order_and_a_cancel():
    assert type(refusal(payload("order_refused"))) is errors.InsufficientMargin
    assert type(refusal(payload("cancel_refused"))) is errors.OrderAlreadyFinal


def test_success_returns_the_rows():
    assert judge(response(payload("order_ack")), is_write=True) == payload("order_ack")["data"]


def test_the_table_agrees_with_the_shared_one():
    """6xxxx are codes of the WebSocket; 1, 2 and statuses are judged by the client itself."""
    if not SHARED_CODES.exists():
        pytest.skip(f"{SHARED_CODES} is not there: the codes are compared where it is")
    with SHARED_CODES.open() as table:
        shared = {row["code"]: row["class"] for row in csv.DictReader(table) if row["venue"] == "okx"}
    expected = {code: RENAMED.get(name, name) for code, name in shared.items() if len(code) == 5 and code[0] == "5"}
    # That table reads 50036 by its text alone; this adapter writes expTime itself, so it can only have come too late.
    expected["50036"] = "RequestExpired"
    # It knows one class of limits; these are counted per account.
    expected |= dict.fromkeys(("50011", "50061", "51113"), "AccountRateLimited")
    assert {code: CLASS_BY_CODE[code].__name__ for code in expected} == expected
