"""Which exchanges take the orders of a symbol: the rules, each with its targets in order, and what they were before.

Written by exchanges.routing.rules alone, which sees to versions and to who changed what.
"""

from typing import ClassVar

from django.db import models
from simple_history.models import HistoricalRecords

from exchanges.models.accounts import Exchange


class RoutingRule(models.Model):
    """For the whole installation: `pattern` is a symbol, or stands for many with `*`. `version` counts the changes of
    the pattern from 1 on, also past a deletion."""

    pattern = models.CharField(max_length=24, unique=True)
    is_enabled = models.BooleanField(default=True)
    note = models.CharField(max_length=200, blank=True, default="")
    version = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    history = HistoricalRecords()

    class Meta:
        ordering: ClassVar = ["pattern"]

    def __str__(self) -> str:
        return self.pattern


class RoutingTarget(models.Model):
    """One exchange of a rule, the lowest rank first. Never changed: with each version of its rule all targets are made anew, so that the
    targets of every version can be read back from their history."""

    rule = models.ForeignKey(RoutingRule, on_delete=models.CASCADE, related_name="targets")
    rule_version = models.PositiveIntegerField()
    rank = models.PositiveSmallIntegerField()
    exchange = models.CharField(max_length=16, choices=Exchange.choices)

    history = HistoricalRecords()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(name="one_target_per_rank", fields=["rule", "rank"]),
            models.UniqueConstraint(name="one_target_per_exchange", fields=["rule", "exchange"]),
        ]
        ordering: ClassVar = ["rank"]

    def __str__(self) -> str:
        return f"{self.rank}. {self.get_exchange_display()}"
