"""Connect an account of an exchange to a portfolio: ask for its keys, try them, store them encrypted. Live accounts are read-only."""

import os
from argparse import ArgumentParser
from getpass import getpass
from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from pydantic import SecretStr

from exchanges.domain import Environment, ExchangeType
from exchanges.endpoints import regions_for
from exchanges.errors import ExchangeAPIError
from exchanges.vault import VaultError
from portfolio.access import NotPermitted
from portfolio.connecting import Place, connect
from portfolio.execution.refusals import Refused
from portfolio.key_check import Findings, Keys
from portfolio.models import Membership, Portfolio, Role


class Command(BaseCommand):
    help = __doc__ or ""

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--exchange", required=True, choices=[exchange.value for exchange in ExchangeType])
        parser.add_argument("--environment", required=True, choices=[environment.value for environment in Environment])
        parser.add_argument("--region", default="", help="for exchanges with several sites (Bybit eu; OKX eea, us)")
        parser.add_argument("--portfolio", required=True, help="made if there is none of this name")
        parser.add_argument("--label", default="Main")
        parser.add_argument("--user", default="admin", help="who acts: a manager of the portfolio, and the manager of a new one")

    def handle(self, *_args: Any, **options: Any) -> None:
        place = Place(ExchangeType(options["exchange"]), Environment(options["environment"]), options["region"])
        if place.region not in regions_for(place.exchange, place.environment):
            raise CommandError(f"region must be one of {regions_for(place.exchange, place.environment)}, was {place.region!r}.")
        user = User.objects.filter(username=options["user"]).first()
        if user is None:
            raise CommandError(f"there is no user {options['user']!r}.")
        keys = _ask_keys(place.exchange)
        portfolio, is_new = _portfolio(user, options["portfolio"], place.environment)
        is_connected = False
        try:
            account, findings = connect(user, portfolio, place, options["label"], keys)
            is_connected = True
        except (Refused, ExchangeAPIError, NotPermitted, VaultError) as error:
            words = error.user_message if isinstance(error, ExchangeAPIError) else str(error)
            raise CommandError(f"not stored: {words}") from error
        finally:
            if is_new and not is_connected:
                portfolio.delete()
        self.stdout.write(f"{account} is connected ({_posture(findings)}).")
        for warning in findings.warnings:
            self.stderr.write(self.style.WARNING(warning))


def _ask_keys(exchange: ExchangeType) -> Keys:
    """From the terminal, never from arguments, which other users of the machine can read; or from the environment for programs."""

    def ask(variable: str, prompt: str) -> SecretStr:
        return SecretStr((os.environ.get(variable) or getpass(f"{prompt}: ")).strip())

    key, secret = ask("EXCHANGE_KEY", "API key"), ask("EXCHANGE_SECRET", "API secret")
    return Keys(key, secret, ask("EXCHANGE_PASSPHRASE", "Passphrase") if exchange is ExchangeType.OKX else None)


@transaction.atomic
def _portfolio(user: User, name: str, environment: Environment) -> tuple[Portfolio, bool]:
    portfolio, is_new = Portfolio.objects.get_or_create(name=name, defaults={"environment": environment})
    if is_new:
        Membership.objects.create(portfolio=portfolio, user=user, role=Role.MANAGER)
    return portfolio, is_new


def _posture(findings: Findings) -> str:
    worth = "not reported" if findings.equity_usd is None else f"{findings.equity_usd:,.2f} USD"
    may = "reads and trades" if findings.permissions.can_trade else "reads only"
    return f"{findings.account.position_mode.value.replace('_', '-')} mode, equity {worth}, the key {may}"
