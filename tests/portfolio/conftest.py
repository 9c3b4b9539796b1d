"""A book on the three simulated exchanges: `book` in a transaction that is rolled back, which is fast and publishes nothing, and
`committed_book` for tests whose other threads or rolled back transactions must see commits."""

import itertools
import os
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest
from django.contrib.auth.models import User

from exchanges import listing
from exchanges.models import Environment, Exchange, Instrument, MarkPrice
from portfolio.execution import cancel, place
from portfolio.models import Membership, Portfolio, Role
from tests.conftest import Cast, connect_account
from tests.portfolio.desk import renew_clients
from tests.simulated import Sandbox

_names = itertools.count(1)


@dataclass(slots=True)
class Listed:
    """What the simulated exchanges list, read once for all tests of a process."""

    instruments: list[Instrument]
    marks: list[MarkPrice]


@pytest.fixture(scope="session")
def listed() -> Listed:
    return Listed([], [])


@pytest.fixture
def book(db: None, sandbox: Sandbox, listed: Listed) -> Cast:
    return _open_book(listed)


@pytest.fixture
def committed_book(transactional_db: None, sandbox: Sandbox, listed: Listed) -> Cast:
    return _open_book(listed)


def _open_book(listed: Listed) -> Cast:
    """alice trades, victor watches, stella is a stranger; one account on each simulated exchange."""
    alice, victor, stella = (User.objects.create(username=who) for who in ("alice", "victor", "stella"))
    portfolio = Portfolio.objects.create(name="Alice's book", environment=Environment.SANDBOX)
    Membership.objects.create(portfolio=portfolio, user=alice, role=Role.TRADER)
    Membership.objects.create(portfolio=portfolio, user=victor, role=Role.VIEWER)
    name = f"p{os.getpid()}n{next(_names)}"
    binance, bybit, okx = (connect_account(portfolio, exchange, name) for exchange in Exchange)
    renew_clients(binance, bybit, okx)
    if not listed.instruments:
        for venue in listing.venues_in_use():
            listing.read_instruments(*venue)
            listing.read_marks(*venue)
        listed.instruments, listed.marks = list(Instrument.objects.all()), list(MarkPrice.objects.all())
    else:
        for mark in listed.marks:
            mark.as_of = datetime.now(UTC)
        Instrument.objects.bulk_create(listed.instruments)
        MarkPrice.objects.bulk_create(listed.marks)
    return Cast(portfolio, alice, victor, stella, binance, bybit, okx, name)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is sent is given up after half a second instead of twelve."""
    monkeypatch.setattr(place, "SEND_DEADLINE_S", 0.5)
    monkeypatch.setattr(cancel, "CANCEL_DEADLINE_S", 0.5)
