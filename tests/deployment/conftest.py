from collections.abc import Iterator

import pytest

from tests.postgresql import Unavailable, running_postgresql


@pytest.fixture(scope="session")
def postgresql_url() -> Iterator[str]:
    """Skipped, with the reason, where there is no PostgreSQL to be had."""
    try:
        with running_postgresql() as url:
            yield url
    except Unavailable as error:
        pytest.skip(f"no PostgreSQL: {error}")
