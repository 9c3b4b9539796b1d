"""What a process counts of its own work: requests, open pages, pushes, tasks. Routes and names of tasks only: nothing here tells whose."""

import time
from collections.abc import Callable
from typing import Any

from celery.signals import task_postrun
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from prometheus_client import Counter, Gauge, Histogram

from dashboard.edge import Application, Scope

_UNTIL_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5)
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})

REQUESTS = Counter("crossbook_http_requests", "Requests, by route and status.", ["method", "route", "status"])
REQUEST_SECONDS = Histogram("crossbook_http_request_seconds", "How long an answer took.", ["route"], buckets=_UNTIL_S)
OPEN_PAGES = Gauge("crossbook_open_pages", "Pages that are connected to the live book.")
PUSH_SECONDS = Histogram("crossbook_push_seconds", "From sending a change to an open page until that page had taken it.", buckets=_UNTIL_S)
TASKS = Counter("crossbook_tasks", "Tasks of the worker, by how they ended.", ["task", "outcome"])


def counted(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Middleware. What a stranger may choose (paths that do not exist, odd methods) makes no series of its own."""

    def middleware(request: HttpRequest) -> HttpResponse:
        began = time.monotonic()
        response = get_response(request)
        route = _route(request)
        method = request.method if request.method in _METHODS else "other"
        REQUESTS.labels(method, route, response.status_code).inc()
        REQUEST_SECONDS.labels(route).observe(time.monotonic() - began)
        return response

    return middleware


def counted_socket(application: Application) -> Application:
    """A page says which message it has taken, and is sent one at a time."""

    async def counting(scope: Scope, receive: Any, send: Any) -> None:
        sent_at, is_open = 0.0, False

        async def counted_send(message: dict[str, Any]) -> None:
            nonlocal sent_at, is_open
            if message["type"] == "websocket.accept" and not is_open:
                is_open = True
                OPEN_PAGES.inc()
            elif message["type"] == "websocket.send":
                sent_at = time.monotonic()
            await send(message)

        async def counted_receive() -> dict[str, Any]:
            nonlocal sent_at
            message: dict[str, Any] = await receive()
            if message["type"] == "websocket.receive" and sent_at:
                PUSH_SECONDS.observe(time.monotonic() - sent_at)
                sent_at = 0.0
            return message

        try:
            await application(scope, counted_receive, counted_send)
        finally:
            if is_open:
                OPEN_PAGES.dec()

    return counting


@task_postrun.connect
def count_task(task: Any, state: str | None = None, **_others: Any) -> None:
    TASKS.labels(task.name, (state or "unknown").lower()).inc()


def _route(request: HttpRequest) -> str:
    if request.resolver_match is not None:
        return request.resolver_match.route or "/"
    return "static" if request.path.startswith(settings.STATIC_URL) else "none"
