"""What the admin shows and may change: portfolios, who is a member of them, their accounts. Orders and their attempts are history: to be
read. A token can be revoked and nothing else. Staff see what portfolio.access lets them see, superusers all."""

from collections import Counter
from datetime import UTC, datetime
from typing import Any, ClassVar

from django.contrib import admin
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db.models import Model, QuerySet
from django.forms import BaseInlineFormSet
from django.http import HttpRequest

from exchanges.admin import ExchangeAccountAdmin
from exchanges.models import ExchangeAccount
from portfolio import access, routing_admin, tokens  # noqa: F401  (the rules register themselves)
from portfolio.models import ApiToken, Membership, Order, Portfolio, PortfolioAccount, Role, SubmitAttempt


class ReadOnly:
    """For admin classes and inlines of rows that nobody edits by hand."""

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


class Members(BaseInlineFormSet):  # type: ignore[type-arg]  # not subscriptable at run time
    """A portfolio that has a manager keeps one."""

    def clean(self) -> None:
        super().clean()
        had_one = any(form.initial.get("role") == Role.MANAGER for form in self.initial_forms)
        kept = [form.cleaned_data for form in self.forms if not form.errors and not form.cleaned_data.get("DELETE")]
        if had_one and not any(row.get("role") == Role.MANAGER and row["user"].is_active for row in kept):
            raise ValidationError("A portfolio needs a manager: make somebody else one first.")


class MembershipInline(admin.TabularInline):  # type: ignore[type-arg]  # not subscriptable at run time
    model = Membership
    formset = Members
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
    """Staff look. Who is a member and which accounts there are is chosen among everybody's, which is for superusers."""

    is_for_staff = True
    list_display = ("name", "environment")
    readonly_fields: ClassVar = ["version", "created_at"]
    inlines: ClassVar = [MembershipInline, PortfolioAccountInline]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Portfolio]:
        found = super().get_queryset(request)
        return found if _sees_all(request) else found.filter(pk__in=access.portfolios_for(_user_of(request)).values("pk"))

    def has_add_permission(self, request: HttpRequest) -> bool:
        return _sees_all(request) and super().has_add_permission(request)

    def has_change_permission(self, request: HttpRequest, obj: Portfolio | None = None) -> bool:
        return _sees_all(request) and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Portfolio | None = None) -> bool:
        return _sees_all(request) and super().has_delete_permission(request, obj)


admin.site.unregister(ExchangeAccount)


@admin.register(ExchangeAccount)
class OwnAccountAdmin(ExchangeAccountAdmin):
    """As exchanges.admin has it, which knows nothing of members."""

    is_for_staff = True

    def get_queryset(self, request: HttpRequest) -> QuerySet[ExchangeAccount]:
        found = super().get_queryset(request)
        return found if _sees_all(request) else found.filter(portfolio_link__portfolio__in=access.portfolios_for(_user_of(request)))


class SubmitAttemptInline(ReadOnly, admin.TabularInline):  # type: ignore[type-arg]  # not subscriptable at run time
    model = SubmitAttempt
    extra = 0


@admin.register(Order)
class OrderAdmin(ReadOnly, admin.ModelAdmin):  # type: ignore[type-arg]  # not subscriptable at run time
    is_for_staff = True
    list_display = ("created_at", "account", "side", "symbol", "quantity", "price", "state", "origin", "actor")
    list_filter = ("state", "origin", "account__exchange")
    search_fields = ("client_order_id", "exchange_order_id", "symbol")
    inlines: ClassVar = [SubmitAttemptInline]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Order]:
        found = super().get_queryset(request)
        return found if _sees_all(request) else found.filter(pk__in=access.orders_for(_user_of(request)).values("pk"))


@admin.register(ApiToken)
class ApiTokenAdmin(ReadOnly, admin.ModelAdmin):  # type: ignore[type-arg]  # not subscriptable at run time
    """Staff see their own: a token opens all the portfolios of its user."""

    is_for_staff = True
    list_display = ("id", "name", "user", "prefix", "scopes", "created_at", "expires_at", "last_used_at", "revoked_at")
    list_display_links = ("name",)
    exclude = ("digest",)
    actions = ("revoke",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[ApiToken]:
        found = super().get_queryset(request)
        return found if _sees_all(request) else found.filter(user=_user_of(request))

    @admin.action(description="Revoke", permissions=["revoke"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[ApiToken]) -> None:
        revoked = tokens.revoke(queryset, datetime.now(UTC))
        self.message_user(request, f"{revoked} revoked; what was revoked before stays as it was.")

    def has_revoke_permission(self, request: HttpRequest) -> bool:
        return _user_of(request).has_perm("portfolio.change_apitoken")


def _user_of(request: HttpRequest) -> User:
    assert isinstance(request.user, User)  # noqa: S101  (for the type checker: the admin lets nobody else in)
    return request.user


def _sees_all(request: HttpRequest) -> bool:
    return _user_of(request).is_superuser
