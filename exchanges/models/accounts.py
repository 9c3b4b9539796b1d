"""Accounts at exchanges and their encrypted keys."""

from typing import ClassVar

from django.db import models
from django.db.models import Q

from exchanges import domain
from exchanges.vault import Sealed


class Exchange(models.TextChoices):
    BINANCE = domain.ExchangeType.BINANCE.value, "Binance"
    BYBIT = domain.ExchangeType.BYBIT.value, "Bybit"
    OKX = domain.ExchangeType.OKX.value, "OKX"


class Environment(models.TextChoices):
    LIVE = domain.Environment.LIVE.value, "Live"
    DEMO = domain.Environment.DEMO.value, "Demo"
    SANDBOX = domain.Environment.SANDBOX.value, "Sandbox"


class ExchangeAccountQuerySet(models.QuerySet["ExchangeAccount"]):
    def active(self) -> "ExchangeAccountQuerySet":
        """Enabled and not archived: what is polled and counts in totals."""
        return self.filter(is_enabled=True, archived_at=None)


class ExchangeAccount(models.Model):
    """Our keys at one exchange. A live account is read-only: the database itself refuses to switch trading on for one.

    `venue_account_id` is the venue's own id of the account behind the keys, as it was told when they were tried; "" until it has been.
    `settings_version` grows with each change of leverage or of a mode that is made here: every process then takes a new client, which
    remembers nothing of how the account was set before."""

    exchange = models.CharField(max_length=16, choices=Exchange.choices)
    environment = models.CharField(max_length=16, choices=Environment.choices)
    region = models.CharField(max_length=16, blank=True, default="")
    label = models.CharField(max_length=60)
    venue_account_id = models.CharField(max_length=64, blank=True, default="")
    settings_version = models.PositiveIntegerField(default=1)
    is_enabled = models.BooleanField(default=True)
    is_trading_enabled = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)
    archived_at = models.DateTimeField(null=True, blank=True)

    objects: ClassVar[ExchangeAccountQuerySet] = ExchangeAccountQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                name="live_accounts_are_read_only",
                condition=~Q(environment=Environment.LIVE, is_trading_enabled=True),
                violation_error_message="Trading cannot be switched on for a live account yet: live accounts are read-only.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_exchange_display()} · {self.label}"


class Credential(models.Model):
    """The keys of one account, encrypted (exchanges.vault). `version` grows with every change, so that clients are rebuilt; `key_hint`
    is all of the key that is ever shown. What the key may do is as the venue said at `checked_at`, None where it has not said;
    `trouble` is why it may not be traded with any more, in words."""

    account = models.OneToOneField(ExchangeAccount, on_delete=models.CASCADE, related_name="credential")
    version = models.PositiveIntegerField(default=1)
    key_id = models.CharField(max_length=16, blank=True, default="")
    wrapped_key = models.TextField(blank=True, default="")
    ciphertext = models.TextField()
    key_hint = models.CharField(max_length=8)
    updated_at = models.DateTimeField(auto_now=True)
    can_trade = models.BooleanField(null=True)
    can_withdraw = models.BooleanField(null=True)
    is_ip_bound = models.BooleanField(null=True)
    expires_at = models.DateTimeField(null=True)
    checked_at = models.DateTimeField(null=True)
    trouble = models.CharField(max_length=600, blank=True, default="")

    def __str__(self) -> str:
        return f"key …{self.key_hint} of {self.account}"

    @property
    def sealed(self) -> Sealed:
        return Sealed(self.key_id, self.wrapped_key, self.ciphertext)
