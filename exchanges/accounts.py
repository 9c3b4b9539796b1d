"""From an account's rows to a client: the only place that seals and opens stored credentials."""

from django.db import connection, transaction
from pydantic import SecretStr

from exchanges.domain import Environment, ExchangeConfig, ExchangeType
from exchanges.models import Credential, ExchangeAccount
from exchanges.protocol import IExchangeClient
from exchanges.runtime import ClientKey, runtime
from exchanges.vault import Sealed, VaultError, hint
from exchanges.wrapping_keys import vault

_VAULT_LOCK = 4_871_920_311  # a number of our own among PostgreSQL's advisory locks


def hold_vault() -> None:
    """Until the transaction at hand ends, nobody else seals a row or drops a wrapping key: a row can never be left under a key that is
    gone. SQLite's transactions exclude each other from the start (transaction_mode IMMEDIATE)."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_VAULT_LOCK])


def store_credential(account: ExchangeAccount, *, api_key: str, api_secret: str, passphrase: str = "") -> Credential:
    """Encrypt and keep the keys of `account`, replacing earlier ones. What is known of earlier ones is forgotten with them."""
    with transaction.atomic():
        hold_vault()
        sealed = vault().seal(account.pk, api_key=api_key, api_secret=api_secret, passphrase=passphrase)
        known = Credential.objects.select_for_update().filter(account=account).first()
        version = known.version + 1 if known else 1
        unknown = dict.fromkeys(("can_trade", "can_withdraw", "is_ip_bound", "expires_at", "checked_at"))
        fresh = {"key_hint": hint(api_key), "version": version, "trouble": "", **unknown, **_columns(sealed)}
        credential, _ = Credential.objects.update_or_create(account=account, defaults=fresh)
    return credential


def seal_anew(account_id: int) -> bool:
    """Put the stored keys of this account under the first wrapping key. False where they are already, or where there are none; safe to
    repeat. Raises VaultError for what does not open, and leaves it as it is."""
    with transaction.atomic():
        hold_vault()
        row = Credential.objects.select_for_update().filter(account=account_id).first()
        if row is None or row.key_id == vault().first_key_id:
            return False
        Credential.objects.filter(pk=row.pk).update(**_columns(vault().rewrap(account_id, row.sealed)))
    return True


def config_for(account: ExchangeAccount) -> ExchangeConfig:
    """Raises VaultError, or Credential.DoesNotExist for an account without keys."""
    secrets = _opened(account)
    return ExchangeConfig(
        exchange_type=ExchangeType(account.exchange),
        environment=Environment(account.environment),
        region=account.region,
        api_key=secrets["api_key"],
        api_secret=secrets["api_secret"],
        passphrase=secrets["passphrase"] if secrets["passphrase"].get_secret_value() else None,
    )


def client_for(account: ExchangeAccount) -> IExchangeClient:
    """The warm client of this process for `account` (fetch it with select_related("credential")). Raises as config_for."""
    key = ClientKey(account.pk, account.credential.version, account.settings_version)
    return runtime().client(key, config_for(account))


def _opened(account: ExchangeAccount) -> dict[str, SecretStr]:
    try:
        return vault().open(account.pk, account.credential.sealed)
    except VaultError:
        # Since the row was read a rotation may have put it under another key, and dropped the one before.
        now = Credential.objects.filter(account=account).first()
        if now is None or now.sealed == account.credential.sealed:
            raise
        return vault().open(account.pk, now.sealed)


def _columns(sealed: Sealed) -> dict[str, str]:
    return {"key_id": sealed.key_id, "wrapped_key": sealed.wrapped_key, "ciphertext": sealed.ciphertext}
