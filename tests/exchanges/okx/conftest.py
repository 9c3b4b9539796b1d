"""An exchange over a scripted local server, which keeps what it was sent."""

from collections.abc import AsyncIterator

import pytest

from exchanges.adapters.okx.exchange import OkxExchange
from tests.exchanges.okx.venue import RecordingVenue, exchange_at, recording_venue


@pytest.fixture
async def venue() -> AsyncIterator[RecordingVenue]:
    async with recording_venue() as recording:
        yield recording


@pytest.fixture
async def exchange(venue: RecordingVenue) -> AsyncIterator[OkxExchange]:
    async with exchange_at(venue) as client:
        yield client
