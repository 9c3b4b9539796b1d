"""The admin, closed by default: what no rule opens to staff is for superusers alone, also where somebody granted the permission.

An admin class opens itself with `is_for_staff = True`; it then shows staff the rows of their own portfolios and nothing else (S08)."""

from collections.abc import Iterable
from typing import Any

from django.contrib import admin
from django.contrib.auth.models import User
from django.db.models import Model
from django.http import HttpRequest

# What the admin's own filters put behind the name of a column.
_ENDINGS = ("", "__exact", "__id__exact", "__isnull", "__in", "__gte", "__lt", "__lte", "__gt")


class SuperusersOnly:
    """Before another admin class: whatever that allows, it allows superusers alone."""

    def has_module_permission(self, request: HttpRequest) -> bool:
        return _is_superuser(request) and super().has_module_permission(request)  # type: ignore[misc]

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return _is_superuser(request) and super().has_view_permission(request, obj)  # type: ignore[misc]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return _is_superuser(request) and super().has_add_permission(request)  # type: ignore[misc]

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return _is_superuser(request) and super().has_change_permission(request, obj)  # type: ignore[misc]

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return _is_superuser(request) and super().has_delete_permission(request, obj)  # type: ignore[misc]


class ListedLookups:
    """Before another admin class: an address asks for what the list offers as a filter and for nothing else. What a list finds by the first
    letters of a column says, letter after letter, what stands there: the key of a session, the hash of a token."""

    def lookup_allowed(self, lookup: str, _value: str, request: HttpRequest) -> bool:
        offered = [each if isinstance(each, str) else each[0] for each in self.get_list_filter(request)]  # type: ignore[attr-defined]
        return any(lookup.removeprefix(name) in _ENDINGS for name in offered if lookup.startswith(name))


class CrossbookAdmin(admin.AdminSite):
    site_header = site_title = "Crossbook"
    index_title = "Administration"

    def register(self, model_or_iterable: Any, admin_class: type[Any] | None = None, **options: Any) -> None:
        found = admin_class or admin.ModelAdmin
        if not getattr(found, "is_for_staff", False):
            found = type(found.__name__, (SuperusersOnly, found), {"__module__": found.__module__})
        found = type(found.__name__, (ListedLookups, found), {"__module__": found.__module__})
        models = model_or_iterable if isinstance(model_or_iterable, Iterable) else [model_or_iterable]
        super().register(models, found, **options)


def _is_superuser(request: HttpRequest) -> bool:
    return isinstance(request.user, User) and request.user.is_active and request.user.is_superuser
