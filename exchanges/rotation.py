"""From one wrapping key of the vault to the next, while everything runs. Each step leaves a state in which all stored keys open, and run
again after an interruption it goes on where it stopped: more than one key in the file means that a rotation is under way."""

from dataclasses import dataclass
from pathlib import Path

from django.db import transaction

from exchanges import wrapping_keys
from exchanges.accounts import hold_vault, seal_anew
from exchanges.models import Credential
from exchanges.vault import Vault, VaultError, key_id, new_key


@dataclass(frozen=True, slots=True)
class Rotated:
    """`resealed` rows were put under the first key now, `dropped` keys left the file; `kept` keys are still needed by a row."""

    resealed: int
    dropped: int
    kept: int


def rotate(path: Path) -> Rotated:
    """With a new key in the file at `path`. Raises VaultError, before anything is changed, where any stored key does not open."""
    _refuse_what_does_not_open()
    _begin(path)
    resealed = reseal_all()
    return _finish(path, resealed)


def reseal_all() -> int:
    """Every row under the first key, each in a transaction of its own. The number of those that were not. Raises VaultError, before
    anything is changed, where any stored key does not open."""
    _refuse_what_does_not_open()
    return sum(seal_anew(account_id) for account_id in list(Credential.objects.order_by("account_id").values_list("account_id", flat=True)))


def _refuse_what_does_not_open() -> None:
    vault, closed = wrapping_keys.vault(), []
    for row in Credential.objects.order_by("account_id"):
        try:
            vault.open(row.account_id, row.sealed)
        except VaultError:
            closed.append(str(row.account_id))
    if closed:
        raise VaultError(
            f"Nothing was changed: the stored keys of account {', '.join(closed)} do not open. Restore the right vault key, or enter these "
            "keys anew or archive these accounts in the page; then run this again."
        )


def _begin(path: Path) -> None:
    """Put a new key in front. Two that begin at once agree on one."""
    with transaction.atomic():
        hold_vault()
        keys = wrapping_keys.present()
        if len(keys) == 1:
            wrapping_keys.replace(path, [new_key(), *keys])


def _finish(path: Path, resealed: int) -> Rotated:
    """Drop the keys that no row needs. Whoever seals at this moment waits, and then finds the file without them."""
    with transaction.atomic():
        hold_vault()
        keys = wrapping_keys.present()
        Vault(keys)
        needed = set(Credential.objects.values_list("key_id", flat=True))
        kept = [key for key in keys[1:] if "" in needed or key_id(key) in needed]
        if len(kept) < len(keys) - 1:
            wrapping_keys.replace(path, [keys[0], *kept])
    return Rotated(resealed, len(keys) - 1 - len(kept), len(kept))
