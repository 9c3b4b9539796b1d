"""Stored keys open with the right vault key and for the right account, and otherwise say what to do without a secret in the words."""

import pytest
from cryptography.fernet import Fernet

from exchanges.vault import Vault, VaultError, hint

OLD, NEW = Fernet.generate_key().decode(), Fernet.generate_key().decode()
SECRETS = {"api_key": "key-of-alice", "api_secret": "secret-of-alice", "passphrase": "phrase-of-alice"}


def opened(vault: Vault, token: str, account_id: int = 7) -> dict[str, str]:
    return {name: secret.get_secret_value() for name, secret in vault.open(account_id, token).items()}


def test_what_was_sealed_opens_again() -> None:
    vault = Vault([NEW])
    assert opened(vault, vault.seal(7, **SECRETS)) == SECRETS
    assert opened(vault, vault.seal(7, api_key="k", api_secret="s")) == {"api_key": "k", "api_secret": "s", "passphrase": ""}


def test_a_token_shows_nothing_and_is_different_each_time() -> None:
    vault = Vault([NEW])
    first, second = vault.seal(7, **SECRETS), vault.seal(7, **SECRETS)
    assert first != second
    assert "alice" not in first


def test_what_was_opened_does_not_print() -> None:
    vault = Vault([NEW])
    assert "alice" not in repr(vault.open(7, vault.seal(7, **SECRETS)))


def test_a_token_opens_for_its_own_account_alone() -> None:
    """Copied into another row of the database it is of no use."""
    vault = Vault([NEW])
    with pytest.raises(VaultError, match="account 8 belong to another account") as refusal:
        vault.open(8, vault.seal(7, **SECRETS))
    assert "alice" not in str(refusal.value)


def test_keys_are_rotated_by_putting_a_new_one_in_front() -> None:
    token = Vault([OLD]).seal(7, **SECRETS)
    rotated = Vault([NEW, OLD])
    assert opened(rotated, token) == SECRETS
    assert opened(Vault([NEW]), rotated.seal(7, **SECRETS)) == SECRETS
    with pytest.raises(VaultError, match="do not open with this vault key"):
        Vault([NEW]).open(7, token)


@pytest.mark.parametrize("change", [lambda token: token[:-4] + "AAAA", lambda token: token[:20], lambda _: "", lambda _: "no token"])
def test_a_token_that_was_tampered_with_does_not_open(change) -> None:
    vault = Vault([NEW])
    with pytest.raises(VaultError, match="restore the right one"):
        vault.open(7, change(vault.seal(7, **SECRETS)))


def test_a_vault_without_a_usable_key_says_what_to_do() -> None:
    with pytest.raises(VaultError, match=r"restore VAR_DIR/vault\.key"):
        Vault([])
    with pytest.raises(VaultError, match="must be 32 bytes in URL-safe base64") as refusal:
        Vault(["not-a-fernet-key"])
    assert "not-a-fernet-key" not in str(refusal.value)


@pytest.mark.parametrize(("key", "shown"), [("abcdefghijkl", "ijkl"), ("abcdefghi", "fghi"), ("abcdefgh", ""), ("abc", ""), ("", "")])
def test_a_hint_shows_the_end_of_a_long_key_and_nothing_of_a_short_one(key: str, shown: str) -> None:
    assert hint(key) == shown
