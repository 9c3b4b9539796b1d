"""The words of the domain refuse what they cannot mean, and keep secrets to themselves."""

from decimal import Decimal
from typing import Any

import pytest
from pydantic import ValidationError

from exchanges.decimals import fixed
from exchanges.domain import ExchangeConfig, OrderRequest, OrderSide, OrderStatus

LIMIT: dict[str, Any] = {"symbol": "BTCUSDT", "side": "BUY", "order_type": "LIMIT", "quantity": "0.1", "price": "90000"}


def test_a_symbol_is_read_in_any_case() -> None:
    assert OrderRequest.model_validate(LIMIT | {"symbol": " btcusdt "}).symbol == "BTCUSDT"


@pytest.mark.parametrize(
    "changed",
    [
        {"symbol": "BTC-USDT-SWAP"},
        {"symbol": "BTCUSD"},
        {"symbol": ""},
        {"quantity": "0"},
        {"quantity": "-1"},
        {"quantity": "NaN"},
        {"quantity": "Infinity"},
        {"quantity": "\uff11"},
        {"quantity": "1_000"},
        {"quantity": " 1"},
        {"quantity": 0.1},
        {"quantity": True},
        {"quantity": None},
        {"reduce_only": "yes"},
        {"reduce_only": 1},
        {"leverage": "5"},
        {"leverage": True},
        {"quantity": "1E-19"},
        {"quantity": "0.01" + "0" * 120 + "1"},
        {"quantity": Decimal("0.01" + "0" * 120 + "1")},
        {"price": None},
        {"price": "0"},
        {"order_type": "MARKET"},
        {"order_type": "MARKET", "price": None, "time_in_force": "GTC"},
        {"order_type": "ICEBERG"},
        {"side": "LONG"},
        {"time_in_force": "GTD"},
        {"client_order_id": "1startswithadigit"},
        {"client_order_id": "with-hyphen"},
        {"client_order_id": "a" * 33},
        {"client_order_id": ""},
        {"leverage": 0},
        {"trailing_stop_pct": "101"},
        {"surprise": 1},
    ],
)
def test_an_order_that_makes_no_sense_is_refused(changed: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        OrderRequest.model_validate(LIMIT | changed)


def test_an_order_cannot_be_changed_after_it_was_made() -> None:
    request = OrderRequest.model_validate(LIMIT)
    with pytest.raises(ValidationError):
        request.quantity = Decimal(2)  # type: ignore[misc]


def test_a_quantity_keeps_every_digit() -> None:
    assert str(OrderRequest.model_validate(LIMIT | {"quantity": "0.100000000000000001"}).quantity) == "0.100000000000000001"


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("0.010000000000000000000", "0.01"),
        ("0.0100000000000000000", "0.01"),
        ("0.010000000000000000", "0.010000000000000000"),
        ("60000.0", "60000.0"),
        ("1E+5", "100000"),
        ("1E-8", "0.00000001"),
        ("0.0000000000000000010", "0.000000000000000001"),
        ("123456789012.1234567890123456780", "123456789012.123456789012345678"),
        ("100." + "0" * 500, "100"),
    ],
)
def test_zeros_beyond_the_last_place_are_dropped_and_no_other_digit_is_lost(written: str, meant: str) -> None:
    for value in (written, Decimal(written)):
        assert fixed(OrderRequest.model_validate(LIMIT | {"quantity": value}).quantity) == meant


@pytest.mark.parametrize("passphrase", [None, ""])
def test_an_okx_key_needs_its_passphrase(passphrase: str | None) -> None:
    secrets = {"api_key": "k", "api_secret": "s", "passphrase": passphrase}
    with pytest.raises(ValidationError, match="passphrase must not be empty"):
        ExchangeConfig.model_validate({"exchange_type": "okx", **secrets})
    assert ExchangeConfig.model_validate({"exchange_type": "bybit", **secrets}).region == ""


def test_secrets_show_in_no_form_of_a_configuration() -> None:
    secrets = {"api_key": "open-sesame", "api_secret": "hush-hush", "passphrase": "mum-is-the-word"}
    config = ExchangeConfig.model_validate({"exchange_type": "okx", **secrets})
    for text in (repr(config), str(config), config.model_dump_json(), str(config.model_dump())):
        assert not any(secret in text for secret in secrets.values())


def test_a_refused_configuration_shows_no_secret_either() -> None:
    with pytest.raises(ValidationError) as refusal:
        ExchangeConfig.model_validate({"exchange_type": "okx", "api_key": "open-sesame", "api_secret": "hush-hush"})
    assert "hush-hush" not in str(refusal.value)


def test_open_and_opposite() -> None:
    assert {status for status in OrderStatus if status.is_open} == {OrderStatus.NEW, OrderStatus.PARTIALLY_FILLED}
    assert (OrderSide.BUY.opposite, OrderSide.SELL.opposite) == (OrderSide.SELL, OrderSide.BUY)
