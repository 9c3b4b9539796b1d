"""What a key may do, by `perm` and `ip` of the account's configuration."""

import pytest

from exchanges.adapters.okx import keys
from exchanges.adapters.okx.wire import answered
from exchanges.domain import KeyPermissions
from exchanges.errors import BadVenueResponse
from tests.exchanges.okx.rows import rows
from tests.exchanges.okx.venue import payload


def config(**fields):
    return [rows("account_config")[0] | {"perm": "read_only,trade", "ip": ""} | fields]


@pytest.mark.parametrize(
    ("perm", "expected"),
    [
        ("read_only", (True, False, False)),
        ("read_only,trade", (True, True, False)),
        ("read_only,withdraw,trade", (True, True, True)),
        ("read_only, withdraw", (True, False, True)),
        ("trade", (True, True, False)),
    ],
)
def test_the_words_of_a_key_are_its_rights(perm, expected):
    found = keys.to_key_permissions(config(perm=perm))
    assert (found.can_read, found.can_trade, found.can_withdraw) == expected


@pytest.mark.parametrize(("ip", "is_bound"), [("", False), ("203.0.113.7", True), ("203.0.113.7,203.0.113.8", True)])
def test_an_empty_list_of_addresses_binds_to_none(ip, is_bound):
    assert keys.to_key_permissions(config(ip=ip)) == KeyPermissions(True, True, False, is_bound, None)


@pytest.mark.parametrize("fields", [{"perm": ""}, {"perm": "read_only,"}, {"perm": None}, {"perm": ["trade"]}, {"ip": None}, {"ip": []}])
def test_what_cannot_be_read_is_not_taken_for_no_right(fields):
    with pytest.raises(BadVenueResponse):
        answered(keys.to_key_permissions, config(**fields))
    with pytest.raises(BadVenueResponse):
        answered(keys.to_key_permissions, [])


def test_the_account_is_known_by_its_own_id_and_not_by_that_of_its_owner():
    assert keys.to_account_id(config(uid="44705892343619584", mainUid="1")) == "44705892343619584"


@pytest.mark.parametrize("uid", ["", " ", "1" * 65, None, 44705892343619584, ["1"]])
def test_what_is_no_text_of_an_id_is_none(uid):
    with pytest.raises(BadVenueResponse):
        answered(keys.to_account_id, config(uid=uid))


async def test_the_venue_is_asked_each_time(venue, exchange):
    """Unlike the position mode it is not remembered: rights are looked at when a key is connected."""
    venue.script["/api/v5/account/config"] = payload("account_config_hedge")
    for _ in range(2):
        assert (await exchange.get_key_permissions()).can_trade
        assert await exchange.get_account_id() == "1"
    assert len(venue.sent_to("account/config")) == 4
