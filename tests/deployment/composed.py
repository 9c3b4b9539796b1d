"""The services of docker-compose.yml without Docker: each command as it is written, with the hosts, ports and paths of this machine in
place of the containers', a state directory of its own, and nothing of our environment but a PATH."""

import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from dashboard.service import die_with_parent

ROOT = Path(__file__).resolve().parents[2]
_VARIABLE = re.compile(r"\$(?:(\$)|\{(\w+)(?::([-?])([^}]*))?\})")


class Composed:
    """`variables` is what the person who starts it sets, `here` what stands for what on this machine."""

    def __init__(self, directory: Path, variables: Mapping[str, str], here: Mapping[str, str]) -> None:
        self._directory, self._variables, self._here = directory, variables, here
        self._file = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
        self._running: list[subprocess.Popen[bytes]] = []

    @property
    def services(self) -> dict[str, Any]:
        found: dict[str, Any] = self._file["services"]
        return found

    def ours(self) -> set[str]:
        """Those that run the image of this repository."""
        return {name for name, service in self.services.items() if "build" in service}

    def environment(self, service: str) -> dict[str, str]:
        given = {name: self._placed(self._filled(str(value))) for name, value in self.services[service]["environment"].items()}
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        return {"PATH": path, "PYTHONUNBUFFERED": "1", **given}

    def start(self, service: str, places: Mapping[str, str] | None = None, *, number: int = 1) -> "subprocess.Popen[bytes]":
        """`places` stands for what on this machine in the command of this one alone."""
        name = f"{service}-{number}"
        command = [self._placed(self._filled(word), places) for word in self.services[service]["command"]]
        state = {"VAR_DIR": str(self._directory / name)} if service in self.ours() else {}
        with self.log(service, number).open("wb") as log:
            process = subprocess.Popen(
                command,
                cwd=ROOT if service in self.ours() else self._directory,
                env=self.environment(service) | state if service in self.ours() else None,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                preexec_fn=die_with_parent if sys.platform == "linux" else None,
            )
        self._running.append(process)
        return process

    def run(self, service: str, command: list[str], places: Mapping[str, str] | None = None) -> "subprocess.CompletedProcess[str]":
        """As `docker compose exec`: another command in the environment of a service."""
        words = [self._placed(self._filled(word), places) for word in command]
        variables = self.environment(service) | {"VAR_DIR": str(self._directory / f"{service}-1"), "HOSTNAME": os.uname().nodename}
        return subprocess.run(words, cwd=ROOT, env=variables, capture_output=True, text=True, timeout=60, check=False)

    def is_healthy(self, service: str, places: Mapping[str, str] | None = None) -> bool:
        kind, *words = self.services[service]["healthcheck"]["test"]
        command = words if kind == "CMD" else ["sh", "-c", *words]
        return self.run(service, command, places).returncode == 0

    def log(self, service: str, number: int = 1) -> Path:
        return self._directory / f"{service}-{number}.log"

    def stop(self) -> None:
        for process in self._running:
            process.kill()
            process.wait()

    def _filled(self, text: str) -> str:
        """As Compose fills variables in."""

        def value(found: re.Match[str]) -> str:
            is_dollar, name, kind, rest = found.groups()
            if is_dollar:
                return "$"
            given = self._variables.get(name, "")
            assert given or kind != "?", f"{name}: {rest}"
            return given or rest or ""

        return _VARIABLE.sub(value, text)

    def _placed(self, text: str, places: Mapping[str, str] | None = None) -> str:
        for there, here in {**self._here, **(places or {})}.items():
            text = text.replace(there, here)
        return text
