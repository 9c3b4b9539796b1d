"""States never go backwards, whatever the order in which a venue's reports arrive (O8); what was only presumed gives way (O6)."""

from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchanges.domain import OrderStatus
from portfolio.states import FINAL, OPEN, PRESUMED, RESTING, UNRESOLVED, OrderState, may_follow, state_of

S = OrderState
SHOWN = [S.NEW, S.PARTIALLY_FILLED, S.FILLED, S.CANCELED, S.EXPIRED, S.REJECTED]

# What a venue reports of one order, in its order. REJECTED after NEW: an acceptance that is taken back before it was ever live.
LIVES = [
    [S.SUBMITTED, S.NEW, S.PARTIALLY_FILLED, S.FILLED],
    [S.SUBMITTED, S.NEW, S.PARTIALLY_FILLED, S.CANCELED],
    [S.SUBMITTED, S.NEW, S.EXPIRED],
    [S.NEW, S.CANCELED],
    [S.SUBMITTED, S.REJECTED],
    [S.SUBMITTED, S.FILLED],
]


def run(reports: "tuple[OrderState, ...] | list[OrderState]", start: OrderState = S.SUBMITTING) -> OrderState:
    state = start
    for report in reports:
        if may_follow(state, report):
            state = report
    return state


@pytest.mark.parametrize("life", LIVES, ids=lambda life: life[-1])
@pytest.mark.parametrize("start", [S.SUBMITTING, S.UNKNOWN, S.NOT_PLACED, S.NOT_SENT])
def test_reports_in_any_order_end_as_the_venue_ended(life: list[OrderState], start: OrderState) -> None:
    for order in permutations(life):
        assert run(order, start) is life[-1], order


@given(st.lists(st.sampled_from(SHOWN), min_size=1), st.data())
def test_a_report_that_comes_again_changes_nothing(reports: list[OrderState], data: st.DataObject) -> None:
    end = run(reports)
    for _ in range(3):
        if end is S.REJECTED:
            break
        again = data.draw(st.sampled_from([report for report in reports if report is end]))
        assert run([again], end) is end


@pytest.mark.parametrize("state", SHOWN)
def test_nothing_follows_filled(state: OrderState) -> None:
    assert may_follow(S.FILLED, state) is (state is S.FILLED)


@pytest.mark.parametrize("final", [S.FILLED, S.CANCELED, S.EXPIRED])
def test_the_venues_last_word_is_not_reopened(final: OrderState) -> None:
    assert not any(may_follow(final, state) for state in OPEN)


@pytest.mark.parametrize("presumed", sorted(PRESUMED))
def test_what_was_presumed_gives_way_to_all_that_a_venue_shows(presumed: OrderState) -> None:
    assert all(may_follow(presumed, state) for state in SHOWN)


def test_a_bare_acknowledgement_reopens_what_we_took_for_absent_but_not_a_rejection() -> None:
    assert may_follow(S.NOT_PLACED, S.SUBMITTED)
    assert not may_follow(S.REJECTED, S.SUBMITTED)


@pytest.mark.parametrize("open_state", sorted(OPEN - {S.PARTIALLY_FILLED}))
def test_a_venue_may_reject_what_it_had_acknowledged(open_state: OrderState) -> None:
    """Bybit and OKX acknowledge first and reject later (F22)."""
    assert may_follow(open_state, S.REJECTED)


@pytest.mark.parametrize("seen", [S.NEW, S.PARTIALLY_FILLED, S.SUBMITTED])
@pytest.mark.parametrize("guess", [S.UNKNOWN, S.SUBMITTING, S.NOT_SENT, S.NOT_PLACED])
def test_no_guess_replaces_what_was_seen(seen: OrderState, guess: OrderState) -> None:
    assert not may_follow(seen, guess)


@pytest.mark.parametrize("status", list(OrderStatus))
def test_the_venues_word_is_our_state_once_it_is_confirmed(status: OrderStatus) -> None:
    assert state_of(status, confirmed=True) == status.value
    assert state_of(status, confirmed=False) is S.SUBMITTED


def test_every_state_is_either_open_or_final() -> None:
    assert set(OrderState) == OPEN | FINAL
    assert not OPEN & FINAL
    assert RESTING | UNRESOLVED == OPEN
    assert PRESUMED < FINAL
