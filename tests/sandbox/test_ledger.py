"""The ledger: what was answered is on disk whatever kills the process, and damage is never taken for data."""

import resource
import time
from collections.abc import Iterator
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from random import Random

import pytest

from exchanges.sandbox.engine import Engine
from exchanges.sandbox.ledger import Ledger, LedgerUnreadable
from exchanges.sandbox.model import Kind, Leg, Lifetime, MarginMode, PositionKey, Side, Venue
from tests.sandbox.exchange import HOUR_MS, MARKET, NOW_MS, Clock, away, check_books, limit, market


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "sandbox" / "ledger.jsonl"


def reopened(path: Path, clock: Clock) -> Iterator[Engine]:
    ledger = Ledger(path)
    yield Engine(seed=7, ledger=ledger, now_ms=clock)
    ledger.close()


def fill_ledger(path: Path, clock: Clock) -> Engine:
    """Two accounts with positions, open, filled and canceled orders, leverage and a client id."""
    ledger = Ledger(path)
    engine = Engine(seed=7, ledger=ledger, now_ms=clock)
    demo, someone = engine.account(Venue.OKX, "demo"), engine.account(Venue.BINANCE, "someone")
    engine.set_leverage(someone, "BTCUSDT", 25)
    market(engine, someone, Side.BUY, "1.5", client_id="first", wire={"positionSide": "BOTH"})
    price = away(engine, engine.listing(Venue.BINANCE, "BTCUSDT"), "0.9")
    limit(engine, someone, Side.BUY, "0.5", price, client_id="resting")
    engine.cancel(someone, symbol="BTCUSDT", order_id=limit(engine, someone, Side.BUY, "0.25", price).id)
    engine.cancel(demo, symbol="BTCUSDT", order_id=engine.open_orders(demo, "BTCUSDT")[0].id)
    ledger.close()
    return engine


def test_everything_is_as_before_after_a_restart(path: Path) -> None:
    clock = Clock()
    before = fill_ledger(path, clock)
    for after in reopened(path, clock):
        for venue, name in ((Venue.OKX, "demo"), (Venue.BINANCE, "someone")):
            old, new = before.account(venue, name), after.account(venue, name)
            assert new == old
            assert after.order_history(new) == before.order_history(old)
            assert after.open_orders(new) == before.open_orders(old)
            assert after.fills(new) == before.fills(old)
            assert after.statement(new) == before.statement(old)
            assert after.view(new) == before.view(old)
            check_books(after, new)
        someone = after.account(Venue.BINANCE, "someone")
        newest = market(after, someone, Side.SELL, "0.1")
        assert newest.id > max(order.id for order in before.order_history(before.account(Venue.BINANCE, "someone")))
        first = after.order(someone, client_id="first")
        assert first is not None
        assert first.wire == {"positionSide": "BOTH"}


def test_modes_legs_and_isolated_wallets_survive_a_restart(path: Path) -> None:
    clock, ledger = Clock(), Ledger(path)
    before = Engine(seed=7, ledger=ledger, now_ms=clock)
    accounts = {venue: before.account(venue, "someone") for venue in Venue}
    before.set_margin_mode(accounts[Venue.BINANCE], "BTCUSDT", MarginMode.ISOLATED)
    before.set_margin_mode(accounts[Venue.BYBIT], None, MarginMode.ISOLATED)
    before.set_position_mode(accounts[Venue.BYBIT], True, "BTCUSDT")
    before.set_position_mode(accounts[Venue.OKX], True)
    before.set_leverage(accounts[Venue.OKX], "BTCUSDT", 7, mode=MarginMode.ISOLATED, leg=Leg.SHORT)
    market(before, accounts[Venue.BINANCE], Side.BUY, "0.1")
    market(before, accounts[Venue.BYBIT], Side.BUY, "0.1", leg=Leg.LONG)
    market(before, accounts[Venue.OKX], Side.SELL, "0.1", leg=Leg.SHORT, margin_mode=MarginMode.ISOLATED)
    before.add_margin(accounts[Venue.OKX], PositionKey("BTCUSDT", Leg.SHORT, MarginMode.ISOLATED), Decimal(100))
    ledger.close()
    for after in reopened(path, clock):
        for venue, old in accounts.items():
            new = after.account(venue, "someone")
            assert new == old
            assert after.statement(new) == before.statement(old)
            assert after.view(new) == before.view(old)
            check_books(after, new)
            assert market(
                after, new, Side.SELL, "0.1", leg=Leg.NET if venue is Venue.BINANCE else Leg.SHORT, margin_mode=MarginMode.ISOLATED
            )


def test_what_came_due_while_it_was_off_is_settled_as_of_then(path: Path) -> None:
    clock = Clock()
    ledger = Ledger(path)
    engine = Engine(seed=7, ledger=ledger, now_ms=clock)
    low, _ = MARKET.extremes(Venue.BINANCE, "BTCUSDT", NOW_MS, NOW_MS + HOUR_MS)
    order = limit(engine, engine.account(Venue.BINANCE, "someone"), Side.BUY, "0.01", low)
    ledger.close()
    clock.ms += 5 * HOUR_MS
    for after in reopened(path, clock):
        (fill,) = after.fills(after.account(Venue.BINANCE, "someone"))
        assert (fill.order_id, fill.price) == (order.id, low)
        assert NOW_MS < fill.time_ms <= NOW_MS + HOUR_MS


def test_what_one_settlement_finds_is_written_as_one_entry(path: Path) -> None:
    clock = Clock()
    ledger = Ledger(path)
    engine = Engine(seed=7, ledger=ledger, now_ms=clock)
    account = engine.account(Venue.BINANCE, "someone")
    low, high = MARKET.extremes(Venue.BINANCE, "BTCUSDT", NOW_MS, NOW_MS + HOUR_MS)
    limit(engine, account, Side.BUY, "0.01", low)
    limit(engine, account, Side.SELL, "0.01", high)
    before = path.read_bytes().count(b"\n")
    clock.ms += HOUR_MS
    engine.settle()
    assert len(engine.fills(account)) == 2
    assert path.read_bytes().count(b"\n") == before + 1
    ledger.close()


def test_a_lost_file_means_new_accounts(path: Path) -> None:
    fill_ledger(path, Clock())
    path.unlink()
    for engine in reopened(path, Clock()):
        someone = engine.account(Venue.BINANCE, "someone")
        assert (someone.wallet, engine.order_history(someone)) == (Decimal(100_000), [])
        assert engine.account(Venue.OKX, "demo").positions


def test_a_last_record_cut_off_anywhere_is_as_if_it_had_not_begun(path: Path) -> None:
    fill_ledger(path, Clock())
    whole = path.read_bytes()
    last = whole[:-1].rfind(b"\n") + 1
    path.write_bytes(whole[:last])
    ledger = Ledger(path)
    expected = {key: (desk.account, list(desk.orders.values())) for key, desk in ledger.desks.items()}
    ledger.close()
    for length in range(last, len(whole), 7):
        path.write_bytes(whole[:length])
        cut = Ledger(path)
        assert {key: (desk.account, list(desk.orders.values())) for key, desk in cut.desks.items()} == expected
        cut.close()


def test_any_other_damage_stops_the_start_with_one_line(path: Path) -> None:
    fill_ledger(path, Clock())
    whole, random = path.read_bytes(), Random(7)
    for position in (0, 5, *(random.randrange(len(whole)) for _ in range(100))):
        damaged = bytearray(whole)
        damaged[position] ^= 1 + random.randrange(255)
        path.write_bytes(damaged)
        if position == len(whole) - 1:
            continue  # without its line break the last record counts as cut off
        with pytest.raises(LedgerUnreadable) as unreadable:
            Ledger(path)
        assert "\n" not in str(unreadable.value)
        assert str(path) in str(unreadable.value)


@pytest.mark.parametrize("content", [b"hello\n", b"{}\n", b"\x00" * 100 + b"\n", b"\n"])
def test_a_file_that_is_no_ledger_stops_the_start(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    with pytest.raises(LedgerUnreadable):
        Ledger(path)
    assert path.read_bytes() == content


def test_two_processes_never_share_a_ledger(path: Path) -> None:
    ledger = Ledger(path)
    with pytest.raises(LedgerUnreadable, match="in use"):
        Ledger(path)
    ledger.close()
    Ledger(path).close()


def test_the_file_stays_small_and_complete(path: Path) -> None:
    ledger = Ledger(path, compact_bytes=30_000)
    engine = Engine(seed=7, ledger=ledger, now_ms=Clock())
    account, sizes = engine.account(Venue.BYBIT, "someone"), []
    price = away(engine, engine.listing(Venue.BYBIT, "BTCUSDT"), "0.9")
    order = limit(engine, account, Side.BUY, "0.01", price)
    for number in range(400):
        engine.set_leverage(account, "BTCUSDT", 10 + number % 5)
        sizes.append(path.stat().st_size)
    ledger.close()
    assert max(sizes) < 31_000
    assert any(after < before for before, after in pairwise(sizes))
    for after in reopened(path, Clock()):
        assert after.open_orders(after.account(Venue.BYBIT, "someone")) == [order]
        assert after.leverage(after.account(Venue.BYBIT, "someone"), "BTCUSDT") == 14


def test_appending_is_fast(path: Path) -> None:
    ledger = Ledger(path)
    engine = Engine(seed=7, ledger=ledger, now_ms=Clock())
    account = engine.account(Venue.BINANCE, "someone")
    started = time.process_time()
    for number in range(500):
        market(engine, account, (Side.BUY, Side.SELL)[number % 2], "0.002")
    assert time.process_time() - started < 1.5
    ledger.close()


def test_a_full_disk_refuses_and_loses_nothing_once_there_is_room_again(path: Path) -> None:
    ledger, clock = Ledger(path), Clock()
    engine = Engine(seed=7, ledger=ledger, now_ms=clock)
    account = engine.account(Venue.BINANCE, "someone")
    market(engine, account, Side.BUY, "0.01")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (path.stat().st_size + 100, hard))
    try:
        for _ in range(3):
            with pytest.raises(OSError, match="File too large"):
                market(engine, account, Side.BUY, "0.01")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    market(engine, account, Side.BUY, "0.01")
    ledger.close()
    for after in reopened(path, clock):
        someone = after.account(Venue.BINANCE, "someone")
        assert someone == account
        assert after.order_history(someone) == engine.order_history(account)
        check_books(after, someone)


def test_orders_after_a_restart_go_on(path: Path) -> None:
    for round_number in range(3):
        for engine in reopened(path, Clock(NOW_MS + round_number * HOUR_MS)):
            account = engine.account(Venue.OKX, "someone")
            quantity, mark = Decimal("0.01"), engine.mark(Venue.OKX, "BTCUSDT")
            placed = engine.place(
                account, symbol="BTCUSDT", side=Side.BUY, kind=Kind.LIMIT, lifetime=Lifetime.GTC, quantity=quantity, limit_price=mark // 2
            )
            assert engine.open_orders(account)[-1] is placed
            assert len(engine.open_orders(account)) == round_number + 1
