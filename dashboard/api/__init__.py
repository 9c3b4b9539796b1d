"""The REST API under /api/v1: one router per subject, one place for errors, one for who is calling."""

from typing import Any

from django.db import connection
from django.http import HttpRequest, HttpResponse
from ninja import NinjaAPI
from ninja.errors import ValidationError, ValidationErrorContext

from dashboard.api import errors, orders, reading
from dashboard.api.auth import BearerOrSession
from dashboard.api.docs import Docs
from dashboard.api.parsing import StrictJson, known_parameters_only
from dashboard.api.schemas import HealthOut


class CrossbookAPI(NinjaAPI):
    """Keeps the wrong value in a validation error, which ninja 1.7 leaves out: the sentence has to name it. No answer is cached."""

    def create_response(self, request: HttpRequest, data: Any, **kwargs: Any) -> HttpResponse:
        response = super().create_response(request, data, **kwargs)
        response["Cache-Control"] = "no-store"
        return response

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
    auth=BearerOrSession(),
    parser=StrictJson(),
    docs=Docs(),
    urls_namespace="api",
)
errors.install(api)
for router in (reading.router, orders.router):
    router.add_decorator(known_parameters_only)
    api.add_router("", router)


@api.get("/health", auth=None, response=HealthOut, tags=["health"], summary="Is the site up and its database readable")
def health(request: HttpRequest) -> HealthOut:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return HealthOut(status="ok")
