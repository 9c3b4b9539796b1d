"""`./run up`: prepare the state, start every process on this machine, show what each says, restart what dies, stop all together.

Standard library only, so that it stays small beside what it watches. It holds no state: killed at any moment, its children die with it
(PR_SET_PDEATHSIG) and the next start goes on from the database.
"""

import errno
import fcntl
import http.client
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO

from dashboard import environment, operation, valkey
from dashboard.environment import ConfigurationError
from dashboard.service import Service, die_with_parent

STOP_GRACE_S = 2.0
READY_DEADLINE_S = 60.0
GIVE_UP_AFTER = 3


class Supervisor:
    def __init__(self, port: int) -> None:
        self._port = port
        self._services: list[Service] = []
        self._internal_ports: list[int] = []
        self._output = threading.Lock()
        self._stopping = threading.Event()

    def say(self, name: str, line: str) -> None:
        with self._output:
            print(f"{name:>8} | {line}", flush=True)  # noqa: T201  (its output is what it is for)

    def run(self) -> int:
        signal.signal(signal.SIGINT, self._on_signal)
        signal.signal(signal.SIGTERM, self._on_signal)
        try:
            self._start_all()
            while not self._stopping.wait(0.2):
                for service in self._services:
                    service.watch(self.say)
        finally:
            self._stop_all()
        return 0

    def _start_all(self) -> None:
        manage = [sys.executable, "manage.py"]
        if not os.environ.get("REDIS_URL"):
            port = _free_port()
            os.environ["REDIS_URL"] = f"redis://127.0.0.1:{port}/0"
            self._internal_ports.append(port)
            self._add(Service("valkey", valkey.command(port, environment.var_dir())))
        if not environment.sandbox_url():
            port = _free_port()
            os.environ["SANDBOX_URL"] = f"http://127.0.0.1:{port}"
            state = str(environment.var_dir() / "sandbox")
            self._internal_ports.append(port)
            options = ["--port", str(port), "--seed", "7", "--speed", str(environment.sandbox_speed()), "--var-dir", state]
            sandbox = [sys.executable, "-m", "exchanges.sandbox", *options]
            self._add(Service("sandbox", sandbox))
            self.say("up", f"simulated exchanges: {os.environ['SANDBOX_URL']}/binance, /bybit and /okx")
        link = self._prepare([*manage, "prepare"])
        # Before more is started that cannot do without: a ledger that cannot be read is said at once and by the one that reads it.
        self._wait_until(lambda: all(map(_listens, self._internal_ports)))
        celery = [sys.executable, "-m", "celery", "-q", "-A", "dashboard.celery"]
        bind = ["-b", "127.0.0.1", "-p", str(self._port), "-v", "0"]
        self._add(Service("web", [sys.executable, "-m", "dashboard.serve", *bind]))
        self._add(Service("worker", [*celery, "worker", "-P", "threads", "-c", "12", "--without-gossip", "--without-mingle"]))
        self._add(Service("beat", [*celery, "beat", "--pidfile="]))
        self._add(Service("stream", [*manage, "stream"]))
        self._wait_until(lambda: _serves(self._port))
        if not self._stopping.is_set():
            address = environment.site_address(self._port)
            environment.leave_address(address)
            self.say("up", f"Crossbook is ready: {address}{link}")

    def _add(self, service: Service) -> None:
        if not self._stopping.is_set():
            self._services.append(service)
            service.start(self.say)

    def _prepare(self, command: list[str]) -> str:
        """Migrate and make what a first start needs. Returns the path of a one-time login link, "" where the start was broken off (each
        migration is one transaction, so it may be). Raises ConfigurationError."""
        with subprocess.Popen(  # noqa: S603  (our own command)
            command,
            cwd=environment.ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
            preexec_fn=die_with_parent if sys.platform == "linux" else None,
        ) as process:
            output, errors = self._output_of(process)
        if self._stopping.is_set():
            return ""
        if process.returncode != 0:
            raise ConfigurationError(_last_sentence(errors) or "the database could not be prepared")
        for line in output.splitlines()[:-1]:
            self.say("up", line)
        return output.splitlines()[-1].strip()

    def _output_of(self, process: "subprocess.Popen[str]") -> tuple[str, str]:
        """What it wrote, once it has ended; told to stop meanwhile, it is ended."""
        while True:
            try:
                return process.communicate(timeout=0.2)
            except subprocess.TimeoutExpired:
                if self._stopping.is_set():
                    process.terminate()

    def _wait_until(self, is_so: Callable[[], bool]) -> None:
        """Or until it is told to stop. Raises ConfigurationError where it does not come to that."""
        deadline = time.monotonic() + READY_DEADLINE_S
        while time.monotonic() < deadline and not self._stopping.wait(0.1):
            for service in self._services:
                service.watch(self.say)
                if service.failures >= GIVE_UP_AFTER:
                    raise ConfigurationError(f"{service.name} ended {service.failures} times: {service.last_line or 'it did not say why'}")
            if is_so():
                return
        if not self._stopping.is_set():
            raise ConfigurationError("the site was not ready within a minute; see what the processes said above")

    def _on_signal(self, _number: int, _frame: object) -> None:
        self._stopping.set()

    def _stop_all(self) -> None:
        self._stopping.set()
        environment.leave_address("")
        running = [service.process for service in self._services if service.process is not None and service.process.poll() is None]
        for process in running:
            process.terminate()
        deadline = time.monotonic() + STOP_GRACE_S
        for process in running:
            try:
                process.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _last_sentence(text: str) -> str:
    """The last line that a failed command wrote, without the name of our own exceptions before it."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return re.sub(r"^(CommandError|dashboard\.environment\.ConfigurationError): ", "", lines[-1]) if lines else ""


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        number: int = probe.getsockname()[1]
        return number


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _serves(port: int) -> bool:
    """Whether the site answers; only a failure of its own says that it does not. It is asked as its proxy would ask, so that there is
    nothing to redirect, to refuse and to log."""
    headers = {"Host": environment.site_host(), "X-Forwarded-Proto": "https" if environment.is_https() else "http"}
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
    try:
        connection.request("GET", "/api/v1/health", headers=headers)
        return connection.getresponse().status < 500
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _claim_state(directory: Path) -> IO[str]:
    """One Crossbook per VAR_DIR: the lock goes with the process, however that ends. Raises ConfigurationError."""
    try:
        environment.make_directory(directory)
        lock = (directory / "lock").open("w")
    except OSError as error:
        raise ConfigurationError(f"VAR_DIR {directory} cannot be written ({error.strerror}); name another one.") from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        lock.close()
        raise ConfigurationError(f"Crossbook already runs on {directory}; stop it first or set VAR_DIR to another directory.") from error
    os.set_inheritable(lock.fileno(), False)
    return lock


def _refuse_unusable_port(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            if error.errno == errno.EACCES:
                raise ConfigurationError(f"Port {port} is not allowed to this user; set PORT to one from 1024.") from error
            if error.errno == errno.EADDRINUSE:
                raise ConfigurationError(f"Port {port} is in use; stop what listens there or set PORT to another one.") from error
            raise ConfigurationError(f"Port {port} cannot be used ({error.strerror}); set PORT to another one.") from error


def main() -> int:
    environment.keep_private()
    try:
        port = environment.port()
        environment.check_addresses()
        operation.check()
        lock = _claim_state(environment.var_dir())
        with lock:
            _refuse_unusable_port(port)
            return Supervisor(port).run()
    except ConfigurationError as error:
        print(f"Crossbook cannot start: {error}", file=sys.stderr, flush=True)  # noqa: T201
        return 1


if __name__ == "__main__":
    raise SystemExit(main())
