"""Bring the state up to date before the processes start: vault key, migrations, schedule, what a first start needs. The last line of its
output is the path of a one-time login link. Every failure is one sentence that says what to do."""

from typing import Any

from cryptography.fernet import Fernet
from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError, connection

from dashboard import environment, login_links
from exchanges.accounts import config_for
from exchanges.models import Credential, ExchangeAccount
from exchanges.vault import VaultError
from portfolio import first_start, schedule


class Command(BaseCommand):
    help = __doc__ or ""

    def handle(self, *_args: Any, **_options: Any) -> None:
        try:
            call_command("migrate", interactive=False, verbosity=0)
            self._prepare_vault()
            schedule.install()
            admin = first_start.create_missing()
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
