"""A whole Crossbook as a person starts it: the supervisor as a process with a port and a state directory of its own, driven from outside.

It is watched by its output, its HTTP answers and the system's list of processes; nothing of it is imported.
"""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar

import httpx
import psutil

from tests.isolation import OF_THE_SHELL, free_port

ROOT = Path(__file__).resolve().parents[2]
START_DEADLINE_S = 60.0
STOP_DEADLINE_S = 5.0

# What the suite or the caller's shell set for itself must not reach an installation that makes everything for itself.
_NOT_INHERITED = (
    *OF_THE_SHELL,
    *("VAR_DIR", "REDIS_URL", "VAULT_KEYS", "POLL_PERIOD_S", "ORDER_POLL_PERIOD_S", "DJANGO_SETTINGS_MODULE"),
)
_SERVICES = {
    "web": "dashboard.serve",
    "worker": "dashboard.celery worker",
    "beat": "dashboard.celery beat",
    "stream": "manage.py stream",
    "sandbox": "exchanges.sandbox",
    "valkey": "-server ",
}

T = TypeVar("T")


def eventually(condition: Callable[[], T], *, within_s: float, what: str) -> T:
    """The first true value of `condition`. AssertionError saying `what` did not come in time."""
    deadline = time.monotonic() + within_s
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < deadline, f"not within {within_s:g} s: {what}"
        time.sleep(0.05)


def until_none(remaining: Callable[[], Collection[object]], *, within_s: float, what: str) -> None:
    """Waits until nothing remains. AssertionError naming what still does."""
    deadline = time.monotonic() + within_s
    while left := remaining():
        assert time.monotonic() < deadline, f"after {within_s:g} s still {len(left)} {what}: {list(left)[:5]}"
        time.sleep(0.05)


class Crossbook:
    """`start` and `stop` it as often as needed: the state in `var_dir` stays. `port` 0 takes a free one, `variables` adds to its
    environment."""

    def __init__(self, var_dir: Path, *, port: int = 0, **variables: str) -> None:
        self.var_dir = var_dir
        self.port = port or free_port()
        self._log = var_dir.parent / f"{var_dir.name}.log"
        self._variables = variables
        self._process: subprocess.Popen[bytes] | None = None
        self._seen: dict[tuple[int, float], psutil.Process] = {}
        self.login_link = ""
        self.started_in_s = 0.0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if name not in _NOT_INHERITED}
        return kept | {"VAR_DIR": str(self.var_dir), "PORT": str(self.port)} | self._variables

    @property
    def log(self) -> str:
        return self._log.read_text(errors="replace") if self._log.exists() else ""

    @property
    def supervisor(self) -> psutil.Process:
        assert self._process is not None, "not started"
        return psutil.Process(self._process.pid)

    @property
    def sandbox_url(self) -> str:
        """Where the simulated venues listen: given from outside, or what the last start printed."""
        return self._variables.get("SANDBOX_URL") or re.findall(r"sandbox listening on (\S+)", self.log)[-1]

    def start(self) -> None:
        """Returns when the line with the address was printed."""
        began = time.monotonic()
        self.launch()
        self.login_link = eventually(self._printed_link, within_s=START_DEADLINE_S, what="the line with the address")
        self.started_in_s = time.monotonic() - began
        self._note_children()

    def launch(self) -> None:
        """Begin to start, and wait for nothing."""
        self._log.unlink(missing_ok=True)
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "dashboard.supervisor"],
                cwd=ROOT,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def _printed_link(self) -> str:
        assert self._process is not None
        assert self._process.poll() is None, f"it ended instead of starting:\n{self.log}"
        found = re.search(r"Crossbook is ready: (\S+)", self.log)
        return found.group(1) if found else ""

    def refused_start(self) -> subprocess.CompletedProcess[str]:
        """A start that is expected to fail: exit code, stdout and stderr."""
        command = [sys.executable, "-m", "dashboard.supervisor"]
        return subprocess.run(
            command, cwd=ROOT, env=self.environment, capture_output=True, text=True, timeout=START_DEADLINE_S, check=False
        )

    def stop(self, number: signal.Signals = signal.SIGTERM) -> float:
        """Ask it to end, SIGINT as Ctrl-C does (the whole group gets it), and return how many seconds that took. AssertionError where it
        takes longer than it may."""
        if self._process is None:
            return 0.0
        self._note_children()
        asked = time.monotonic()
        send = os.killpg if number is signal.SIGINT else os.kill
        send(self._process.pid, number)
        try:
            self._process.wait(STOP_DEADLINE_S)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"still running {STOP_DEADLINE_S:g} s after {number.name}:\n{self.log[-2000:]}") from None
        return time.monotonic() - asked

    def kill(self) -> None:
        """kill -9 of the supervisor alone: its children have to notice by themselves."""
        assert self._process is not None
        self._note_children()
        self._process.kill()
        self._process.wait()

    def service(self, name: str) -> psutil.Process:
        """The running process of one service."""
        return eventually(lambda: self._services(name), within_s=START_DEADLINE_S, what=f"a process {name}")[0]

    def _services(self, name: str) -> list[psutil.Process]:
        self._note_children()
        return [process for process in self._seen.values() if _runs(process) and _SERVICES[name] in f"{' '.join(process.cmdline())} "]

    def left_over(self) -> list[str]:
        """Processes of this installation that still run: children seen at any time, and whatever was told its VAR_DIR."""
        told = [process for process in psutil.process_iter() if _is_told(process, self.var_dir)]
        running = {process.pid: process for process in (*self._seen.values(), *told) if _runs(process)}
        return [_describe(process) for process in running.values()]

    def end(self) -> None:
        """Stop whatever still runs, by its id, however a test went; then nothing may be left over."""
        try:
            if self._process is not None and self._process.poll() is None:
                self.stop()
            until_none(self.left_over, within_s=STOP_DEADLINE_S, what="processes left over")
        finally:
            if self._process is not None and self._process.poll() is None:
                self._process.kill()
                self._process.wait()
            for process in self._seen.values():
                with suppress(psutil.NoSuchProcess):
                    process.kill()

    def manage(self, *arguments: str) -> str:
        """What a management command printed."""
        command = [sys.executable, "manage.py", *arguments]
        done = subprocess.run(command, cwd=ROOT, env=self.environment, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    @contextmanager
    def rest(self, name: str) -> Iterator[httpx.Client]:
        """A client of the REST API with a fresh token of this name."""
        token = self.manage("create_api_token", "--user", "admin", "--name", name, "--scopes", "read,trade")
        headers = {"Authorization": f"Bearer {token}"}
        limits = httpx.Limits(max_connections=32, max_keepalive_connections=32)
        with httpx.Client(base_url=f"{self.url}/api/v1", headers=headers, timeout=20, limits=limits) as client:
            yield client

    def _note_children(self) -> None:
        with suppress(psutil.NoSuchProcess):
            for child in self.supervisor.children(recursive=True):
                with suppress(psutil.NoSuchProcess):
                    self._seen[child.pid, child.create_time()] = child


def every(client: httpx.Client, path: str, **query: str) -> list[dict[str, Any]]:
    """All items of a paged list."""
    items: list[dict[str, Any]] = []
    while True:
        answer = client.get(path, params={**query, "limit": 200, "offset": len(items)})
        assert answer.status_code == 200, answer.text
        page = answer.json()
        items += page["items"]
        if len(items) >= page["count"] or not page["items"]:
            return items


def _is_told(process: psutil.Process, var_dir: Path) -> bool:
    """By its environment, or (Valkey writes its title over that) by the directory it works in."""
    try:
        return process.environ().get("VAR_DIR") == str(var_dir) or process.cwd() == str(var_dir)
    except psutil.Error:
        return False


def _runs(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _describe(process: psutil.Process) -> str:
    try:
        return f"{process.pid} {' '.join(process.cmdline())[:120]}"
    except psutil.Error:
        return str(process.pid)
