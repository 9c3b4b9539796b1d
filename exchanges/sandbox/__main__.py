"""`python -m exchanges.sandbox`: the simulated venues as a process of their own, without Django."""

import argparse
import ctypes
import logging
import os
import signal
import sys

from .server import add_arguments, serve

_PR_SET_PDEATHSIG = 1


def main() -> int:
    os.umask(0o077)
    parser = argparse.ArgumentParser(prog="python -m exchanges.sandbox", description="Three simulated venues.")
    add_arguments(parser)
    parser.add_argument("--parent-death-signal", action="store_true", help="stop when the parent process dies (Linux)")
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s %(message)s")
    if options.parent_death_signal and not _follow_parent():
        return 1
    return serve(
        host=options.host,
        port=options.port,
        seed=options.seed,
        var_dir=options.var_dir,
        control=options.control,
        speed=options.speed,
    )


def _follow_parent() -> bool:
    """False if the parent died meanwhile."""
    parent = os.getppid()
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    return os.getppid() == parent


if __name__ == "__main__":
    sys.exit(main())
