"""Wrong input in one sentence: the field, the rule, the value. Programs read the field's name, people its label."""

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django import forms
from django.core.validators import MaxLengthValidator

SHOWN_CHARACTERS = 80
_SOURCES = ("body", "query", "path", "header")
_LABELS = {
    "api_key": "API key",
    "api_secret": "API secret",
    "order_type": "type",
    "reduce_only": "reduce-only",
    "scopes": "scope",
    "venue": "exchange",
}
_FIELD_FIRST = re.compile(r"([a-z]+(?:_[a-z]+)*) (?:must|is) ")


def name_of(field: str) -> str:
    """A field as its label says it, inside a sentence: `API secret` for api_secret."""
    return _LABELS.get(field, field.replace("_", " "))


def name_fields(fields: Mapping[str, forms.Field]) -> None:
    """Django's own messages do not say which field they are about: these begin with it."""
    for name, field in fields.items():
        label = name_of(name)
        field.error_messages |= {
            "required": f"{label} is required",
            "invalid_choice": f"{label} must be one of those offered, was %(value).40s",
        }
        for rule in field.validators:
            if isinstance(rule, MaxLengthValidator):
                rule.message = f"{label} must have at most %(limit_value)d characters, had %(show_value)d"


def for_people(sentence: str) -> str:
    """The same sentence with the label of the field it begins with, where that is written otherwise."""
    begins = _FIELD_FIRST.match(sentence)
    return f"{name_of(begins[1])}{sentence[begins.end(1) :]}" if begins else sentence


def of_pydantic(item: dict[str, Any]) -> dict[str, Any]:
    """One pydantic error as `field` and `message`."""
    source, *path = [str(part) for part in item["loc"]] or [""]
    if source not in _SOURCES:
        path = [source, *path]
    # The first part is the name of our parameter, not of a field, wherever a whole body is meant.
    name = ".".join(path[1:] if source == "body" and len(path) > 1 else path)
    message = _rule(item)
    if item["type"] == "value_error":
        # A rule over several fields has no place of its own; its sentence begins with the field to change.
        begins = _FIELD_FIRST.match(message)
        return {"field": begins[1] if begins else "", "message": message}
    value = item.get("input")
    shown = "" if item["type"] == "missing" or isinstance(value, dict) else f", was {_shown(value)}"
    return {"field": name, "message": f"{name} {message}{shown}"}


def _rule(item: dict[str, Any]) -> str:
    kind, context = item["type"], item.get("ctx") or {}
    if kind == "missing":
        return "is required"
    if kind == "extra_forbidden":
        return f"must be left out: it is not a {'parameter' if item['loc'][0] == 'query' else 'field'} of this request"
    if kind == "value_error":
        return str(context.get("error", item["msg"]))
    if kind == "string_pattern_mismatch":
        return f"must match {context.get('pattern')}"
    if kind == "greater_than":
        return f"must be greater than {context.get('gt')}"
    return re.sub(r"^(Input|Value|Decimal input) should ", "must ", str(item["msg"])).rstrip(".")


def _shown(value: object) -> str:
    text = str(value) if isinstance(value, str | Decimal) else repr(value)
    return text if len(text) <= SHOWN_CHARACTERS else f"{text[:SHOWN_CHARACTERS]}…"
