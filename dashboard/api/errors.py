"""Every error as `{"code", "message", "details"}`: the sentence names the field, the rule and the value."""

import json
import logging
import math
import re
from collections.abc import Callable
from typing import Any

import orjson
from django.core.exceptions import RequestDataTooBig
from django.db import OperationalError
from django.http import HttpRequest, HttpResponse
from ninja import NinjaAPI
from ninja.errors import AuthenticationError, HttpError, ValidationError

from dashboard import sentences
from dashboard.api.auth import CsrfRefused, MissingScope
from dashboard.api.parsing import JSON, UnsupportedMediaType, WrongMember
from exchanges.errors import ExchangeAPIError, InvalidOrder, RateLimited, SettingRefused, UnknownOrder
from exchanges.models import Credential
from exchanges.routing import WrongRules
from exchanges.routing.rules import RuleChanged
from exchanges.vault import VaultError
from portfolio.access import NotPermitted
from portfolio.execution.margin import SettingUnconfirmed
from portfolio.execution.refusals import NotFound, Refused

logger = logging.getLogger(__name__)

PREFIX = "/api/v1/"
# 64 KB of fields that nobody knows would be answered with a megabyte.
MOST_FAULTS_TOLD = 20
_CONFLICTS = frozenset({"order_final", "order_outcome_unknown"})
# Django's own answers: bad requests, unknown paths, what nobody foresaw.
_PLAIN = {
    400: ("bad_request", "This request could not be read."),
    403: ("forbidden", "This is not allowed."),
    404: ("not_found", "There is no such path."),
    500: ("internal_error", "Something broke on our side and was logged. If this was an order, read the orders before sending it again."),
}


def in_one_shape(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Middleware: whatever fails before or beyond an operation of the API answers as everything else does, and HEAD, which ninja 1.7 does
    not know, as GET (the server leaves the body out)."""

    def middleware(request: HttpRequest) -> HttpResponse:
        asked = request.method
        if asked == "HEAD" and request.path_info.startswith(PREFIX):
            request.method = "GET"
        response = get_response(request)
        request.method = asked
        if response.status_code < 400 or not request.path_info.startswith(PREFIX) or response["Content-Type"].startswith(JSON):
            return response
        code, message = _PLAIN.get(response.status_code, ("error", response.reason_phrase))
        if response.status_code == 405:
            code, message = "method_not_allowed", f"method must be one of {response['Allow']}, was {request.method}"
        response.content = orjson.dumps({"code": code, "message": message, "details": []})
        response["Content-Type"], response["Content-Length"] = JSON, str(len(response.content))
        response["Cache-Control"] = "no-store"
        return response

    return middleware


def install(api: NinjaAPI) -> None:
    """Register every exception once."""

    def answer(request: HttpRequest, status: int, code: str, message: str, details: list[dict[str, Any]] | None = None) -> HttpResponse:
        return api.create_response(request, {"code": code, "message": message, "details": details or []}, status=status)

    @api.exception_handler(ValidationError)
    def invalid(request: HttpRequest, error: ValidationError) -> HttpResponse:
        details = [sentences.of_pydantic(_in_words_of_json(item)) for item in error.errors[:MOST_FAULTS_TOLD]]
        return answer(request, 422, "invalid_request", "; ".join(detail["message"] for detail in details), details)

    @api.exception_handler(HttpError)
    def http(request: HttpRequest, error: HttpError) -> HttpResponse:
        # ninja raises 400 from whatever reading the body raised.
        if isinstance(error.__cause__, WrongMember):
            message = str(error.__cause__)
            return answer(request, 422, "invalid_body", message, _field(error.__cause__.field, message))
        if isinstance(error.__cause__, UnsupportedMediaType):
            return unsupported(request, error.__cause__)
        if error.status_code == 400:
            return answer(request, 422, "invalid_body", "the body must be one JSON object of at most 64 KB")
        return answer(request, error.status_code, "error", str(error))

    @api.exception_handler(UnsupportedMediaType)
    def unsupported(request: HttpRequest, error: UnsupportedMediaType) -> HttpResponse:
        return answer(request, 415, "unsupported_media_type", str(error))

    @api.exception_handler(RequestDataTooBig)
    def too_big(request: HttpRequest, _error: RequestDataTooBig) -> HttpResponse:
        return answer(request, 413, "body_too_large", "the body must be at most 64 KB")

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

    @api.exception_handler(WrongRules)
    def wrong_rules(request: HttpRequest, error: WrongRules) -> HttpResponse:
        details = [{"field": fault.field, "message": fault.message} for fault in error.faults]
        return answer(request, 422, "invalid_rule", str(error), details)

    @api.exception_handler(RuleChanged)
    def rule_changed(request: HttpRequest, error: RuleChanged) -> HttpResponse:
        return answer(request, 409, "rule_changed", str(error))

    @api.exception_handler(VaultError)
    def vault(request: HttpRequest, error: VaultError) -> HttpResponse:
        return answer(request, 503, "vault_unavailable", str(error))

    @api.exception_handler(Credential.DoesNotExist)
    def without_keys(request: HttpRequest, _error: Credential.DoesNotExist) -> HttpResponse:
        message = "account must have keys, this one has none"
        return answer(request, 422, "no_credential", message, _field("account", message))

    @api.exception_handler(SettingUnconfirmed)
    def unconfirmed(request: HttpRequest, error: SettingUnconfirmed) -> HttpResponse:
        return answer(request, 503, "setting_unconfirmed", str(error))

    @api.exception_handler(OperationalError)
    def database(request: HttpRequest, error: OperationalError) -> HttpResponse:
        logger.error("%s %s: the database did not answer", request.method, request.path, exc_info=error)
        return answer(request, 503, "database_unavailable", "The database does not answer at the moment. Try again shortly.")

    @api.exception_handler(TimeoutError)
    def late(request: HttpRequest, _error: TimeoutError) -> HttpResponse:
        return answer(request, 503, "exchange_timeout", "The exchange did not answer in time; nothing was sent.")

    @api.exception_handler(ExchangeAPIError)
    def exchange(request: HttpRequest, error: ExchangeAPIError) -> HttpResponse:
        details = _field(error.field, error.message)
        if isinstance(error, InvalidOrder | UnknownOrder):
            return answer(request, 422, _snake(error), error.user_message, details)
        if isinstance(error, SettingRefused):
            return answer(request, 409, _snake(error), error.user_message, details)
        response = answer(request, 503 if error.is_transient else 502, _snake(error), error.message_of_read, details)
        if isinstance(error, RateLimited) and error.retry_after_s:
            response["Retry-After"] = str(math.ceil(error.retry_after_s))
        return response


def _in_words_of_json(item: dict[str, Any]) -> dict[str, Any]:
    """A pydantic error with its value as the sender knows it (true and null, not True and None) and a rule that begins as all others do."""
    value = item.get("input")
    if isinstance(value, dict | list):
        value = "an object" if isinstance(value, dict) else "a list"
    elif value is None or isinstance(value, bool):
        value = json.dumps(value)
    return item | {"input": value, "msg": re.sub(r"^String should ", "Input should ", item["msg"])}


def _field(name: str, message: str) -> list[dict[str, Any]]:
    return [{"field": name, "message": message}] if name else []


def _snake(error: Exception) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", type(error).__name__).lower()
