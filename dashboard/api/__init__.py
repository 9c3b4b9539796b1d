"""The REST API under /api/v1: one router per subject, one place for errors, one for who is calling."""

from typing import Any

import orjson
from django.db import connection
from django.http import HttpRequest
from ninja import NinjaAPI
from ninja.errors import ValidationError, ValidationErrorContext
from ninja.parser import Parser

from dashboard.api import errors, orders, reading
from dashboard.api.auth import authenticate
from dashboard.api.schemas import HealthOut


class StrictJson(Parser):
    """Refuses what JSON does not have: NaN, Infinity, trailing text."""

    def parse_body(self, request: HttpRequest) -> Any:
        return orjson.loads(request.body)


class CrossbookAPI(NinjaAPI):
    """Keeps the wrong value in a validation error, which ninja 1.7 leaves out: the sentence has to name it."""

    def validation_error_from_error_contexts(self, error_contexts: list[ValidationErrorContext[Any]]) -> ValidationError:
        return ValidationError(
            [
                {**item, "loc": (context.model.__ninja_param_source__, *_flattened(context.model, item["loc"]))}
                for context in error_contexts
                for item in context.pydantic_validation_error.errors(include_url=False)
            ]
        )


def _flattened(model: Any, location: tuple[int | str, ...]) -> tuple[int | str, ...]:
    path: tuple[int | str, ...] = model.__ninja_flatten_map_reverse__.get(location, location)
    return path


api = CrossbookAPI(
    title="Crossbook",
    version="1",
    description="One live book over Binance USD-M, Bybit V5 and OKX V5. Decimals are strings; times are UTC.",
    auth=authenticate,
    parser=StrictJson(),
    urls_namespace="api",
)
errors.install(api)
api.add_router("", reading.router)
api.add_router("", orders.router)


@api.get("/health", auth=None, response=HealthOut, tags=["health"], summary="Is the site up and its database readable")
def health(request: HttpRequest) -> HealthOut:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return HealthOut(status="ok")
