"""What a first start needs: the user `admin`, who has no password yet, and a demo portfolio with one sandbox account per exchange."""

from django.contrib.auth.models import User
from django.db import transaction

from exchanges.accounts import store_credential
from exchanges.models import Environment, Exchange, ExchangeAccount
from portfolio.models import Membership, Portfolio, PortfolioAccount, Role

ADMIN = "admin"
DEMO_KEY = "sandbox-demo"


@transaction.atomic
def create_missing(*, has_sandbox: bool) -> User:
    """Returns the admin. Makes the demo portfolio only where there is no portfolio at all, and simulated exchanges for it to live at."""
    admin, is_new = User.objects.get_or_create(username=ADMIN, defaults={"is_staff": True, "is_superuser": True})
    if is_new:
        admin.set_unusable_password()
        admin.save(update_fields=["password"])
    if has_sandbox and not Portfolio.objects.exists():
        _create_demo(admin)
    return admin


def _create_demo(admin: User) -> None:
    """The simulated exchanges are not asked, they may not run yet: what they say of the keys, and whose these are, comes with the check of
    all stored keys that follows a start."""
    portfolio = Portfolio.objects.create(name="Demo", environment=Environment.SANDBOX)
    Membership.objects.create(portfolio=portfolio, user=admin, role=Role.MANAGER)
    for exchange in Exchange:
        account = _demo_account(exchange)
        passphrase = f"{DEMO_KEY}-passphrase" if exchange is Exchange.OKX else ""
        store_credential(account, api_key=DEMO_KEY, api_secret=f"{DEMO_KEY}-secret", passphrase=passphrase)
        PortfolioAccount.objects.create(portfolio=portfolio, account=account, is_default=True)


def _demo_account(exchange: Exchange) -> ExchangeAccount:
    """The account of a demo portfolio that was deleted is still there."""
    venue = {"exchange": exchange, "environment": Environment.SANDBOX, "label": "Demo"}
    account = ExchangeAccount.objects.filter(portfolio_link=None, **venue).order_by("id").first() or ExchangeAccount(**venue)
    account.is_enabled, account.is_trading_enabled, account.archived_at = True, True, None
    account.save()
    return account
