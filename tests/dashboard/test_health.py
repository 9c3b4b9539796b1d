"""Whether the process lives, and whether it may be sent requests: by address, without an account, and without telling strangers much."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client

from dashboard.views import health
from tests.isolation import free_port

NOBODY_LISTENS = "redis://127.0.0.1:{}/0"


@pytest.fixture(autouse=True)
def _asked_anew() -> Iterator[None]:
    health._require_migrations.cache_clear()
    yield
    health._require_migrations.cache_clear()


def test_a_process_that_lives_says_so_without_a_database(client: Client) -> None:
    """pytest-django refuses every query of a test that asked for no database."""
    answer = client.get("/healthz")
    assert (answer.status_code, answer.content) == (200, b"ok\n")


@pytest.mark.django_db
def test_a_process_that_has_all_it_needs_is_ready(client: Client) -> None:
    answer = client.get("/readyz")
    assert answer.json() == {"ready": True, "database": "ok", "migrations": "ok", "valkey": "ok"}
    assert answer.status_code == 200


@pytest.mark.django_db
def test_a_lost_valkey_is_named_at_once(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "REDIS_URL", NOBODY_LISTENS.format(free_port()))
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json() == {"ready": False, "database": "ok", "migrations": "ok", "valkey": "does not answer"}


@pytest.mark.django_db
def test_a_migration_that_was_not_applied_is_counted(client: Client) -> None:
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM django_migrations WHERE app = 'portfolio' AND name LIKE '0006%'")
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()["migrations"]) == (503, "1 not applied yet")


# In a transaction, as tests are by default, Django opens no second connection: every database would seem lost.
@pytest.mark.django_db(transaction=True)
def test_a_database_that_was_taken_away_is_missed_also_once_all_was_well(
    client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where there is no file SQLite makes an empty one, and that answers."""
    assert client.get("/readyz").status_code == 200
    if connection.vendor != "sqlite":
        pytest.skip("only SQLite makes a database by itself")
    connection.close()
    monkeypatch.setitem(connection.settings_dict, "NAME", str(tmp_path / "empty.sqlite3"))
    try:
        answer = client.get("/readyz")
    finally:
        monkeypatch.undo()
        connection.close()
    assert (answer.status_code, answer.json()["migrations"]) == (503, "none is applied")


@pytest.mark.django_db(transaction=True)
def test_a_lost_database_is_named_and_its_address_is_not(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    connection.close()
    monkeypatch.setitem(connection.settings_dict, "NAME", "/nowhere/at/all.sqlite3")
    try:
        answer = client.get("/readyz")
    finally:
        monkeypatch.undo()
        connection.close()
    assert answer.status_code == 503
    assert answer.json() == {"ready": False, "database": "does not answer", "migrations": "does not answer", "valkey": "ok"}


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics"])
def test_they_are_only_read(client: Client, path: str) -> None:
    assert client.post(path).status_code in (403, 405)
