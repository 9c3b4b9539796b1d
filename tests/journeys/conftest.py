"""One running Crossbook and one browser per module of journeys; both are gone, processes and all, when the module ends."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.journeys.chromium import running_browser
from tests.journeys.crossbook import Crossbook


@pytest.fixture(scope="module")
def crossbook(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Crossbook]:
    """Started with nothing given but a port and an empty state directory."""
    started = Crossbook(tmp_path_factory.mktemp("crossbook") / "var")
    try:
        started.start()
        yield started
    finally:
        started.end()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with running_browser() as started:
        yield started
