"""What is held, as last known: one AccountState per account, its positions and balances, and equity by the minute."""

from datetime import datetime
from typing import ClassVar

from django.db import models

from exchanges.fields import ExactDecimalField
from exchanges.models import ExchangeAccount


class AccountState(models.Model):
    """What was last known of an account, when we asked, and what went wrong last. `*_as_of` is when the request that brought the figures
    was sent; figures are never older than it says. An error leaves every figure as it was; `error_at` is when what failed was sent.
    `orders_error` is why the list of resting orders is as old as `orders_as_of` says: it is read apart from the rest, and fails apart."""

    account = models.OneToOneField(ExchangeAccount, on_delete=models.CASCADE, related_name="state")
    positions_as_of = models.DateTimeField(null=True, blank=True)
    balances_as_of = models.DateTimeField(null=True, blank=True)
    orders_as_of = models.DateTimeField(null=True, blank=True)
    equity_usd = ExactDecimalField(null=True, blank=True)
    equity_basis = models.CharField(max_length=40, blank=True, default="")
    available_usd = ExactDecimalField(null=True, blank=True)
    initial_margin_usd = ExactDecimalField(null=True, blank=True)
    maintenance_margin_usd = ExactDecimalField(null=True, blank=True)
    position_mode = models.CharField(max_length=16, blank=True, default="")
    not_covered = models.JSONField(default=list, blank=True)
    error_class = models.CharField(max_length=60, blank=True, default="")
    error_message = models.CharField(max_length=600, blank=True, default="")
    error_at = models.DateTimeField(null=True, blank=True)
    paused_until = models.DateTimeField(null=True, blank=True)
    orders_error = models.CharField(max_length=600, blank=True, default="")
    orders_error_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"state of {self.account}"

    @property
    def trouble(self) -> str:
        """What keeps this account from being read, in words; empty where nothing does."""
        return self.error_message or (f"The open orders could not be read: {self.orders_error}" if self.orders_error else "")

    @property
    def as_of(self) -> datetime | None:
        """The age of the older of positions and balances; None until both were read once."""
        if self.positions_as_of is None or self.balances_as_of is None:
            return None
        return min(self.positions_as_of, self.balances_as_of)


class Position(models.Model):
    """An open position; a flat one has no row. Meaning of the figures: exchanges.domain.Position. `as_of`: when we asked."""

    account = models.ForeignKey(ExchangeAccount, on_delete=models.CASCADE, related_name="positions")
    symbol = models.CharField(max_length=32)
    venue_symbol = models.CharField(max_length=40)
    underlying = models.CharField(max_length=24)
    multiplier = ExactDecimalField()
    position_side = models.CharField(max_length=8)
    margin_mode = models.CharField(max_length=16)
    side = models.CharField(max_length=8)
    quantity = ExactDecimalField()
    entry_price = ExactDecimalField()
    mark_price = ExactDecimalField()
    liquidation_price = ExactDecimalField(null=True, blank=True)
    unrealized_pnl = ExactDecimalField()
    realized_pnl = ExactDecimalField(null=True, blank=True)
    leverage = ExactDecimalField(null=True, blank=True)
    margin = ExactDecimalField(null=True, blank=True)
    as_of = models.DateTimeField()
    source = models.CharField(max_length=16)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(name="one_position_per_leg", fields=["account", "symbol", "position_side", "margin_mode"])
        ]

    def __str__(self) -> str:
        return f"{self.side} {self.quantity:f} {self.symbol} at {self.account}"


class Balance(models.Model):
    """What is held of one asset. `as_of`: when we asked."""

    account = models.ForeignKey(ExchangeAccount, on_delete=models.CASCADE, related_name="balances")
    asset = models.CharField(max_length=24)
    total = ExactDecimalField()
    available = ExactDecimalField(null=True, blank=True)
    unrealized_pnl = ExactDecimalField(null=True, blank=True)
    equity_usd = ExactDecimalField(null=True, blank=True)
    as_of = models.DateTimeField()
    source = models.CharField(max_length=16)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(name="one_balance_per_asset", fields=["account", "asset"])]

    def __str__(self) -> str:
        return f"{self.total:f} {self.asset} at {self.account}"


class EquityPoint(models.Model):
    """Equity of one account at the start of a minute; `is_stale` where the figure was older than the completeness limit."""

    account = models.ForeignKey(ExchangeAccount, on_delete=models.CASCADE, related_name="equity_points")
    minute = models.DateTimeField()
    equity_usd = ExactDecimalField()
    is_stale = models.BooleanField()

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(name="one_equity_point_per_minute", fields=["account", "minute"])]

    def __str__(self) -> str:
        return f"{self.equity_usd:f} USD at {self.minute}"
