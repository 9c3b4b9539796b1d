"""The statement: a line for every change of the wallet, and totals that add up to it for ever."""

from decimal import Decimal

from exchanges.sandbox.accounts import KEPT_ENTRIES
from exchanges.sandbox.model import ZERO, Entry, EntryKind, Leg, MarginMode, PositionKey, Venue
from exchanges.sandbox.opening import OPENING_WALLET
from tests.sandbox.exchange import BUY, HOUR_MS, NOW_MS, SELL, check_books, exchange, market

ISOLATED = MarginMode.ISOLATED


def lines(entries: list[Entry]) -> list[tuple[EntryKind, str, Decimal, Decimal]]:
    return [(entry.kind, entry.symbol, entry.amount, entry.moved) for entry in entries]


def test_every_account_begins_with_its_deposit() -> None:
    engine, _ = exchange()
    for venue in Venue:
        (entry,) = engine.statement(engine.account(venue, "someone"))
        assert lines([entry]) == [(EntryKind.DEPOSIT, "", OPENING_WALLET, ZERO)]
        assert (entry.balance, entry.time_ms, entry.order_id, entry.fill_id) == (OPENING_WALLET, NOW_MS, 0, 0)
        demo = engine.account(venue, "demo")
        first = engine.statement(demo)[-1]
        assert (first.kind, first.time_ms) == (EntryKind.DEPOSIT, demo.opened_ms)
        check_books(engine, demo)


def test_executions_are_told_as_what_they_realised_and_cost() -> None:
    engine, clock = exchange()
    account = engine.account(Venue.BINANCE, "someone")
    market(engine, account, BUY, "0.01")
    clock.ms += HOUR_MS
    market(engine, account, SELL, "0.01")
    sold, bought = engine.fills(account)
    fee, realized, first_fee, deposit = engine.statement(account)
    assert lines([fee, realized, first_fee, deposit]) == [
        (EntryKind.FEE, "BTCUSDT", -sold.fee, ZERO),
        (EntryKind.REALIZED, "BTCUSDT", sold.realized_pnl, ZERO),
        (EntryKind.FEE, "BTCUSDT", -bought.fee, ZERO),
        (EntryKind.DEPOSIT, "", OPENING_WALLET, ZERO),
    ]
    assert (realized.order_id, realized.fill_id, realized.time_ms) == (sold.order_id, sold.id, clock.ms)
    assert fee.balance == account.wallet == realized.balance - sold.fee
    assert account.totals == {
        EntryKind.DEPOSIT: OPENING_WALLET,
        EntryKind.FEE: -sold.fee - bought.fee,
        EntryKind.REALIZED: sold.realized_pnl,
    }


def test_moves_of_margin_change_no_cash() -> None:
    engine, _ = exchange()
    account, key = engine.account(Venue.OKX, "someone"), PositionKey("BTCUSDT", Leg.NET, ISOLATED)
    order = market(engine, account, BUY, "0.01", margin_mode=ISOLATED)
    bound = account.positions[key].margin
    engine.add_margin(account, key, Decimal(50))
    engine.add_margin(account, key, Decimal(-20))
    market(engine, account, SELL, "0.01", margin_mode=ISOLATED)
    moves = engine.statement(account, kinds=(EntryKind.MARGIN_IN, EntryKind.MARGIN_OUT))
    assert lines(moves) == [
        (EntryKind.MARGIN_OUT, "BTCUSDT", ZERO, -bound - 30),
        (EntryKind.MARGIN_OUT, "BTCUSDT", ZERO, Decimal(-20)),
        (EntryKind.MARGIN_IN, "BTCUSDT", ZERO, Decimal(50)),
        (EntryKind.MARGIN_IN, "BTCUSDT", ZERO, bound),
    ]
    assert [bool(entry.order_id) for entry in moves] == [True, False, False, True]
    assert moves[-1].order_id == order.id
    assert {(entry.leg, entry.margin_mode) for entry in moves} == {(Leg.NET, ISOLATED)}
    check_books(engine, account)


def test_a_statement_is_asked_by_kind_symbol_and_time() -> None:
    engine, clock = exchange()
    account = engine.account(Venue.BYBIT, "someone")
    for symbol in ("BTCUSDT", "ETHUSDT"):
        clock.ms += 1000
        market(engine, account, BUY, "0.1", symbol=symbol)
    assert [entry.symbol for entry in engine.statement(account)] == ["ETHUSDT", "BTCUSDT", ""]
    assert [entry.symbol for entry in engine.statement(account, symbol="BTCUSDT")] == ["BTCUSDT"]
    assert [entry.kind for entry in engine.statement(account, kinds={EntryKind.DEPOSIT})] == [EntryKind.DEPOSIT]
    assert [entry.symbol for entry in engine.statement(account, start_ms=NOW_MS + 1000)] == ["ETHUSDT", "BTCUSDT"]
    assert [entry.symbol for entry in engine.statement(account, end_ms=NOW_MS + 1000)] == ["BTCUSDT", ""]


def test_old_lines_are_forgotten_and_the_totals_are_not() -> None:
    engine, _ = exchange()
    account = engine.account(Venue.BINANCE, "someone")
    number = 0
    while len(engine.statement(account)) < KEPT_ENTRIES:
        for _ in range(500):
            number += 1
            market(engine, account, (BUY, SELL)[number % 2], "0.001")
    market(engine, account, BUY, "0.001")
    newest, *_, oldest = entries = engine.statement(account)
    assert len(entries) == KEPT_ENTRIES
    assert oldest.kind is not EntryKind.DEPOSIT
    assert newest.balance == account.wallet == sum(account.totals.values())
    assert account.totals[EntryKind.DEPOSIT] == OPENING_WALLET
