"""The ticket at OKX, where each order says its margin mode: the one of the position that is held, unless another one is chosen."""

import pytest

from exchanges import accounts
from exchanges.domain import MarginMode, OrderRequest, OrderSide, OrderType
from exchanges.models import ExchangeAccount
from exchanges.runtime import runtime
from portfolio import rounds
from portfolio.models import Position
from tests.conftest import Cast
from tests.dashboard import rows
from tests.dashboard.test_ticket_legs import DEADLINE_S, Trader


def held(account: ExchangeAccount) -> dict[str, tuple[str, str]]:
    """What the simulated exchange holds, by margin mode."""
    rounds.poll_holdings([account.pk])
    return {row.margin_mode: (row.side, f"{row.quantity.normalize():f}") for row in Position.objects.filter(account=account)}


def bought_in(account: ExchangeAccount, mode: MarginMode, quantity: str) -> None:
    order = OrderRequest(symbol="ETHUSDT", side=OrderSide.BUY, order_type=OrderType.MARKET, quantity=quantity, margin_mode=mode)
    runtime().run(accounts.client_for(account).place_order(order), deadline_s=DEADLINE_S)


def test_what_reduces_a_position_is_sent_in_its_margin_mode(floor: Cast) -> None:
    bought_in(floor.okx, MarginMode.ISOLATED, "0.5")
    assert held(floor.okx) == {"isolated": ("LONG", "0.5")}
    trader = Trader(floor, floor.okx)
    page = trader.preview("SELL", quantity="0.2")
    assert "Sell 0.2 ETHUSDT at market in isolated margin on OKX" in page
    assert "Long 0.5 → Long 0.3 if all of it fills" in page
    assert "apart" not in page
    assert trader.send("a", "SELL", quantity="0.2").state == "FILLED"
    assert held(floor.okx) == {"isolated": ("LONG", "0.3")}


def test_the_other_mode_opens_a_second_position_and_says_so(floor: Cast) -> None:
    bought_in(floor.okx, MarginMode.ISOLATED, "0.5")
    held(floor.okx)
    trader = Trader(floor, floor.okx)
    page = trader.preview("SELL", quantity="0.2", margin_mode="cross")
    assert "Margin Cross" in page
    assert "flat → Short 0.2 if all of it fills" in page
    assert "OKX keeps the margin modes apart: your isolated long 0.5 stays beside this order's position." in page
    assert trader.send("a", "SELL", quantity="0.2", margin_mode="cross").state == "FILLED"
    assert held(floor.okx) == {"isolated": ("LONG", "0.5"), "cross": ("SHORT", "0.2")}


@pytest.mark.parametrize("modes", [[], ["cross"], ["cross", "isolated"]])
def test_cross_is_what_is_meant_where_no_single_position_says_otherwise(floor: Cast, modes: list[str]) -> None:
    rows.state(floor.okx)
    for mode in modes:
        rows.position(floor.okx, symbol="ETHUSDT", quantity="1", margin_mode=mode)
    page = Trader(floor, floor.okx).preview("BUY")
    assert "Buy 0.1 ETHUSDT at market on OKX" in page
    assert "Margin Cross" in page


def test_what_was_confirmed_is_sent_whatever_is_held_by_then(floor: Cast) -> None:
    """The confirmation carries the mode it shows."""
    rows.state(floor.okx)
    answer = Trader(floor, floor.okx).confirmation("BUY")
    assert '<input type="hidden" name="margin_mode" value="cross">' in answer


def test_the_choice_is_offered_where_orders_name_a_mode_and_nowhere_else(floor: Cast) -> None:
    assert "data-names-margin" in Trader(floor, floor.okx).form("ETHUSDT")
    assert "data-names-margin" not in Trader(floor, floor.binance).form("ETHUSDT")
    # Chosen while another account was: at this one it is a setting of the symbol.
    page = Trader(floor, floor.binance).preview("BUY", margin_mode="isolated")
    assert "Buy 0.1 ETHUSDT at market on Binance" in page
    assert "margin" not in page.lower()
