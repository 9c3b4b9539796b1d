"""One child process of the supervisor: started, its output passed on line by line, started again with a growing pause should it die.

Standard library only. It knows nothing of what the processes are; whether a start is given up is the supervisor's to say.
"""

import ctypes
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import IO

from dashboard import environment

PR_SET_PDEATHSIG = 1
FIRST_BACKOFF_S = 0.5
MAX_BACKOFF_S = 10.0
STEADY_AFTER_S = 30.0
LAST_WORDS_S = 1.0


def die_with_parent() -> None:
    """Runs in the child before exec. A child whose parent is already gone ends at once."""
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() == 1:
        os._exit(1)


@dataclass(slots=True)
class Service:
    """What to run, and when to start it again. `failures` counts how often it ended by itself (a signal is somebody else's doing),
    `last_line` is the last thing it said."""

    name: str
    command: list[str]
    extra: Mapping[str, str] = field(default_factory=dict)
    process: "subprocess.Popen[str] | None" = None
    started: float = 0.0
    backoff_s: float = FIRST_BACKOFF_S
    restart_at: float = 0.0
    failures: int = 0
    last_line: str = ""
    relay: threading.Thread | None = None

    def start(self, say: Callable[[str, str], None]) -> None:
        self.process = subprocess.Popen(  # noqa: S603  (our own commands)
            self.command,
            env={**os.environ, **self.extra, "SERVICE": self.name, "PYTHONUNBUFFERED": "1"},
            cwd=environment.ROOT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
            preexec_fn=die_with_parent if sys.platform == "linux" else None,
        )
        self.started, self.restart_at = time.monotonic(), 0.0
        self.relay = threading.Thread(target=self._relay, args=(self.process.stdout, say), daemon=True)
        self.relay.start()

    def watch(self, say: Callable[[str, str], None]) -> None:
        """Start again after a growing pause; a process that ran steadily starts over with a short one."""
        if self.process is None or self.process.poll() is None:
            return
        now = time.monotonic()
        if not self.restart_at:
            self._note_end(self.process.returncode)
            if now - self.started > STEADY_AFTER_S:
                self.backoff_s = FIRST_BACKOFF_S
            self.restart_at = now + self.backoff_s
            say(self.name, f"ended ({_describe_exit(self.process.returncode)}); starting it again in {self.backoff_s:g} s")
            self.backoff_s = min(self.backoff_s * 2, MAX_BACKOFF_S)
        elif now >= self.restart_at:
            self.start(say)

    def _note_end(self, code: int) -> None:
        if code >= 0:
            self.failures += 1
        if self.relay is not None:
            self.relay.join(LAST_WORDS_S)  # a grandchild may hold the pipe open: not for ever

    def _relay(self, stream: IO[str] | None, say: Callable[[str, str], None]) -> None:
        if stream is None:
            return
        with stream:
            for line in stream:
                self.last_line = line.strip() or self.last_line
                say(self.name, line.rstrip())


def _describe_exit(code: int) -> str:
    return f"signal {-code}" if code < 0 else f"code {code}"
