"""How much memory an account's client takes, and how much the embedded default takes and how soon its first live page is there."""

import gc
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import tracemalloc
import urllib.request
from pathlib import Path

import psutil

from bench.calls import VENUES, config
from exchanges.factory import get_exchange_client
from exchanges.venue import VenueRegistry

CLIENTS = 500
SETTLE_S = 45.0
CPU_WINDOW_S = 20.0
ROOT = Path(__file__).resolve().parent.parent


def client_bytes() -> dict[str, float]:
    """Bytes that one more account of a venue takes, its configuration included, as Python counts them."""
    sizes = {}
    for venue in VENUES:
        registry = VenueRegistry()
        kept = [get_exchange_client(config(venue), registry)]
        gc.collect()
        tracemalloc.start()
        before, _ = tracemalloc.get_traced_memory()
        kept += [get_exchange_client(config(venue), registry) for _ in range(CLIENTS)]
        after, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        sizes[venue] = (after - before) / CLIENTS
    return sizes


def embedded_default() -> dict[str, float]:
    """Seconds to the ready line and to a first page with three live exchanges; then, of all processes together, memory in MB (proportional
    and resident set size) and the share of one core they use while idle."""
    with tempfile.TemporaryDirectory(prefix="crossbook-bench-") as directory:
        return _measured(Path(directory))


def _measured(var_dir: Path) -> dict[str, float]:
    port = free_port()
    outside = {name: value for name, value in os.environ.items() if name not in ("SANDBOX_URL", "REDIS_URL")}
    environment = {**outside, "PORT": str(port), "VAR_DIR": str(var_dir)}
    started = time.perf_counter()
    command = [sys.executable, "-m", "dashboard.supervisor"]
    process = subprocess.Popen(command, cwd=ROOT, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    try:
        link = _ready_link(process)
        ready = time.perf_counter() - started
        opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())
        opener.open(link).read()
        while (
            b'data-freshness="unknown"' in (page := opener.open(f"http://127.0.0.1:{port}/").read())
            or b'data-incomplete role="status" hidden' not in page
        ):
            time.sleep(0.1)
        live = time.perf_counter() - started
        time.sleep(SETTLE_S)
        family = [psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)]
        megabytes = sum(member.memory_full_info().pss for member in family) / 1e6
        resident = sum(member.memory_info().rss for member in family) / 1e6
        before = sum(sum(member.cpu_times()[:2]) for member in family)
        time.sleep(CPU_WINDOW_S)
        used = sum(sum(member.cpu_times()[:2]) for member in family) - before
        return {"ready_s": ready, "first_live_page_s": live, "pss_mb": megabytes, "rss_mb": resident, "core_share": used / CPU_WINDOW_S}
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(10)


def _ready_link(process: "subprocess.Popen[str]") -> str:
    for line in process.stdout or ():
        if "Crossbook is ready:" in line:
            return line.split("Crossbook is ready:")[1].strip()
    raise RuntimeError("Crossbook did not start")


def _is_live(page: bytes) -> bool:
    return page.count(b'data-chip="') == 3 and page.count(b'data-freshness="fresh"') > 3 and b'data-incomplete role="status" hidden' in page


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
