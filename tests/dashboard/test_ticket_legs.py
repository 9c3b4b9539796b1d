"""The ticket in hedge mode: buying and selling name the leg they mean, and say so before anything is sent."""

import re
from html import unescape
from typing import Any

import pytest
from django.test import Client

from exchanges import accounts
from exchanges.domain import PositionMode
from exchanges.models import Exchange, ExchangeAccount
from exchanges.runtime import runtime
from portfolio import rounds
from portfolio.models import AccountState, Order, Position
from tests.conftest import Cast
from tests.dashboard import rows

DEADLINE_S = 10.0


class Trader:
    def __init__(self, floor: Cast, account: ExchangeAccount) -> None:
        self._client = Client(headers={"HX-Request": "true"})
        self._client.force_login(floor.alice)
        self._account = account

    def preview(self, side: str, **changes: str) -> str:
        return text_of(self._client.post("/ticket/preview", self._fields("preview", side, changes)))

    def confirmation(self, side: str) -> str:
        """As it is written."""
        return self._client.post("/ticket/preview", self._fields("preview", side, {})).content.decode()

    def form(self, symbol: str) -> str:
        """As it is written while it is being filled in."""
        answer = self._client.post("/ticket/preview", {"account": str(self._account.pk), "symbol": symbol, "refresh": "1"})
        return answer.content.decode()

    def send(self, key: str, side: str, **changes: str) -> Order:
        answer = self._client.post("/orders/new", self._fields(key, side, changes))
        assert answer.status_code == 200, text_of(answer)
        return Order.objects.latest("id")

    def _fields(self, key: str, side: str, changes: dict[str, str]) -> dict[str, str]:
        order = {"symbol": "ETHUSDT", "side": side, "order_type": "MARKET", "quantity": "0.10"}
        return {"account": str(self._account.pk), "idempotency_key": key, **order, **changes}


def text_of(answer: Any) -> str:
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", answer.content.decode())).split())


def hedged(account: ExchangeAccount) -> None:
    """At the simulated exchange, and known here."""
    client = accounts.client_for(account)
    assert runtime().run(client.set_position_mode(PositionMode.HEDGE), deadline_s=DEADLINE_S)
    rounds.poll_holdings([account.pk])
    assert AccountState.objects.get(account=account).position_mode == PositionMode.HEDGE


@pytest.mark.parametrize(
    ("side", "changes", "words"),
    [
        ("BUY", {}, "Buy 0.1 ETHUSDT at market, opening the long leg, on Binance"),
        ("SELL", {}, "Sell 0.1 ETHUSDT at market, opening the short leg, on Binance"),
        ("SELL", {"reduce_only": "on"}, "Sell 0.1 ETHUSDT at market, closing the long leg, on Binance"),
        ("BUY", {"reduce_only": "on"}, "Buy 0.1 ETHUSDT at market, closing the short leg, on Binance"),
    ],
)
def test_the_confirmation_names_the_leg(floor: Cast, side: str, changes: dict[str, str], words: str) -> None:
    rows.state(floor.binance, position_mode="hedge")
    assert words in Trader(floor, floor.binance).preview(side, **changes)


def test_what_a_leg_becomes_counts_that_leg_alone(floor: Cast) -> None:
    rows.state(floor.binance, position_mode="hedge")
    rows.position(floor.binance, symbol="ETHUSDT", quantity="2", position_side="LONG")
    rows.position(floor.binance, symbol="ETHUSDT", quantity="5", side="SHORT", position_side="SHORT")
    trader = Trader(floor, floor.binance)
    assert "Long 2 → Long 2.1 if all of it fills" in trader.preview("BUY")
    assert "Short 5 → Short 5.1 if all of it fills" in trader.preview("SELL")
    assert "→" not in trader.preview("SELL", reduce_only="on")


def test_in_one_way_mode_no_leg_is_named(floor: Cast) -> None:
    rows.state(floor.binance)
    assert "leg" not in Trader(floor, floor.binance).preview("BUY")


@pytest.mark.parametrize("exchange", Exchange.values)
def test_both_legs_are_opened_and_one_is_closed_by_the_page(floor: Cast, exchange: str) -> None:
    account: ExchangeAccount = getattr(floor, exchange)
    hedged(account)
    trader = Trader(floor, account)
    orders = [trader.send("a", "BUY", quantity="0.30"), trader.send("b", "SELL", quantity="0.20")]
    orders.append(trader.send("c", "SELL", quantity="0.10", reduce_only="on"))
    assert [(order.state, order.position_side) for order in orders] == [("FILLED", "LONG"), ("FILLED", "SHORT"), ("FILLED", "LONG")]
    rounds.poll_holdings([account.pk])
    held = {row.position_side: (row.side, str(row.quantity.normalize())) for row in Position.objects.filter(account=account)}
    assert held == {"LONG": ("LONG", "0.2"), "SHORT": ("SHORT", "0.2")}


def test_a_leg_is_closed_in_its_row(floor: Cast) -> None:
    hedged(floor.binance)
    trader = Trader(floor, floor.binance)
    trader.send("a", "BUY", quantity="0.30")
    trader.send("b", "SELL", quantity="0.20")
    rounds.poll_holdings([floor.binance.pk])
    short = Position.objects.get(account=floor.binance, position_side="SHORT")
    client = Client()
    client.force_login(floor.alice)
    answer = client.post(f"/api/v1/positions/{short.pk}/close", {"fraction": "0.5"}, content_type="application/json")
    assert (answer.status_code, answer.json()["state"], answer.json()["side"]) == (201, "FILLED", "BUY")
    rounds.poll_holdings([floor.binance.pk])
    held = {row.position_side: str(row.quantity.normalize()) for row in Position.objects.filter(account=floor.binance)}
    assert held == {"LONG": "0.3", "SHORT": "0.1"}
