"""A real simulated-venue server for tests, with its control API: faults, down venues, and the ledger as the truth."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import urllib3

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, slots=True)
class Sandbox:
    url: str
    process: "subprocess.Popen[str]"

    def control(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        answer = urllib3.request(method, f"{self.url}/_sim/{path}", body=orjson.dumps(body) if body else None, timeout=10)
        assert answer.status < 300, answer.data
        return orjson.loads(answer.data) if answer.data else None

    def fault(self, venue: str, action: dict[str, Any], *, stage: str = "before", times: int | None = 1, **match: str) -> None:
        self.control("POST", "fault", {"venue": venue, "match": match, "stage": stage, "action": action, "times": times})

    def ledger(self, venue: str, account: str) -> Any:
        return self.control("GET", f"ledger?venue={venue}&account={account}")

    def clear(self) -> None:
        self.control("DELETE", "fault")
        for venue in ("binance", "bybit", "okx"):
            self.control("POST", "venue", {"venue": venue, "up": True})


@contextmanager
def running_sandbox(var_dir: Path, *, seed: int = 7, port: int = 0) -> Iterator[Sandbox]:
    """Started on a free port (or on `port`), stopped by its process id."""
    settings = {"port": port, "seed": seed, "var-dir": var_dir}
    options = [text for name, value in settings.items() for text in (f"--{name}", str(value))]
    command = [sys.executable, "-m", "exchanges.sandbox", *options, "--control"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT, env={**os.environ})
    try:
        line = process.stdout.readline() if process.stdout else ""
        assert "listening on" in line, f"the sandbox did not start: {line!r}"
        yield Sandbox(line.split("listening on", 1)[1].strip(), process)
    finally:
        process.kill()
        process.wait()
        if process.stdout:
            process.stdout.close()
