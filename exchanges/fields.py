"""A model field for exact decimals of any length: numeric in PostgreSQL, text in SQLite, whose own decimal keeps 15 digits only."""

from decimal import Decimal
from typing import TYPE_CHECKING, Any, TypeVar

from django import forms
from django.core.exceptions import ValidationError
from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper

from exchanges.decimals import to_decimal

if TYPE_CHECKING:
    _Set = TypeVar("_Set", contravariant=True)
    _Get = TypeVar("_Get", covariant=True)

    class _Base(models.Field[_Set, _Get]):
        _pyi_private_set_type: Decimal | str | int
        _pyi_private_get_type: Decimal
        _pyi_lookup_exact_type: Decimal | str | int
else:

    class _Base(models.Field):
        def __class_getitem__(cls, _):
            return cls


class ExactDecimalField(_Base["_Set", "_Get"]):
    description = "An exact decimal number"

    def db_type(self, connection: BaseDatabaseWrapper) -> str:
        return "numeric" if connection.vendor == "postgresql" else "text"

    def from_db_value(self, value: Any, _expression: Any, _connection: Any) -> Decimal | None:
        return None if value is None else Decimal(value)

    def to_python(self, value: Any) -> Decimal | None:
        if value is None or isinstance(value, Decimal):
            return value
        try:
            return to_decimal(value)
        except ValueError as error:
            raise ValidationError(str(error)) from error

    def get_prep_value(self, value: Any) -> Any:
        number = self.to_python(super().get_prep_value(value))
        return None if number is None else format(number, "f")

    def get_db_prep_value(self, value: Any, connection: BaseDatabaseWrapper, prepared: bool = False) -> Any:
        text = value if prepared else self.get_prep_value(value)
        return Decimal(text) if text is not None and connection.vendor == "postgresql" else text

    def formfield(self, **kwargs: Any) -> forms.Field | None:
        return super().formfield(form_class=forms.DecimalField, **kwargs)
