"""An order's sides, as far as they can be turned: reduce-only never makes a position larger nor turns it around, no sign smuggles the other
side in, and what turns a position around does so by exactly what was ordered (S74)."""

from decimal import Decimal
from typing import Any

import pytest

from portfolio import rounds
from portfolio.models import Order, Position
from tests.conftest import Cast
from tests.dashboard import rows
from tests.dashboard.conftest import floor
from tests.security.conftest import fresh_client
from tests.simulated import Sandbox

__all__ = ["floor"]  # a fixture

EXCHANGES = ("binance", "bybit", "okx")
REFUSED = ("REJECTED", "NOT_PLACED", "NOT_SENT")
HELD = Decimal("0.2")


class Trader:
    """Alice's program, at one exchange; it holds 0.2 ETHUSDT, long or short."""

    def __init__(self, cast: Cast, exchange: str, side: str) -> None:
        self.account = next(account for account in cast.accounts if account.exchange == exchange)
        self.opens, self.closes = ("BUY", "SELL") if side == "LONG" else ("SELL", "BUY")
        self._client, self._headers = fresh_client(), rows.bearer(cast.alice, "trade")
        assert self.order(self.opens, HELD)["state"] == "FILLED"

    def send(self, side: str, quantity: Any, **body: Any) -> Any:
        whole = {"symbol": "ETHUSDT", "side": side, "order_type": "MARKET", "quantity": quantity, "account": self.account.pk, **body}
        headers: Any = self._headers
        return self._client.post("/api/v1/orders", whole, "application/json", **headers)

    def order(self, side: str, quantity: Decimal, **body: Any) -> Any:
        answer = self.send(side, str(quantity), **body)
        assert answer.status_code == 201, answer.content
        return answer.json()

    def held(self) -> Decimal:
        """As the exchange says now; shorts are negative."""
        rounds.poll_holdings([self.account.pk])
        position = Position.objects.filter(account=self.account, symbol="ETHUSDT").first()
        if position is None:
            return Decimal(0)
        return position.quantity if position.side == "LONG" else -position.quantity


@pytest.fixture(params=[f"{exchange} {side}" for exchange in EXCHANGES for side in ("LONG", "SHORT")])
def trader(request: pytest.FixtureRequest, floor: Cast, sandbox: Sandbox) -> Trader:
    exchange, side = request.param.split()
    return Trader(floor, exchange, side)


def test_reduce_only_makes_no_position_larger_and_turns_none_around(trader: Trader) -> None:
    before = trader.held()
    assert abs(before) == HELD
    grown = trader.send(trader.opens, str(HELD), reduce_only=True)
    assert grown.status_code in (201, 422), grown.content
    assert grown.status_code == 422 or grown.json()["state"] in REFUSED, grown.content
    assert trader.held() == before
    # More than there is: no more than that, or nothing at all.
    turned = trader.send(trader.closes, str(3 * HELD), reduce_only=True)
    assert turned.status_code in (201, 422), turned.content
    assert trader.held() in (Decimal(0), before)
    trader.send(trader.closes, str(HELD), reduce_only=True)
    assert trader.held() == 0
    flat = trader.send(trader.closes, str(HELD), reduce_only=True)
    assert flat.status_code == 422 or flat.json()["state"] in REFUSED, flat.content
    assert trader.held() == 0


def test_what_turns_a_position_around_does_so_by_what_was_ordered(trader: Trader) -> None:
    before = trader.held()
    trader.order(trader.closes, 3 * HELD)
    assert trader.held() == -2 * before


def test_no_sign_and_no_spelling_is_the_other_side(trader: Trader) -> None:
    before, orders = trader.held(), Order.objects.count()
    for quantity in ("-0.2", "-0", "0", "−0.2", "(0.2)", -0.2, -1, 0, "+-0.2", "-1e-1"):
        assert trader.send(trader.closes, quantity).status_code == 422, quantity
        assert trader.send(trader.closes, quantity, reduce_only=True).status_code == 422, quantity
    for side in ("LONG", "SHORT", "BUY SELL", "-BUY", "", " BUY", "B", "0", None, True, 1, ["BUY"]):
        assert trader.send(side, "0.2").status_code == 422, side  # type: ignore[arg-type]
    loose: list[Any] = ["false", "true", "no", 0, 1, None, [], "0"]
    for reduce_only in loose:
        assert trader.send(trader.opens, "0.2", reduce_only=reduce_only).status_code == 422, reduce_only
    assert (trader.held(), Order.objects.count()) == (before, orders)
