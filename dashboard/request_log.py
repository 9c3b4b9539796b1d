"""The id of a request: on its answer, on every log line it causes, and on the tasks it starts; and the lines of the request itself."""

import re
import uuid

import structlog
from django.http import HttpRequest, HttpResponse
from django_structlog.middlewares.request import RequestMiddleware

from dashboard import operation

HEADER = "X-Request-ID"
_WELL_FORMED = re.compile(r"[A-Za-z0-9._-]{8,64}")

logger = structlog.get_logger(__name__)


class RequestLog(RequestMiddleware):
    """django_structlog's middleware without what it would say of a person: no address, no browser, and of the request no query. It runs in
    the thread of the request, as its neighbours do."""

    async_capable = False

    def prepare(self, request: HttpRequest) -> None:
        given = request.headers.get(HEADER, "")
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=given if _WELL_FORMED.fullmatch(given) else uuid.uuid4().hex)
        logger.debug("request_started", request=self.format_request(request))

    def handle_response(self, request: HttpRequest, response: HttpResponse) -> None:
        """A probe that is answered well every few seconds is no event."""
        response[HEADER] = structlog.contextvars.get_contextvars().get("request_id", "")
        if request.path in operation.FOR_MACHINES and response.status_code < 400:
            structlog.contextvars.clear_contextvars()
            return
        super().handle_response(request, response)

    @staticmethod
    def format_request(request: HttpRequest) -> str:
        return f"{request.method} {request.path}"

    @staticmethod
    def bind_user_id(request: HttpRequest) -> None:
        """Only where somebody asked already who it is: no query for the log's sake."""
        user = getattr(request, "_cached_user", None)
        if user is not None and user.pk is not None:
            structlog.contextvars.bind_contextvars(user_id=user.pk)
