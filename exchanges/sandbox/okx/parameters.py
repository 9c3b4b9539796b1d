"""What a client sent, query or JSON object alike: an empty string, null and an absent name are one and the same on this venue."""

import json
import re
from collections.abc import Mapping
from decimal import Decimal

from exchanges.sandbox.okx.errors import BAD_JSON, EMPTY_BODY, Rejected, invalid, missing

_DECIMAL = re.compile(r"[0-9]{1,18}(\.[0-9]{1,18})?")


class Parameters:
    """Names to values, read with the venue's refusals: 50014 where a required one is missing, 51000 where one is malformed."""

    def __init__(self, values: Mapping[str, object]) -> None:
        self._values = values

    def value(self, name: str) -> object:
        return self._values.get(name)

    def text(self, name: str) -> str:
        """The value as text, "" where absent. JSON numbers and booleans count as their text: clients send `5` and `true` unquoted."""
        value = self._values.get(name)
        if value is None:
            return ""
        if isinstance(value, bool):
            return "true" if value else "false"
        if isinstance(value, str):
            return value
        raise invalid(name)

    def required(self, name: str) -> str:
        text = self.text(name)
        if not text:
            raise missing(name)
        return text

    def choice(self, name: str, allowed: tuple[str, ...], *, default: str | None = None) -> str:
        text = self.required(name) if default is None else self.text(name) or default
        if text not in allowed:
            raise invalid(name)
        return text

    def integer(self, name: str) -> int | None:
        text = self.text(name)
        if not text:
            return None
        if not (text.isascii() and text.isdigit() and len(text) <= 20):
            raise invalid(name)
        return int(text)

    def positive_decimal(self, name: str) -> Decimal:
        text = self.required(name)
        if not _DECIMAL.fullmatch(text) or not (number := Decimal(text)):
            raise invalid(name)
        return number

    def limit(self, *, default: int, maximum: int) -> int:
        """How many rows; above the maximum the venue refuses (51000)."""
        limit = self.integer("limit")
        if limit is None:
            return default
        if not 1 <= limit <= maximum:
            raise invalid("limit")
        return limit

    def capped_limit(self, *, default: int, maximum: int) -> int:
        """How many rows of market data; above the maximum the venue answers with the maximum."""
        limit = self.integer("limit")
        return default if not limit else min(limit, maximum)


def from_body(body: bytes) -> Parameters | list[Parameters]:
    """A JSON object, or a list of them. Numbers keep the text that was sent. Raises Rejected."""
    if not body:
        raise Rejected(EMPTY_BODY)
    try:
        parsed = json.loads(body, parse_float=str, parse_int=str, parse_constant=str)
    except (ValueError, RecursionError) as error:
        raise Rejected(BAD_JSON) from error
    if isinstance(parsed, dict):
        return Parameters(parsed)
    if isinstance(parsed, list) and all(isinstance(item, dict) for item in parsed):
        return [Parameters(item) for item in parsed]
    raise Rejected(BAD_JSON)
