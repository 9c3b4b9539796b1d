import pytest

from tests.exchanges.binance.venue_server import running_venue


@pytest.fixture
async def setup():
    async with running_venue() as setup:
        yield setup
