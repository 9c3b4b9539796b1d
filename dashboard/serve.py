"""Daphne on uvloop: `python -m dashboard.serve -b 127.0.0.1 -p 8000` takes Daphne's own options."""

import asyncio
import os
import sys
from functools import partial

import uvloop

from dashboard import environment


def main() -> None:
    environment.keep_private()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dashboard.settings")
    # Daphne takes the loop that the policy makes, and it takes it while it is being imported.
    asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())
    from daphne import http_protocol
    from daphne.cli import CommandLineInterface

    # Twisted (26.4) reads forms before Daphne does and answers a malformed one with a bare 400 that nothing of ours has seen.
    http_protocol.WebRequest = partial(http_protocol.WebRequest, parsePOSTFormSubmission=False)
    CommandLineInterface().run([*sys.argv[1:], "dashboard.asgi:application"])


if __name__ == "__main__":
    main()
