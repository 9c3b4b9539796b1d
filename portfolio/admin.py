"""What the admin may change: portfolios and who is a member of them. Orders and their attempts are history: to be read.
A token can be revoked and nothing else."""

from collections import Counter
from datetime import UTC, datetime
from typing import Any, ClassVar

from django.contrib import admin
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db.models import Model, QuerySet
from django.forms import BaseInlineFormSet
from django.http import HttpRequest

from portfolio import tokens
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


class AccountLinks(BaseInlineFormSet):  # type: ignore[type-arg]  # not subscriptable at run time
    """The accounts of one portfolio, judged and saved together: the database judges one row after the other."""

    def clean(self) -> None:
        super().clean()
        kept = [form.cleaned_data for form in self.forms if not form.errors and not form.cleaned_data.get("DELETE")]
        defaults = Counter(row["account"].get_exchange_display() for row in kept if row.get("account") and row["is_default"])
        for exchange, count in defaults.items():
            if count > 1:
                raise ValidationError(f"A portfolio has one default account at {exchange}, {count} are marked.")

    def save(self, commit: bool = True) -> Any:
        """What is no default any more gives way before another takes its place."""
        given_up = [form.instance.pk for form in self.initial_forms if "is_default" in form.changed_data and not form.instance.is_default]
        PortfolioAccount.objects.filter(pk__in=given_up).update(is_default=False)
        return super().save(commit=commit)


class PortfolioAccountInline(admin.TabularInline):  # type: ignore[type-arg]  # not subscriptable at run time
    model = PortfolioAccount
    formset = AccountLinks
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
    list_display = ("id", "name", "user", "prefix", "scopes", "created_at", "expires_at", "last_used_at", "revoked_at")
    list_display_links = ("name",)
    exclude = ("digest",)
    actions = ("revoke",)

    @admin.action(description="Revoke", permissions=["revoke"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[ApiToken]) -> None:
        revoked = tokens.revoke(queryset, datetime.now(UTC))
        self.message_user(request, f"{revoked} revoked; what was revoked before stays as it was.")

    def has_revoke_permission(self, request: HttpRequest) -> bool:
        user = request.user
        return isinstance(user, User) and user.has_perm("portfolio.change_apitoken")
