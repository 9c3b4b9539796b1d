"""Every error as `{"code", "message", "details"}`: the sentence names the field, the rule and the value."""

import re
from typing import Any

from django.http import HttpRequest, HttpResponse
from ninja import NinjaAPI
from ninja.errors import AuthenticationError, HttpError, ValidationError

from dashboard import sentences
from dashboard.api.auth import CsrfRefused, MissingScope
from exchanges.errors import ExchangeAPIError, InvalidOrder, RateLimited, UnknownOrder
from exchanges.vault import VaultError
from portfolio.access import NotPermitted
from portfolio.execution.refusals import NotFound, Refused

_CONFLICTS = frozenset({"order_final", "order_outcome_unknown"})


def install(api: NinjaAPI) -> None:
    """Register every exception once."""

    def answer(request: HttpRequest, status: int, code: str, message: str, details: list[dict[str, Any]] | None = None) -> HttpResponse:
        return api.create_response(request, {"code": code, "message": message, "details": details or []}, status=status)

    @api.exception_handler(ValidationError)
    def invalid(request: HttpRequest, error: ValidationError) -> HttpResponse:
        details = [sentences.of_pydantic(item) for item in error.errors]
        return answer(request, 422, "invalid_request", "; ".join(detail["message"] for detail in details), details)

    @api.exception_handler(HttpError)
    def http(request: HttpRequest, error: HttpError) -> HttpResponse:
        # ninja raises 400 for a body that is no JSON at all.
        if error.status_code == 400:
            return answer(request, 422, "invalid_body", "the body must be one JSON object of at most 64 KB")
        return answer(request, error.status_code, "error", str(error))

    @api.exception_handler(AuthenticationError)
    def unauthenticated(request: HttpRequest, _error: AuthenticationError) -> HttpResponse:
        response = answer(request, 401, "unauthenticated", "Send a valid token: Authorization: Bearer <token>.")
        response["WWW-Authenticate"] = "Bearer"
        return response

    @api.exception_handler(MissingScope)
    @api.exception_handler(CsrfRefused)
    @api.exception_handler(NotPermitted)
    def forbidden(request: HttpRequest, error: Exception) -> HttpResponse:
        codes = {MissingScope: "scope_missing", CsrfRefused: "csrf_failed", NotPermitted: "not_permitted"}
        return answer(request, 403, codes[type(error)], str(error))

    @api.exception_handler(NotFound)
    def missing(request: HttpRequest, error: NotFound) -> HttpResponse:
        return answer(request, 404, "not_found", str(error))

    @api.exception_handler(Refused)
    def refused(request: HttpRequest, error: Refused) -> HttpResponse:
        status = 409 if error.code in _CONFLICTS else 422
        return answer(request, status, error.code, error.message, _field(error.field, error.message))

    @api.exception_handler(VaultError)
    def vault(request: HttpRequest, error: VaultError) -> HttpResponse:
        return answer(request, 503, "vault_unavailable", str(error))

    @api.exception_handler(ExchangeAPIError)
    def exchange(request: HttpRequest, error: ExchangeAPIError) -> HttpResponse:
        details = _field(error.field, error.message)
        if isinstance(error, InvalidOrder | UnknownOrder):
            return answer(request, 422, _snake(error), error.user_message, details)
        response = answer(request, 503 if error.is_transient else 502, _snake(error), error.user_message, details)
        if isinstance(error, RateLimited) and error.retry_after_s:
            response["Retry-After"] = str(round(error.retry_after_s))
        return response


def _field(name: str, message: str) -> list[dict[str, Any]]:
    return [{"field": name, "message": message}] if name else []


def _snake(error: Exception) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", type(error).__name__).lower()
