"""The same tests for every exchange: `desk` and `client` come once per exchange, `desks` is all of them at once."""

from collections.abc import AsyncIterator

import pytest

from exchanges.domain import ExchangeType
from exchanges.protocol import IExchangeClient
from exchanges.venue import VenueRegistry
from tests.exchanges.contract.desk import Desk, open_desk
from tests.simulated import Sandbox


@pytest.fixture
async def registry(sandbox: Sandbox) -> AsyncIterator[VenueRegistry]:
    """Asks for the sandbox first: its address must be known before a venue is looked up."""
    registry = VenueRegistry()
    yield registry
    await registry.aclose()


@pytest.fixture(params=list(ExchangeType))
def desk(request: pytest.FixtureRequest, sandbox: Sandbox, registry: VenueRegistry) -> Desk:
    return open_desk(request.param, sandbox, registry)


@pytest.fixture
def client(desk: Desk) -> IExchangeClient:
    return desk.client


@pytest.fixture
def desks(sandbox: Sandbox, registry: VenueRegistry) -> dict[ExchangeType, Desk]:
    return {exchange: open_desk(exchange, sandbox, registry) for exchange in ExchangeType}
