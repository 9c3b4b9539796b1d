"""Loaded by pytest before Django's settings: the suite gets a state directory, keys and a Valkey of its own, never a person's."""

import os
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from hypothesis import settings

from dashboard import valkey

# What somebody may have set for a site of their own, and what no test may meet by chance.
OF_THE_SHELL = (
    *("ALLOWED_HOSTS", "DATABASE_PASSWORD", "DATABASE_PASSWORD_FILE", "DATABASE_URL", "DEBUG", "HTTPS", "LOG_FORMAT", "LOG_LEVEL"),
    *("METRICS_TOKEN", "METRICS_TOKEN_FILE", "PORT", "ROUTING_POLICY", "SANDBOX_SPEED", "SANDBOX_URL", "SERVICE"),
    *("SECRET_KEY", "SECRET_KEY_FALLBACKS", "SECRET_KEY_FILE", "TRUSTED_PROXIES", "VAULT_KEYS_FILE"),
)
_IS_CONTROLLER = "PYTEST_XDIST_WORKER" not in os.environ
_DEADLINE_S = 30.0


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for_port(port: int, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + _DEADLINE_S
    while time.monotonic() < deadline and process.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
    raise RuntimeError(f"nothing listens on port {port}")


if _IS_CONTROLLER:
    os.environ["VAR_DIR"] = tempfile.mkdtemp(prefix="crossbook-tests-")
    os.environ["VAULT_KEYS"] = Fernet.generate_key().decode()
    os.environ["REDIS_URL"] = f"redis://127.0.0.1:{free_port()}/0"
    for name in OF_THE_SHELL:
        os.environ.pop(name, None)
    # Few people of a test send thousands of requests in a minute; the limits have tests of their own.
    os.environ["API_REQUESTS_PER_MINUTE"] = os.environ["API_QUESTIONS_PER_MINUTE"] = "0"

# The same examples in every run, so that a change is what turns a test red; HYPOTHESIS_PROFILE=explore looks for new ones.
settings.register_profile("suite", derandomize=True, deadline=None)
settings.register_profile("explore", derandomize=False, deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "suite"))

_started: list["subprocess.Popen[bytes]"] = []


def pytest_sessionstart(session: pytest.Session) -> None:
    if not _IS_CONTROLLER:
        return
    port = int(os.environ["REDIS_URL"].rsplit(":", 1)[1].split("/")[0])
    command = valkey.command(port, Path(os.environ["VAR_DIR"]))
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _started.append(process)
    wait_for_port(port, process)


def pytest_sessionfinish(session: pytest.Session) -> None:
    for process in _started:
        process.kill()
        process.wait()
    if _IS_CONTROLLER:
        shutil.rmtree(os.environ["VAR_DIR"], ignore_errors=True)
