"""The cast of the suite: a sandbox, alice who trades, victor who watches, stella who is a stranger, and their accounts."""

import itertools
import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest
from django.conf import settings
from django.contrib.auth.hashers import Argon2PasswordHasher
from django.contrib.auth.models import User

from exchanges import listing
from exchanges.accounts import store_credential
from exchanges.models import Environment, Exchange, ExchangeAccount, Instrument, MarkPrice
from portfolio.models import Membership, Portfolio, PortfolioAccount, Role
from tests.simulated import Sandbox, running_sandbox

# Every test's Client starts the middleware anew, and with it a look at each static file: 0.1 s for each of thousands of clients.
settings.WHITENOISE_AUTOREFRESH = True

# In earnest a hash takes 100 MB and a fifth of a second, which is its purpose; the journeys set a password and sign in with such ones.
Argon2PasswordHasher.time_cost, Argon2PasswordHasher.memory_cost, Argon2PasswordHasher.parallelism = 1, 8, 1

_names = itertools.count(1)
# A test that is rolled back gives its account ids back, and a process knows its warm clients by account id and version of the keys: no
# two accounts of a process have the same version, and a test may renew its keys some times over.
_key_versions = itertools.count(1_000, 1_000)


# Modules that start whole sites and browsers wait more than they work.
_WAITING = ("tests/journeys/", "tests/deployment/test_compose.py", "tests/security/test_foreign_text_in_a_browser.py")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Spreads the modules that wait among the others, so that not all workers wait at once, and well before the end, so that none is left
    alone with the last of them."""
    modules: dict[str, list[pytest.Item]] = {}
    for item in items:
        modules.setdefault(item.nodeid.partition("::")[0], []).append(item)
    waiting = [name for name in modules if name.startswith(_WAITING)]
    others = [name for name in modules if name not in waiting]
    places = {name: place / len(waiting) * 0.6 for place, name in enumerate(waiting)}
    places |= {name: place / len(others) for place, name in enumerate(others)}
    items[:] = [item for name in sorted(modules, key=lambda name: (places[name], name)) for item in modules[name]]


@pytest.fixture(scope="session")
def django_db_modify_db_settings() -> None:
    """A database for each process. SQLite in a file, as it is run: a shared database in memory refuses a second writer at once instead of
    letting it wait."""
    database = settings.DATABASES["default"]
    worker = os.environ.get("PYTEST_XDIST_WORKER", "main")
    if database["ENGINE"].endswith("postgresql"):
        database.setdefault("TEST", {})["NAME"] = f"test_{database['NAME']}_{worker}"
    else:
        database.setdefault("TEST", {})["NAME"] = str(settings.VAR_DIR / f"test-{worker}.sqlite3")
        # Nobody cuts the power during a test; waiting for the disk makes a suite of thousands of commits slow.
        database["OPTIONS"]["init_command"] += " PRAGMA synchronous=OFF;"


@pytest.fixture(scope="session")
def sandbox_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    with running_sandbox(tmp_path_factory.mktemp("sandbox")) as sandbox:
        os.environ["SANDBOX_URL"] = sandbox.url
        yield sandbox


@pytest.fixture
def sandbox(sandbox_process: Sandbox) -> Iterator[Sandbox]:
    """The shared sandbox without faults; accounts are told apart by their names."""
    sandbox_process.clear()
    yield sandbox_process
    sandbox_process.clear()


@dataclass(slots=True)
class Listed:
    """What the simulated exchanges list, read once for all tests of a process."""

    instruments: list[Instrument]
    marks: list[MarkPrice]

    def fill(self) -> None:
        """Store it, read from the exchanges the first time; the marks are of now."""
        if not self.instruments:
            for venue in listing.venues_in_use():
                listing.read_instruments(*venue)
                listing.read_marks(*venue)
            self.instruments, self.marks = list(Instrument.objects.all()), list(MarkPrice.objects.all())
            return
        for mark in self.marks:
            mark.as_of = datetime.now(UTC)
        Instrument.objects.bulk_create(self.instruments)
        MarkPrice.objects.bulk_create(self.marks)


@pytest.fixture(scope="session")
def listed() -> Listed:
    return Listed([], [])


@dataclass(frozen=True, slots=True)
class Cast:
    """`name` is the sandbox account (key `sandbox-<name>`) behind all three exchange accounts."""

    portfolio: Portfolio
    alice: User
    victor: User
    stella: User
    binance: ExchangeAccount
    bybit: ExchangeAccount
    okx: ExchangeAccount
    name: str

    @property
    def accounts(self) -> list[ExchangeAccount]:
        return [self.binance, self.bybit, self.okx]


def connect_account(portfolio: Portfolio, exchange: Exchange, name: str, *, is_default: bool = True) -> ExchangeAccount:
    account = ExchangeAccount.objects.create(exchange=exchange, environment=Environment.SANDBOX, label=name, is_trading_enabled=True)
    key = f"sandbox-{name}"
    passphrase = f"{key}-passphrase" if exchange is Exchange.OKX else ""
    credential = store_credential(account, api_key=key, api_secret=f"{key}-secret", passphrase=passphrase)
    credential.version = next(_key_versions)
    credential.save()
    PortfolioAccount.objects.create(portfolio=portfolio, account=account, is_default=is_default)
    return account


@pytest.fixture
def cast(transactional_db: None, sandbox: Sandbox) -> Cast:
    """Fresh accounts on the three simulated exchanges; instruments and marks are read."""
    name = f"t{os.getpid()}n{next(_names)}"
    portfolio = Portfolio.objects.create(name="Alice's book", environment=Environment.SANDBOX)
    alice, victor, stella = (User.objects.create_user(who, password="correct horse battery") for who in ("alice", "victor", "stella"))
    Membership.objects.create(portfolio=portfolio, user=alice, role=Role.TRADER)
    Membership.objects.create(portfolio=portfolio, user=victor, role=Role.VIEWER)
    binance, bybit, okx = (connect_account(portfolio, exchange, name) for exchange in Exchange)
    for venue in listing.venues_in_use():
        listing.read_instruments(*venue)
        listing.read_marks(*venue)
    return Cast(portfolio, alice, victor, stella, binance, bybit, okx, name)
