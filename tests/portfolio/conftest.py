"""A book on the three simulated exchanges: `book` in a transaction that is rolled back, which is fast and publishes nothing, and
`committed_book` for tests whose other threads or rolled back transactions must see commits."""

import itertools
import os

import pytest
from django.contrib.auth.models import User

from exchanges.models import Environment, Exchange, ExchangeAccount
from portfolio.execution import cancel, place
from portfolio.models import Membership, Portfolio, Role
from tests.conftest import Cast, Listed, connect_account
from tests.dashboard import rows
from tests.simulated import Sandbox

_names = itertools.count(1)


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
    listed.fill()
    return Cast(portfolio, alice, victor, stella, binance, bybit, okx, name)


# A rolled back test gives its account ids back, and this process knows its warm clients by id and version of the keys.
_ids = itertools.count(1_000_000, 1_000)


@pytest.fixture
def mary(db: None, sandbox: Sandbox) -> User:
    """A manager."""
    ExchangeAccount.objects.create(pk=next(_ids), exchange=Exchange.OKX, environment=Environment.DEMO, label="Id").delete()
    return rows.person("mary")


@pytest.fixture
def marys_book(mary: User) -> Portfolio:
    """Without accounts."""
    return rows.portfolio("Mary's book", {mary: Role.MANAGER})


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is sent is given up after half a second instead of twelve."""
    monkeypatch.setattr(place, "SEND_DEADLINE_S", 0.5)
    monkeypatch.setattr(cancel, "CANCEL_DEADLINE_S", 0.5)
