"""Ledgers that another version wrote: what is older is read and goes on, what is newer is refused."""

from decimal import Decimal
from pathlib import Path
from zlib import crc32

import pytest

from exchanges.sandbox.accounts import Desk
from exchanges.sandbox.engine import Engine
from exchanges.sandbox.ledger import Ledger, LedgerUnreadable
from exchanges.sandbox.model import Account, EntryKind, MarginMode, PositionKey, Side, Venue
from exchanges.sandbox.upgrade import give_statements
from tests.sandbox.exchange import NOW_MS, Clock, check_books, market

FORMAT_1 = Path(__file__).with_name("ledger-format-1.jsonl")  # written by the version before statements, legs and margin modes


def test_a_ledger_of_the_format_before_is_read_and_goes_on(tmp_path: Path) -> None:
    path, clock = tmp_path / "ledger.jsonl", Clock(NOW_MS + 10_000)
    path.write_bytes(FORMAT_1.read_bytes())
    ledger = Ledger(path)
    engine = Engine(seed=7, ledger=ledger, now_ms=clock)
    someone, other = engine.account(Venue.BINANCE, "someone"), engine.account(Venue.OKX, "other")
    assert someone.wallet == Decimal("99992.65851300")
    assert {mode: engine.leverage(someone, "BTCUSDT", mode) for mode in MarginMode} == dict.fromkeys(MarginMode, 25)
    assert [(key, position.quantity) for key, position in someone.positions.items()] == [(PositionKey("BTCUSDT"), Decimal("0.06"))]
    assert [order.client_id for order in engine.open_orders(someone)] == ["resting"]
    assert someone.totals == {EntryKind.DEPOSIT: 100_000, EntryKind.REALIZED: Decimal("0.2"), EntryKind.FEE: Decimal("-7.541487")}
    assert [entry.kind for entry in engine.statement(other)] == [EntryKind.DEPOSIT]
    check_books(engine, someone)
    market(engine, someone, Side.SELL, "0.06")
    entries = engine.statement(someone)
    ledger.close()
    assert path.read_bytes().split(b"\n")[0].endswith(b'{"crossbook_sandbox_ledger":2}')
    reopened = Ledger(path)
    engine = Engine(seed=7, ledger=reopened, now_ms=clock)
    assert engine.statement(engine.account(Venue.BINANCE, "someone")) == entries
    assert [entry.id for entry in entries] == sorted({entry.id for entry in entries}, reverse=True)
    check_books(engine, engine.account(Venue.BINANCE, "someone"))
    reopened.close()


def test_what_forgotten_fills_brought_is_one_line_of_the_statement() -> None:
    desk = Desk(Account(name="old", venue=Venue.OKX, wallet=Decimal("99000.5"), opened_ms=NOW_MS), settled_ms=NOW_MS)
    give_statements([desk])
    assert [(entry.kind, entry.amount, entry.balance) for entry in desk.statement] == [
        (EntryKind.DEPOSIT, Decimal(100_000), Decimal(100_000)),
        (EntryKind.REALIZED, Decimal("-999.5"), Decimal("99000.5")),
    ]
    assert desk.account.wallet == sum(desk.account.totals.values()) == Decimal("99000.5")


def test_a_ledger_of_a_later_format_is_refused_in_one_line(tmp_path: Path) -> None:
    path, header = tmp_path / "ledger.jsonl", b'{"crossbook_sandbox_ledger":3}'
    written = b"%08x %b\n" % (crc32(header), header)
    path.write_bytes(written)
    with pytest.raises(LedgerUnreadable, match="unknown format; move it away to start afresh"):
        Ledger(path)
    assert path.read_bytes() == written
