"""What a key may do, and whose it is, told by the venue itself. The end of a key's name tells the simulated venues what it may."""

import pytest

from exchanges.domain import ExchangeType, KeyPermissions
from exchanges.errors import AuthenticationError, BadApiKey, BadVenueResponse
from tests.exchanges.contract.desk import Desk

FULL = KeyPermissions(can_read=True, can_trade=True, can_withdraw=False, is_ip_bound=False)
RIGHTS: dict[str, KeyPermissions] = {
    "": FULL,
    "-readonly": KeyPermissions(can_read=True, can_trade=False, can_withdraw=False, is_ip_bound=False),
    "-withdraw": KeyPermissions(can_read=True, can_trade=True, can_withdraw=True, is_ip_bound=False),
    "-ip": KeyPermissions(can_read=True, can_trade=True, can_withdraw=False, is_ip_bound=True),
}
WITHOUT_AN_ID: dict[ExchangeType, list[tuple[str, object]]] = {
    ExchangeType.BINANCE: [("/fapi/v3/balance", [{"asset": "USDT"}]), ("/fapi/v3/balance", {})],
    ExchangeType.BYBIT: [("/v5/user/query-api", {"retCode": 0, "retMsg": "", "result": {"id": "7"}})],
    ExchangeType.OKX: [("/api/v5/account/config", {"code": "0", "msg": "", "data": [{"mainUid": "7"}]})],
}


@pytest.mark.parametrize("ending", RIGHTS)
async def test_a_key_may_what_it_was_made_for(desk: Desk, ending: str) -> None:
    found = await desk.another_client(f"{desk.name}{ending}").get_key_permissions()
    expected = RIGHTS[ending]
    told = (found.can_read, found.can_trade, found.can_withdraw, found.is_ip_bound)
    assert told == (expected.can_read, expected.can_trade, expected.can_withdraw, expected.is_ip_bound)


async def test_an_account_is_known_by_one_id_whichever_of_its_keys_asks(desk: Desk) -> None:
    found = await desk.client.get_account_id()
    assert 0 < len(found) <= 64
    assert found.isprintable()
    for name in (desk.name, *(f"{desk.name}{ending}" for ending in RIGHTS)):
        assert await desk.another_client(name).get_account_id() == found
    for name in (f"{desk.name}-b", f"{desk.name}1", f"x{desk.name}"):
        assert await desk.another_client(name).get_account_id() != found


async def test_an_answer_without_an_id_is_no_id(desk: Desk) -> None:
    for route, body in WITHOUT_AN_ID[desk.exchange]:
        desk.fault({"kind": "body", "body": body}, ("GET", route))
        with pytest.raises(BadVenueResponse):
            await desk.client.get_account_id()


async def test_only_bybit_names_the_day_on_which_a_key_ends(desk: Desk) -> None:
    found = await desk.client.get_key_permissions()
    assert desk.exchange is ExchangeType.BYBIT or found.expires_at is None


@pytest.mark.parametrize("changed", [{"api_key": "never-issued-to-anybody"}, {"api_secret": "not-the-secret"}])
async def test_a_wrong_key_may_nothing_and_is_said_to_be_wrong(desk: Desk, changed: dict[str, str]) -> None:
    with pytest.raises(AuthenticationError):
        await desk.another_client(**changed).get_key_permissions()


@pytest.mark.parametrize(
    "changed",
    [{"api_key": ""}, {"api_secret": ""}, {"api_key": "line\nbreak"}, {"api_key": "schlüssel"}, {"passphrase": "line\nbreak"}],
    ids=str,
)
async def test_a_key_that_no_header_takes_is_refused_before_anything_is_sent(desk: Desk, changed: dict[str, str]) -> None:
    if "passphrase" in changed and desk.exchange is not ExchangeType.OKX:
        return
    before = desk.count_of_all_requests()
    client = desk.another_client(**changed)
    with pytest.raises(BadApiKey) as refusal:
        await client.get_balances()
    assert refusal.value.exchange == desk.exchange
    assert desk.count_of_all_requests() == before
    assert await client.get_mark_prices(), "what is public needs no key"
