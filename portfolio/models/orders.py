"""Orders: what was asked for, every attempt to send it, and what the venue said. Rows are written before the venue is called."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q

from exchanges import domain
from exchanges.fields import ExactDecimalField
from exchanges.models import ExchangeAccount
from portfolio import states


class Origin(models.TextChoices):
    PAGE = "page", "Entered in the page"
    API = "api", "Sent over REST"
    EXTERNAL = "external", "Placed outside Crossbook"


class OrderQuerySet(models.QuerySet["Order"]):
    def open(self) -> "OrderQuerySet":
        return self.filter(state__in=states.OPEN)

    def unresolved(self) -> "OrderQuerySet":
        return self.filter(state__in=states.UNRESOLVED)


class Order(models.Model):
    """One order. `client_order_id` is ours and never changes (for an EXTERNAL order it is whatever the venue shows); `quantity` and
    `filled_quantity` are base units, `price` and `quantity` as they stand at the venue: amended there, they follow. `missing_since`: it
    rested, and a list of the venue asked for then did not hold it. `not_found_count` counts look-ups that said no since the fence of its
    attempt passed, or since it is missing. `routing` is what decided on the account (portfolio.execution.selection.Routed.to_json); empty
    where there was nothing to decide, for closes and EXTERNAL orders."""

    account = models.ForeignKey(ExchangeAccount, on_delete=models.PROTECT, related_name="orders")
    client_order_id = models.CharField(max_length=40, blank=True)
    exchange_order_id = models.CharField(max_length=64, blank=True, default="")
    symbol = models.CharField(max_length=32)
    side = models.CharField(max_length=8, choices=[(side.value, side.value) for side in domain.OrderSide])
    order_type = models.CharField(max_length=24, blank=True, choices=[(kind.value, kind.value) for kind in domain.OrderType])
    quantity = ExactDecimalField()
    price = ExactDecimalField(null=True, blank=True)
    time_in_force = models.CharField(max_length=8, blank=True, default="")
    reduce_only = models.BooleanField(default=False)
    position_side = models.CharField(max_length=8, default=domain.PositionSide.BOTH.value)
    filled_quantity = ExactDecimalField(default="0")
    average_price = ExactDecimalField(null=True, blank=True)
    state = models.CharField(max_length=20, choices=[(state.value, state.value) for state in states.OrderState])
    reason = models.CharField(max_length=600, blank=True, default="")
    origin = models.CharField(max_length=12, choices=Origin.choices)
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    cancel_requested_at = models.DateTimeField(null=True, blank=True)
    missing_since = models.DateTimeField(null=True, blank=True)
    not_found_count = models.PositiveIntegerField(default=0)
    looked_up_at = models.DateTimeField(null=True, blank=True)
    routing = models.JSONField(default=dict, blank=True)
    raw_response = models.JSONField(default=dict, blank=True)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()
    venue_updated_at = models.DateTimeField(null=True, blank=True)

    objects: ClassVar[OrderQuerySet] = OrderQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                name="one_order_per_client_id", fields=["account", "client_order_id"], condition=~Q(origin=Origin.EXTERNAL)
            ),
            models.UniqueConstraint(
                # Binance counts the orders of each symbol apart: its documentation asks for the symbol wherever it takes an order id.
                name="one_order_per_exchange_id",
                fields=["account", "symbol", "exchange_order_id"],
                condition=~Q(exchange_order_id=""),
            ),
        ]
        indexes: ClassVar = [
            models.Index(name="orders_open", fields=["account", "state"]),
            models.Index(name="orders_newest", fields=["-created_at"]),
        ]

    def __str__(self) -> str:
        return f"{self.side} {self.quantity:f} {self.symbol} {self.state}"

    @property
    def is_open(self) -> bool:
        return self.state in states.OPEN

    @property
    def is_unresolved(self) -> bool:
        return self.state in states.UNRESOLVED


class SubmitAttempt(models.Model):
    """One attempt to send an order, committed before the first byte leaves. `signed_at` is the venue-clock time that gets signed, the
    venue refuses the request after `fence_at`. Open while `ended_at` is empty; an order has at most one open attempt."""

    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="attempts")
    number = models.PositiveSmallIntegerField()
    signed_at = models.DateTimeField()
    fence_at = models.DateTimeField()
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    write_effect = models.CharField(max_length=12, blank=True, default="")
    error_class = models.CharField(max_length=60, blank=True, default="")
    venue_code = models.CharField(max_length=40, blank=True, default="")
    venue_message = models.CharField(max_length=600, blank=True, default="")
    http_status = models.PositiveSmallIntegerField(null=True, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(name="attempts_are_numbered", fields=["order", "number"]),
            models.UniqueConstraint(name="one_open_attempt", fields=["order"], condition=Q(ended_at=None)),
        ]

    def __str__(self) -> str:
        return f"attempt {self.number} of order {self.order_id}"


class IdempotencyKey(models.Model):
    """The caller's own key for a request: the same key and body answers the first order again, another body is refused."""

    actor = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    key = models.CharField(max_length=100)
    body_digest = models.CharField(max_length=64)
    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(name="one_order_per_idempotency_key", fields=["actor", "key"])]

    def __str__(self) -> str:
        return f"{self.key} of {self.actor}"
