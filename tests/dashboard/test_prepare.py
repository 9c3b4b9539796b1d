"""What prepares the state before a start: private files, and one line where it cannot."""

import os
import stat
import subprocess
import sys
from pathlib import Path

from dashboard import environment


def prepare(var_dir: Path, **variables: str) -> "subprocess.CompletedProcess[str]":
    """As a person's shell runs it: what it creates would be readable by everybody."""
    kept = {name: value for name, value in os.environ.items() if name not in ("VAULT_KEYS", "SECRET_KEY")}
    command = [sys.executable, "manage.py", "prepare"]
    state = kept | {"VAR_DIR": str(var_dir)} | variables
    return subprocess.run(command, cwd=environment.ROOT, env=state, capture_output=True, text=True, check=False, timeout=60, umask=0o022)


def test_what_is_created_is_private_and_a_directory_of_somebody_else_keeps_its_mode(tmp_path: Path) -> None:
    own, given = tmp_path / "deep" / "own", tmp_path / "given"
    given.mkdir()
    given.chmod(0o755)
    for var_dir in (own, given):
        assert prepare(var_dir).returncode == 0
        created = {path.name: stat.S_IMODE(path.stat().st_mode) for path in var_dir.iterdir()}
        assert {"crossbook.sqlite3", "secret.key", "vault.key"} <= set(created)
        assert set(created.values()) == {0o600}
    assert [stat.S_IMODE(path.stat().st_mode) for path in (own, own.parent, given)] == [0o700, 0o700, 0o755]


def test_a_damaged_key_stops_a_command_with_one_line(tmp_path: Path) -> None:
    (tmp_path / "secret.key").write_bytes(b"\xff\xfe" * 30)
    done = prepare(tmp_path)
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert done.stderr.startswith(f"{tmp_path / 'secret.key'} is damaged (it is not text); restore it, or delete it")


def test_a_postgresql_without_its_driver_says_which_package_to_install(tmp_path: Path) -> None:
    for name in ("psycopg", "psycopg2"):
        (tmp_path / f"{name}.py").write_text("raise ImportError\n")
    done = prepare(tmp_path / "var", DATABASE_URL="postgresql://u:hunter2@127.0.0.1/book", PYTHONPATH=str(tmp_path))
    assert (done.returncode, done.stderr) == (
        1,
        f"DATABASE_URL asks for PostgreSQL, whose driver is not there: install the package psycopg[binary] for {sys.executable}.\n",
    )
