"""The parts of the supervisor that can be tried without starting everything; the whole of it is started by the journeys."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from dashboard import environment, supervisor, valkey
from dashboard.environment import ConfigurationError
from dashboard.service import Service


def test_one_crossbook_per_state_directory(tmp_path: Path) -> None:
    directory = tmp_path / "deep" / "var"
    with supervisor._claim_state(directory), pytest.raises(ConfigurationError, match=r"^Crossbook already runs on .*; stop it first or"):
        supervisor._claim_state(directory)
    supervisor._claim_state(directory).close()


def test_the_lock_goes_with_the_process_however_it_ends(tmp_path: Path) -> None:
    hold = "import sys, pathlib; from dashboard import supervisor; lock = supervisor._claim_state(pathlib.Path(sys.argv[1])); "
    command = [sys.executable, "-c", hold + "print('held', flush=True); input()", str(tmp_path)]
    process = subprocess.Popen(command, cwd=environment.ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    with process:
        assert process.stdout
        assert process.stdout.readline() == "held\n"
        with pytest.raises(ConfigurationError):
            supervisor._claim_state(tmp_path)
        process.kill()
        process.wait()
    supervisor._claim_state(tmp_path).close()


@pytest.mark.parametrize("kind", ["file", "below a file"])
def test_a_state_directory_that_cannot_be_written_is_one_sentence(tmp_path: Path, kind: str) -> None:
    file = tmp_path / "file"
    file.write_text("")
    with pytest.raises(ConfigurationError, match=r"^VAR_DIR .* cannot be written \(.*\); name another one\.$"):
        supervisor._claim_state(file if kind == "file" else file / "var")


def test_a_port_in_use_is_one_sentence() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(ConfigurationError, match=rf"^Port {port} is in use; stop what listens there or set PORT to another one\.$"):
            supervisor._refuse_unusable_port(port)
    supervisor._refuse_unusable_port(port)


def test_a_port_that_only_root_may_use_is_no_port_in_use() -> None:
    unprivileged = Path("/proc/sys/net/ipv4/ip_unprivileged_port_start")
    if not unprivileged.exists() or int(unprivileged.read_text()) <= 1:
        pytest.skip("every user may listen on every port here")
    attempt = "import os; from dashboard import supervisor; os.getuid() or os.setuid(65534); supervisor._refuse_unusable_port(1)"
    done = subprocess.run([sys.executable, "-c", attempt], cwd=environment.ROOT, capture_output=True, text=True, check=False)
    assert done.stderr.rstrip().endswith("Port 1 is not allowed to this user; set PORT to one from 1024.")


def test_valkey_listens_on_loopback_and_keeps_nothing(tmp_path: Path) -> None:
    command = valkey.command(6_399, tmp_path)
    options = dict(zip(command[1::2], command[2::2], strict=True))
    assert options | {"--dir": "", "--loglevel": ""} == {
        "--bind": "127.0.0.1",
        "--port": "6399",
        "--save": "",
        "--appendonly": "no",
        "--dir": "",
        "--loglevel": "",
    }
    assert os.access(command[0], os.X_OK)


def test_a_server_on_the_path_comes_before_the_wheels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = tmp_path / "redis-server"
    own.write_text("#!/bin/sh\n")
    own.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert valkey.binary() == str(own)


def until(condition: Callable[[], bool], deadline_s: float = 10.0) -> None:
    deadline = time.monotonic() + deadline_s
    while not condition():
        assert time.monotonic() < deadline, "it did not come true in time"
        time.sleep(0.02)


def test_a_service_that_dies_is_started_again_after_a_pause_that_grows() -> None:
    said: list[str] = []
    service = Service("short", [sys.executable, "-c", "print('hello'); raise SystemExit(3)"])
    service.start(lambda _name, line: said.append(line))
    first = service.process
    assert first
    until(lambda: first.poll() is not None)

    def watched() -> bool:
        service.watch(lambda _name, line: said.append(line))
        return service.process is not first

    until(watched)
    assert "ended (code 3); starting it again in 0.5 s" in said
    assert (service.failures, service.last_line) == (1, "hello")
    assert service.backoff_s == 1.0
    until(lambda: said.count("hello") == 2)
    assert service.process
    service.process.wait()


def test_a_process_that_was_killed_has_not_failed() -> None:
    service = Service("killed", [sys.executable, "-c", "import time; time.sleep(60)"])
    service.start(lambda _name, _line: None)
    assert service.process
    service.process.kill()
    service.process.wait()
    service.watch(lambda _name, _line: None)
    assert service.restart_at
    assert service.failures == 0


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("PORT", "eighty", "PORT must be a whole number from 1 to 65535, was 'eighty'."),
        ("REDIS_URL", "garbage", "REDIS_URL must be redis://host:port/number (or rediss://); leave it out to have a server started."),
        ("SANDBOX_URL", "garbage", "SANDBOX_URL must be http://host:port; leave it out to have the simulated exchanges started."),
    ],
)
def test_a_wrong_setting_ends_the_start_with_one_sentence(tmp_path: Path, name: str, value: str, sentence: str) -> None:
    state = {**os.environ, "VAR_DIR": str(tmp_path), name: value}
    done = subprocess.run(
        [sys.executable, "-m", "dashboard.supervisor"],
        cwd=environment.ROOT,
        env=state,
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"Crossbook cannot start: {sentence}\n"
