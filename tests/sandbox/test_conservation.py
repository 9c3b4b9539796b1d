"""Money is conserved: random trading on the three venues at once, over their wire and with restarts between."""

from itertools import product
from pathlib import Path

from exchanges.sandbox.model import EntryKind, Venue
from tests.sandbox.conservation import trading

STEPS = 2_000
SEED = 20261124


async def test_money_is_conserved_over_the_wire_of_all_three(tmp_path: Path) -> None:
    async with trading(tmp_path / "ledger.jsonl", SEED) as trader:
        await trader.run(STEPS)
        trader.count_up()
    assert trader.steps.total() == STEPS
    assert all(trader.accepted[kind] > 0 for kind in trader.steps)
    assert {each for each, count in trader.lines.items() if count} == set(product(Venue, EntryKind))
    assert trader.liquidations > 0
