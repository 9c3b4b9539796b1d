"""What the tests of accounts that managers look after share: keys of the simulated exchanges, places, refusals."""

import os
from typing import Any

import pytest
from django.contrib.auth.models import User
from pydantic import SecretStr

from exchanges import accounts
from exchanges.domain import Environment, ExchangeType
from exchanges.models import ExchangeAccount
from portfolio import connecting
from portfolio.connecting import Place
from portfolio.execution.refusals import Refused
from portfolio.key_check import Keys
from portfolio.models import Portfolio

VENUES = list(ExchangeType)


def place(exchange: ExchangeType = ExchangeType.BYBIT, environment: Environment = Environment.SANDBOX, region: str = "") -> Place:
    return Place(exchange, environment, region)


def name(end: str = "") -> str:
    """Of a key at the simulated exchanges; its end says what it may do: -withdraw, -readonly, or -ip, bound to an address. These are keys
    of one account; every other end is another account."""
    return f"c{os.getpid()}{end}"


def keys(end: str = "", exchange: ExchangeType = ExchangeType.BYBIT, **wrong: str) -> Keys:
    key = f"sandbox-{name(end)}"
    right = {"api_key": key, "api_secret": f"{key}-secret", "passphrase": f"{key}-passphrase"}
    values = {field: SecretStr(value) for field, value in {**right, **wrong}.items()}
    return Keys(values["api_key"], values["api_secret"], values["passphrase"] if exchange is ExchangeType.OKX else None)


def connected(mary: User, book: Portfolio, label: str = "Main", exchange: ExchangeType = ExchangeType.BYBIT) -> ExchangeAccount:
    """Each label with an account of its own at the exchange."""
    end = "" if label == "Main" else f"-{label.lower()}"
    return connecting.connect(mary, book, place(exchange), label, keys(end, exchange))[0]


def store(account: ExchangeAccount, end: str) -> None:
    """Put another key in the place of the present one, without asking anybody."""
    tried = keys(end)
    accounts.store_credential(account, api_key=tried.api_key.get_secret_value(), api_secret=tried.api_secret.get_secret_value())


def refusal(code: str) -> Any:
    return pytest.raises(Refused, check=lambda error: error.code == code)
