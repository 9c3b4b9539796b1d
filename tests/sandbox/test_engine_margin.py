"""Isolated positions and their wallets: what goes in and comes out, what they need, and where they end."""

from decimal import Decimal

import pytest

from exchanges.sandbox.brackets import bracket_of, maintenance
from exchanges.sandbox.engine import Engine
from exchanges.sandbox.model import ZERO, Account, Leg, MarginMode, Position, PositionKey, Reason, Side, Venue
from exchanges.sandbox.opening import OPENING_WALLET
from exchanges.sandbox.positions import to_cent
from tests.sandbox.exchange import BUY, HOUR_MS, MARKET, NOW_MS, SELL, away, check_books, exchange, limit, market, refusal

ISOLATED = MarginMode.ISOLATED
KEY = PositionKey("BTCUSDT", Leg.NET, ISOLATED)
VENUES = list(Venue)


def isolated(venue: Venue, at_ms: int = NOW_MS) -> tuple[Engine, Account]:
    engine, _ = exchange(at_ms)
    account = engine.account(venue, "someone")
    isolate(engine, account)
    return engine, account


def isolate(engine: Engine, account: Account) -> None:
    if account.venue is not Venue.OKX:
        engine.set_margin_mode(account, "BTCUSDT", ISOLATED)


def held(account: Account) -> Position:
    return account.positions[KEY]


@pytest.mark.parametrize("venue", VENUES)
def test_what_is_opened_takes_its_initial_margin_out_of_the_cash(venue: Venue) -> None:
    engine, account = isolated(venue)
    order = market(engine, account, BUY, "0.5", margin_mode=ISOLATED)
    taken = sum((to_cent(fill.quantity * fill.price / 10) for fill in engine.fills(account)), ZERO)
    view = engine.view(account)
    assert held(account).margin == taken
    assert account.wallet == OPENING_WALLET - order.fees
    assert (view.isolated_margin, view.cross_wallet) == (taken, account.wallet - taken)
    assert view.available == account.wallet - taken
    (position,) = view.positions
    assert (position.margin, position.initial_margin) == (taken, position.notional / 10)
    check_books(engine, account)


@pytest.mark.parametrize("venue", VENUES)
def test_what_is_closed_gives_back_its_share(venue: Venue) -> None:
    engine, account = isolated(venue)
    market(engine, account, SELL, "0.4", margin_mode=ISOLATED)
    whole = held(account).margin
    market(engine, account, BUY, "0.1", margin_mode=ISOLATED)
    assert abs(held(account).margin - whole * 3 / 4) <= Decimal("0.00000004")
    market(engine, account, BUY, "0.3", margin_mode=ISOLATED)
    view = engine.view(account)
    assert account.positions == {}
    assert (view.isolated_margin, view.available) == (ZERO, account.wallet)
    check_books(engine, account)


def test_a_flip_gives_everything_back_and_takes_the_margin_of_what_it_opens() -> None:
    engine, account = isolated(Venue.OKX)
    market(engine, account, BUY, "0.2", margin_mode=ISOLATED)
    market(engine, account, SELL, "0.5", margin_mode=ISOLATED)
    position = held(account)
    assert position.quantity == Decimal("-0.3")
    assert abs(position.margin - Decimal("0.3") * position.entry_price / 10) < Decimal("0.000001")
    check_books(engine, account)


@pytest.mark.parametrize("mode", list(MarginMode))
def test_turning_an_isolated_position_around_needs_the_whole_margin_of_the_other_side(mode: MarginMode) -> None:
    """Under cross only what is added counts; an isolated position that has lost cannot give back what it took."""
    at = (Venue.OKX, "BTCUSDT")
    engine, clock = exchange()
    account = engine.account(Venue.OKX, "someone")
    falls = next(hours for hours in range(1, 500) if MARKET.price(*at, NOW_MS + hours * HOUR_MS) < MARKET.price(*at, NOW_MS) * 97 / 100)
    market(engine, account, BUY, "8", margin_mode=mode)
    clock.ms += falls * HOUR_MS
    if mode is ISOLATED:
        assert refusal(market, engine, account, SELL, "16", margin_mode=mode) is Reason.INSUFFICIENT_MARGIN
        market(engine, account, SELL, "13", margin_mode=mode)
        assert engine.view(account).cross_wallet > 0
    else:
        market(engine, account, SELL, "16", margin_mode=mode)
    check_books(engine, account)


def test_resting_isolated_orders_bind_until_they_fill() -> None:
    engine, account = isolated(Venue.BYBIT)
    low = away(engine, engine.listing(Venue.BYBIT, "BTCUSDT"), "0.97")
    market(engine, account, SELL, "0.4")
    limit(engine, account, BUY, "0.3", low)
    assert engine.view(account).order_margin == 0
    limit(engine, account, BUY, "1.5", low)
    position = held(account)
    freed = position.margin + position.quantity * (low - position.entry_price)
    assert engine.view(account).order_margin == Decimal("1.4") * low / 10 - freed
    assert refusal(limit, engine, account, BUY, "12", low) is Reason.INSUFFICIENT_MARGIN


def test_a_sell_that_takes_better_prices_than_its_own_needs_the_margin_of_these() -> None:
    engine, account = isolated(Venue.BINANCE)
    low, mark = away(engine, engine.listing(Venue.BINANCE, "BTCUSDT"), "0.96"), engine.mark(Venue.BINANCE, "BTCUSDT")
    quantity = (OPENING_WALLET * 10 / mark).quantize(Decimal("0.001")) + Decimal("0.02")
    assert quantity * low / 10 < OPENING_WALLET * 99 / 100
    assert refusal(limit, engine, account, SELL, quantity, low) is Reason.INSUFFICIENT_MARGIN
    limit(engine, account, SELL, quantity - Decimal("0.1"), low)
    assert engine.view(account).cross_wallet > 0


@pytest.mark.parametrize("venue", VENUES)
@pytest.mark.parametrize("side", [BUY, SELL])
def test_an_isolated_position_ends_by_its_own_wallet(venue: Venue, side: Side) -> None:
    engine, account = isolated(venue)
    market(engine, account, side, "2", margin_mode=ISOLATED)
    market(engine, account, BUY, "10", symbol="ETHUSDT")
    listing, view = engine.listing(venue, "BTCUSDT"), engine.view(account)
    (shown,) = (each for each in view.positions if each.position.symbol == "BTCUSDT")
    position, ends, ruined = shown.position, shown.liquidation_price, shown.bankruptcy_price
    assert ends is not None
    assert ruined is not None
    notional = abs(position.quantity) * ends
    equity = position.margin + position.quantity * (ends - position.entry_price)
    assert abs(equity - maintenance(bracket_of(listing.brackets, notional), notional)) <= 2 * listing.tick
    assert abs(position.margin + position.quantity * (ruined - position.entry_price)) <= 2 * listing.tick
    assert (ruined < ends < shown.mark) if side is BUY else (ruined > ends > shown.mark)
    before = shown.liquidation_price
    engine.add_margin(account, KEY, Decimal(1000))
    (shown,) = (each for each in engine.view(account).positions if each.position.symbol == "BTCUSDT")
    assert shown.liquidation_price is not None
    assert before is not None
    assert (shown.liquidation_price < before) is (side is BUY)


def test_both_legs_of_a_symbol_end_together_under_cross() -> None:
    engine, _ = exchange()
    account = engine.account(Venue.BINANCE, "someone")
    engine.set_position_mode(account, True)
    market(engine, account, BUY, "6", leg=Leg.LONG)
    market(engine, account, SELL, "1", leg=Leg.SHORT)
    market(engine, account, SELL, "20", leg=Leg.SHORT, symbol="ETHUSDT")
    view = engine.view(account)
    long, short, _ = view.positions
    assert long.liquidation_price == short.liquidation_price is not None
    listing, price = engine.listing(Venue.BINANCE, "BTCUSDT"), long.liquidation_price
    assert price is not None
    equity = view.equity + Decimal(5) * (price - long.mark)
    kept = sum((maintenance(bracket_of(listing.brackets, size * price), size * price) for size in (Decimal(6), Decimal(1))), ZERO)
    others = view.maintenance_margin - long.maintenance_margin - short.maintenance_margin
    assert abs(equity - kept - others) <= 5 * listing.tick


def test_cross_and_isolated_do_not_carry_each_other() -> None:
    engine, _ = exchange()
    account = engine.account(Venue.OKX, "someone")
    market(engine, account, BUY, "1", margin_mode=ISOLATED)
    market(engine, account, SELL, "20", symbol="ETHUSDT")
    view = engine.view(account)
    own, cross = view.positions
    assert view.equity == account.wallet + own.unrealized_pnl + cross.unrealized_pnl
    assert view.cross_equity == account.wallet - own.margin + cross.unrealized_pnl
    assert view.available == view.cross_equity - cross.initial_margin
    assert (view.cross_position_margin, view.position_margin) == (cross.initial_margin, own.initial_margin + cross.initial_margin)
    assert (view.cross_maintenance_margin, view.maintenance_margin) == (
        cross.maintenance_margin,
        own.maintenance_margin + cross.maintenance_margin,
    )
    assert cross.bankruptcy_price is not None
    assert abs(view.cross_equity - 20 * (cross.bankruptcy_price - cross.mark)) <= Decimal("0.2")


@pytest.mark.parametrize("venue", VENUES)
def test_margin_is_added_and_taken_out_down_to_the_initial_margin(venue: Venue) -> None:
    engine, account = isolated(venue)
    market(engine, account, BUY, "0.5", margin_mode=ISOLATED)
    before, wallet = held(account).margin, account.wallet
    engine.add_margin(account, KEY, Decimal("250.5"))
    assert (held(account).margin, account.wallet) == (before + Decimal("250.5"), wallet)
    assert engine.view(account).available == wallet - before - Decimal("250.5")
    removable = engine.removable_margin(account, KEY)
    assert Decimal(200) < removable <= Decimal("250.5")
    assert refusal(engine.add_margin, account, KEY, -removable - Decimal("0.00000001")) is Reason.BELOW_INITIAL_MARGIN
    engine.add_margin(account, KEY, -removable)
    view = engine.view(account)
    (position,) = view.positions
    assert position.margin + min(ZERO, position.unrealized_pnl) - position.initial_margin < Decimal("0.00000001")
    assert engine.removable_margin(account, KEY) == 0
    check_books(engine, account)


def test_margin_goes_only_where_it_belongs() -> None:
    engine, account = isolated(Venue.OKX)
    assert refusal(engine.add_margin, account, KEY, Decimal(1)) is Reason.NO_POSITION
    market(engine, account, BUY, "0.5", margin_mode=ISOLATED)
    market(engine, account, BUY, "0.5")
    assert refusal(engine.add_margin, account, PositionKey("BTCUSDT"), Decimal(1)) is Reason.NOT_ISOLATED
    assert refusal(engine.add_margin, account, KEY, Decimal("0.000000001")) is Reason.BELOW_MINIMUM
    available = engine.view(account).available
    assert refusal(engine.add_margin, account, KEY, available + 1) is Reason.INSUFFICIENT_MARGIN
    assert engine.removable_margin(account, PositionKey("BTCUSDT")) == 0
    check_books(engine, account)


def test_binance_leaves_the_wallet_of_an_isolated_position_alone_when_its_leverage_rises_and_lets_it_not_fall() -> None:
    engine, account = isolated(Venue.BINANCE)
    market(engine, account, BUY, "0.5")
    margin = held(account).margin
    assert refusal(engine.set_leverage, account, "BTCUSDT", 9) is Reason.LEVERAGE_REDUCTION
    engine.set_leverage(account, "BTCUSDT", 20)
    assert held(account).margin == margin
    assert engine.removable_margin(account, KEY) > margin * 4 / 10
    market(engine, account, SELL, "0.5")
    engine.set_leverage(account, "BTCUSDT", 5)
    assert engine.leverage(account, "BTCUSDT") == 5


@pytest.mark.parametrize("venue", [Venue.BYBIT, Venue.OKX])
def test_the_others_set_the_margin_of_an_isolated_position_anew(venue: Venue) -> None:
    engine, account = isolated(venue)
    market(engine, account, BUY, "0.5", margin_mode=ISOLATED)
    engine.add_margin(account, KEY, Decimal(300))
    position, wallet = held(account), account.wallet
    for leverage in (20, 4):
        engine.set_leverage(account, "BTCUSDT", leverage)
        assert held(account).margin == to_cent(Decimal("0.5") * position.entry_price / leverage)
    assert account.wallet == wallet
    engine.add_margin(account, KEY, engine.view(account).available - 1000)
    added = held(account).margin
    engine.set_leverage(account, "BTCUSDT", 4)  # nothing changes: what was added stays
    assert held(account).margin == added
    check_books(engine, account)


@pytest.mark.parametrize("venue", [Venue.BYBIT, Venue.OKX])
def test_lowering_the_leverage_of_an_isolated_position_needs_the_difference(venue: Venue) -> None:
    engine, account = isolated(venue)
    market(engine, account, BUY, "5", margin_mode=ISOLATED)
    margin = held(account).margin
    assert refusal(engine.set_leverage, account, "BTCUSDT", 4) is Reason.INSUFFICIENT_MARGIN
    assert (engine.leverage(account, "BTCUSDT", ISOLATED), held(account).margin) == (10, margin)
    engine.set_leverage(account, "BTCUSDT", 6)
    assert held(account).margin > margin
    check_books(engine, account)


def test_leverage_that_would_end_an_isolated_position_is_refused() -> None:
    at = (Venue.BYBIT, "BTCUSDT")
    falls = next(hours for hours in range(1, 500) if MARKET.price(*at, NOW_MS + hours * HOUR_MS) < MARKET.price(*at, NOW_MS) * 98 / 100)
    engine, clock = exchange()
    account = engine.account(Venue.BYBIT, "someone")
    isolate(engine, account)
    engine.set_leverage(account, "BTCUSDT", 5)
    market(engine, account, BUY, "0.5")
    clock.ms += falls * HOUR_MS
    assert refusal(engine.set_leverage, account, "BTCUSDT", 80) is Reason.WOULD_LIQUIDATE
    assert engine.leverage(account, "BTCUSDT") == 5
    engine.set_leverage(account, "BTCUSDT", 10)
