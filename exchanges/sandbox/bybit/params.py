"""Request parameters of either kind (query string, JSON body) read with the venue's types; a wrong type is a parameter error.

Quantities and prices travel as plain decimal strings; exponents and JSON numbers are refused. Unknown parameters are ignored, as
the venue does.
"""

import re
from collections.abc import Mapping
from decimal import Decimal

from exchanges.sandbox.bybit.errors import VenueError, bad_parameter

_DECIMAL = re.compile(r"[0-9]{1,18}(\.[0-9]{1,18})?")
_SIGNED = re.compile(r"-?[0-9]{1,18}(\.[0-9]{1,18})?")
_INTEGER = re.compile(r"-?[0-9]{1,18}")


class Params:
    def __init__(self, values: Mapping[str, object]) -> None:
        self._values = values

    def text(self, name: str, default: str = "") -> str:
        """Absent, null and "" are the same to this venue."""
        value = self._values.get(name)
        if value is None or value == "":
            return default
        if not isinstance(value, str):
            raise bad_parameter(name)
        return value

    def required(self, name: str) -> str:
        value = self.text(name)
        if not value:
            raise bad_parameter(name)
        return value

    def choice(self, name: str, allowed: tuple[str, ...], default: str = "") -> str:
        value = self.text(name, default)
        if value not in allowed:
            raise bad_parameter(name)
        return value

    def integer(self, name: str) -> int | None:
        """Integers are JSON numbers or digits in a string."""
        value = self._values.get(name)
        if value is None or value == "":
            return None
        if isinstance(value, int) and not isinstance(value, bool):
            return value
        if isinstance(value, str) and _INTEGER.fullmatch(value):
            return int(value)
        raise bad_parameter(name)

    def limit(self, *, default: int, most: int) -> int:
        """Page sizes above the venue's largest are cut to it."""
        asked = self.integer("limit")
        if asked is None:
            return default
        if asked < 1:
            raise bad_parameter("limit")
        return min(asked, most)

    def flag(self, name: str) -> bool:
        value = self._values.get(name)
        if value is None or value == "":
            return False
        if isinstance(value, bool):
            return value
        if value in ("true", "false"):
            return value == "true"
        raise bad_parameter(name)

    def decimal(self, name: str, refusal: VenueError) -> Decimal | None:
        value = self._values.get(name)
        if value is None or value == "":
            return None
        if not isinstance(value, str) or not _DECIMAL.fullmatch(value):
            raise refusal
        return Decimal(value)

    def signed(self, name: str, *, most_decimals: int) -> Decimal:
        """Required; may be negative."""
        text = self.required(name)
        if not _SIGNED.fullmatch(text) or len(text.partition(".")[2]) > most_decimals:
            raise bad_parameter(name)
        return Decimal(text)

    def has_value(self, name: str) -> bool:
        """True where the parameter asks for something: "0" and "" mean none in the venue's optional price fields."""
        value = self._values.get(name)
        return value not in (None, "", False) and not (isinstance(value, str) and _is_zero(value))

    def rows(self, name: str) -> list["Params"]:
        """A list of objects (batch requests)."""
        value = self._values.get(name)
        if not isinstance(value, list) or not all(isinstance(row, dict) for row in value):
            raise bad_parameter(name)
        return [Params(row) for row in value]


def _is_zero(value: str) -> bool:
    return _DECIMAL.fullmatch(value) is not None and Decimal(value) == 0
