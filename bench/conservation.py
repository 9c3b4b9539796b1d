"""`.venv/bin/python -m bench.conservation --steps 100000 [--seed N]`: random trading on the three simulated venues over their wire for as
long as one likes, every figure compared to the last digit (tests/sandbox/conservation.py). Ends at the first that differs."""

import argparse
import asyncio
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from random import SystemRandom
from tempfile import TemporaryDirectory

from tests.sandbox.conservation import trading

LEG = 10_000  # steps on venues and a ledger of their own: every restart reads all accounts that there ever were


@dataclass
class Result:
    steps: Counter[str] = field(default_factory=Counter)
    accepted: Counter[str] = field(default_factory=Counter)
    accounts: Counter[str] = field(default_factory=Counter)
    lines: Counter[str] = field(default_factory=Counter)
    liquidations: int = 0
    comparisons: int = 0


async def run(steps: int, seed: int) -> Result:
    """Raises AssertionError at the first figure that differs."""
    result, started = Result(), time.monotonic()
    for leg, done in enumerate(range(0, steps, LEG)):
        with TemporaryDirectory() as directory:
            async with trading(Path(directory) / "ledger.jsonl", seed + leg) as trader:
                await trader.run(min(LEG, steps - done))
                trader.count_up()
        result.steps += trader.steps
        result.accepted += trader.accepted
        result.accounts += trader.named
        result.lines.update({f"{venue} {kind}": count for (venue, kind), count in trader.lines.items()})
        result.liquidations += trader.liquidations
        result.comparisons += trader.checks
        print(f"{result.steps.total():,} steps in {time.monotonic() - started:.0f} s", flush=True)
    return result


def show(result: Result) -> None:
    kinds = ", ".join(f"{kind} {count:,} ({result.accepted[kind]:,})" for kind, count in result.steps.most_common())
    print(f"steps by kind (accepted): {kinds}")
    print(f"accounts: {_told(result.accounts)}; liquidations {result.liquidations:,}")
    print(f"lines of the statements: {_told(result.lines)}")
    print(f"conserved to the last digit: {result.comparisons:,} comparisons of an account on its venue's wire and in the engine")


def _told(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {count:,}" for name, count in sorted(counts.items()))


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.conservation", description=__doc__)
    parser.add_argument("--steps", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=SystemRandom().randrange(10**9))
    options = parser.parse_args()
    print(f"seed {options.seed}", flush=True)
    spent = time.process_time()
    show(asyncio.run(run(options.steps, options.seed)))
    print(f"{time.process_time() - spent:.0f} s of CPU")


if __name__ == "__main__":
    main()
