"""The REST API under /api/v1: one router per subject, one place for errors, one for who is calling."""

from functools import cached_property
from typing import Any

from django.db import connection
from django.http import HttpRequest, HttpResponse
from ninja import NinjaAPI
from ninja.errors import ValidationError, ValidationErrorContext
from ninja.openapi.schema import OpenAPISchema

from dashboard.api import accounts, errors, limits, market, orders, reading, routing
from dashboard.api.auth import BearerOrSession
from dashboard.api.docs import Docs, for_callers
from dashboard.api.parsing import JSON, StrictJson, known_parameters_only
from dashboard.api.schemas import ErrorOut, HealthOut


class CrossbookAPI(NinjaAPI):
    """Keeps the wrong value in a validation error, which ninja 1.7 leaves out: the sentence has to name it. No answer is cached."""

    @cached_property
    def _description(self) -> OpenAPISchema:
        """Made once: it takes a quarter of a second of work. All that is private has a limit."""
        found = super().get_openapi_schema()
        too_often = {
            "description": "Too Many Requests",
            "content": {JSON: {"schema": {"$ref": f"#/components/schemas/{ErrorOut.__name__}"}}},
        }
        for methods in found["paths"].values():
            for operation in methods.values():
                if "security" in operation:
                    operation["responses"][429] = too_often
        return found

    def get_openapi_schema(self, **_prefix: Any) -> OpenAPISchema:
        return self._description

    def create_response(self, request: HttpRequest, data: Any, **kwargs: Any) -> HttpResponse:
        response = super().create_response(request, data, **kwargs)
        response["Cache-Control"] = "no-store"
        return response

    def validation_error_from_error_contexts(self, error_contexts: list[ValidationErrorContext[Any]]) -> ValidationError:
        return ValidationError(
            [
                {**item, "loc": (context.model.__ninja_param_source__, *_flattened(context.model, item["loc"])), **_withheld(context.model)}
                for context in error_contexts
                for item in context.pydantic_validation_error.errors(include_url=False)
            ]
        )


def _withheld(model: Any) -> dict[str, str]:
    """What stands for the value in an error about a body that holds secrets (`hide_input_in_errors`): a misspelt field may hold one too."""
    bodies = [field.annotation for field in model.model_fields.values()]
    holds_secrets = any(getattr(body, "model_config", {}).get("hide_input_in_errors") for body in bodies)
    return {"input": "…"} if holds_secrets else {}


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
    docs_decorator=for_callers,
    urls_namespace="api",
)
errors.install(api)
limits.install(api)
for router in (accounts.router, reading.router, orders.router, market.router, routing.router):
    router.add_decorator(known_parameters_only)
    api.add_router("", router, throttle=limits.REQUESTS)


@api.get("/health", auth=None, response=HealthOut, tags=["health"], summary="Is the site up and its database readable")
def health(request: HttpRequest) -> HealthOut:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return HealthOut(status="ok")
