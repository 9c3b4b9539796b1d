"""`--speed`: prices and funding run faster, the clock does not, and restarts with any speed go on from where prices are."""

from argparse import ArgumentParser
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dashboard import environment
from dashboard.environment import ConfigurationError
from exchanges.sandbox.course import Course, Pace, Shock
from exchanges.sandbox.engine import Engine
from exchanges.sandbox.ledger import Ledger
from exchanges.sandbox.model import EntryKind, Status, Venue
from exchanges.sandbox.server import add_arguments
from tests.sandbox.exchange import BUY, HOUR_MS, MARKET, NOW_MS, SELL, Clock, check_books, limit, market

BTC = (Venue.BINANCE, "BTCUSDT")
speeds = st.sampled_from([1, 2, 7, 60, 999, 10_000])


def engine_at(speed: int, clock: Clock, ledger: Ledger | None = None) -> Engine:
    return Engine(seed=7, ledger=ledger or Ledger(None), now_ms=clock, speed=speed)


@given(changes=st.lists(st.tuples(st.integers(0, 10**8), speeds), max_size=5), ahead_ms=st.integers(-(10**6), 10**9))
@settings(max_examples=200, deadline=None)
def test_path_time_never_jumps_and_is_found_again(changes: list[tuple[int, int]], ahead_ms: int) -> None:
    course, now_ms = Course(), NOW_MS
    for later_ms, speed in changes:
        now_ms += later_ms
        before = course.path_ms(now_ms - now_ms % 1000)
        course.set_speed(speed, now_ms)
        assert course.path_ms(now_ms - now_ms % 1000) == before
    at_ms = NOW_MS + ahead_ms
    path_ms = course.path_ms(at_ms)
    assert path_ms <= course.path_ms(at_ms + 1) <= path_ms + 10_000
    found = course.clock_ms(path_ms)
    assert course.path_ms(found) >= path_ms > course.path_ms(found - 1)
    if not changes:
        assert path_ms == found == at_ms
    assert 1000 % course.step_ms == 0
    assert course.step_ms == 1 or course.step_ms * course.speed <= 1000


@pytest.mark.parametrize("speed", [2, 60, 10_000])
def test_prices_run_by_the_speed_and_not_before(speed: int) -> None:
    clock = Clock()
    engine = engine_at(speed, clock)
    assert engine.mark(*BTC) == MARKET.price(*BTC, NOW_MS)
    assert engine.mark(*BTC, NOW_MS - HOUR_MS) == MARKET.price(*BTC, NOW_MS - HOUR_MS)
    clock.ms += 5_300
    assert engine.mark(*BTC) == MARKET.price(*BTC, NOW_MS + 5_000 * speed)
    ticker, path_ms = engine.ticker(*BTC), NOW_MS + 5_000 * speed
    assert (ticker.time_ms, ticker.open_24h) == (NOW_MS + 5_000, MARKET.price(*BTC, path_ms - 24 * HOUR_MS))
    assert (ticker.low_24h, ticker.high_24h) == MARKET.extremes(*BTC, path_ms - 24 * HOUR_MS, path_ms)


def test_candles_are_stamped_by_the_clock_and_follow_each_other() -> None:
    clock = Clock()
    engine = engine_at(100, clock)
    clock.ms += 10 * 60_000
    candles = engine.candles(*BTC, 60_000, NOW_MS - 10 * 60_000, clock.ms, 100)
    assert all(after.open_ms - before.open_ms == 60_000 for before, after in pairwise(candles))
    assert all(after.open == before.close for before, after in pairwise(candles))
    fast = candles[-3]
    low, high = MARKET.extremes(*BTC, NOW_MS + (fast.open_ms - NOW_MS) * 100, NOW_MS + (fast.close_ms - NOW_MS) * 100)
    assert (fast.low, fast.high) == (low, high)
    assert (engine.ticker(*BTC).last, engine.mark(*BTC)) == (candles[-1].close, candles[-1].close)


@pytest.mark.parametrize("speed", [3, 3600, 10_000])
def test_funding_comes_due_by_the_speed_at_whole_seconds(speed: int) -> None:
    clock = Clock()
    engine = engine_at(speed, clock)
    account = engine.account(Venue.BINANCE, "someone")
    market(engine, account, BUY, "0.1")
    expected: list[int] = []
    for _ in range(4):
        due_ms = engine.ticker(*BTC).next_funding_ms
        assert due_ms % 1000 == 0 < due_ms - clock.ms <= 8 * HOUR_MS // speed + 2000
        clock.ms = due_ms - 1
        assert [entry.time_ms for entry in engine.statement(account, kinds={EntryKind.FUNDING})] == expected[::-1]
        rate = engine.ticker(*BTC).funding_rate
        clock.ms = due_ms
        expected.append(due_ms)
        (newest, *_) = engine.statement(account, kinds={EntryKind.FUNDING})
        assert newest.time_ms == due_ms
        assert abs(newest.amount + Decimal("0.1") * engine.mark(*BTC) * rate) < Decimal("0.00000001")
        assert engine.funding_history(*BTC, NOW_MS + 1, clock.ms, 100)[-1] == (due_ms, rate)
    assert [at for at, _ in engine.funding_history(*BTC, NOW_MS + 1, clock.ms, 100)] == expected
    check_books(engine, account)


def test_orders_and_fills_are_stamped_by_the_clock() -> None:
    clock = Clock()
    engine = engine_at(1000, clock)
    account = engine.account(Venue.BINANCE, "someone")
    low, high = MARKET.extremes(*BTC, NOW_MS, NOW_MS + 10_000_000)
    resting = [limit(engine, account, BUY, "0.01", low), limit(engine, account, SELL, "0.01", high)]
    clock.ms += 10_000
    fills = engine.fills(account)
    assert {order.status for order in resting} == {Status.FILLED}
    assert all(NOW_MS < fill.time_ms <= NOW_MS + 10_000 for fill in fills)
    check_books(engine, account)


@pytest.mark.parametrize("speed", [1, 50, 10_000])
def test_a_liquidation_is_not_missed_between_two_seconds(speed: int) -> None:
    clock = Clock()
    engine = engine_at(speed, clock)
    account = engine.account(Venue.BINANCE, "someone")
    engine.set_leverage(account, "BTCUSDT", 50)
    side = SELL if MARKET.price(*BTC, NOW_MS + 200 * HOUR_MS) > MARKET.price(*BTC, NOW_MS) else BUY
    for _ in range(2):
        market(engine, account, side, "18")
    placed_ms = clock.ms
    clock.ms += 400 * HOUR_MS // speed // 1000 * 1000
    (order,) = [order for order in engine.order_history(account) if order.liquidation]
    assert placed_ms < order.created_ms <= clock.ms
    assert account.totals.get(EntryKind.INSURANCE, 0) == 0
    check_books(engine, account)


def test_a_liquidation_never_comes_before_what_it_ends() -> None:
    """Between two whole seconds the path runs on for hours, and an order is taken at the price of the first."""
    clock = Clock()
    engine = engine_at(10_000, clock)
    ended = 0
    for number in range(20):
        account = engine.account(Venue.BINANCE, f"trader{number}")
        engine.set_leverage(account, "BTCUSDT", 50)
        clock.ms += 900
        for _ in range(2):
            market(engine, account, BUY if number % 2 else SELL, "18")
        clock.ms += 100
        orders = [order for order in engine.order_history(account) if order.liquidation]
        assert all(clock.ms - 100 < order.created_ms <= clock.ms for order in orders)
        ended += len(orders)
        check_books(engine, account)
    assert ended


def test_a_restart_goes_on_from_where_prices_are(tmp_path: Path) -> None:
    clock, prices = Clock(), []
    for speed in (60, 60, 1, 7, 1):
        ledger = Ledger(tmp_path / "ledger.jsonl")
        engine = engine_at(speed, clock, ledger)
        prices.append(engine.mark(*BTC))
        ledger.close()
        clock.ms += 100_000
    path_s = (0, 6_000, 12_000, 12_100, 12_800)
    assert prices == [MARKET.price(*BTC, NOW_MS + at_s * 1000) for at_s in path_s]


def test_a_shock_moves_every_venue_alike_from_the_next_second_on_and_for_ever(tmp_path: Path) -> None:
    path, clock = tmp_path / "ledger.jsonl", Clock()
    ledger = Ledger(path, compact_bytes=200)
    engine = engine_at(1, clock, ledger)
    before = engine.mark(Venue.OKX, "PEPEUSDT")
    assert engine.shock("1000PEPEUSDT", Decimal("0.5")) == NOW_MS + 1000
    assert engine.mark(Venue.OKX, "PEPEUSDT") == before
    clock.ms += 1000
    for venue, symbol in ((Venue.BINANCE, "1000PEPEUSDT"), (Venue.BYBIT, "1000PEPEUSDT"), (Venue.OKX, "PEPEUSDT")):
        tick = engine.listing(venue, symbol).tick
        assert abs(engine.mark(venue, symbol) - MARKET.price(venue, symbol, clock.ms) / 2) <= tick / 2
        ticker = engine.ticker(venue, symbol)
        assert ticker.last == engine.mark(venue, symbol)
        assert ticker.low_24h <= ticker.last < ticker.open_24h <= ticker.high_24h
        assert ticker.low_24h * ticker.volume_24h <= ticker.turnover_24h <= ticker.high_24h * ticker.volume_24h
        (candle,) = engine.candles(venue, symbol, 60_000, clock.ms - 60_000, clock.ms, 1)
        assert candle.low <= candle.close < candle.open <= candle.high
        index = engine.ticker(venue, symbol).index
        assert abs(index / ticker.mark - 1) < Decimal("0.002")
    assert engine.mark(*BTC) == MARKET.price(*BTC, clock.ms)
    engine.shock("PEPEUSDT", Decimal("2"))
    engine.shock("PEPEUSDT", Decimal("3"))
    clock.ms += 1000
    after = engine.mark(Venue.OKX, "PEPEUSDT")
    assert abs(after - 3 * MARKET.price(Venue.OKX, "PEPEUSDT", clock.ms)) <= engine.listing(Venue.OKX, "PEPEUSDT").tick
    ledger.close()
    again = engine_at(1, clock, Ledger(path))
    assert again.mark(Venue.OKX, "PEPEUSDT") == after


def test_shocks_of_one_second_count_together() -> None:
    course = Course([Pace(NOW_MS, NOW_MS, 60), Shock(NOW_MS, "BTC", "0.5"), Shock(NOW_MS, "BTC", "0.5")])
    assert (course.speed, course.factor("BTC", NOW_MS), course.factor("ETH", NOW_MS), course.factor("BTC", NOW_MS - 1)) == (60, 0.25, 1, 1)


@pytest.mark.parametrize("text", ["0", "10001", "1.5", "-1", "fast", "", "99999999999999999999"])
def test_a_wrong_speed_is_refused_in_one_sentence(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    parser = ArgumentParser()
    add_arguments(parser)
    with pytest.raises(SystemExit):
        parser.parse_args([f"--speed={text}"])
    assert capsys.readouterr().err.endswith(f"error: argument --speed: must be a whole number from 1 to 10000, was {text!r}\n")


def test_the_speed_of_run_up_is_checked_like_every_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SANDBOX_SPEED", raising=False)
    assert environment.sandbox_speed() == 1
    monkeypatch.setenv("SANDBOX_SPEED", "60")
    assert environment.sandbox_speed() == 60
    for wrong in ("0", "10001", "1.5", "fast"):
        monkeypatch.setenv("SANDBOX_SPEED", wrong)
        with pytest.raises(ConfigurationError, match="SANDBOX_SPEED must be a whole number from 1 to 10000"):
            environment.check_addresses()
