"""The parameters of a request as they were sent: query string and form body, raw for the signature and decoded for the handlers.

Unknown parameters are ignored, as this venue does.
"""

import json
import re
from collections.abc import Mapping
from decimal import Decimal
from urllib.parse import unquote_plus

from exchanges.sandbox.binance import errors

_NUMBER = re.compile(r"-?[0-9]{1,20}(\.[0-9]{1,20})?")
_INTEGER = re.compile(r"-?[0-9]{1,19}")
_MOST_DIGITS = 40
_FLAGS = {"true": True, "false": False}
_SIGNATURE = "signature"


class Params:
    """Decoded values by name. The getters refuse with the venue's own codes."""

    def __init__(self, values: Mapping[str, str]) -> None:
        self._values = values

    def has(self, name: str) -> bool:
        return name in self._values

    def text(self, name: str) -> str | None:
        value = self._values.get(name)
        if value == "":
            raise errors.empty(name)
        return value

    def required(self, name: str) -> str:
        value = self._values.get(name)
        if not value:
            raise errors.missing(name)
        return value

    def choice(self, name: str, choices: tuple[str, ...], refusal: errors.VenueError) -> str | None:
        value = self.text(name)
        if value is not None and value not in choices:
            raise refusal
        return value

    def integer(self, name: str) -> int | None:
        value = self.text(name)
        if value is None:
            return None
        if not _INTEGER.fullmatch(value):
            raise errors.missing(name)
        return int(value)

    def required_integer(self, name: str) -> int:
        self.required(name)
        value = self.integer(name)
        if value is None:
            raise errors.missing(name)
        return value

    def limit(self, *, default: int, most: int) -> int:
        value = self.integer("limit")
        if value is None:
            return default
        if not 1 <= value <= most:
            raise errors.invalid_data("limit")
        return value

    def number(self, name: str) -> Decimal | None:
        """A plain decimal; scientific notation, signs other than minus and anything else are malformed."""
        value = self.text(name)
        if value is None:
            return None
        if not _NUMBER.fullmatch(value):
            raise errors.missing(name)
        return Decimal(value)

    def flag(self, name: str) -> bool | None:
        value = self.text(name)
        if value is None:
            return None
        if value.lower() not in _FLAGS:
            raise errors.missing(name)
        return _FLAGS[value.lower()]

    def json_list(self, name: str) -> list[object] | None:
        value = self.text(name)
        if value is None:
            return None
        try:
            decoded = json.loads(value, parse_float=_fraction)
        except (ValueError, RecursionError) as error:
            raise errors.missing(name) from error
        if not isinstance(decoded, list):
            raise errors.missing(name)
        return decoded


def _fraction(text: str) -> Decimal:
    """Raises ValueError for a number that would take more digits to write than any parameter has."""
    number = Decimal(text)
    if abs(number.adjusted()) > _MOST_DIGITS:
        raise ValueError(text)
    return number


class Sent:
    """One request's parameters on the wire: `signed_text` is what the client must have signed (query and body joined without a
    separator, the signature itself taken out), `signature` what it sent. A name in both places counts as in the query."""

    def __init__(self, query: str, body: str) -> None:
        in_query, in_body = _pairs(query), _pairs(body)
        self.signed_text = "".join("&".join(raw for name, _, raw in pairs if name != _SIGNATURE) for pairs in (in_query, in_body))
        values = {**_decoded(in_body), **_decoded(in_query)}
        self.signature = values.pop(_SIGNATURE, None)
        self.params = Params(values)


def _pairs(raw: str) -> list[tuple[str, str, str]]:
    pairs = []
    for part in raw.split("&"):
        if part:
            name, _, value = part.partition("=")
            pairs.append((unquote_plus(name), unquote_plus(value), part))
    return pairs


def _decoded(pairs: list[tuple[str, str, str]]) -> dict[str, str]:
    values = {name: value for name, value, _ in pairs}
    if len(values) != len(pairs):
        raise errors.VenueError(-1101, "Duplicate values for a parameter detected.")
    return values
