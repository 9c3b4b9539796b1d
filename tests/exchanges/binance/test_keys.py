"""What a key may do: by the wallet host where there is one, by the futures account in the demo world."""

from typing import Any

import pytest

from exchanges.adapters.binance import keys
from exchanges.adapters.binance.exchange import BinanceExchange
from exchanges.adapters.binance.mapping import read
from exchanges.domain import Environment, ExchangeType, KeyPermissions
from exchanges.endpoints import Endpoints, endpoints_for
from exchanges.errors import BadVenueResponse, PermissionDenied
from exchanges.venue import VenueContext
from tests.exchanges.binance.rows import own
from tests.exchanges.binance.venue_server import CONFIG, Answer, Setup

RESTRICTIONS, ACCOUNT_CONFIG = "/sapi/v1/account/apiRestrictions", "/fapi/v1/accountConfig"


@pytest.fixture
def exchange(setup: Setup) -> BinanceExchange:
    """One whose venue has a wallet host."""
    rest = setup.venue.endpoints.rest
    setup.server.on("GET", RESTRICTIONS, own("key_restrictions"))
    return BinanceExchange(CONFIG, VenueContext(Endpoints(rest, wallet=rest), setup.venue.transport))


def test_the_expiry_of_spot_trading_is_not_that_of_the_key() -> None:
    assert keys.to_key_permissions(own("key_restrictions")) == KeyPermissions(
        can_read=True, can_trade=True, can_withdraw=False, is_ip_bound=True, expires_at=None
    )


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"enableFutures": False}, KeyPermissions(True, False, False, True)),
        ({"enableWithdrawals": True}, KeyPermissions(True, True, True, True)),
        ({"ipRestrict": False}, KeyPermissions(True, True, False, False)),
        ({"enableReading": False}, KeyPermissions(False, True, False, True)),
    ],
)
def test_each_right_is_a_flag_of_its_own(changed: dict[str, bool], expected: KeyPermissions) -> None:
    assert keys.to_key_permissions(own("key_restrictions") | changed) == expected


@pytest.mark.parametrize("name", ["enableReading", "enableFutures", "enableWithdrawals", "ipRestrict"])
@pytest.mark.parametrize("value", ["false", 0, None, []])
def test_a_flag_that_is_none_is_no_answer(name: str, value: Any) -> None:
    """A withdrawal right that cannot be read must not pass for none."""
    with pytest.raises(BadVenueResponse):
        read("key permissions", keys.to_key_permissions, own("key_restrictions") | {name: value})
    with pytest.raises(BadVenueResponse):
        read("key permissions", keys.to_key_permissions, {key: flag for key, flag in own("key_restrictions").items() if key != name})


async def test_the_wallet_host_is_asked_and_the_request_signed(setup: Setup, exchange: BinanceExchange) -> None:
    assert (await exchange.get_key_permissions()).can_trade
    [request] = setup.server.requests
    assert (request.method, request.path) == ("GET", RESTRICTIONS)
    assert set(request.parameters) == {"timestamp", "recvWindow", "signature"}


async def test_a_wallet_host_that_refuses_is_not_answered_for_by_another(setup: Setup, exchange: BinanceExchange) -> None:
    setup.server.on("GET", RESTRICTIONS, Answer({"code": -2015, "msg": "Invalid API-key, IP, or permissions for action."}, 401))
    setup.server.on("GET", ACCOUNT_CONFIG, own("account_config"))
    with pytest.raises(PermissionDenied):
        await exchange.get_key_permissions()
    assert len(setup.server.requests) == 1


async def test_the_demo_world_has_no_wallet_and_lets_no_money_out(setup: Setup) -> None:
    """`canWithdraw` of a futures account is about its transfers, and true for nearly everyone."""
    setup.server.on("GET", ACCOUNT_CONFIG, own("account_config"))
    assert await setup.exchange.get_key_permissions() == KeyPermissions(True, True, False, None, None)
    setup.server.on("GET", ACCOUNT_CONFIG, own("account_config") | {"canTrade": False})
    assert not (await setup.exchange.get_key_permissions()).can_trade


BALANCE = "/fapi/v3/balance"
NO_CODES: list[Any] = ["", " ", "two words", "x" * 65, "line\nbreak", "ä", None, 7, []]


async def test_the_account_is_known_by_the_code_that_every_asset_repeats(setup: Setup) -> None:
    setup.server.on("GET", BALANCE, [{"accountAlias": "SgsR", "asset": asset} for asset in ("USDT", "USDC", "BNB")])
    assert await setup.exchange.get_account_id() == "SgsR"
    [request] = setup.server.requests
    assert (request.method, request.path) == ("GET", BALANCE)


@pytest.mark.parametrize(
    "answer",
    [
        [{"asset": "USDT"}],
        [{"accountAlias": "SgsR"}, {"accountAlias": "sRSg"}],
        *[[{"accountAlias": code}] for code in NO_CODES],
    ],
    ids=str,
)
def test_an_account_without_one_code_has_none(answer: Any) -> None:
    with pytest.raises(BadVenueResponse):
        read("account id", keys.to_account_id, answer)


def test_an_empty_wallet_names_no_account() -> None:
    assert read("account id", keys.to_account_id, []) == ""


def test_only_binance_keeps_its_keys_on_another_host() -> None:
    assert endpoints_for(ExchangeType.BINANCE, Environment.LIVE).wallet == "https://api.binance.com"
    assert endpoints_for(ExchangeType.BINANCE, Environment.DEMO).wallet == ""
    sandbox = endpoints_for(ExchangeType.BINANCE, Environment.SANDBOX)
    assert sandbox.wallet == sandbox.rest
    for exchange in (ExchangeType.BYBIT, ExchangeType.OKX):
        assert {endpoints_for(exchange, world).wallet for world in Environment} == {""}
