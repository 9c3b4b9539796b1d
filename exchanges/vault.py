"""Encryption of stored credentials, in envelopes: each row has a data key of its own, wrapped by a key that is kept outside the database.

Knows keys and bytes, no tables and no files. Both layers are AES-256-GCM bound to the account: moved to another row neither opens. The
first wrapping key seals, all of them open. They have the form of Fernet keys (32 bytes in URL-safe base64), because rows were Fernet tokens
at first (no key id, no wrapped key); those still open, and `rewrap` puts them into an envelope.
"""

import json
import os
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidTag
from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from pydantic import SecretStr

HINT_LENGTH = 4
NONCE_BYTES = 12
DATA_KEY_BITS = 256


class VaultError(Exception):
    """The vault cannot open or seal; the text says what to do and holds no secret."""


@dataclass(frozen=True, slots=True)
class Sealed:
    """What a row holds. `key_id` names the wrapping key without telling anything of it; "" for a token of the first kind."""

    key_id: str
    wrapped_key: str = field(repr=False)
    ciphertext: str = field(repr=False)


class Vault:
    def __init__(self, keys: Sequence[str]) -> None:
        """`keys`: wrapping keys, newest first. Raises VaultError for none or a malformed one."""
        if not keys:
            raise VaultError("The vault key is missing: restore VAR_DIR/vault.key from your backup or set VAULT_KEYS.")
        try:
            self._fernet = MultiFernet([Fernet(key) for key in keys])
        except ValueError as error:
            raise VaultError(
                "The vault key is malformed: it must be 32 bytes in URL-safe base64, as first written to VAR_DIR/vault.key."
            ) from error
        self._wrapping = {key_id(key): AESGCM(_derived(key, b"crossbook vault: wrapping key", 32)) for key in keys}
        self.first_key_id = key_id(keys[0])

    def seal(self, account_id: int, *, api_key: str, api_secret: str, passphrase: str = "") -> Sealed:
        data_key = AESGCM.generate_key(DATA_KEY_BITS)
        content = json.dumps({"api_key": api_key, "api_secret": api_secret, "passphrase": passphrase}).encode()
        return Sealed(self.first_key_id, self._wrapped(data_key, account_id), _encrypted(AESGCM(data_key), content, _bound_to(account_id)))

    def open(self, account_id: int, sealed: Sealed) -> dict[str, SecretStr]:
        """`api_key`, `api_secret`, `passphrase`. Raises VaultError for a row of another key or another account, or one that was changed."""
        content = json.loads(self._content_of(account_id, sealed))
        return {name: SecretStr(content[name]) for name in ("api_key", "api_secret", "passphrase")}

    def rewrap(self, account_id: int, sealed: Sealed) -> Sealed:
        """The same credentials under the first key. Raises as `open`, which it does first: what does not open is never written anew."""
        content = self._content_of(account_id, sealed)
        if not sealed.key_id:
            return self.seal(account_id, **{name: value for name, value in json.loads(content).items() if name != "account"})
        data_key = self._data_key_of(account_id, sealed)
        return Sealed(self.first_key_id, self._wrapped(data_key, account_id), sealed.ciphertext)

    def _content_of(self, account_id: int, sealed: Sealed) -> bytes:
        if not sealed.key_id:
            return self._content_of_token(account_id, sealed.ciphertext)
        try:
            return _decrypted(AESGCM(self._data_key_of(account_id, sealed)), sealed.ciphertext, _bound_to(account_id))
        except (InvalidTag, ValueError) as error:
            raise _was_changed(account_id) from error

    def _content_of_token(self, account_id: int, token: str) -> bytes:
        try:
            content = self._fernet.decrypt(token.encode())
        except InvalidToken as error:
            raise _wrong_key(account_id) from error
        if json.loads(content)["account"] != account_id:
            raise _was_changed(account_id)
        return content

    def _data_key_of(self, account_id: int, sealed: Sealed) -> bytes:
        wrapping = self._wrapping.get(sealed.key_id)
        if wrapping is None:
            raise _wrong_key(account_id)
        try:
            return _decrypted(wrapping, sealed.wrapped_key, _bound_to(account_id))
        except (InvalidTag, ValueError) as error:
            raise _was_changed(account_id) from error

    def _wrapped(self, data_key: bytes, account_id: int) -> str:
        return _encrypted(self._wrapping[self.first_key_id], data_key, _bound_to(account_id))


def new_key() -> str:
    return Fernet.generate_key().decode()


def key_id(key: str) -> str:
    """The name of a wrapping key: derived from it, and nothing of it can be derived back. Raises ValueError for a malformed key."""
    return _derived(key, b"crossbook vault: key id", 8).hex()


def hint(api_key: str) -> str:
    """The last characters of the key id: all of it that is ever shown."""
    return api_key[-HINT_LENGTH:] if len(api_key) > 2 * HINT_LENGTH else ""


def _derived(key: str, purpose: bytes, length: int) -> bytes:
    return HKDF(algorithm=SHA256(), length=length, salt=None, info=purpose).derive(urlsafe_b64decode(key))


def _bound_to(account_id: int) -> bytes:
    return f"exchange account {account_id}".encode()


def _encrypted(cipher: AESGCM, content: bytes, bound_to: bytes) -> str:
    nonce = os.urandom(NONCE_BYTES)
    return urlsafe_b64encode(nonce + cipher.encrypt(nonce, content, bound_to)).decode()


def _decrypted(cipher: AESGCM, text: str, bound_to: bytes) -> bytes:
    """Raises InvalidTag, or ValueError for what is not even base64 of the right length."""
    raw = urlsafe_b64decode(text.encode())
    return cipher.decrypt(raw[:NONCE_BYTES], raw[NONCE_BYTES:], bound_to)


def _wrong_key(account_id: int) -> VaultError:
    return VaultError(f"The stored keys of account {account_id} do not open with this vault key: restore the right one.")


def _was_changed(account_id: int) -> VaultError:
    return VaultError(f"The stored keys of account {account_id} were changed or belong to another account: enter them again.")
