"""That the second run of the suite is on the database it is meant for, and that the commands for a deployment do what they say."""

import os
import stat
import subprocess
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from django.db import connection

from tests import postgresql
from tests.deployment.composed import ROOT


@pytest.mark.postgresql
@pytest.mark.django_db
def test_the_suite_runs_on_the_database_that_was_asked_for() -> None:
    assert connection.vendor == ("postgresql" if os.environ.get("DATABASE_URL") else "sqlite")


def test_a_given_server_that_lets_nobody_in_is_named_without_its_password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(postgresql.GIVEN_URL, "postgresql://u:hunter2@127.0.0.1:1/book")
    server = postgresql.running_postgresql()
    with pytest.raises(postgresql.Unavailable, match=r"^the PostgreSQL at 127\.0\.0\.1 does not let us in: ") as caught, server:
        pass
    assert "hunter2" not in str(caught.value)


def test_secrets_are_made_once_for_their_owner_and_for_containers(tmp_path: Path) -> None:
    directory = tmp_path / "of this/site"
    for _ in range(2):
        subprocess.run([str(ROOT / "run"), "secrets", str(directory)], check=True)
        made = {path.name: path.read_text() for path in directory.iterdir()}
        assert set(made) == {"database_password", "metrics_token", "secret_key", "vault_keys"}
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in directory.iterdir()} == {0o444}
    assert len(made["secret_key"].strip()) >= 50
    assert all(made[name].strip().isalnum() for name in ("secret_key", "database_password", "metrics_token"))
    Fernet(made["vault_keys"].strip())
    before = dict(made)
    subprocess.run([str(ROOT / "run"), "secrets", str(directory)], check=True)
    assert {path.name: path.read_text() for path in directory.iterdir()} == before
