"""What the admin may change: portfolios and who is a member of them. Orders and their attempts are history: to be read."""

from typing import ClassVar

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest

from portfolio.models import ApiToken, Membership, Order, Portfolio, PortfolioAccount, SubmitAttempt


class ReadOnly:
    """For admin classes and inlines of rows that nobody edits by hand."""

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


class MembershipInline(admin.TabularInline):  # type: ignore[type-arg]  # not subscriptable at run time
    model = Membership
    extra = 0


class PortfolioAccountInline(admin.TabularInline):  # type: ignore[type-arg]  # not subscriptable at run time
    model = PortfolioAccount
    extra = 0


@admin.register(Portfolio)
class PortfolioAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # not subscriptable at run time
    list_display = ("name", "environment")
    readonly_fields: ClassVar = ["version", "created_at"]
    inlines: ClassVar = [MembershipInline, PortfolioAccountInline]


class SubmitAttemptInline(ReadOnly, admin.TabularInline):  # type: ignore[type-arg]  # not subscriptable at run time
    model = SubmitAttempt
    extra = 0


@admin.register(Order)
class OrderAdmin(ReadOnly, admin.ModelAdmin):  # type: ignore[type-arg]  # not subscriptable at run time
    list_display = ("created_at", "account", "side", "symbol", "quantity", "price", "state", "origin", "actor")
    list_filter = ("state", "origin", "account__exchange")
    search_fields = ("client_order_id", "exchange_order_id", "symbol")
    inlines: ClassVar = [SubmitAttemptInline]


@admin.register(ApiToken)
class ApiTokenAdmin(ReadOnly, admin.ModelAdmin):  # type: ignore[type-arg]  # not subscriptable at run time
    list_display = ("name", "user", "prefix", "scopes", "created_at", "last_used_at", "revoked_at")
    exclude = ("digest",)
