"""Encryption of stored credentials. Knows keys and tokens, no tables. A token is bound to its account: moved to another row it does not
open. The first key encrypts, all keys decrypt, so that keys can be rotated one after the other."""

import json
from collections.abc import Sequence

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from pydantic import SecretStr

HINT_LENGTH = 4


class VaultError(Exception):
    """The vault cannot open or seal; the text says what to do and holds no secret."""


class Vault:
    def __init__(self, keys: Sequence[str]) -> None:
        """`keys`: Fernet keys, newest first. Raises VaultError for none or a malformed one."""
        if not keys:
            raise VaultError("The vault key is missing: restore VAR_DIR/vault.key from your backup or set VAULT_KEYS.")
        try:
            self._fernet = MultiFernet([Fernet(key) for key in keys])
        except ValueError as error:
            raise VaultError(
                "The vault key is malformed: it must be 32 bytes in URL-safe base64, as first written to VAR_DIR/vault.key."
            ) from error

    def seal(self, account_id: int, *, api_key: str, api_secret: str, passphrase: str = "") -> str:
        content = {"account": account_id, "api_key": api_key, "api_secret": api_secret, "passphrase": passphrase}
        return self._fernet.encrypt(json.dumps(content).encode()).decode()

    def open(self, account_id: int, token: str) -> dict[str, SecretStr]:
        """`api_key`, `api_secret`, `passphrase`. Raises VaultError for a token of another key or another account."""
        try:
            content = json.loads(self._fernet.decrypt(token.encode()))
        except InvalidToken as error:
            raise VaultError(f"The stored keys of account {account_id} do not open with this vault key: restore the right one.") from error
        if content.pop("account") != account_id:
            raise VaultError(f"The stored keys of account {account_id} belong to another account.")
        return {name: SecretStr(value) for name, value in content.items()}


def hint(api_key: str) -> str:
    """The last characters of the key id: all of it that is ever shown."""
    return api_key[-HINT_LENGTH:] if len(api_key) > 2 * HINT_LENGTH else ""
