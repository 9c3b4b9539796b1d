"""Portfolios, who is a member in which role, and which accounts they group."""

from typing import Any, ClassVar

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models

from exchanges.models import Environment, Exchange, ExchangeAccount


class Portfolio(models.Model):
    """Accounts looked at as one book. Live, demo and sandbox accounts are never summed, so a portfolio has one environment. `version`
    grows with every change that anybody looking at it should see."""

    name = models.CharField(max_length=60, unique=True)
    environment = models.CharField(max_length=16, choices=Environment.choices)
    version = models.PositiveBigIntegerField(default=1)
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        foreign = None if self._state.adding else self.account_links.exclude(account__environment=self.environment).first()
        if foreign is not None:
            raise ValidationError(
                {
                    "environment": f"environment must be {foreign.account.environment}, as the accounts of the portfolio, "
                    f"was {self.environment}"
                }
            )


class PortfolioAccount(models.Model):
    """An account belongs to one portfolio. `is_default`: orders for its exchange go there unless they name another account; `exchange` is
    the account's, which never changes, here so that the database can keep the default the only one.

    That account and portfolio are of one environment is kept by save(): a database could only hold it with a trigger, since neither SQLite
    nor Django has a foreign key over two columns. Write links one by one, not in bulk."""

    portfolio = models.ForeignKey(Portfolio, on_delete=models.CASCADE, related_name="account_links")
    account = models.OneToOneField(ExchangeAccount, on_delete=models.CASCADE, related_name="portfolio_link")
    is_default = models.BooleanField(default=False)
    exchange = models.CharField(max_length=16, choices=Exchange.choices, editable=False)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                name="one_default_account_per_exchange", fields=["portfolio", "exchange"], condition=models.Q(is_default=True)
            )
        ]

    def __str__(self) -> str:
        return f"{self.account} in {self.portfolio}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.clean()
        self.exchange = self.account.exchange
        super().save(*args, **kwargs)

    def clean(self) -> None:
        wanted, found = self.portfolio.environment, self.account.environment
        if found != wanted:
            raise ValidationError({"account": f"account must be of the {wanted} environment, {self.account} is {found}"})


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
