"""What a request may carry: one JSON object whose numbers are taken digit by digit, and no parameter that its path does not know."""

import json
import re
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from functools import wraps
from typing import Any

import orjson
from django.http import HttpRequest
from ninja.errors import ValidationError
from ninja.parser import Parser
from pydantic_core import PydanticCustomError

JSON = "application/json"
MAX_SHOWN_NAME = 80
_LARGEST_EXPONENT = 307  # of what JSON's readers take for a finite number
_DIGITS = re.compile(r"-?[0-9]+")
_MOMENT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,9})?)?(?:[Zz]|[+-][0-9]{2}:?[0-9]{2})")


class UnsupportedMediaType(Exception):
    """The body is announced as something else than JSON."""


class WrongMember(Exception):
    """A member of an object that no JSON should have: given twice (which one is meant is not for us to guess), or a number that is none."""

    def __init__(self, field: str, rule: str, was: str) -> None:
        self.field = field[:MAX_SHOWN_NAME]
        super().__init__(f"{self.field} must be {rule}, was {was[:MAX_SHOWN_NAME]}")


class _NoNumber(str):
    """NaN, Infinity or a number beyond every other, as it was written, until the field is known that it stands in."""

    __slots__ = ()


class StrictJson(Parser):
    """Refuses what JSON does not have (NaN, Infinity, lone surrogates, trailing text) and reads numbers exactly: no float on the way."""

    def parse_body(self, request: HttpRequest) -> Any:
        require_json(request)
        content = json.loads(request.body.decode(), parse_float=_exact, parse_constant=_NoNumber, object_pairs_hook=_checked_members)
        orjson.loads(request.body)
        return content


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
            raise ValidationError([_wrong_parameter("extra_forbidden", "", name, request.GET[name]) for name in unknown])
        repeated = {name: values for name, values in request.GET.lists() if len(values) > 1}
        if repeated:
            rule = "Input should be given once"
            raise ValidationError([_wrong_parameter("repeated", rule, name, " and ".join(values)) for name, values in repeated.items()])
        return view(request, *args, **kwargs)

    return checked


def ascii_digits(value: object) -> object:
    """For whole numbers in an address: pydantic also reads blanks, underscores, 5.0 and digits of other scripts."""
    if isinstance(value, str) and not _DIGITS.fullmatch(value):
        raise PydanticCustomError("int_parsing", "Input should be a whole number in digits")
    return value


def written_out(value: object) -> object:
    """For moments in an address: pydantic also takes a bare number, for seconds or for milliseconds as it thinks likely."""
    if isinstance(value, str) and not _MOMENT.fullmatch(value):
        raise PydanticCustomError("datetime_parsing", "Input should be a date and time with a zone, such as 2026-11-24T12:00:00Z")
    return value


def _wrong_parameter(kind: str, rule: str, name: str, value: str) -> dict[str, Any]:
    return {"type": kind, "msg": rule, "loc": ("query", name), "input": value}


def _exact(text: str) -> Decimal | _NoNumber:
    try:
        number = Decimal(text)
    except InvalidOperation:
        return _NoNumber(text)
    return number if number.adjusted() <= _LARGEST_EXPONENT else _NoNumber(text)


def _checked_members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        names = [name for name, _ in pairs]
        raise WrongMember(next(name for name in names if names.count(name) > 1), "given once", "given several times")
    for name, value in pairs:
        if isinstance(value, _NoNumber):
            raise WrongMember(name, "a number", value)
    return members
