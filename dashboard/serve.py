"""Daphne on uvloop: `python -m dashboard.serve -b 127.0.0.1 -p 8000` takes Daphne's own options."""

import asyncio
import os
import sys
from functools import partial
from typing import Any

import uvloop

from dashboard import environment

# Django reads forms and JSON of 64 KB at most; what else there is in a request with one is little.
MAX_BODY_BYTES = 256 * 1024
# All that a page says is a number, in one frame. Autobahn (26) takes the limit of a message for what is sent as well, and drops what is
# longer without a word: a patch of a large book has to fit.
MAX_FRAME_BYTES = 16 * 1024
MAX_MESSAGE_BYTES = 16 * 1024 * 1024


def main() -> None:
    environment.keep_private()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dashboard.settings")
    # Daphne takes the loop that the policy makes, and it takes it while it is being imported.
    asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())
    from daphne import http_protocol
    from daphne.cli import CommandLineInterface

    # Twisted (26.4) reads forms before Daphne does and answers a malformed one with a bare 400 that nothing of ours has seen.
    http_protocol.WebRequest = partial(_bounded(http_protocol.WebRequest), parsePOSTFormSubmission=False)
    limits = [f"--websocket-max-frame-size={MAX_FRAME_BYTES}", f"--websocket-max-message-size={MAX_MESSAGE_BYTES}"]
    CommandLineInterface().run([*limits, *sys.argv[1:], "dashboard.asgi:application"])


def _bounded(request_class: Any) -> Any:
    """Daphne 4.2 takes a body of any length, and keeps it in a file, before anything of ours hears of the request."""

    class Bounded(request_class):  # type: ignore[misc]  # daphne has no types
        taken = 0
        is_refused = False

        def gotLength(self, length: int | None) -> None:  # noqa: N802  (Twisted's name)
            super().gotLength(length)
            if length is not None and length > MAX_BODY_BYTES:
                self._refuse()

        def handleContentChunk(self, data: bytes) -> None:  # noqa: N802  (Twisted's name)
            self.taken += len(data)
            if self.taken > MAX_BODY_BYTES:
                self._refuse()
            else:
                super().handleContentChunk(data)

        def process(self) -> Any:
            return None if self.is_refused else super().process()

        def _refuse(self) -> None:
            if not self.is_refused:
                self.is_refused = True
                self.channel.transport.write(b"HTTP/1.1 413 Content Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
                self.channel.loseConnection()

    return Bounded


if __name__ == "__main__":
    main()
