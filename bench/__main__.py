"""`.venv/bin/python -m bench` prints every figure of bench/REPORT.md, measured in one run."""

import asyncio
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request

import uvloop

from bench import calls, footprint


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dashboard.settings")
    ports = {venue: str(footprint.free_port()) for venue in calls.VENUES}
    bases = {venue: f"http://127.0.0.1:{port}" for venue, port in ports.items()}
    venues = subprocess.Popen([sys.executable, "-m", "bench.venues", *ports.values()], cwd=footprint.ROOT)
    print(f"load average at the start: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores", flush=True)
    try:
        for base in bases.values():
            _wait(base)
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            for ratio in runner.run(calls.cpu_ratios(bases)):
                _show(ratio)
            print(f"of each order, building the OrderRequest: {calls.building_an_order_us():.1f} us", flush=True)
            _post(f"{base}/positions/50")
            _post(f"{base}/latency/50")
            for ratio in runner.run(calls.cycle_ratios(bases)):
                _show(ratio)
    finally:
        venues.kill()
        venues.wait()
    for venue, size in footprint.client_bytes().items():
        print(f"{venue} client: {size / 1024:.1f} KB an account")
    for name, value in footprint.embedded_default().items():
        print(f"embedded default {name}: {value:.2f}")


def _show(ratio: calls.Ratio) -> None:
    spread = f"{ratio.low:.2f} to {ratio.high:.2f}"
    print(f"{ratio.name}: {ratio.ours:.0f} over {ratio.base:.0f} {ratio.unit} = {ratio.value:.2f} ({spread})", flush=True)


def _post(url: str) -> None:
    urllib.request.urlopen(urllib.request.Request(url, method="POST")).close()


def _wait(base: str) -> None:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        try:
            urllib.request.urlopen(f"{base}/okx/api/v5/account/config").close()
        except (urllib.error.URLError, OSError):
            time.sleep(0.05)
        else:
            return
    raise RuntimeError("the prepared venues did not start")


if __name__ == "__main__":
    main()
