"""From an account's rows to a client: the only place that opens the vault."""

from django.conf import settings
from django.db import transaction

from exchanges.domain import Environment, ExchangeConfig, ExchangeType
from exchanges.models import Credential, ExchangeAccount
from exchanges.protocol import IExchangeClient
from exchanges.runtime import ClientKey, runtime
from exchanges.vault import Vault, hint


def vault() -> Vault:
    """Raises VaultError where no usable key is configured."""
    return Vault(settings.VAULT_KEYS)


def store_credential(account: ExchangeAccount, *, api_key: str, api_secret: str, passphrase: str = "") -> Credential:
    """Encrypt and keep the keys of `account`, replacing earlier ones."""
    sealed = vault().seal(account.pk, api_key=api_key, api_secret=api_secret, passphrase=passphrase)
    with transaction.atomic():
        known = Credential.objects.select_for_update().filter(account=account).first()
        version = known.version + 1 if known else 1
        credential, _ = Credential.objects.update_or_create(
            account=account, defaults={"ciphertext": sealed, "key_hint": hint(api_key), "version": version}
        )
    return credential


def config_for(account: ExchangeAccount) -> ExchangeConfig:
    """Raises VaultError, or Credential.DoesNotExist for an account without keys."""
    secrets = vault().open(account.pk, account.credential.ciphertext)
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
    key = ClientKey(account.pk, account.credential.version)
    return runtime().client(key, config_for(account))
