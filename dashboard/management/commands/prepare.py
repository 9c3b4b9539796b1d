"""Bring the state up to date before the processes start: vault key, migrations, schedule, what a first start needs, and the rules
of ROUTING_POLICY. The last line of its output is the path of a one-time login link. Every failure is one sentence that says what to do."""

from typing import Any

from cryptography.fernet import Fernet
from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError, connection

from dashboard import environment, login_links
from exchanges.accounts import config_for
from exchanges.models import Credential, ExchangeAccount
from exchanges.routing import WrongRules, policy, rules
from exchanges.routing.rules import Author, Door, RuleChanged
from exchanges.vault import VaultError
from portfolio import first_start, schedule


class Command(BaseCommand):
    help = __doc__ or ""
    requires_system_checks = ()  # they import every page and form; a start should not wait for that

    def handle(self, *_args: Any, **_options: Any) -> None:
        try:
            call_command("migrate", interactive=False, verbosity=0)
            self._prepare_vault()
            schedule.install()
            admin = first_start.create_missing(has_sandbox=bool(environment.sandbox_url()))
            self._apply_routing_policy()
        except DatabaseError as error:
            raise CommandError(
                f"the database {connection.settings_dict['NAME']} cannot be used ({error}); restore it or set VAR_DIR."
            ) from error
        except VaultError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(login_links.path_for(admin))

    def _prepare_vault(self) -> None:
        """A vault key is made only while nothing is stored: afterwards a missing one means that it was lost."""
        if not settings.VAULT_KEYS and not Credential.objects.exists():
            environment.make_secret(environment.VAULT_KEY_FILE, Fernet.generate_key().decode())
            settings.VAULT_KEYS = [environment.kept_secret("VAULT_KEYS", environment.VAULT_KEY_FILE)]
        for account in ExchangeAccount.objects.filter(archived_at=None, credential__isnull=False).select_related("credential")[:1]:
            config_for(account)

    def _apply_routing_policy(self) -> None:
        """All of it or, where anything in it is wrong, nothing: the site does not start with other rules than those that were meant."""
        path = settings.ROUTING_POLICY
        if path is None:
            return
        try:
            changes = rules.apply(policy.read_file(path), by=Author(door=Door.START))
        except WrongRules as error:
            raise CommandError(
                f"ROUTING_POLICY {path} is wrong ({error}); mend it, or leave the variable out to start without it."
            ) from error
        except RuleChanged as error:
            raise CommandError(f"{error} Start again.") from error
        if changes:
            self.stdout.write(f"{len(changes)} routing rules changed, as {path} says")
