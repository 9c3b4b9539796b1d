"""The order protocol itself, explored exhaustively: every interleaving of two senders, a resolver, a venue, the network and two crashes.

The model is ../shared/model_check.py. Each protection it names, taken away, must make it find a violation; test_order_machine.py then
drives the real code by the same rules.
"""

import importlib.util
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

MODEL = Path(__file__).resolve().parents[3] / "shared" / "model_check.py"

Explore = Callable[[dict[str, Any]], tuple[int, dict[str, list[str]], int]]


@pytest.fixture(scope="module")
def explore() -> Explore:
    if not MODEL.exists():
        pytest.skip(f"{MODEL} is not here")
    spec = importlib.util.spec_from_file_location("model_check", MODEL)
    assert spec is not None
    assert spec.loader is not None
    model = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(model)
    return lambda changed: model.explore({**model.GOOD, **changed})


@pytest.mark.parametrize("ids", ["open", "always"])
def test_the_protocol_holds(explore: Explore, ids: str) -> None:
    states, violations, stuck = explore({"id_unique": ids})
    assert states > 1_000
    assert (violations, stuck) == ({}, 0)


@pytest.mark.parametrize(
    ("taken_away", "violation"),
    [
        ({"write_ahead": False}, "two orders for one intent"),
        ({"fence": False}, "shown NOT_PLACED while the venue holds/held the order"),
        ({"fixed_ts": False}, "shown NOT_PLACED while a request can still be accepted"),
        ({"resend": True}, "two orders for one intent"),
    ],
    ids=lambda value: "" if isinstance(value, str) else next(iter(value)),
)
def test_each_protection_is_needed(explore: Explore, taken_away: dict[str, Any], violation: str) -> None:
    assert violation in explore(taken_away)[1]
