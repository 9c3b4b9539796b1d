"""Funding: who pays whom how much at which moment, and in which order with everything else."""

from decimal import Decimal
from pathlib import Path

import pytest

from exchanges.sandbox.engine import Engine
from exchanges.sandbox.ledger import Ledger
from exchanges.sandbox.model import ZERO, Account, Entry, EntryKind, Leg, MarginMode, PositionKey, Venue
from exchanges.sandbox.opening import OPENING_WALLET
from exchanges.sandbox.positions import to_cent
from tests.sandbox.exchange import BUY, HOUR_MS, MARKET, NOW_MS, SELL, Clock, check_books, exchange, limit, market

VENUES = list(Venue)
PERIOD_MS = 8 * HOUR_MS
NEXT_MS = NOW_MS - NOW_MS % PERIOD_MS + PERIOD_MS


def fundings(engine: Engine, account: Account, symbol: str | None = None) -> list[Entry]:
    """Oldest first."""
    return engine.statement(account, kinds={EntryKind.FUNDING}, symbol=symbol)[::-1]


def expected(venue: Venue, symbol: str, quantity: str, at_ms: int) -> Decimal:
    notional = Decimal(quantity) * MARKET.price(venue, symbol, at_ms)
    return to_cent(-notional * MARKET.funding_rate(venue, symbol, at_ms))


@pytest.mark.parametrize("venue", VENUES)
def test_longs_pay_shorts_at_a_positive_rate_and_the_other_way_round(venue: Venue) -> None:
    engine, clock = exchange()
    long, short = engine.account(venue, "long"), engine.account(venue, "short")
    market(engine, long, BUY, "0.5")
    market(engine, short, SELL, "0.5")
    clock.ms = NEXT_MS - 1
    assert fundings(engine, long) == []
    clock.ms = NEXT_MS + 40 * PERIOD_MS
    paid, received = fundings(engine, long), fundings(engine, short)
    times = [NEXT_MS + number * PERIOD_MS for number in range(41)]
    assert [(entry.time_ms, entry.amount) for entry in paid] == [(at, expected(venue, "BTCUSDT", "0.5", at)) for at in times]
    assert [entry.amount for entry in received] == [-entry.amount for entry in paid]
    assert {entry.amount > 0 for entry in paid} == {True, False}  # both signs of the rate came up
    for account, entries in ((long, paid), (short, received)):
        position = account.positions[PositionKey("BTCUSDT")]
        assert position.funding == sum(entry.amount for entry in entries) == account.totals[EntryKind.FUNDING]
        assert position.updated_ms == times[-1]
        check_books(engine, account)


@pytest.mark.parametrize("venue", VENUES)
def test_one_symbol_is_settled_every_four_hours(venue: Venue) -> None:
    engine, clock = exchange()
    account = engine.account(venue, "someone")
    market(engine, account, BUY, "1000", symbol="ADAUSDT")
    market(engine, account, BUY, "0.1")
    clock.ms = NEXT_MS + 2 * PERIOD_MS
    every_four = [at for at in range(NEXT_MS - PERIOD_MS, clock.ms + 1, PERIOD_MS // 2) if at > NOW_MS]
    assert [entry.time_ms for entry in fundings(engine, account, "ADAUSDT")] == every_four
    assert [entry.time_ms for entry in fundings(engine, account, "BTCUSDT")] == [NEXT_MS + number * PERIOD_MS for number in range(3)]
    history = engine.funding_history(venue, "ADAUSDT", NOW_MS, clock.ms, 100)
    assert [at for at, _ in history] == every_four
    assert engine.funding_history(venue, "ADAUSDT", NOW_MS, clock.ms, 2) == history[-2:]
    assert engine.ticker(venue, "ADAUSDT").next_funding_ms == every_four[-1] + PERIOD_MS // 2


def test_an_isolated_position_pays_from_its_own_wallet() -> None:
    engine, clock = exchange()
    account, key = engine.account(Venue.OKX, "someone"), PositionKey("BTCUSDT", Leg.NET, MarginMode.ISOLATED)
    market(engine, account, BUY, "0.5", margin_mode=MarginMode.ISOLATED)
    market(engine, account, BUY, "0.5")
    margin, cash, wallet = account.positions[key].margin, engine.view(account).cross_wallet, account.wallet
    clock.ms = NEXT_MS
    cross, isolated = sorted(fundings(engine, account), key=lambda entry: entry.margin_mode)
    assert isolated.amount == cross.amount == expected(Venue.OKX, "BTCUSDT", "0.5", NEXT_MS) != 0
    assert account.positions[key].margin == margin + isolated.amount
    assert engine.view(account).cross_wallet == cash + cross.amount
    assert account.wallet == wallet + cross.amount + isolated.amount
    check_books(engine, account)


def test_both_legs_of_hedge_mode_are_settled_each_for_itself() -> None:
    engine, clock = exchange()
    account = engine.account(Venue.BINANCE, "someone")
    engine.set_position_mode(account, True)
    market(engine, account, BUY, "0.5", leg=Leg.LONG)
    market(engine, account, SELL, "0.2", leg=Leg.SHORT)
    clock.ms = NEXT_MS
    assert {entry.leg: entry.amount for entry in fundings(engine, account)} == {
        Leg.LONG: expected(Venue.BINANCE, "BTCUSDT", "0.5", NEXT_MS),
        Leg.SHORT: expected(Venue.BINANCE, "BTCUSDT", "-0.2", NEXT_MS),
    }
    check_books(engine, account)


def test_only_who_holds_at_the_moment_pays() -> None:
    """A resting order that fills between two fundings is settled at the second alone, whenever somebody looks."""
    engine, clock = exchange()
    account, idle = engine.account(Venue.BYBIT, "someone"), engine.account(Venue.BYBIT, "idle")
    _, high = MARKET.extremes(Venue.BYBIT, "BTCUSDT", NOW_MS, NEXT_MS)
    fills_at = next(at for at in range(NEXT_MS, NEXT_MS + 100 * PERIOD_MS, 300_000) if MARKET.price(Venue.BYBIT, "BTCUSDT", at) > high)
    limit(engine, account, SELL, "0.01", high + MARKET.listing(Venue.BYBIT, "BTCUSDT").tick)
    clock.ms = fills_at + 2 * PERIOD_MS
    (fill,) = engine.fills(account)
    assert fill.time_ms > NEXT_MS
    first = fill.time_ms - fill.time_ms % PERIOD_MS + PERIOD_MS
    assert [entry.time_ms for entry in fundings(engine, account)] == list(range(first, clock.ms + 1, PERIOD_MS))
    assert engine.statement(idle, kinds={EntryKind.FUNDING}) == []
    assert idle.wallet == OPENING_WALLET


def test_funding_begins_anew_with_each_position() -> None:
    engine, clock = exchange()
    account = engine.account(Venue.OKX, "someone")
    market(engine, account, BUY, "0.5")
    clock.ms = NEXT_MS
    market(engine, account, SELL, "0.2")
    assert account.positions[PositionKey("BTCUSDT")].funding == account.totals[EntryKind.FUNDING] != 0
    market(engine, account, SELL, "0.4")
    assert account.positions[PositionKey("BTCUSDT")].funding == ZERO


@pytest.mark.parametrize("venue", VENUES)
def test_the_past_of_the_demo_account_was_paid_for_too(venue: Venue) -> None:
    engine, _ = exchange()
    account = engine.account(venue, "demo")
    opened = {fill.symbol: fill.time_ms for fill in engine.fills(account)}
    for symbol, opened_ms in opened.items():
        times = MARKET.funding_times(venue, symbol, opened_ms, NOW_MS)
        assert [entry.time_ms for entry in fundings(engine, account, symbol)] == times != []
    times = [entry.time_ms for entry in engine.statement(account)]
    assert times == sorted(times, reverse=True)
    check_books(engine, account)


def test_what_came_due_while_it_was_off_is_paid_once(tmp_path: Path) -> None:
    path, clock = tmp_path / "ledger.jsonl", Clock()
    ledger = Ledger(path)
    engine = Engine(seed=7, ledger=ledger, now_ms=clock)
    market(engine, engine.account(Venue.OKX, "someone"), BUY, "0.5")
    ledger.close()
    clock.ms = NEXT_MS + PERIOD_MS
    totals = set()
    for _ in range(3):
        ledger = Ledger(path)
        engine = Engine(seed=7, ledger=ledger, now_ms=clock)
        account = engine.account(Venue.OKX, "someone")
        assert [entry.time_ms for entry in fundings(engine, account)] == [NEXT_MS, NEXT_MS + PERIOD_MS]
        check_books(engine, account)
        totals.add(account.totals[EntryKind.FUNDING])
        ledger.close()
    assert len(totals) == 1


class Going(Clock):
    """Goes on by itself, a millisecond each time that somebody looks, while it is let."""

    is_going = False

    def __call__(self) -> int:
        self.ms += self.is_going
        return self.ms


@pytest.mark.parametrize("early_ms", range(1, 12))
def test_a_position_is_never_charged_for_a_funding_before_it(early_ms: int) -> None:
    """Also when the second of the funding begins while the order is being placed."""
    clock = Going(NEXT_MS - HOUR_MS)
    engine = Engine(seed=7, ledger=Ledger(None), now_ms=clock)
    account = engine.account(Venue.BINANCE, "someone")
    clock.ms, clock.is_going = NEXT_MS - early_ms, True
    market(engine, account, BUY, "1")
    clock.ms, clock.is_going = NEXT_MS + 5000, False
    opened_ms = engine.fills(account)[-1].time_ms
    assert bool(fundings(engine, account)) is (opened_ms < NEXT_MS)
    check_books(engine, account)
