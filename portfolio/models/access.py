"""Portfolios, who is a member in which role, which accounts they group, and the bearer tokens of programs."""

from typing import ClassVar

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models

from exchanges.models import Environment, ExchangeAccount


class Portfolio(models.Model):
    """Accounts looked at as one book. Live, demo and sandbox accounts are never summed, so a portfolio has one environment. `version`
    grows with every change that anybody looking at it should see."""

    name = models.CharField(max_length=60, unique=True)
    environment = models.CharField(max_length=16, choices=Environment.choices)
    version = models.PositiveBigIntegerField(default=1)
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.name


class PortfolioAccount(models.Model):
    """An account belongs to one portfolio. `is_default`: orders for its exchange go there unless they name another account."""

    portfolio = models.ForeignKey(Portfolio, on_delete=models.CASCADE, related_name="account_links")
    account = models.OneToOneField(ExchangeAccount, on_delete=models.CASCADE, related_name="portfolio_link")
    is_default = models.BooleanField(default=False)

    def __str__(self) -> str:
        return f"{self.account} in {self.portfolio}"

    def clean(self) -> None:
        if self.account.environment != self.portfolio.environment:
            raise ValidationError(
                {"account": f"account must be of the {self.portfolio.environment} environment, is {self.account.environment}"}
            )


class Role(models.TextChoices):
    VIEWER = "viewer", "Viewer"
    TRADER = "trader", "Trader"
    MANAGER = "manager", "Manager"


class Membership(models.Model):
    portfolio = models.ForeignKey(Portfolio, on_delete=models.CASCADE, related_name="memberships")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=16, choices=Role.choices)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(name="one_role_per_member", fields=["portfolio", "user"])]

    def __str__(self) -> str:
        return f"{self.user} is {self.role} of {self.portfolio}"


class ApiToken(models.Model):
    """A program's key to the REST API. Only its hash is kept; `prefix` finds it. Scopes: read, trade."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="api_tokens")
    name = models.CharField(max_length=60)
    prefix = models.CharField(max_length=12, unique=True)
    digest = models.CharField(max_length=64)
    scopes = models.JSONField(default=list)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(name="one_token_per_name", fields=["user", "name"])]

    def __str__(self) -> str:
        return f"{self.name} of {self.user}"
