"""One-way and hedge mode, cross and isolated margin: what stands in the way of a change, and what orders must then say."""

from decimal import Decimal

import pytest

from exchanges.sandbox.engine import Engine
from exchanges.sandbox.model import Account, Leg, MarginMode, PositionKey, Reason, Side, Status, Venue
from tests.sandbox.exchange import BUY, HOUR_MS, MARKET, NOW_MS, SELL, away, check_books, exchange, limit, market, refusal

LONG, SHORT = Leg.LONG, Leg.SHORT
CROSS, ISOLATED = MarginMode.CROSS, MarginMode.ISOLATED
VENUES = list(Venue)


def hedged(venue: Venue) -> tuple[Engine, Account]:
    engine, _ = exchange()
    account = engine.account(venue, "someone")
    engine.set_position_mode(account, True)
    return engine, account


@pytest.mark.parametrize("venue", [Venue.BINANCE, Venue.OKX])
def test_the_position_mode_of_an_account_changes_only_while_nothing_is_held_or_open(venue: Venue) -> None:
    engine, _ = exchange()
    account = engine.account(venue, "someone")
    assert refusal(engine.set_position_mode, account, False) is Reason.UNCHANGED
    order = limit(engine, account, BUY, "0.01", away(engine, engine.listing(venue, "BTCUSDT"), "0.9"))
    assert refusal(engine.set_position_mode, account, True) is Reason.OPEN_ORDERS
    market(engine, account, BUY, "0.1", symbol="ETHUSDT")
    first = Reason.OPEN_ORDERS if venue is Venue.BINANCE else Reason.OPEN_POSITIONS
    assert refusal(engine.set_position_mode, account, True) is first
    engine.cancel(account, symbol="BTCUSDT", order_id=order.id)
    assert refusal(engine.set_position_mode, account, True) is Reason.OPEN_POSITIONS
    assert engine.position_mode(account) is False
    market(engine, account, SELL, "0.1", symbol="ETHUSDT")
    engine.set_position_mode(account, True)
    assert engine.position_mode(account) is engine.position_mode(account, "BTCUSDT") is True
    assert refusal(engine.set_position_mode, account, True, "BTCUSDT") is Reason.UNCHANGED


def test_bybit_switches_one_symbol_or_all_that_are_free() -> None:
    engine, _ = exchange()
    account = engine.account(Venue.BYBIT, "someone")
    market(engine, account, BUY, "0.1")
    limit(engine, account, BUY, "0.1", away(engine, engine.listing(Venue.BYBIT, "ETHUSDT"), "0.9"), symbol="ETHUSDT")
    assert refusal(engine.set_position_mode, account, True, "BTCUSDT") is Reason.OPEN_POSITIONS
    assert refusal(engine.set_position_mode, account, True, "ETHUSDT") is Reason.OPEN_ORDERS
    engine.set_position_mode(account, True, "SOLUSDT")
    assert refusal(engine.set_position_mode, account, True, "SOLUSDT") is Reason.UNCHANGED
    assert [engine.position_mode(account, symbol) for symbol in ("SOLUSDT", "XRPUSDT")] == [True, False]
    engine.set_position_mode(account, True)
    assert [engine.position_mode(account, symbol) for symbol in ("BTCUSDT", "ETHUSDT", "XRPUSDT")] == [False, False, True]
    market(engine, account, SELL, "0.1")
    assert account.positions == {}
    engine.set_position_mode(account, False)
    assert [engine.position_mode(account, symbol) for symbol in ("BTCUSDT", "ETHUSDT", "SOLUSDT")] == [False, False, False]


@pytest.mark.parametrize("venue", VENUES)
def test_an_order_must_name_a_leg_exactly_in_hedge_mode(venue: Venue) -> None:
    engine, account = hedged(venue)
    assert refusal(market, engine, account, BUY, "0.1") is Reason.POSITION_SIDE
    one_way = engine.account(venue, "other")
    assert refusal(market, engine, one_way, BUY, "0.1", leg=LONG) is Reason.POSITION_SIDE
    assert engine.order_history(account) == engine.order_history(one_way) == []


@pytest.mark.parametrize("venue", VENUES)
def test_both_legs_are_held_side_by_side_and_closed_apart(venue: Venue) -> None:
    engine, account = hedged(venue)
    market(engine, account, BUY, "0.3", leg=LONG)
    market(engine, account, SELL, "0.2", leg=SHORT)
    assert {key: position.quantity for key, position in account.positions.items()} == {
        PositionKey("BTCUSDT", LONG): Decimal("0.3"),
        PositionKey("BTCUSDT", SHORT): Decimal("-0.2"),
    }
    view = engine.view(account)
    assert view.position_margin == Decimal("0.5") * engine.mark(venue, "BTCUSDT") / 10
    closing = market(engine, account, SELL, "0.3", leg=LONG)
    assert (closing.status, closing.reduce_only, closing.closes) == (Status.FILLED, False, True)
    assert list(account.positions) == [PositionKey("BTCUSDT", SHORT)]
    (fill, *_) = engine.fills(account)
    assert (fill.leg, fill.margin_mode) == (LONG, CROSS)
    check_books(engine, account)


@pytest.mark.parametrize("venue", VENUES)
def test_closing_more_than_a_leg_holds_is_refused_by_binance_and_cut_by_the_others(venue: Venue) -> None:
    engine, account = hedged(venue)
    for side, leg in ((SELL, LONG), (BUY, SHORT)):
        assert refusal(market, engine, account, side, "0.1", leg=leg) is Reason.REDUCE_ONLY
    market(engine, account, BUY, "0.3", leg=LONG)
    assert refusal(market, engine, account, BUY, "0.1", leg=LONG, reduce_only=True) is Reason.REDUCE_ONLY
    high = away(engine, engine.listing(venue, "BTCUSDT"), "1.03")
    resting = limit(engine, account, SELL, "0.2", high, leg=LONG)
    if venue is Venue.BINANCE:
        assert refusal(market, engine, account, SELL, "0.301", leg=LONG) is Reason.REDUCE_ONLY
        assert refusal(engine.amend, account, resting, quantity=Decimal("0.4")) is Reason.REDUCE_ONLY
        market(engine, account, SELL, "0.3", leg=LONG)
    else:
        assert engine.amend(account, resting, quantity=Decimal("0.4")).quantity == Decimal("0.3")
        order = market(engine, account, SELL, "0.5", leg=LONG)
        assert (order.quantity, order.filled, order.status) == (Decimal("0.3"), Decimal("0.3"), Status.FILLED)
    assert account.positions == {}
    assert (resting.status, resting.cancel_reason) == (Status.CANCELED, "reduce_only")
    check_books(engine, account)


def test_resting_orders_that_close_bind_nothing_and_never_close_more_than_is_held() -> None:
    engine, clock = exchange()
    account = engine.account(Venue.OKX, "someone")
    engine.set_position_mode(account, True)
    _, high = MARKET.extremes(Venue.OKX, "BTCUSDT", NOW_MS, NOW_MS + HOUR_MS)
    market(engine, account, BUY, "0.3", leg=LONG)
    closing = [limit(engine, account, SELL, "0.2", high, leg=LONG) for _ in range(4)]
    assert engine.view(account).order_margin == 0
    opening = limit(engine, account, SELL, "0.2", high, leg=SHORT)
    assert engine.view(account).order_margin == Decimal("0.2") * high / 10
    for _ in range(60):
        clock.ms += 60_000
        engine.settle()
    assert [order.filled for order in (*closing, opening)] == [Decimal("0.2"), Decimal("0.1"), 0, 0, Decimal("0.2")]
    assert list(account.positions) == [PositionKey("BTCUSDT", SHORT)]
    check_books(engine, account)


def test_binance_sets_the_margin_mode_of_a_symbol() -> None:
    engine, _ = exchange()
    account = engine.account(Venue.BINANCE, "someone")
    assert refusal(engine.set_margin_mode, account, "BTCUSDT", CROSS) is Reason.UNCHANGED
    assert refusal(engine.set_margin_mode, account, None, ISOLATED) is Reason.MARGIN_MODE
    order = limit(engine, account, BUY, "0.01", away(engine, engine.listing(Venue.BINANCE, "BTCUSDT"), "0.9"))
    market(engine, account, BUY, "0.1")
    assert refusal(engine.set_margin_mode, account, "BTCUSDT", ISOLATED) is Reason.OPEN_ORDERS
    engine.cancel(account, symbol="BTCUSDT", order_id=order.id)
    assert refusal(engine.set_margin_mode, account, "BTCUSDT", ISOLATED) is Reason.OPEN_POSITIONS
    engine.set_margin_mode(account, "ETHUSDT", ISOLATED)
    assert [engine.margin_mode(account, symbol) for symbol in ("BTCUSDT", "ETHUSDT")] == [CROSS, ISOLATED]
    assert refusal(market, engine, account, BUY, "1", symbol="ETHUSDT", margin_mode=CROSS) is Reason.MARGIN_MODE
    assert market(engine, account, BUY, "1", symbol="ETHUSDT").margin_mode is ISOLATED


def test_bybit_sets_the_margin_mode_of_the_account() -> None:
    engine, _ = exchange()
    account = engine.account(Venue.BYBIT, "someone")
    market(engine, account, BUY, "0.1")
    assert refusal(engine.set_margin_mode, account, "ETHUSDT", ISOLATED) is Reason.OPEN_POSITIONS
    market(engine, account, SELL, "0.1")
    engine.set_margin_mode(account, None, ISOLATED)
    assert {engine.margin_mode(account, each.symbol) for each in engine.listings(Venue.BYBIT)} == {ISOLATED}
    assert refusal(engine.set_margin_mode, account, None, ISOLATED) is Reason.UNCHANGED
    assert market(engine, account, SELL, "0.1").margin_mode is ISOLATED


def test_okx_orders_name_their_margin_mode_and_both_are_held_at_once() -> None:
    engine, _ = exchange()
    account = engine.account(Venue.OKX, "someone")
    assert refusal(engine.set_margin_mode, account, "BTCUSDT", ISOLATED) is Reason.MARGIN_MODE
    market(engine, account, BUY, "0.3")
    market(engine, account, SELL, "0.2", margin_mode=ISOLATED)
    assert {key.margin_mode: position.quantity for key, position in account.positions.items()} == {
        CROSS: Decimal("0.3"),
        ISOLATED: Decimal("-0.2"),
    }
    assert refusal(market, engine, account, BUY, "0.1", reduce_only=True) is Reason.REDUCE_ONLY
    assert market(engine, account, BUY, "0.9", margin_mode=ISOLATED, reduce_only=True).filled == Decimal("0.2")
    check_books(engine, account)


@pytest.mark.parametrize("venue", VENUES)
def test_leverage_is_set_for_all_or_for_what_is_named(venue: Venue) -> None:
    engine, account = hedged(venue)
    engine.set_leverage(account, "BTCUSDT", 20)
    engine.set_leverage(account, "BTCUSDT", 30, mode=ISOLATED, leg=SHORT)
    found = {(mode, leg): engine.leverage(account, "BTCUSDT", mode, leg) for mode in MarginMode for leg in Leg}
    assert found.pop((ISOLATED, SHORT)) == 30
    assert set(found.values()) == {20}


def test_what_an_order_closes_is_told_by_its_side_and_leg() -> None:
    engine, account = hedged(Venue.BYBIT)
    for side, leg in ((BUY, LONG), (SELL, SHORT)):
        market(engine, account, side, "0.1", leg=leg)
    closes = {
        (side, leg): market(engine, account, side, "0.1", leg=leg).closes
        for side, leg in ((BUY, LONG), (SELL, SHORT), (Side.SELL, LONG), (Side.BUY, SHORT))
    }
    assert closes == {(BUY, LONG): False, (SELL, SHORT): False, (SELL, LONG): True, (BUY, SHORT): True}
