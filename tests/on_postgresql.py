"""The plugin of a second run of the suite (`-p tests.on_postgresql -m postgresql`): the same tests on a real PostgreSQL in place of SQLite.
Where no server can be had, every one of them is skipped with the reason. Loaded before Django's settings, after tests.isolation."""

import os
from contextlib import ExitStack

import pytest

from tests.postgresql import Unavailable, running_postgresql

_IS_CONTROLLER = "PYTEST_XDIST_WORKER" not in os.environ
_REASON = "WHY_NO_POSTGRESQL"  # the workers are told by their environment

_server = ExitStack()
if _IS_CONTROLLER:
    try:
        os.environ["DATABASE_URL"] = _server.enter_context(running_postgresql())
    except Unavailable as error:
        os.environ[_REASON] = str(error)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if reason := os.environ.get(_REASON):
        for item in items:
            item.add_marker(pytest.mark.skip(reason=f"not tried on PostgreSQL: {reason}"))


def pytest_unconfigure() -> None:
    _server.close()
