"""From a configuration to the adapter of its exchange, without a request and without a loop."""

from typing import Any

import pytest
from pydantic import ValidationError

from exchanges.adapters.binance.exchange import BinanceExchange
from exchanges.adapters.bybit.exchange import BybitExchange
from exchanges.adapters.okx.exchange import OkxExchange
from exchanges.domain import ExchangeConfig, ExchangeType
from exchanges.factory import capabilities_of, get_exchange_client
from exchanges.protocol import IExchangeClient

SECRETS = {"api_key": "key-of-a-test", "api_secret": "secret-of-a-test"}


def config(exchange: ExchangeType, **fields: Any) -> ExchangeConfig:
    return ExchangeConfig.model_validate({"exchange_type": exchange, "environment": "demo", **SECRETS, **fields})


def assert_is_of(client: IExchangeClient, exchange: ExchangeType) -> None:
    assert isinstance(client, IExchangeClient)
    assert client.get_exchange_name() == exchange.value
    assert client.capabilities == capabilities_of(exchange)
    assert client.capabilities.exchange is exchange
    assert client.clock.measured_at_ms is None, "nothing was asked"
    assert not any(secret in repr(client) + str(vars(client)) for secret in SECRETS.values())


def test_binance_adapter_creation() -> None:
    client = get_exchange_client(config(ExchangeType.BINANCE))
    assert type(client) is BinanceExchange
    assert_is_of(client, ExchangeType.BINANCE)


def test_bybit_adapter_creation() -> None:
    client = get_exchange_client(config(ExchangeType.BYBIT))
    assert type(client) is BybitExchange
    assert_is_of(client, ExchangeType.BYBIT)


def test_okx_adapter_creation() -> None:
    client = get_exchange_client(config(ExchangeType.OKX, passphrase="passphrase-of-a-test"))
    assert type(client) is OkxExchange
    assert_is_of(client, ExchangeType.OKX)


@pytest.mark.parametrize("passphrase", [{}, {"passphrase": None}, {"passphrase": ""}], ids=["missing", "none", "empty"])
def test_okx_requires_passphrase(passphrase: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match="passphrase must not be empty") as refusal:
        config(ExchangeType.OKX, **passphrase)
    assert SECRETS["api_secret"] not in str(refusal.value)
    for exchange in (ExchangeType.BINANCE, ExchangeType.BYBIT):
        assert config(exchange, **passphrase).exchange_type is exchange
