"""kill -9 of each process while programs send twenty orders a second: the open page is live again within ten seconds, and afterwards the
database and the venues tell the same story, order by order. Promises O1, O2, O4 and D5."""

import logging
import time
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, expect

from tests.journeys.book_page import PUSH_DEADLINE_S, BookPage
from tests.journeys.chromium import opened
from tests.journeys.crossbook import Crossbook, eventually, every, until_none
from tests.journeys.load import Load
from tests.journeys.venues import BINANCE, BYBIT, OKX, VENUES, Outsider
from tests.simulated import running_sandbox

logger = logging.getLogger(__name__)

SYMBOL = "LTCUSDT"
LIVE_AGAIN_S = 10.0  # where the cores are not shared with other tests
IDLE_START_S = 6.0
RESOLVED_S = 35.0
EQUAL_S = 40.0
BEFORE, AFTER = 30, 30  # orders answered before the kill, and of those begun after it
LOST = 2  # answers lost per exchange while the process is away
ORDER_PATHS = {BINANCE: "/fapi/v1/order", BYBIT: "/v5/order/create", OKX: "/api/v5/trade/order"}
NEVER_THERE = {"NOT_SENT", "NOT_PLACED", "REJECTED"}


class Venues:
    """The simulated venues in a process of their own, outside the supervisor, with their control interface."""

    def __init__(self, var_dir: Path, stack: ExitStack) -> None:
        self._var_dir, self._stack = var_dir, stack
        self.sandbox = stack.enter_context(running_sandbox(var_dir))

    @property
    def url(self) -> str:
        return self.sandbox.url

    def kill(self) -> None:
        self.sandbox.process.kill()
        self.sandbox.process.wait()

    def start_again(self) -> None:
        """At the same address, on the ledger that is there."""
        port = int(self.url.rpartition(":")[2])
        self.sandbox = self._stack.enter_context(running_sandbox(self._var_dir, port=port))

    def lose_answers(self, times: int) -> None:
        """Each venue carries out this many of the next orders and its answer is lost: their outcome has to be found out."""
        for venue, path in ORDER_PATHS.items():
            self.sandbox.fault(venue, {"kind": "reset"}, stage="after", times=times, method="POST", path=path)

    def creates(self, venue: str) -> dict[str, int]:
        """How often each client order id of ours was created."""
        counts: dict[str, int] = self.sandbox.ledger(venue, "demo")["creates"]
        return {name: count for name, count in counts.items() if name.startswith("cb")}


@pytest.fixture(scope="module")
def venues(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Venues]:
    with ExitStack() as stack:
        yield Venues(tmp_path_factory.mktemp("venues"), stack)


@pytest.fixture(scope="module")
def crossbook(venues: Venues, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Crossbook]:
    started = Crossbook(tmp_path_factory.mktemp("crossbook") / "var", SANDBOX_URL=venues.url)
    try:
        started.start()
        yield started
    finally:
        started.end()


@pytest.fixture(scope="module")
def outsider(venues: Venues) -> Iterator[Outsider]:
    trader = Outsider(venues.url)
    yield trader
    trader.close()


@pytest.fixture(scope="module")
def rest(crossbook: Crossbook) -> Iterator[httpx.Client]:
    with crossbook.rest("load") as client:
        yield client


@pytest.fixture(scope="module")
def page(browser: Browser, crossbook: Crossbook) -> Iterator[BookPage]:
    """Opened once and never loaded again."""
    with opened(browser) as (context, _complaints):
        tab = context.new_page()
        tab.goto(crossbook.manage("login_link"))
        tab.goto(crossbook.url)
        book = BookPage(tab)
        book.wait_until_live()
        tab.evaluate("() => { window.marker = 'the same document'; }")
        yield book
        assert tab.evaluate("() => window.marker") == "the same document"


@pytest.fixture(scope="module")
def live_again_s(crossbook: Crossbook) -> float:
    """As much longer than ten seconds as the start took longer than on an idle machine."""
    return LIVE_AGAIN_S * max(1.0, crossbook.started_in_s / IDLE_START_S)


@pytest.fixture
def load(rest: httpx.Client, outsider: Outsider) -> Load:
    earlier = {order["id"] for order in every(rest, "/orders")}
    return Load(
        rest, earlier, SYMBOL, {venue: (outsider.mark(venue, SYMBOL) * Decimal("0.96")).quantize(Decimal("0.1")) for venue in VENUES}
    )


@pytest.mark.parametrize("service", ["worker", "beat", "stream", "valkey", "web"])
def test_killing_a_process_loses_and_doubles_nothing(
    service: str,
    crossbook: Crossbook,
    page: BookPage,
    load: Load,
    rest: httpx.Client,
    outsider: Outsider,
    venues: Venues,
    live_again_s: float,
) -> None:
    with load.running():
        load.wait_until_answered(BEFORE)
        victim, killed_at = crossbook.service(service), time.time()
        victim.kill()
        venues.lose_answers(LOST)
        took_s = page.wait_until_live(since=killed_at, within_s=live_again_s)
        assert crossbook.service(service).pid != victim.pid
        load.wait_until_answered(AFTER, since=killed_at)
    logger.info("%s: live again after %.1f s; %s", service, took_s, summary(load))
    assert any(sent.order is not None and sent.order["state"] == "UNKNOWN" for sent in load.sent), "no answer was lost: nothing is proved"
    # Every order sent has its account read: only now do the scheduled polls alone keep the page live.
    page.wait_until_live(since=time.time(), within_s=live_again_s)
    assert_one_story(load, rest, outsider, venues)


def test_orders_are_answered_while_the_broker_hangs(crossbook: Crossbook, rest: httpx.Client, outsider: Outsider, page: BookPage) -> None:
    """Nothing of an order waits for Valkey, and the open page follows without its notices."""
    broker = crossbook.service("valkey")
    broker.suspend()
    try:
        for venue in VENUES:
            price = f"{(outsider.mark(venue, SYMBOL) * Decimal('0.97')).quantize(Decimal('0.1')):f}"
            body = {"exchange": venue, "symbol": SYMBOL, "side": "BUY", "order_type": "LIMIT", "quantity": "0.4", "price": price}
            answer = rest.post("/orders", json=body, timeout=5)
            assert (answer.status_code, answer.json()["state"]) == (201, "NEW"), answer.text
            order = page.page.locator(f"#panel-orders tr[data-row='{answer.json()['id']}']")
            expect(order).to_have_count(1, timeout=PUSH_DEADLINE_S * 1_000)
            assert rest.delete(f"/orders/{answer.json()['id']}", timeout=5).json()["state"] == "CANCELED"
    finally:
        broker.resume()
    page.wait_until_live()


def test_killing_the_venues_loses_and_doubles_nothing(
    page: BookPage, load: Load, rest: httpx.Client, outsider: Outsider, venues: Venues
) -> None:
    """Requests die on the wire with the venue: some were carried out, some were not, and only asking can tell."""
    with load.running():
        load.wait_until_answered(BEFORE)
        venues.kill()
        load.wait_until_answered(BEFORE + 10)
        venues.start_again()
        back_at = time.time()
        page.wait_until_live(since=back_at, within_s=PUSH_DEADLINE_S)
        load.wait_until_answered(AFTER, since=back_at)
    logger.info("venues: %s", summary(load))
    assert_one_story(load, rest, outsider, venues)


def test_killing_the_supervisor_leaves_nothing_and_a_new_start_goes_on(
    crossbook: Crossbook, page: BookPage, load: Load, rest: httpx.Client, outsider: Outsider, venues: Venues, live_again_s: float
) -> None:
    with load.running():
        load.wait_until_answered(BEFORE)
        crossbook.kill()
        until_none(crossbook.left_over, within_s=5, what="children that outlived their supervisor")
        started_at = time.time()
        crossbook.start()
        eventually(lambda: is_read_since(rest, started_at), within_s=live_again_s, what="every account read again")
        live_s = time.time() - started_at
        page.wait_until_live(since=started_at)
        load.wait_until_answered(AFTER, since=started_at)
    logger.info("supervisor: live after %.1f s; %s", live_s, summary(load))
    assert_one_story(load, rest, outsider, venues)


def assert_one_story(load: Load, rest: httpx.Client, outsider: Outsider, venues: Venues) -> None:
    """Every intent of the load is one order; every order is at the venue what it is in the database; positions are equal."""
    assert [sent for sent in load.sent if sent.refusals] == []
    ids = [sent.order["id"] for sent in load.sent if sent.order is not None]
    assert len(ids) == len(set(ids)) == len(load.sent), "each intent became one order"
    until_none(lambda: unresolved(rest), within_s=RESOLVED_S, what="unresolved orders")
    ours = [order for order in every(rest, "/orders") if order["client_order_id"].startswith("cb")]
    assert set(ids) == {order["id"] for order in ours} - load.earlier, "no intent became a second order"
    until_none(lambda: differences(rest, outsider, venues), within_s=EQUAL_S, what="differences")


def is_read_since(rest: httpx.Client, moment: float) -> bool:
    accounts = every(rest, "/accounts")
    return all(not account["error"] and datetime.fromisoformat(account["as_of"]).timestamp() > moment for account in accounts)


def unresolved(rest: httpx.Client) -> list[dict[str, Any]]:
    return [order for state in ("SUBMITTING", "SUBMITTED", "UNKNOWN") for order in every(rest, "/orders", state=state)]


def differences(rest: httpx.Client, outsider: Outsider, venues: Venues) -> list[str]:
    """What the venues know and the database does not, or the other way round, in words."""
    found: list[str] = []
    orders = [order for order in every(rest, "/orders") if order["client_order_id"].startswith("cb")]
    for order in orders:
        there = outsider.order(order["exchange"], order["symbol"], order["client_order_id"])
        here = None if order["state"] in NEVER_THERE else (order["state"], Decimal(order["filled_quantity"]))
        if here != there:
            found.append(f"{order['exchange']} {order['client_order_id']}: {here} here, {there} there")
    for venue in VENUES:
        known = {order["client_order_id"] for order in orders if order["exchange"] == venue}
        creates = venues.creates(venue)
        found += [f"{venue} {name}: created {count} times" for name, count in creates.items() if count != 1]
        found += [f"{venue} {name}: not in the database" for name in creates.keys() - known]
        held = {
            position["symbol"]: Decimal(position["quantity"]) * (-1 if position["side"] == "SHORT" else 1)
            for position in every(rest, "/positions")
            if position["exchange"] == venue
        }
        there_held = outsider.positions(venue)
        if held != there_held:
            found.append(f"{venue} positions: {held} here, {there_held} there")
    return found


def summary(load: Load) -> str:
    repeated = sum(1 for sent in load.sent if sent.repeats)
    span_s = max(sent.began for sent in load.sent) - min(sent.began for sent in load.sent)
    return f"{len(load.sent)} orders in {span_s:.1f} s, {repeated} asked for repeatedly"
