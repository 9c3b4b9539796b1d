"""Daphne on uvloop: `python -m dashboard.serve -b 127.0.0.1 -p 8000` takes Daphne's own options."""

import asyncio
import os
import sys

import uvloop


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dashboard.settings")
    # Daphne takes the loop that the policy makes, and it takes it while it is being imported.
    asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())
    from daphne.cli import CommandLineInterface

    CommandLineInterface().run([*sys.argv[1:], "dashboard.asgi:application"])


if __name__ == "__main__":
    main()
