"""Stored keys open with the right vault key and for the right account, and otherwise say what to do without a secret in the words."""

import json
from collections.abc import Callable
from dataclasses import replace

import pytest
from cryptography.fernet import Fernet

from exchanges.vault import Sealed, Vault, VaultError, hint, key_id, new_key

OLD, NEW = new_key(), new_key()
SECRETS = {"api_key": "key-of-alice", "api_secret": "secret-of-alice", "passphrase": "phrase-of-alice"}


def opened(vault: Vault, sealed: Sealed, account_id: int = 7) -> dict[str, str]:
    return {name: secret.get_secret_value() for name, secret in vault.open(account_id, sealed).items()}


def token(key: str = OLD, account_id: int = 7) -> Sealed:
    """As rows were sealed at first."""
    content = json.dumps({"account": account_id, **SECRETS}).encode()
    return Sealed("", "", Fernet(key).encrypt(content).decode())


def test_what_was_sealed_opens_again() -> None:
    vault = Vault([NEW])
    assert opened(vault, vault.seal(7, **SECRETS)) == SECRETS
    assert opened(vault, vault.seal(7, api_key="k", api_secret="s")) == {"api_key": "k", "api_secret": "s", "passphrase": ""}


def test_a_row_shows_nothing_and_is_different_each_time() -> None:
    vault = Vault([NEW])
    first, second = vault.seal(7, **SECRETS), vault.seal(7, **SECRETS)
    assert first.key_id == second.key_id == key_id(NEW)
    assert first.wrapped_key != second.wrapped_key
    assert first.ciphertext != second.ciphertext
    assert "alice" not in f"{first.key_id}{first.wrapped_key}{first.ciphertext}"
    assert first.ciphertext not in repr(first)


def test_the_name_of_a_key_tells_nothing_of_it() -> None:
    assert key_id(NEW) != key_id(OLD)
    assert len(key_id(NEW)) == 16
    assert key_id(NEW)[:4] not in Fernet(NEW)._signing_key.hex()[:16]


def test_what_was_opened_does_not_print() -> None:
    vault = Vault([NEW])
    assert "alice" not in repr(vault.open(7, vault.seal(7, **SECRETS)))


@pytest.mark.parametrize("part", ["wrapped_key", "ciphertext"])
def test_a_row_opens_for_its_own_account_alone(part: str) -> None:
    """Copied into another row of the database it is of no use, nor is half of it."""
    vault = Vault([NEW])
    mine, theirs = vault.seal(7, **SECRETS), vault.seal(8, **SECRETS)
    for sealed in (mine, replace(theirs, **{part: getattr(mine, part)})):
        with pytest.raises(VaultError, match="account 8 were changed or belong to another account") as refusal:
            vault.open(8, sealed)
        assert "alice" not in str(refusal.value)


def test_a_new_key_in_front_wraps_what_the_old_one_wrapped() -> None:
    before = Vault([OLD]).seal(7, **SECRETS)
    both = Vault([NEW, OLD])
    assert opened(both, before) == SECRETS
    after = both.rewrap(7, before)
    assert after.ciphertext == before.ciphertext  # the data key stays, its envelope is new
    assert opened(Vault([NEW]), after) == SECRETS
    for closed, vault in ((before, Vault([NEW])), (after, Vault([OLD]))):
        with pytest.raises(VaultError, match="do not open with this vault key"):
            vault.open(7, closed)


def test_a_token_of_the_first_kind_opens_and_gets_an_envelope() -> None:
    both = Vault([NEW, OLD])
    assert opened(both, token()) == SECRETS
    after = both.rewrap(7, token())
    assert after.key_id == key_id(NEW)
    assert opened(Vault([NEW]), after) == SECRETS
    with pytest.raises(VaultError, match="do not open with this vault key"):
        Vault([NEW]).open(7, token())
    with pytest.raises(VaultError, match="belong to another account"):
        both.open(8, token())


@pytest.mark.parametrize("change", [lambda text: text[:-8] + "AAAAAAAA", lambda text: text[:20], lambda _: "", lambda _: "no text of ours"])
@pytest.mark.parametrize("part", ["wrapped_key", "ciphertext"])
def test_a_row_that_was_tampered_with_neither_opens_nor_is_wrapped_anew(part: str, change: Callable[[str], str]) -> None:
    vault = Vault([NEW])
    sealed = vault.seal(7, **SECRETS)
    changed = replace(sealed, **{part: change(getattr(sealed, part))})
    for attempt in (vault.open, vault.rewrap):
        with pytest.raises(VaultError, match="enter them again"):
            attempt(7, changed)


def test_a_row_with_a_swapped_key_id_does_not_open() -> None:
    sealed = Vault([OLD]).seal(7, **SECRETS)
    with pytest.raises(VaultError, match="were changed"):
        Vault([NEW, OLD]).open(7, replace(sealed, key_id=key_id(NEW)))
    with pytest.raises(VaultError, match="restore the right one"):
        Vault([NEW, OLD]).open(7, replace(sealed, key_id=""))


def test_a_vault_without_a_usable_key_says_what_to_do() -> None:
    with pytest.raises(VaultError, match=r"restore VAR_DIR/vault\.key"):
        Vault([])
    with pytest.raises(VaultError, match="must be 32 bytes in URL-safe base64") as refusal:
        Vault(["not-a-fernet-key"])
    assert "not-a-fernet-key" not in str(refusal.value)


@pytest.mark.parametrize(("key", "shown"), [("abcdefghijkl", "ijkl"), ("abcdefghi", "fghi"), ("abcdefgh", ""), ("abc", ""), ("", "")])
def test_a_hint_shows_the_end_of_a_long_key_and_nothing_of_a_short_one(key: str, shown: str) -> None:
    assert hint(key) == shown
