"""kill -9 at any moment: what was answered is read back, and every sum is whole."""

import signal
import subprocess
import sys
from pathlib import Path
from random import Random

from exchanges.sandbox.engine import Engine
from exchanges.sandbox.ledger import Ledger
from exchanges.sandbox.model import EntryKind, Status, Venue
from tests.sandbox.exchange import check_books, check_statement

ROOT = Path(__file__).parents[2]
WRITER = """
import sys
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from exchanges.sandbox.engine import Engine
from exchanges.sandbox.ledger import Ledger
from exchanges.sandbox.model import Kind, Lifetime, Side, Venue
engine = Engine(seed=7, ledger=Ledger(Path(sys.argv[1]), compact_bytes=20_000))
account = engine.account(Venue.BINANCE, "someone")
price = engine.mark(Venue.BINANCE, "BTCUSDT") // 2
number = 0
while True:
    number += 1
    side, kind = (Side.BUY, Side.SELL)[number % 2], (Kind.MARKET, Kind.MARKET, Kind.LIMIT)[number % 3]
    order = engine.place(account, symbol="BTCUSDT", side=Side.BUY if kind is Kind.LIMIT else side, kind=kind, lifetime=Lifetime.GTC,
                         quantity=Decimal("0.003"), limit_price=price if kind is Kind.LIMIT else None)
    if kind is Kind.LIMIT:
        engine.cancel(account, symbol="BTCUSDT", order_id=order.id)
    print(order.id, order.status.value, account.wallet, flush=True)
"""


TRADER = """
import sys
from decimal import Decimal
from pathlib import Path
from random import Random
from exchanges.sandbox.engine import Engine
from exchanges.sandbox.ledger import Ledger
from exchanges.sandbox.model import Kind, Lifetime, MarginMode, Refused, Side, Venue
ledger, random = Ledger(Path(sys.argv[1]), compact_bytes=60_000), Random()
engine = Engine(seed=7, ledger=ledger, speed=10_000)
while True:
    venue = random.choice(list(Venue))
    account = engine.account(venue, "someone")
    try:
        if random.random() < 0.05:
            engine.shock("BTCUSDT", Decimal(random.choice(("0.97", "1.03"))))
        mode = random.choice(list(MarginMode)) if venue is Venue.OKX else MarginMode.CROSS
        engine.place(account, symbol="BTCUSDT", side=random.choice(list(Side)), kind=Kind.MARKET, lifetime=Lifetime.GTC,
                     quantity=Decimal(random.choice(("0.01", "0.3", "4"))), limit_price=None, margin_mode=mode)
    except Refused:
        pass
    print(venue, engine.statement(account)[0].id, len(ledger.departures), flush=True)
"""


def told_until_killed(script: str, path: Path, *, lines: int) -> list[list[str]]:
    """The words of every line that a process wrote to its end: so many before it was killed, and those it wrote meanwhile."""
    process = subprocess.Popen([sys.executable, "-c", script, str(path)], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    told = [process.stdout.readline().split() for _ in range(lines)]
    process.send_signal(signal.SIGKILL)
    told += [line.split() for line in process.stdout.read().splitlines(keepends=True) if line.endswith("\n")]
    process.stdout.close()
    process.wait(10)
    return told


def test_kill_9_loses_nothing_that_was_answered(tmp_path: Path) -> None:
    path, random = tmp_path / "sandbox" / "ledger.jsonl", Random(7)
    for _ in range(4):
        answered = told_until_killed(WRITER, path, lines=random.randrange(1, 150))
        ledger = Ledger(path)
        engine = Engine(seed=7, ledger=ledger)
        account = engine.account(Venue.BINANCE, "someone")
        for order_id, status, _ in answered:
            order = engine.order(account, order_id=int(order_id))
            assert order is not None
            assert order.status == status
        newer = [order for order in engine.order_history(account) if order.id > int(answered[-1][0])]
        assert len(newer) <= 1
        if not newer:
            assert str(account.wallet) == answered[-1][2]
        for order in engine.open_orders(account):
            assert engine.cancel(account, symbol="BTCUSDT", order_id=order.id).status is Status.CANCELED
        check_books(engine, account)
        ledger.close()


def test_kill_9_in_the_middle_of_funding_liquidations_and_shocks_leaves_every_sum_whole(tmp_path: Path) -> None:
    path, random = tmp_path / "sandbox" / "ledger.jsonl", Random(7)
    for _ in range(3):
        told = told_until_killed(TRADER, path, lines=random.randrange(200, 500))
        ledger = Ledger(path)
        assert len(ledger.departures) >= int(told[-1][2])
        for venue, desk in ((venue, ledger.desks[venue, "someone"]) for venue in Venue):
            newest = max(int(number) for name, number, _ in told if name == venue)
            assert newest in {entry.id for entry in desk.statement}
            assert desk.account.wallet == desk.statement[-1].balance == sum(desk.account.totals.values())
        engine = Engine(seed=7, ledger=ledger, speed=10_000)
        for venue in Venue:
            account = engine.account(venue, "someone")
            if engine.statement(account)[-1].kind is EntryKind.DEPOSIT:
                check_statement(engine, account)
        ledger.close()
