"""Connect an account of an exchange to a portfolio: ask for its keys, try them, store them encrypted. Live accounts are read-only."""

import os
from argparse import ArgumentParser
from getpass import getpass
from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError
from django.db import IntegrityError, transaction
from pydantic import SecretStr

from exchanges.accounts import store_credential
from exchanges.domain import AccountSummary, Environment, ExchangeConfig, ExchangeType
from exchanges.endpoints import regions_for
from exchanges.errors import ExchangeAPIError
from exchanges.factory import get_exchange_client
from exchanges.models import ExchangeAccount
from exchanges.runtime import runtime
from exchanges.vault import VaultError
from exchanges.venue import VenueRegistry
from portfolio.models import Membership, Portfolio, PortfolioAccount, Role

TRY_DEADLINE_S = 20.0


class Command(BaseCommand):
    help = __doc__ or ""

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--exchange", required=True, choices=[exchange.value for exchange in ExchangeType])
        parser.add_argument("--environment", required=True, choices=[environment.value for environment in Environment])
        parser.add_argument("--region", default="", help="for exchanges with several sites (Bybit eu; OKX eea, us)")
        parser.add_argument("--portfolio", required=True, help="made if there is none of this name")
        parser.add_argument("--label", default="Main")
        parser.add_argument("--user", default="admin", help="who becomes manager of a new portfolio")

    def handle(self, *_args: Any, **options: Any) -> None:
        exchange, environment = ExchangeType(options["exchange"]), Environment(options["environment"])
        if options["region"] not in regions_for(exchange, environment):
            raise CommandError(f"region must be one of {regions_for(exchange, environment)}, was {options['region']!r}.")
        keys = self._ask_keys(exchange)
        try:
            config = ExchangeConfig(exchange_type=exchange, environment=environment, region=options["region"], **keys)
            summary = runtime().run(self._try_out(config), deadline_s=TRY_DEADLINE_S)
        except ValueError as error:
            raise CommandError("an OKX key has a passphrase: it must not be empty.") from error
        except ExchangeAPIError as error:
            raise CommandError(f"not stored: {error.user_message}") from error
        except TimeoutError as error:
            raise CommandError("not stored: the exchange did not answer in time.") from error
        account = self._store(options, keys)
        worth = "not reported" if summary.equity_usd is None else f"{summary.equity_usd:,.2f} USD"
        self.stdout.write(f"{account} is connected ({summary.position_mode.value.replace('_', '-')} mode, equity {worth}).")

    def _ask_keys(self, exchange: ExchangeType) -> dict[str, SecretStr | None]:
        """From the terminal, never from arguments, which other users of the machine can read; or from the environment for programs."""

        def ask(variable: str, prompt: str) -> SecretStr:
            return SecretStr(os.environ.get(variable) or getpass(f"{prompt}: "))

        passphrase = ask("EXCHANGE_PASSPHRASE", "Passphrase") if exchange is ExchangeType.OKX else None
        return {"api_key": ask("EXCHANGE_KEY", "API key"), "api_secret": ask("EXCHANGE_SECRET", "API secret"), "passphrase": passphrase}

    async def _try_out(self, config: ExchangeConfig) -> AccountSummary:
        registry = VenueRegistry()
        client = get_exchange_client(config, registry)
        try:
            await client.clock.measure(client.get_server_time_ms)
            return await client.get_account()
        finally:
            await client.aclose()
            await registry.aclose()

    def _store(self, options: dict[str, Any], keys: dict[str, SecretStr | None]) -> ExchangeAccount:
        named = {name: options[name] for name in ("exchange", "environment", "label")}
        if ExchangeAccount.objects.filter(**named).exists():
            raise CommandError(f"label must be new for this exchange and environment, was {options['label']!r}.")
        try:
            with transaction.atomic():
                portfolio = self._portfolio(options)
                account = ExchangeAccount.objects.create(
                    **named, region=options["region"], is_trading_enabled=options["environment"] != Environment.LIVE
                )
                plain = {name: value.get_secret_value() for name, value in keys.items() if value is not None}
                store_credential(account, **plain)
                is_first = not portfolio.account_links.filter(account__exchange=options["exchange"]).exists()
                PortfolioAccount.objects.create(portfolio=portfolio, account=account, is_default=is_first)
        except IntegrityError as error:
            raise CommandError("not stored: another account was added at the same moment; run the command again.") from error
        except VaultError as error:
            raise CommandError(str(error)) from error
        return account

    def _portfolio(self, options: dict[str, Any]) -> Portfolio:
        user = User.objects.filter(username=options["user"]).first()
        if user is None:
            raise CommandError(f"there is no user {options['user']!r}.")
        portfolio = Portfolio.objects.filter(name=options["portfolio"]).first()
        if portfolio is None:
            portfolio = Portfolio.objects.create(name=options["portfolio"], environment=options["environment"])
            Membership.objects.create(portfolio=portfolio, user=user, role=Role.MANAGER)
        if portfolio.environment != options["environment"]:
            raise CommandError(f"environment must be {portfolio.environment}, as the rest of {portfolio}, was {options['environment']}.")
        return portfolio
