from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import pytest
from pydantic import SecretStr

from exchanges.adapters.bybit.exchange import BybitExchange
from exchanges.domain import ExchangeConfig, ExchangeType, OrderRequest, OrderSide, OrderType
from exchanges.endpoints import Endpoints
from exchanges.transport import Transport
from exchanges.venue import VenueContext
from tests.exchanges.bybit.recording import RecordingVenue, payload

KEY = "alice-api-key-0001"
SECRET = "alice-api-secret-0001"


def config(key: str = KEY, secret: str = SECRET) -> ExchangeConfig:
    return ExchangeConfig(exchange_type=ExchangeType.BYBIT, api_key=SecretStr(key), api_secret=SecretStr(secret))


def limit_order(client_order_id: str = "cbnew1", **changes: Any) -> OrderRequest:
    fields = {
        "symbol": "BTCUSDT",
        "side": OrderSide.BUY,
        "order_type": OrderType.LIMIT,
        "quantity": Decimal("0.250"),
        "price": Decimal("95000.50"),
        "client_order_id": client_order_id,
    }
    return OrderRequest.model_validate(fields | changes)


@pytest.fixture
async def venue() -> AsyncIterator[RecordingVenue]:
    recording = RecordingVenue()
    recording.answer("/v5/market/instruments-info", payload("instruments"))
    recording.answer("/v5/account/info", payload("account_info"))
    await recording.start()
    yield recording
    await recording.stop()


@pytest.fixture
async def context(venue: RecordingVenue) -> AsyncIterator[VenueContext]:
    transport = Transport()
    yield VenueContext(Endpoints(venue.url), transport)
    await transport.aclose()


@pytest.fixture
def exchange(context: VenueContext) -> BybitExchange:
    return BybitExchange(config(), context)
