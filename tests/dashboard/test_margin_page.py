"""Leverage, margin mode and position mode in the page: read from the exchange, changed there, and said in words when it does not."""

import re
from dataclasses import replace
from decimal import Decimal
from html import unescape
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from dashboard.views.margin import leverage_in_words
from exchanges.domain import MarginMode, OrderSide, SymbolSettings
from exchanges.models import Exchange, ExchangeAccount
from portfolio import rounds
from portfolio.models import AccountState
from tests.conftest import Cast
from tests.portfolio.desk import market, placed, resting
from tests.simulated import Sandbox

EXCHANGES = Exchange.values
SCOPES = {"binance": "symbol", "bybit": "account", "okx": "order"}


class Visitor:
    def __init__(self, user: User, account: ExchangeAccount) -> None:
        self._client = Client()
        self._client.force_login(user)
        self._path = f"/accounts/{account.pk}/margin"

    def look(self, symbol: str = "ETHUSDT", status: int = 200) -> str:
        return text_of(self._client.get(self._path, {"symbol": symbol}), status)

    def set(self, setting: str, status: int = 200, **fields: str) -> str:
        answer = self._client.post(self._path, {"symbol": "ETHUSDT", "setting": setting, **fields}, follow=True)
        return text_of(answer, status)


def text_of(answer: Any, status: int) -> str:
    assert answer.status_code == status, answer.content
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", answer.content.decode())).split())


@pytest.mark.parametrize("exchange", EXCHANGES)
def test_the_settings_and_brackets_are_those_of_the_exchange(floor: Cast, exchange: str) -> None:
    text = Visitor(floor.alice, getattr(floor, exchange)).look()
    assert "Leverage 10x" in text
    assert "Position mode: one-way" in text
    assert ("Margin mode: named by each order" if SCOPES[exchange] == "order" else "Margin mode: cross") in text
    assert re.search(r" 0 [\d,]+ \d+x \d+\.\d\d %", text), text  # the first bracket


@pytest.mark.parametrize("exchange", EXCHANGES)
def test_leverage_is_set_in_the_page(floor: Cast, exchange: str) -> None:
    text = Visitor(floor.alice, getattr(floor, exchange)).set("leverage", leverage="7")
    assert f"ETHUSDT has leverage 7x (cross) at {getattr(floor, exchange)}." in text
    assert "Leverage 7x" in text


def test_okx_keeps_a_leverage_for_each_margin_mode(floor: Cast) -> None:
    text = Visitor(floor.alice, floor.okx).set("leverage", leverage="4", margin_mode="isolated")
    assert f"ETHUSDT has leverage 4x (isolated) at {floor.okx}." in text
    assert "Leverage 10x cross · 4x isolated" in text


@pytest.mark.parametrize("exchange", ["binance", "bybit"])
def test_the_margin_mode_is_set_in_the_page(floor: Cast, exchange: str) -> None:
    visitor = Visitor(floor.alice, getattr(floor, exchange))
    assert "ETHUSDT is in isolated margin" in visitor.set("margin_mode", margin_mode="isolated")
    assert "Margin mode: isolated" in visitor.look()
    assert "ETHUSDT is in cross margin" in visitor.set("margin_mode", margin_mode="cross")


@pytest.mark.parametrize("exchange", EXCHANGES)
def test_the_position_mode_is_set_in_the_page_and_known_after_the_next_poll(floor: Cast, exchange: str) -> None:
    account: ExchangeAccount = getattr(floor, exchange)
    assert "is in hedge mode." in Visitor(floor.alice, account).set("position_mode", position_mode="hedge")
    rounds.poll_holdings([account.pk])
    assert AccountState.objects.get(account=account).position_mode == "hedge"


@pytest.mark.parametrize("exchange", EXCHANGES)
def test_what_stands_in_the_way_of_another_mode_is_said(floor: Cast, exchange: str) -> None:
    account: ExchangeAccount = getattr(floor, exchange)
    placed(floor, account, market("0.1", OrderSide.BUY))
    says = "The exchange does not change this setting now." if exchange == "okx" else "Close the open position first."
    assert says in Visitor(floor.alice, account).set("position_mode", 422, position_mode="hedge")


def test_an_open_order_in_the_way_is_said(floor: Cast) -> None:
    placed(floor, floor.binance, resting(floor.binance))
    assert "Cancel the open orders first." in Visitor(floor.alice, floor.binance).set("margin_mode", 422, margin_mode="isolated")


@pytest.mark.parametrize(
    ("setting", "fields", "says"),
    [
        ("leverage", {"leverage": "201"}, "leverage must be at most 200, was 201"),
        ("leverage", {"leverage": "0"}, "leverage must be at least 1, was 0"),
        ("leverage", {"leverage": "five"}, "leverage must be a whole number"),
        ("leverage", {}, "leverage is required"),
        ("margin_mode", {"margin_mode": "portfolio"}, "margin mode must be one of those offered, was portfolio"),
        ("colour", {}, "setting must be one of leverage, margin_mode, position_mode."),
    ],
)
def test_what_is_wrong_is_said_and_the_page_is_there(floor: Cast, setting: str, fields: dict[str, str], says: str) -> None:
    text = Visitor(floor.alice, floor.binance).set(setting, 422, **fields)
    assert says in text
    assert "Leverage 10x" in text


def test_an_exchange_that_does_not_answer_is_said_so(floor: Cast, sandbox: Sandbox) -> None:
    sandbox.control("POST", "venue", {"venue": "bybit", "up": False})
    assert "The settings could not be read:" in Visitor(floor.alice, floor.bybit).look()


@pytest.mark.parametrize(
    ("symbol", "says"),
    [
        ("NOPEUSDT", "symbol must be one that OKX lists, was NOPEUSDT"),
        ("<script>" * 30, "symbol must be one such as BTCUSDT, was '<SCRIPT>"),
        ("BTC\x00USDT", "symbol must be one such as BTCUSDT, was 'BTC\\x00USDT'"),
        ("\u017fOLUSDT", "symbol must be one such as BTCUSDT, was '\\u017fOLUSDT'"),
    ],
)
def test_what_is_no_symbol_there_is_said_and_not_asked(floor: Cast, sandbox: Sandbox, symbol: str, says: str) -> None:
    before = sandbox.control("GET", "requests?venue=okx")["count"]
    visitor = Visitor(floor.alice, floor.okx)
    assert says in (shown := visitor.look(symbol))
    assert "Set the leverage" not in shown
    assert says in visitor.set("leverage", 422, symbol=symbol, leverage="3")
    assert sandbox.control("GET", "requests?venue=okx")["count"] == before


def test_a_leverage_that_only_one_leg_has_is_said_so() -> None:
    settings = SymbolSettings("ETHUSDT", MarginMode.ISOLATED, None, Decimal(10))
    assert leverage_in_words(settings) == "long —, short 10x"
    assert leverage_in_words(replace(settings, leverage_long=Decimal("100"))) == "long 100x, short 10x"
    assert leverage_in_words(replace(settings, leverage_long=Decimal("10.0"))) == "10x"


def test_who_watches_sees_and_changes_nothing_and_a_stranger_sees_nothing(floor: Cast) -> None:
    watching = Visitor(floor.victor, floor.binance)
    assert "Set the leverage" not in watching.look()
    watching.set("leverage", 403, leverage="3")
    assert "Leverage 10x" in watching.look()
    Visitor(floor.stella, floor.binance).look(status=404)
    Visitor(floor.stella, floor.binance).set("leverage", 404, leverage="3")
