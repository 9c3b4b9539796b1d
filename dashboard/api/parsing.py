"""What a request may carry: one JSON object whose numbers are taken digit by digit, and no parameter that its path does not know."""

import json
from collections.abc import Callable
from decimal import Decimal
from functools import wraps
from typing import Any

import orjson
from django.http import HttpRequest
from ninja.errors import ValidationError
from ninja.parser import Parser

JSON = "application/json"


class UnsupportedMediaType(Exception):
    """The body is announced as something else than JSON."""


class RepeatedField(Exception):
    """An object gives a field twice: which one is meant is not for us to guess."""


class StrictJson(Parser):
    """Refuses what JSON does not have (NaN, Infinity, lone surrogates, trailing text) and reads numbers exactly: no float on the way."""

    def parse_body(self, request: HttpRequest) -> Any:
        require_json(request)
        orjson.loads(request.body)
        return json.loads(request.body, parse_float=Decimal, object_pairs_hook=_without_repetition)


def require_json(request: HttpRequest) -> None:
    """Raises UnsupportedMediaType. A missing Content-Type is taken for JSON."""
    if request.content_type not in (JSON, ""):
        raise UnsupportedMediaType(f"Content-Type must be {JSON}, was {request.content_type}")


def known_parameters_only(view: Callable[..., Any]) -> Callable[..., Any]:
    """ninja 1.7 drops what a path does not declare. A misspelt filter must not answer everything; a token has no place in an address."""
    models = view._ninja_operation.models  # type: ignore[attr-defined]
    known = {name for model in models if model.__ninja_param_source__ == "query" for name in model.__ninja_flatten_map__}

    @wraps(view)
    def checked(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        unknown = sorted(set(request.GET) - known)
        if unknown:
            raise ValidationError([{"type": "extra_forbidden", "loc": ("query", name), "input": request.GET[name]} for name in unknown])
        return view(request, *args, **kwargs)

    return checked


def _without_repetition(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) < len(pairs):
        names = [name for name, _ in pairs]
        raise RepeatedField(next(name for name in names if names.count(name) > 1))
    return fields
