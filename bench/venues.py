"""A server that answers like three venues from prepared bytes, so that only the caller's work is measured. Started as a process of its own:
`python -m bench.venues PORT PORT PORT`, a port for each venue, since venues are hosts of their own and connections are counted by host.
Latency is set with POST /latency/<milliseconds>."""

import asyncio
import socket
import sys
import time

import orjson
import uvloop
from aiohttp import web

from bench import payloads


class Server:
    def __init__(self) -> None:
        self.latency_s = 0.0
        self.answers = payloads.prepared(100)
        self.okx_client_ids: dict[str, str] = {}

    async def set_latency(self, request: web.Request) -> web.Response:
        self.latency_s = int(request.match_info["milliseconds"]) / 1_000
        return web.Response()

    async def set_positions(self, request: web.Request) -> web.Response:
        self.answers = payloads.prepared(int(request.match_info["count"]))
        return web.Response()

    async def answer(self, request: web.Request) -> web.Response:
        if self.latency_s:
            await asyncio.sleep(self.latency_s)
        body = self.answers.get(request.path)
        if body is None:
            body = self._order_answer(request.path, await _sent(request))
        if request.path.endswith("/time"):
            body = payloads.time_answer(request.path, round(time.time() * 1_000))
        if body is None:
            return web.Response(status=404, text=request.path)
        return web.Response(body=body, content_type="application/json")

    def _order_answer(self, path: str, sent: dict[str, str]) -> bytes | None:
        order_id = sent.get("ordId") or str(312_269_865_356_374_016 + len(self.okx_client_ids))
        if "clOrdId" in sent:
            self.okx_client_ids[order_id] = sent["clOrdId"]
        return payloads.order_answer(path, sent, okx_order_id=order_id, okx_client_id=self.okx_client_ids.get(order_id, ""))


async def _sent(request: web.Request) -> dict[str, str]:
    if request.method == "GET":
        return dict(request.query)
    if "json" in request.content_type:
        sent: dict[str, str] = orjson.loads(await request.read())
        return sent
    return {name: str(value) for name, value in (await request.post()).items()}


def _listening(port: int) -> socket.socket:
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", port))
    return listener


def main() -> None:
    asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())
    server = Server()
    app = web.Application()
    app.router.add_post("/latency/{milliseconds}", server.set_latency)
    app.router.add_post("/positions/{count}", server.set_positions)
    app.router.add_route("*", "/{path:.*}", server.answer)
    web.run_app(app, sock=[_listening(int(port)) for port in sys.argv[1:]], print=None, access_log=None)


if __name__ == "__main__":
    main()
