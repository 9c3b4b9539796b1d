"""The settings of a production pass every check of Django's and ours; each of what they are made of is missed where it is missing."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from tests.deployment.composed import ROOT

Check = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def check(tmp_path: Path) -> Check:
    """check(NAME=value, ...) runs `manage.py check --deploy` with a production's settings, changed so; None leaves one out."""
    production = {
        "PATH": os.environ["PATH"],
        "VAR_DIR": str(tmp_path),
        "HTTPS": "1",
        "ALLOWED_HOSTS": "book.example.com",
        "DATABASE_URL": "postgresql://crossbook:password@postgres/crossbook",
        "REDIS_URL": "redis://valkey:6379/0",
        "SECRET_KEY": "0a1b2c3d4e5f6a7b8c9d0e1f2a3b4c5d6e7f8a9b0c1d2e3f4a5b6c7d8e9f",
        "VAULT_KEYS": Fernet.generate_key().decode(),
    }

    def run(**changed: str | None) -> "subprocess.CompletedProcess[str]":
        variables = {name: value for name, value in {**production, **changed}.items() if value is not None}
        command = [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"]
        return subprocess.run(command, cwd=ROOT, env=variables, capture_output=True, text=True, timeout=60, check=False)

    return run


def test_a_production_is_clean(check: Check) -> None:
    done = check()
    assert (done.returncode, done.stdout, done.stderr) == (0, "System check identified no issues (0 silenced).\n", "")


def test_what_a_production_lacks_is_found(check: Check) -> None:
    found = check(HTTPS=None, VAULT_KEYS=None, ALLOWED_HOSTS="*", DEBUG="1")
    assert found.returncode == 1
    for name in ("security.W004", "security.W012", "security.W018", "crossbook.E001", "crossbook.W001"):
        assert name in found.stderr, found.stderr


def test_a_short_secret_key_is_refused(check: Check) -> None:
    done = check(SECRET_KEY="short")
    assert (done.returncode, done.stderr) == (1, "SECRET_KEY must have at least 50 characters, had 5.\n")
