"""What the admin shows of accounts and listings. Credentials are not registered: nothing of them is ever shown or edited here."""

from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse

from exchanges.models import ExchangeAccount, Instrument


@admin.register(ExchangeAccount)
class ExchangeAccountAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # not subscriptable at run time
    list_display = ("label", "exchange", "environment", "is_enabled", "is_trading_enabled", "archived_at")
    list_filter = ("exchange", "environment", "is_enabled")

    def view_on_site(self, obj: ExchangeAccount) -> str:
        """To the page where it is looked after: everything there is checked, with the exchange where it must be."""
        return reverse("account", args=[obj.pk])

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Accounts come with keys, which are tried first."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: ExchangeAccount | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: ExchangeAccount | None = None) -> bool:
        """An account with history is archived, never deleted."""
        return False


@admin.register(Instrument)
class InstrumentAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # not subscriptable at run time
    list_display = ("symbol", "exchange", "environment", "tick", "lot", "min_notional", "contract_size", "status")
    list_filter = ("exchange", "environment", "status")
    search_fields = ("symbol", "underlying")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Instrument | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Instrument | None = None) -> bool:
        return False
