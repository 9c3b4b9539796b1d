"""What machines ask: does the process live, may it be sent requests, what has it counted. They come without an account and by address."""

import hmac
from functools import cache

from django.conf import settings
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.recorder import MigrationRecorder
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_safe
from redis import RedisError

from dashboard import shared_metrics

OK = "ok"
NO_ANSWER = "does not answer"
_PLAIN = "text/plain; charset=utf-8"
_EXPOSITION = "text/plain; version=0.0.4; charset=utf-8"


class NotApplied(Exception):
    """The database is behind the code; the text says by how many migrations."""


@require_safe
def healthz(_request: HttpRequest) -> HttpResponse:
    """Touches nothing but the process: an orchestrator restarts what does not answer here, and a lost database is no reason for that."""
    return HttpResponse("ok\n", content_type=_PLAIN)


@require_safe
def readyz(_request: HttpRequest) -> HttpResponse:
    parts = {"database": _database(), "migrations": NO_ANSWER, "valkey": _valkey()}
    if parts["database"] == OK:
        parts["migrations"] = _migrations()
    is_ready = set(parts.values()) == {OK}
    return JsonResponse({"ready": is_ready, **parts}, status=200 if is_ready else 503)


@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """For whoever sends METRICS_TOKEN; where none is set there is no such page. The address of the asker proves nothing: a proxy on this
    machine comes from the loopback too (S86)."""
    if not settings.METRICS_TOKEN:
        raise Http404
    given = request.headers.get("Authorization", "").encode()
    if not hmac.compare_digest(given, f"Bearer {settings.METRICS_TOKEN}".encode()):
        return HttpResponse("Send the token: Authorization: Bearer <METRICS_TOKEN>.\n", status=401, content_type=_PLAIN)
    return HttpResponse(shared_metrics.exposition(), content_type=_EXPOSITION)


def _database() -> str:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return NO_ANSWER
    return OK


def _migrations() -> str:
    try:
        _require_migrations()
        # Asked each time: where its file is gone SQLite makes an empty one, and a database may be put in place of another.
        if not MigrationRecorder(connection).has_table():
            return "none is applied"
    except NotApplied as missing:
        return str(missing)
    except DatabaseError:
        return NO_ANSWER
    return OK


@cache
def _require_migrations() -> None:
    """Raises NotApplied; asked no more once all are applied, since the code of a process does not change."""
    executor = MigrationExecutor(connection)
    missing = len(executor.migration_plan(executor.loader.graph.leaf_nodes()))
    if missing:
        raise NotApplied(f"{missing} not applied yet")


def _valkey() -> str:
    try:
        with shared_metrics.valkey() as client:
            client.ping()
    except RedisError:
        return NO_ANSWER
    return OK
