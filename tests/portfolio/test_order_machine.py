"""The real code driven at random against the simulated venues: faults, dead senders, cancels, orders of others, time (O1 to O8).

The rules are those of the model in test_protocol_model.py. After every step no intent has two orders, no state went back and nothing that
is called absent is at the venue; at the end everything is resolved and equals the venue's own account of it.
"""

import itertools
from collections.abc import Callable
from contextlib import suppress
from decimal import Decimal
from math import ceil
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, invariant, rule, run_state_machine_as_test

from exchanges.domain import OrderRequest
from exchanges.errors import ExchangeAPIError
from exchanges.models import Exchange, ExchangeAccount
from exchanges.runtime import runtime
from portfolio import order_lists, reconcile, rounds
from portfolio.execution import place as placing
from portfolio.execution.cancel import cancel, order_for
from portfolio.execution.place import Intent
from portfolio.execution.refusals import Refused
from portfolio.models import Order, Origin
from portfolio.polling import Answer, OrderList, fetch_orders
from portfolio.states import OPEN, PRESUMED, UNRESOLVED, OrderState
from tests.conftest import Cast, connect_account
from tests.portfolio.desk import (
    asked,
    client_of,
    eventually,
    fault,
    let_pass,
    market,
    now,
    orders_at,
    placed,
    placed_elsewhere,
    resting,
    tick,
    too_large_to_fill,
)
from tests.simulated import Sandbox

pytestmark = pytest.mark.postgresql

_names = itertools.count(1)
_PROGRESS = {OrderState.SUBMITTING: 0, OrderState.UNKNOWN: 0, OrderState.SUBMITTED: 1, OrderState.NEW: 2, OrderState.PARTIALLY_FILLED: 3}
_REQUESTS: dict[str, Callable[[ExchangeAccount], OrderRequest]] = {
    "resting": resting,
    "market": lambda _account: market("0.1"),
    "partly filled": too_large_to_fill,
    "too dear": lambda account: resting(account, quantity="4000"),
}

kinds = st.sampled_from(list(_REQUESTS))
faults = st.sampled_from(["reset", "bad gateway", "truncated", "redirect", "hang"])
stages = st.sampled_from(["before", "after"])


class Orders(RuleBasedStateMachine):
    book: Cast
    sandbox: Sandbox
    exchange: Exchange

    sent = Bundle("sent")
    lists = Bundle("lists")

    @initialize()
    def open_account(self) -> None:
        self.sandbox.clear()
        self.name = f"{self.book.name}m{next(_names)}"
        self.account = connect_account(self.book.portfolio, self.exchange, self.name, is_default=False)
        self.states: dict[int, list[OrderState]] = {}

    @rule(target=sent, kind=kinds)
    def place(self, kind: str) -> int:
        return self._placed(kind)

    @rule(target=sent, kind=kinds, trouble=faults, stage=stages)
    def place_in_trouble(self, kind: str, trouble: str, stage: str) -> int:
        fault(self.sandbox, self.account, "create", trouble, stage=stage)
        return self._placed(kind)

    @rule(target=sent, kind=kinds, has_sent=st.booleans())
    def die_while_placing(self, kind: str, has_sent: bool) -> int:
        """kill -9 after the commit, before or after the request."""
        client = client_of(self.account)
        request = _REQUESTS[kind](self.account)
        runtime().run(client.clock.measure(client.get_server_time_ms), deadline_s=5)
        order, _, moment = placing._commit_intent(Intent(self.book.alice, self.account, request, Origin.API), client)
        if has_sent:
            named = request.model_copy(update={"client_order_id": order.client_order_id})
            with suppress(ExchangeAPIError):  # a refusal that nobody is left to hear
                runtime().run(placing._submit(client, named, moment), deadline_s=10)
        return order.pk

    @rule()
    def place_elsewhere(self) -> None:
        placed_elsewhere(self.account, resting(self.account))

    @rule(order_id=sent)
    def cancel(self, order_id: int) -> None:
        """Refused where it is over or not shown yet; the invariants judge what became of it."""
        with suppress(Refused, ExchangeAPIError):
            cancel(self.book.alice, order_for(self.book.alice, order_id))

    @rule(order_id=sent, trouble=faults, stage=stages)
    def cancel_in_trouble(self, order_id: int, trouble: str, stage: str) -> None:
        fault(self.sandbox, Order.objects.get(pk=order_id).account, "cancel", trouble, stage=stage)
        self.cancel(order_id)
        self.sandbox.clear()

    @rule(order_id=sent)
    def cancel_elsewhere(self, order_id: int) -> None:
        order = Order.objects.select_related("account").get(pk=order_id)
        if order.exchange_order_id:
            with suppress(ExchangeAPIError):
                asked(order.account, lambda client: client.cancel_order(order.symbol, order.exchange_order_id))

    @rule()
    def tick(self) -> None:
        for order in self._rows():
            let_pass(order, 3)
        tick(now())

    @rule(trouble=faults)
    def tick_in_trouble(self, trouble: str) -> None:
        fault(self.sandbox, self.account, "confirm", trouble)
        self.tick()
        self.sandbox.clear()

    @rule()
    def keeper_meets_an_outage(self) -> None:
        """Long enough to declare every order absent, if silence were evidence."""
        self.sandbox.control("POST", "venue", {"venue": self.exchange, "up": False})
        self.a_minute_passes()
        for _ in range(reconcile.NOT_FOUNDS_NEEDED):
            self.tick()
        self.sandbox.clear()

    @rule()
    def poll(self) -> None:
        rounds.poll_orders([self.account.pk])

    @rule(target=lists)
    def list_orders(self) -> Answer[OrderList]:
        """An answer that will be late."""
        known, sent_at = order_lists.known_resting([self.account.pk])[self.account.pk], now()
        return Answer(sent_at, now(), content=asked(self.account, lambda client: fetch_orders(client, known)))

    @rule(late=consumes(lists))
    def a_late_list_arrives(self, late: Answer[OrderList]) -> None:
        order_lists.apply_order_list(self.account, late)

    @rule()
    def a_minute_passes(self) -> None:
        """No request is on its way then: whoever gave up has broken the connection, and what a fault keeps from the venue never arrives."""
        for order in self._rows():
            let_pass(order, 60)

    @invariant()
    def no_intent_has_two_orders(self) -> None:
        ids = [each["client_id"] for each in self._orders_at_venue() if each["client_id"]]
        assert len(ids) == len(set(ids)), ids

    @invariant()
    def no_state_goes_back(self) -> None:
        for order in self._rows():
            states, state = self.states.setdefault(order.pk, []), OrderState(order.state)
            if states and state is not states[-1]:
                assert states[-1] in OPEN, (order.pk, states, state)
                assert _PROGRESS.get(state, 4) >= _PROGRESS[states[-1]], (order.pk, states, state)
            states.append(state)

    @invariant()
    def what_is_called_absent_is_absent(self) -> None:
        for order in self._rows():
            assert order.state not in PRESUMED or self._at_venue(order) is None, (order.pk, order.state, order.reason)

    def teardown(self) -> None:
        """Once the troubles are over the keeper finds out everything, with no more look-ups than it needs."""
        self.sandbox.clear()
        self.tick()
        self.a_minute_passes()
        turns = ceil(len(self._rows()) / reconcile.LOOK_UPS_PER_VENUE)
        for _ in range(turns * reconcile.NOT_FOUNDS_NEEDED):
            self.tick()
        assert not [order for order in self._rows() if order.state in UNRESOLVED]
        eventually(self._equals_the_venues, "the book equals the venues'")
        self.no_state_goes_back()
        self.what_is_called_absent_is_absent()

    def _equals_the_venues(self) -> bool:
        """A resting order may be filled further between the two looks, so the caller looks again."""
        self.poll()
        for order in self._rows():
            at_venue = self._at_venue(order)
            if order.origin == Origin.EXTERNAL or (at_venue is None and order.state in PRESUMED):
                continue
            if at_venue is None or order.state.lower() != at_venue["status"] or order.filled_quantity != Decimal(at_venue["filled"]):
                return False
        resting_there = [each for each in self._orders_at_venue() if each["status"] in ("new", "partially_filled")]
        return Order.objects.filter(account=self.account).open().count() == len(resting_there)

    def _placed(self, kind: str) -> int:
        return placed(self.book, self.account, _REQUESTS[kind](self.account)).pk

    def _rows(self) -> list[Order]:
        return list(Order.objects.filter(account=self.account).select_related("account").order_by("id"))

    def _orders_at_venue(self) -> list[dict[str, Any]]:
        return orders_at(self.sandbox, self.account, self.name)

    def _at_venue(self, order: Order) -> dict[str, Any] | None:
        found = [each for each in self._orders_at_venue() if each["client_id"] == order.client_order_id]
        return found[0] if found else None


@pytest.mark.parametrize("exchange", list(Exchange))
def test_whatever_happens_the_book_ends_as_the_venue_says(
    book: Cast, sandbox: Sandbox, impatient: None, monkeypatch: pytest.MonkeyPatch, exchange: Exchange
) -> None:
    monkeypatch.setattr(reconcile, "LOOK_UP_DEADLINE_S", 0.5)
    machine = type("Orders", (Orders,), {"book": book, "sandbox": sandbox, "exchange": exchange})
    run_state_machine_as_test(
        machine,
        # Without shrinking: a failure of at most fifteen steps reads well enough, and making it shorter would take minutes.
        settings=settings(
            max_examples=12,
            stateful_step_count=15,
            deadline=None,
            phases=[Phase.reuse, Phase.generate],
            suppress_health_check=list(HealthCheck),
        ),
    )
