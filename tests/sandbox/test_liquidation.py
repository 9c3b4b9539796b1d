"""Liquidation: its first second, what it closes and at which price, what it costs, and what is left untouched."""

from decimal import Decimal
from pathlib import Path

import pytest

from exchanges.sandbox.brackets import bracket_of, maintenance
from exchanges.sandbox.engine import Engine
from exchanges.sandbox.ledger import Ledger
from exchanges.sandbox.model import (
    ZERO,
    Account,
    EntryKind,
    Leg,
    MarginMode,
    Order,
    Position,
    PositionKey,
    Side,
    Status,
    Venue,
)
from exchanges.sandbox.positions import to_cent
from tests.sandbox.exchange import BUY, HOUR_MS, MARKET, NOW_MS, SELL, Clock, away, check_books, exchange, limit, market

ISOLATED = MarginMode.ISOLATED
VENUES = list(Venue)
KEY = PositionKey("BTCUSDT", Leg.NET, ISOLATED)


def isolated(venue: Venue, side: Side, leverage: int = 50, at_ms: int = NOW_MS) -> tuple[Engine, Clock, Account]:
    engine, clock = exchange(at_ms)
    account = engine.account(venue, "someone")
    if venue is not Venue.OKX:
        engine.set_margin_mode(account, "BTCUSDT", ISOLATED)
    engine.set_leverage(account, "BTCUSDT", leverage)
    market(engine, account, side, "0.5", margin_mode=ISOLATED)
    return engine, clock, account


def liquidations(engine: Engine, account: Account) -> list[Order]:
    """Oldest first."""
    return [order for order in engine.order_history(account)[::-1] if order.liquidation]


def covers(position: Position, venue: Venue, at_ms: int) -> bool:
    listing, mark = MARKET.listing(venue, position.symbol), MARKET.price(venue, position.symbol, at_ms)
    notional = abs(position.quantity) * mark
    kept = maintenance(bracket_of(listing.brackets, notional), notional)
    return position.margin + position.quantity * (mark - position.entry_price) > kept


def before_a_move(venue: Venue, side: Side) -> int:
    """An hour after a funding, within two hours of which the price goes against the side by one percent."""
    for at_ms in range(NOW_MS - NOW_MS % (8 * HOUR_MS) + 9 * HOUR_MS, NOW_MS + 900 * HOUR_MS, 8 * HOUR_MS):
        low, high = MARKET.extremes(venue, "BTCUSDT", at_ms, at_ms + 2 * HOUR_MS)
        price = MARKET.price(venue, "BTCUSDT", at_ms)
        if low < price * 99 / 100 if side is BUY else high > price * 101 / 100:
            return at_ms
    raise AssertionError("the price never moves")


def first_uncovered(position: Position, venue: Venue, since_ms: int) -> int:
    """Second by second, as nobody could afford to look."""
    return next(at_ms for at_ms in range(since_ms + 1000, since_ms + 400 * HOUR_MS, 1000) if not covers(position, venue, at_ms))


@pytest.mark.parametrize(("venue", "side"), [(Venue.BINANCE, BUY), (Venue.BYBIT, SELL), (Venue.OKX, BUY)])
def test_an_isolated_position_ends_in_the_first_second_that_its_wallet_does_not_cover(venue: Venue, side: Side) -> None:
    start_ms = before_a_move(venue, side)
    engine, clock, account = isolated(venue, side, leverage=100, at_ms=start_ms)
    held, wallet, listing = account.positions[KEY], account.wallet, engine.listing(venue, "BTCUSDT")
    resting = limit(engine, account, side, "0.1", away(engine, listing, "0.9" if side is BUY else "1.1"), margin_mode=ISOLATED)
    ends_at = first_uncovered(held, venue, start_ms)
    clock.ms = ends_at - 1
    assert account.positions == {KEY: held}
    assert liquidations(engine, account) == []
    clock.ms = ends_at + 3 * HOUR_MS
    (order,) = liquidations(engine, account)
    (fill,) = engine.fills(account, order_id=order.id)
    assert (order.created_ms, order.side, order.quantity, order.status) == (
        ends_at,
        Side.SELL if side is BUY else BUY,
        held.quantity.copy_abs(),
        Status.FILLED,
    )
    assert (fill.time_ms, fill.price, fill.margin_mode) == (ends_at, MARKET.price(venue, "BTCUSDT", ends_at), ISOLATED)
    assert fill.realized_pnl == to_cent(held.quantity * (fill.price - held.entry_price))
    left = held.margin + fill.realized_pnl - fill.fee
    fee = min(to_cent(fill.quantity * fill.price * listing.liquidation_fee), left)
    assert account.totals[EntryKind.LIQUIDATION_FEE] == -fee < 0
    assert account.wallet == wallet + fill.realized_pnl - fill.fee - fee
    assert account.positions == {}
    assert (resting.status, resting.cancel_reason, resting.updated_ms) == (Status.CANCELED, "liquidation", ends_at)
    check_books(engine, account)


@pytest.mark.parametrize(("venue", "prefix"), [(Venue.BINANCE, "autoclose-"), (Venue.BYBIT, ""), (Venue.OKX, "")])
def test_a_liquidation_is_an_order_of_the_venue(venue: Venue, prefix: str) -> None:
    engine, clock, account = isolated(venue, BUY)
    engine.shock("BTCUSDT", Decimal("0.983"))
    clock.ms += 1000
    (order,) = liquidations(engine, account)
    assert order.client_id == (f"{prefix}{order.id}" if prefix else "")
    assert (order.reduce_only, order.leg, order.margin_mode) == (True, Leg.NET, ISOLATED)
    (fee,) = engine.statement(account, kinds={EntryKind.LIQUIDATION_FEE})
    (fill,) = engine.fills(account, order_id=order.id)
    assert (fee.order_id, fee.fill_id, fee.symbol, fee.time_ms) == (order.id, fill.id, "BTCUSDT", clock.ms)
    market(engine, account, BUY, "0.01", margin_mode=ISOLATED)  # life goes on
    check_books(engine, account)


@pytest.mark.parametrize("venue", VENUES)
def test_no_more_than_its_wallet_is_lost_with_an_isolated_position(venue: Venue) -> None:
    engine, clock, account = isolated(venue, BUY)
    market(engine, account, BUY, "1", symbol="ETHUSDT", **({"margin_mode": MarginMode.CROSS} if venue is Venue.OKX else {}))
    cash, margin = engine.view(account).cross_wallet, account.positions[KEY].margin
    engine.shock("BTCUSDT", Decimal("0.9"))
    clock.ms += 1000
    (order,) = liquidations(engine, account)
    (covered,) = engine.statement(account, kinds={EntryKind.INSURANCE})
    assert covered.amount == order.fees - order.realized_pnl - margin > 0
    assert engine.view(account).cross_wallet == cash
    assert EntryKind.LIQUIDATION_FEE not in account.totals
    assert [key.symbol for key in account.positions] == ["ETHUSDT"]
    check_books(engine, account)


@pytest.mark.parametrize("venue", VENUES)
def test_a_cross_account_loses_its_orders_and_all_that_it_cannot_carry(venue: Venue) -> None:
    """The largest loss goes first, and what is covered then stays."""
    engine, clock = exchange()
    account = engine.account(venue, "someone")
    quantity = Decimal(220_000) // engine.mark(venue, "LTCUSDT")
    for _ in range(4):
        market(engine, account, BUY, quantity, symbol="LTCUSDT")
    market(engine, account, SELL, "1", symbol="ETHUSDT")
    resting = limit(engine, account, BUY, "0.01", away(engine, engine.listing(venue, "BTCUSDT"), "0.9"))
    before = engine.view(account)
    assert before.cross_equity > before.cross_maintenance_margin
    engine.shock("LTCUSDT", Decimal("0.905"))
    clock.ms += 1000
    (order,) = liquidations(engine, account)
    assert (order.symbol, order.side, order.quantity) == ("LTCUSDT", SELL, 4 * quantity)
    assert (resting.status, resting.cancel_reason) == (Status.CANCELED, "liquidation")
    assert engine.open_orders(account) == []
    assert [key.symbol for key in account.positions] == ["ETHUSDT"]
    after = engine.view(account)
    assert after.equity > after.maintenance_margin
    assert account.totals[EntryKind.LIQUIDATION_FEE] < 0
    assert EntryKind.INSURANCE not in account.totals
    check_books(engine, account)


@pytest.mark.parametrize("venue", VENUES)
def test_the_insurance_pays_what_a_cross_account_has_not(venue: Venue) -> None:
    engine, clock = exchange()
    account = engine.account(venue, "someone")
    engine.set_leverage(account, "BTCUSDT", 20)
    market(engine, account, BUY, "15")
    market(engine, account, SELL, "1", symbol="ETHUSDT")
    engine.shock("BTCUSDT", Decimal("0.8"))
    clock.ms += 1000
    assert [order.symbol for order in liquidations(engine, account)] == ["BTCUSDT", "ETHUSDT"]
    assert account.wallet == ZERO
    (covered,) = engine.statement(account, kinds={EntryKind.INSURANCE})
    assert (covered.amount > 0, covered.balance, covered.symbol) == (True, ZERO, "ETHUSDT")
    assert EntryKind.LIQUIDATION_FEE not in account.totals
    check_books(engine, account)


def test_isolated_and_cross_end_each_for_itself() -> None:
    engine, clock = exchange()
    account = engine.account(Venue.OKX, "someone")
    engine.set_leverage(account, "BTCUSDT", 20)
    market(engine, account, BUY, "1", margin_mode=ISOLATED)
    margin = account.positions[KEY].margin
    market(engine, account, BUY, "13")
    engine.add_margin(account, KEY, Decimal(20_000))
    engine.shock("BTCUSDT", Decimal("0.93"))
    clock.ms += 1000
    (order,) = liquidations(engine, account)
    assert (order.quantity, order.margin_mode) == (Decimal(13), MarginMode.CROSS)
    assert account.positions[KEY].margin == margin + 20_000 == account.wallet
    check_books(engine, account)


def test_opposite_legs_carry_each_other_under_cross() -> None:
    engine, clock = exchange()
    account = engine.account(Venue.BINANCE, "someone")
    engine.set_position_mode(account, True)
    for leg, side in ((Leg.LONG, BUY), (Leg.SHORT, SELL)):
        market(engine, account, side, "4", leg=leg)
    engine.shock("BTCUSDT", Decimal("0.6"))
    clock.ms += 1000
    assert liquidations(engine, account) == []
    assert len(account.positions) == 2
    check_books(engine, account)


def test_a_cross_account_ends_in_its_first_uncovered_second_whenever_somebody_looks(tmp_path: Path) -> None:
    """Two symbols whose prices move each for itself: found by halving as by walking, in one look or in many, and after a restart."""
    found = set()
    for look_ms in (60_000, HOUR_MS, 200 * HOUR_MS):
        path, clock = tmp_path / f"{look_ms}.jsonl", Clock()
        ledger = Ledger(path)
        engine = Engine(seed=7, ledger=ledger, now_ms=clock)
        account = engine.account(Venue.BYBIT, "someone")
        engine.set_leverage(account, "BTCUSDT", 25)
        engine.set_leverage(account, "SOLUSDT", 20)
        market(engine, account, BUY, "10")
        market(engine, account, BUY, "4000", symbol="SOLUSDT")
        while not (ended := liquidations(engine, account)) and clock.ms < NOW_MS + 200 * HOUR_MS:
            clock.ms += look_ms
            if look_ms == HOUR_MS:
                ledger.close()
                ledger = Ledger(path)
                engine = Engine(seed=7, ledger=ledger, now_ms=clock)
                account = engine.account(Venue.BYBIT, "someone")
        found.add(tuple((order.symbol, order.created_ms, order.average_price) for order in ended[:1]))
        assert ended
        check_books(engine, account)
        ledger.close()
    assert len(found) == 1


@pytest.mark.parametrize("venue", VENUES)
def test_an_account_that_lost_everything_is_left_with_nothing_and_not_with_less(venue: Venue) -> None:
    """The fees of an order that all the cash was bound for were paid out of what was bound for nothing: there was none."""
    engine, clock = exchange()
    account, listing = engine.account(venue, "someone"), engine.listing(venue, "BTCUSDT")
    if venue is not Venue.OKX:
        engine.set_margin_mode(account, "BTCUSDT", ISOLATED)
    price = away(engine, listing, "0.999")
    quantity = account.wallet * 10 / price // listing.lot * listing.lot
    order = limit(engine, account, BUY, quantity, price, margin_mode=ISOLATED)
    engine.shock("BTCUSDT", Decimal("0.97"))
    clock.ms += 1000
    engine.settle()
    assert order.status is Status.FILLED
    assert engine.view(account).cross_wallet < 0
    engine.shock("BTCUSDT", Decimal("0.5"))
    clock.ms += 1000
    assert len(liquidations(engine, account)) == 1
    assert account.wallet == ZERO
    check_books(engine, account)
