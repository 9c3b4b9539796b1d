"""Wrong input in one sentence: the field, the rule, the value. From pydantic's errors, for programs and people alike."""

import re
from typing import Any

SHOWN_CHARACTERS = 80


def of_pydantic(item: dict[str, Any]) -> dict[str, Any]:
    """One pydantic error as `field` and `message`."""
    path = [str(part) for part in item["loc"] if part not in ("body", "query", "path", "header")]
    # The first part is the name of our parameter, not of a field, wherever a whole body is meant.
    name = ".".join(path[1:] if item["loc"][0] == "body" and len(path) > 1 else path)
    rule = _rule(item)
    value = item.get("input")
    shown = "" if item["type"] in ("missing", "value_error") or isinstance(value, dict) else f", was {_shown(value)}"
    message = f"{rule}{shown}" if item["type"] == "value_error" else f"{name} {rule}{shown}"
    return {"field": "" if item["type"] == "value_error" else name, "message": message}


def _rule(item: dict[str, Any]) -> str:
    kind, context = item["type"], item.get("ctx") or {}
    if kind == "missing":
        return "is required"
    if kind == "extra_forbidden":
        return "must be left out: it is not a field of this request"
    if kind == "value_error":
        return str(context.get("error", item["msg"]))
    if kind == "string_pattern_mismatch":
        return f"must match {context.get('pattern')}"
    if kind == "greater_than":
        return f"must be greater than {context.get('gt')}"
    return re.sub(r"^(Input|Value|Decimal input) should ", "must ", str(item["msg"])).rstrip(".")


def _shown(value: object) -> str:
    text = value if isinstance(value, str) else repr(value)
    return text if len(text) <= SHOWN_CHARACTERS else f"{text[:SHOWN_CHARACTERS]}…"
