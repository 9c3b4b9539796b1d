"""The web process as it is run, on the database, the Valkey and the keys of the tests, for a real browser and for raw bytes."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

from django.conf import settings
from django.db import connection

from tests.isolation import free_port, wait_for_port
from tests.simulated import ROOT


def where_the_data_is(var_dir: Path) -> dict[str, str]:
    """What makes a process use the database that the tests are connected to. A file of SQLite is found in VAR_DIR alone, by its name."""
    found = connection.settings_dict
    if connection.vendor == "sqlite":
        (var_dir / "crossbook.sqlite3").symlink_to(found["NAME"])
        return {"VAR_DIR": str(var_dir)}
    user, password, host = (quote(str(found[name]), safe="") for name in ("USER", "PASSWORD", "HOST"))
    return {"VAR_DIR": str(var_dir), "DATABASE_URL": f"postgresql://{user}:{password}@{host}:{found['PORT'] or 5432}/{found['NAME']}"}


@contextmanager
def running_site(var_dir: Path) -> Iterator[int]:
    """Its port; stopped by its process id."""
    port = free_port()
    environment = {**os.environ, **where_the_data_is(var_dir), "SECRET_KEY": settings.SECRET_KEY, "PORT": str(port)}
    command = [sys.executable, "-m", "dashboard.serve", "-b", "127.0.0.1", "-p", str(port)]
    process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_for_port(port, process)
        yield port
    finally:
        process.kill()
        process.wait()
