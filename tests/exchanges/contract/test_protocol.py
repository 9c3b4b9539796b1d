"""Every adapter is an IExchangeClient, to the last parameter, and says truly what it can do."""

import inspect

import pytest

from exchanges import factory
from exchanges.domain import ExchangeType, OrderType, TimeInForce
from exchanges.protocol import IExchangeClient
from tests.exchanges.contract.desk import Desk, sandbox_config

METHODS = [name for name, member in vars(IExchangeClient).items() if inspect.isfunction(member) and not name.startswith("_")]


def test_adapter_implements_protocol(client: IExchangeClient) -> None:
    assert isinstance(client, IExchangeClient)


def test_the_protocol_is_read_whole() -> None:
    assert {"place_order", "find_order", "get_klines", "close_position", "aclose"} <= set(METHODS)
    assert len(METHODS) == 27


@pytest.mark.parametrize("name", METHODS)
def test_every_method_has_the_signature_of_the_protocol(client: IExchangeClient, name: str) -> None:
    promised, given = getattr(IExchangeClient, name), getattr(type(client), name)
    assert inspect.iscoroutinefunction(given) == inspect.iscoroutinefunction(promised)
    assert _shape(given) == _shape(promised)


def _shape(function: object) -> list[tuple[str, object, object]]:
    parameters = inspect.signature(function).parameters.values()  # type: ignore[arg-type]
    return [(parameter.name, parameter.kind, parameter.default) for parameter in parameters]


def test_the_exchange_is_named_as_configured(desk: Desk) -> None:
    assert desk.client.get_exchange_name() == desk.exchange.value
    assert desk.client.get_exchange_name() in ("binance", "bybit", "okx")


def test_capabilities_say_what_this_version_carries_out(desk: Desk) -> None:
    capabilities = desk.client.capabilities
    assert capabilities == factory.capabilities_of(desk.exchange)
    assert capabilities.exchange is desk.exchange
    assert capabilities.order_types >= {OrderType.MARKET, OrderType.LIMIT}
    assert capabilities.times_in_force == frozenset(TimeInForce)
    assert capabilities.visibility_lag_s > 0
    assert capabilities.max_klines_per_call > 0


def test_acknowledgements_and_client_ids_are_as_the_venues_document_them(desk: Desk) -> None:
    """Binance answers with a state and frees the id of a final order; Bybit and OKX do neither."""
    is_binance = desk.exchange is ExchangeType.BINANCE
    assert desk.client.capabilities.acknowledges_without_state is not is_binance
    assert desk.client.capabilities.client_ids_always_unique is not is_binance


async def test_clients_of_one_venue_share_its_clock(desk: Desk) -> None:
    assert desk.another_client("somebodyelse").clock is desk.client.clock


def test_no_secret_shows_in_what_a_client_says_of_itself(desk: Desk) -> None:
    config = sandbox_config(desk.exchange, desk.name)
    texts = (repr(desk.client), str(vars(desk.client)), repr(config), config.model_dump_json())
    for secret in (config.api_key, config.api_secret, config.passphrase):
        assert secret is None or not any(secret.get_secret_value() in text for text in texts)


async def test_closing_one_client_leaves_the_others_of_its_venue_working(desk: Desk) -> None:
    await desk.another_client("leaver").aclose()
    assert await desk.client.get_server_time_ms() > 0
