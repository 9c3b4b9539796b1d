"""Replace the vault's wrapping key: stored exchange keys are wrapped anew, then the old key is dropped. Safe to interrupt and to repeat;
the site goes on running meanwhile."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from exchanges import rotation, wrapping_keys
from exchanges.vault import VaultError

_GENERATE = "python -c 'from cryptography.fernet import Fernet; print(Fernet.generate_key().decode())'"


class Command(BaseCommand):
    help = __doc__ or ""

    def handle(self, *_args: Any, **_options: Any) -> None:
        path = wrapping_keys.file()
        try:
            if path is None:
                self._follow_environment()
                return
            done = rotation.rotate(path)
        except VaultError as error:
            raise CommandError(str(error)) from error
        except OSError as error:
            raise CommandError(f"{path} cannot be written ({error.strerror}); nothing is lost, run this again.") from error
        self.stdout.write(f"{_rows(done.resealed)} now under the new key; {done.dropped} old key(s) dropped from {path}.")
        if done.kept:
            raise CommandError(f"{done.kept} old key(s) are kept, because a stored key was changed meanwhile; run this again.")
        self.stdout.write(f"Copy {path} to your backup now. Backups of the database made before open with the old key alone.")

    def _follow_environment(self) -> None:
        """The keys are not ours to write: whoever sets VAULT_KEYS puts the new key in front, and takes the old one away at the end."""
        if len(settings.VAULT_KEYS) == 1:
            raise CommandError(
                f"VAULT_KEYS is set in the environment. Make a new key with {_GENERATE}, put it in front (VAULT_KEYS=<new>,<present>), "
                "restart every process with it, and run this again."
            )
        resealed = rotation.reseal_all()
        self.stdout.write(
            f"{_rows(resealed)} now under the first key of VAULT_KEYS, as are all others. Leave the other keys out of VAULT_KEYS "
            "and restart every process. Backups of the database made before open with the old key alone."
        )


def _rows(count: int) -> str:
    return f"The keys of {count} account{' are' if count == 1 else 's are'}"
