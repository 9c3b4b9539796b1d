"""What a key may do, by the venue's own list of its permissions."""

from datetime import UTC, datetime
from typing import Any

import pytest

from exchanges.adapters.bybit import keys
from exchanges.adapters.bybit.exchange import BybitExchange
from exchanges.adapters.bybit.wire import answered
from exchanges.domain import KeyPermissions
from exchanges.errors import BadVenueResponse
from tests.exchanges.bybit.recording import RecordingVenue, payload

WALLET = ["AccountTransfer", "SubMemberTransfer"]


def key(*, permissions: dict[str, Any] | None = None, **fields: Any) -> dict[str, Any]:
    answer = payload("key_information")
    answer["result"] |= fields
    answer["result"]["permissions"] |= permissions or {}
    return answer


def rights(answer: dict[str, Any]) -> tuple[bool, bool, bool, bool | None]:
    found = keys.to_key_permissions(answer)
    return found.can_read, found.can_trade, found.can_withdraw, found.is_ip_bound


def test_a_key_that_is_bound_to_no_address_ends_on_a_day() -> None:
    assert keys.to_key_permissions(payload("key_information")) == KeyPermissions(
        can_read=True, can_trade=True, can_withdraw=False, is_ip_bound=False, expires_at=datetime(2027, 2, 15, 3, 21, 5, tzinfo=UTC)
    )


@pytest.mark.parametrize("expiry", ["1970-01-01T00:00:00Z", "", None])
def test_a_key_that_does_not_expire_has_no_day(expiry: str | None) -> None:
    assert keys.to_key_permissions(key(expiredAt=expiry, ips=["203.0.113.7"])).expires_at is None


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (key(ips=["203.0.113.7", "203.0.113.8"]), (True, True, False, True)),
        (key(ips=[]), (True, True, False, False)),
        (key(readOnly=1), (True, False, False, False)),
        (key(readOnly=1, permissions={"Wallet": ["Withdraw"]}), (True, False, False, False)),
        (key(permissions={"Wallet": [*WALLET, "Withdraw"]}), (True, True, True, False)),
        (key(permissions={"ContractTrade": [], "Derivatives": []}), (True, False, False, False)),
        (key(permissions={"ContractTrade": ["Position"], "Derivatives": []}), (True, False, False, False)),
        (key(permissions={"ContractTrade": [], "Derivatives": ["DerivativesTrade"]}), (True, True, False, False)),
        (key(permissions={"ContractTrade": None, "Derivatives": None, "Wallet": None}), (True, False, False, False)),
    ],
    ids=[
        "two addresses",
        "no address",
        "read only",
        "read only, withdrawals ticked",
        "withdrawals",
        "spot alone",
        "positions alone",
        "older list",
        "empty areas",
    ],
)
def test_permissions_are_those_of_contracts_and_withdrawals(answer: dict[str, Any], expected: tuple[bool, ...]) -> None:
    assert rights(answer) == expected


@pytest.mark.parametrize(
    "answer",
    [
        key(readOnly="0"),
        key(readOnly=2),
        key(readOnly=None),
        key(ips="*"),
        key(permissions={"Wallet": "Withdraw"}),
        key(permissions={"Wallet": [1]}),
        key(expiredAt="soon"),
        key(expiredAt=0.5),
        key(expiredAt="2027-02-15T03:21:05"),
    ],
    ids=str,
)
def test_what_cannot_be_read_is_not_taken_for_no_right(answer: dict[str, Any]) -> None:
    with pytest.raises(BadVenueResponse):
        answered(keys.to_key_permissions, answer)


def test_the_account_is_known_by_its_user_id_and_not_by_that_of_the_key() -> None:
    assert keys.to_account_id(payload("key_information")) == "24600000"


@pytest.mark.parametrize("number", [0, -1, True, None, "", "24600000", 2.5, 10**64, {}], ids=str)
def test_what_is_no_number_of_a_user_is_no_id(number: Any) -> None:
    with pytest.raises(BadVenueResponse):
        answered(keys.to_account_id, key(userID=number))


async def test_the_key_asks_about_itself(venue: RecordingVenue, exchange: BybitExchange) -> None:
    venue.answer("/v5/user/query-api", payload("key_information"))
    assert (await exchange.get_key_permissions()).can_trade
    [request] = venue.requests
    assert request.line == ("GET", "/v5/user/query-api", "")
    assert "X-BAPI-SIGN" in request.headers
    assert await exchange.get_account_id() == "24600000"
