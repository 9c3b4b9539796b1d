"""`./run up`: prepare the state, start every process on this machine, show what each says, restart what dies, stop all together.

Standard library only, so that it stays small beside what it watches. It holds no state: killed at any moment, its children die with it
(PR_SET_PDEATHSIG) and the next start goes on from the database.
"""

import ctypes
import fcntl
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from dashboard import environment, valkey
from dashboard.environment import ConfigurationError

PR_SET_PDEATHSIG = 1
STOP_GRACE_S = 2.0
FIRST_BACKOFF_S = 0.5
MAX_BACKOFF_S = 10.0
STEADY_AFTER_S = 30.0
READY_DEADLINE_S = 60.0


def _die_with_parent() -> None:
    """Runs in the child before exec. A child whose parent is already gone ends at once."""
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() == 1:
        os._exit(1)


@dataclass(slots=True)
class Service:
    """One child process: what to run, and when to start it again should it die."""

    name: str
    command: list[str]
    extra: Mapping[str, str] = field(default_factory=dict)
    process: "subprocess.Popen[str] | None" = None
    started: float = 0.0
    backoff_s: float = FIRST_BACKOFF_S
    restart_at: float = 0.0

    def start(self, say: Callable[[str, str], None]) -> None:
        self.process = subprocess.Popen(  # noqa: S603  (our own commands)
            self.command,
            env={**os.environ, **self.extra, "PYTHONUNBUFFERED": "1"},
            cwd=environment.ROOT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
            preexec_fn=_die_with_parent if sys.platform == "linux" else None,
        )
        self.started, self.restart_at = time.monotonic(), 0.0
        threading.Thread(target=_relay, args=(self.name, self.process.stdout, say), daemon=True).start()

    def watch(self, say: Callable[[str, str], None]) -> None:
        """Start again after a growing pause; a process that ran steadily starts over with a short one."""
        if self.process is None or self.process.poll() is None:
            return
        now = time.monotonic()
        if not self.restart_at:
            if now - self.started > STEADY_AFTER_S:
                self.backoff_s = FIRST_BACKOFF_S
            self.restart_at = now + self.backoff_s
            say(self.name, f"ended ({_describe_exit(self.process.returncode)}); starting it again in {self.backoff_s:g} s")
            self.backoff_s = min(self.backoff_s * 2, MAX_BACKOFF_S)
        elif now >= self.restart_at:
            self.start(say)


class Supervisor:
    def __init__(self, port: int) -> None:
        self._port = port
        self._services: list[Service] = []
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
            self._add(Service("valkey", valkey.command(port, environment.var_dir())))
        if not os.environ.get("SANDBOX_URL"):
            port = _free_port()
            os.environ["SANDBOX_URL"] = f"http://127.0.0.1:{port}"
            state = str(environment.var_dir() / "sandbox")
            sandbox = [sys.executable, "-m", "exchanges.sandbox", "--port", str(port), "--seed", "7", "--var-dir", state]
            self._add(Service("sandbox", sandbox))
            self.say("up", f"simulated exchanges: {os.environ['SANDBOX_URL']}/binance, /bybit and /okx")
        link = self._prepare([*manage, "prepare"])
        celery = [sys.executable, "-m", "celery", "-q", "-A", "dashboard.celery"]
        bind = ["-b", "127.0.0.1", "-p", str(self._port), "-v", "0"]
        self._add(Service("web", [sys.executable, "-m", "dashboard.serve", *bind]))
        self._add(
            Service("worker", [*celery, "worker", "-P", "threads", "-c", "12", "--without-gossip", "--without-mingle", "-l", "WARNING"])
        )
        self._add(Service("beat", [*celery, "beat", "-l", "WARNING", "--pidfile="]))
        self._add(Service("stream", [*manage, "stream"]))
        self._wait_until_ready()
        if not self._stopping.is_set():
            self.say("up", f"Crossbook is ready: http://127.0.0.1:{self._port}{link}")

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
            preexec_fn=_die_with_parent if sys.platform == "linux" else None,
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

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + READY_DEADLINE_S
        while time.monotonic() < deadline and not self._stopping.wait(0.1):
            for service in self._services:
                service.watch(self.say)
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{self._port}/api/v1/health", timeout=2) as answer:
                    if answer.status == 200:
                        return
            except (urllib.error.URLError, OSError):
                continue
        if not self._stopping.is_set():
            raise ConfigurationError("the site did not answer within a minute; see what the processes said above")

    def _on_signal(self, _number: int, _frame: object) -> None:
        self._stopping.set()

    def _stop_all(self) -> None:
        self._stopping.set()
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


def _relay(name: str, stream: IO[str] | None, say: Callable[[str, str], None]) -> None:
    if stream is None:
        return
    with stream:
        for line in stream:
            say(name, line.rstrip())


def _last_sentence(text: str) -> str:
    """The last line that a failed command wrote, without the name of our own exceptions before it."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return re.sub(r"^(CommandError|dashboard\.environment\.ConfigurationError): ", "", lines[-1]) if lines else ""


def _describe_exit(code: int) -> str:
    return f"signal {-code}" if code < 0 else f"code {code}"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        number: int = probe.getsockname()[1]
        return number


def _claim_state(directory: Path) -> IO[str]:
    """One Crossbook per VAR_DIR: the lock goes with the process, however that ends. Raises ConfigurationError."""
    try:
        directory.mkdir(parents=True, exist_ok=True)
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


def _refuse_used_port(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise ConfigurationError(f"Port {port} is in use; stop what listens there or set PORT to another one.") from error


def main() -> int:
    try:
        port = environment.port()
        lock = _claim_state(environment.var_dir())
        _refuse_used_port(port)
        with lock:
            return Supervisor(port).run()
    except ConfigurationError as error:
        print(f"Crossbook cannot start: {error}", file=sys.stderr, flush=True)  # noqa: T201
        return 1


if __name__ == "__main__":
    raise SystemExit(main())
