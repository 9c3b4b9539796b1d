"""Accounts: what would liquidate them, how the demo begins, what is kept and what is forgotten."""

from decimal import Decimal

from exchanges.sandbox.accounts import KEPT
from exchanges.sandbox.model import ZERO, Venue
from exchanges.sandbox.opening import OPENING_WALLET
from tests.sandbox.exchange import BUY, NOW_MS, SELL, away, check_books, exchange, limit, market


def test_the_liquidation_price_is_where_equity_meets_maintenance() -> None:
    engine, _ = exchange()
    account = engine.account(Venue.BINANCE, "someone")
    market(engine, account, BUY, "8")
    market(engine, account, SELL, "20", symbol="ETHUSDT")
    view = engine.view(account)
    rates = {symbol: engine.listing(Venue.BINANCE, symbol).maintenance_rate for symbol in ("BTCUSDT", "ETHUSDT")}
    for each in view.positions:
        assert each.liquidation_price is not None
        quantity, price = each.position.quantity, each.liquidation_price
        equity = view.equity + quantity * (price - each.mark)
        maintenance = view.maintenance_margin + (abs(quantity) * price - each.notional) * rates[each.position.symbol]
        assert abs(equity - maintenance) < abs(quantity)
        assert (price < each.mark) == (quantity > 0)


def test_what_could_never_be_liquidated_has_no_liquidation_price() -> None:
    engine, _ = exchange()
    account = engine.account(Venue.BINANCE, "someone")
    market(engine, account, BUY, "0.5")
    assert engine.view(account).positions[0].liquidation_price is None


def test_the_demo_account_has_a_past_and_orders_away_from_the_price() -> None:
    engine, _ = exchange()
    directions: dict[str, set[bool]] = {}
    for venue in Venue:
        demo = engine.account(venue, "demo")
        view, resting = engine.view(demo), engine.open_orders(demo)
        assert 3 <= len(view.positions) <= 4
        assert 2 <= len(resting) <= 3
        assert view.unrealized_pnl != 0
        assert {each.position.quantity > 0 for each in view.positions} == {True, False}
        for order in resting:
            assert Decimal("0.07") < abs((order.limit_price or ZERO) / engine.mark(venue, order.symbol) - 1) < Decimal("0.09")
        for each in view.positions:
            directions.setdefault(each.position.symbol, set()).add(each.position.quantity > 0)
            assert each.position.opened_ms < NOW_MS
        check_books(engine, demo)
    assert directions["BTCUSDT"] == {True, False}
    assert engine.account(Venue.BINANCE, "demo").position("1000PEPEUSDT")


def test_accounts_are_apart() -> None:
    engine, _ = exchange()
    one, other = engine.account(Venue.BINANCE, "one"), engine.account(Venue.BINANCE, "other")
    market(engine, one, BUY, "1")
    assert (other.wallet, other.positions, engine.fills(other)) == (OPENING_WALLET, {}, [])
    assert engine.account(Venue.BYBIT, "one").positions == {}


def test_old_final_orders_are_forgotten_and_open_ones_kept() -> None:
    engine, _ = exchange()
    account = engine.account(Venue.BINANCE, "someone")
    resting = limit(engine, account, BUY, "0.002", away(engine, engine.listing(Venue.BINANCE, "BTCUSDT"), "0.9"))
    for number in range(KEPT + KEPT // 5):
        market(engine, account, (BUY, SELL)[number % 2], "0.001", client_id=f"n{number}")
    history = engine.order_history(account)
    assert KEPT < len(history) <= KEPT + KEPT // 10 + 1
    assert history[-1] is resting
    assert engine.order(account, client_id="n0") is None
    assert engine.order(account, client_id=f"n{KEPT}") is not None
    assert len(engine.fills(account)) == KEPT
