"""Who closes connections: a client built alone closes its own, one that shares them leaves them open."""

import gc
import warnings

import pytest

from exchanges.domain import Environment, ExchangeConfig, ExchangeType
from exchanges.factory import get_exchange_client
from exchanges.venue import VenueRegistry
from tests.exchanges.contract.desk import sandbox_config
from tests.simulated import Sandbox

EXCHANGES = pytest.mark.parametrize("exchange", list(ExchangeType))


@EXCHANGES
async def test_a_client_without_a_registry_closes_its_own_connections(sandbox: Sandbox, exchange: ExchangeType) -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        client = get_exchange_client(sandbox_config(exchange, "closer"))
        await client.get_server_time_ms()
        await client.aclose()
        del client
        gc.collect()
    assert [str(warning.message) for warning in caught if issubclass(warning.category, ResourceWarning)] == []


@EXCHANGES
async def test_a_client_that_was_never_used_can_be_closed_and_closed_again(exchange: ExchangeType) -> None:
    client = get_exchange_client(sandbox_config(exchange, "closer"))
    await client.aclose()
    await client.aclose()


@EXCHANGES
async def test_a_client_with_a_registry_leaves_the_shared_connections_open(sandbox: Sandbox, exchange: ExchangeType) -> None:
    registry = VenueRegistry()
    one, other = (get_exchange_client(sandbox_config(exchange, name), registry) for name in ("closer", "stayer"))
    await one.get_server_time_ms()
    session = registry.venue(sandbox_config(exchange, "closer")).transport._session
    await one.aclose()
    assert session is not None
    assert not session.closed
    await other.get_server_time_ms()
    await registry.aclose()
    assert session.closed


def test_clients_without_a_registry_share_nothing(sandbox: Sandbox) -> None:
    one, other = (get_exchange_client(sandbox_config(ExchangeType.OKX, "closer")) for _ in range(2))
    assert one.clock is not other.clock


def test_a_region_that_does_not_exist_is_refused_without_a_registry_too() -> None:
    config = ExchangeConfig.model_validate(
        {"exchange_type": "binance", "api_key": "k", "api_secret": "s", "environment": Environment.LIVE, "region": "moon"}
    )
    with pytest.raises(ValueError, match="region"):
        get_exchange_client(config)
