"""A way to the sandbox that writes down what is written to a venue, and that can hold it up beyond the sender's patience."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import urllib3


@dataclass(frozen=True, slots=True)
class Write:
    path: str
    headers: dict[str, str]
    body: str


@dataclass(slots=True)
class Recorder:
    """Writes wait for `may_pass`; it is set unless a test clears it."""

    url: str
    writes: list[Write] = field(default_factory=list)
    may_pass: threading.Event = field(default_factory=threading.Event)


@contextmanager
def recording(upstream: str) -> Iterator[Recorder]:
    recorder = Recorder("")
    recorder.may_pass.set()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._pass_on("")

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
            recorder.writes.append(Write(self.path, {name.lower(): value for name, value in self.headers.items()}, body))
            recorder.may_pass.wait(10)
            with suppress(ConnectionError):  # the sender may have gone
                self._pass_on(body)

        def _pass_on(self, body: str) -> None:
            headers = {name: value for name, value in self.headers.items() if name.lower() not in ("host", "content-length")}
            answer = urllib3.request(self.command, upstream + self.path, headers=headers, body=body or None, timeout=10)
            self.send_response(answer.status)
            self.send_header("Content-Type", answer.headers.get("Content-Type", "application/json"))
            self.send_header("Content-Length", str(len(answer.data)))
            self.end_headers()
            self.wfile.write(answer.data)

        def log_message(self, *_: object) -> None:
            """Nothing: what matters is in `writes`."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    serving = threading.Thread(target=server.serve_forever, daemon=True)
    serving.start()
    recorder.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield recorder
    finally:
        server.shutdown()
        server.server_close()
        serving.join()
