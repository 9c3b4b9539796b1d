"""From an account's rows to a client: keys are sealed for their account, and a changed key makes a new client (S1, S49)."""

import pytest
from cryptography.fernet import Fernet
from django.conf import LazySettings

from exchanges import accounts
from exchanges.models import Credential, Environment, Exchange, ExchangeAccount
from exchanges.vault import VaultError
from exchanges.wrapping_keys import vault
from tests.simulated import Sandbox

SECRET = "the-secret-of-the-key"

pytestmark = pytest.mark.django_db


@pytest.fixture
def account(sandbox: Sandbox) -> ExchangeAccount:
    return ExchangeAccount.objects.create(exchange=Exchange.BYBIT, environment=Environment.SANDBOX, label="Main")


def store(account: ExchangeAccount, key: str = "sandbox-accounts", secret: str = SECRET, passphrase: str = "") -> Credential:
    return accounts.store_credential(account, api_key=key, api_secret=secret, passphrase=passphrase)


def read(account: ExchangeAccount) -> ExchangeAccount:
    return ExchangeAccount.objects.select_related("credential").get(pk=account.pk)


def test_what_is_stored_shows_the_end_of_the_key_and_nothing_else(account: ExchangeAccount) -> None:
    credential = store(account)
    assert (credential.key_hint, credential.version) == ("unts", 1)
    row = str(Credential.objects.values().get())
    assert "sandbox-accounts" not in row
    assert SECRET not in row
    assert "the-secret" not in str(credential)


def test_a_config_opens_what_was_sealed(account: ExchangeAccount) -> None:
    store(account)
    config = accounts.config_for(read(account))
    assert (config.api_key.get_secret_value(), config.api_secret.get_secret_value()) == ("sandbox-accounts", SECRET)
    assert (config.exchange_type, config.environment, config.passphrase) == ("bybit", "sandbox", None)
    assert "the-secret" not in repr(config)


def test_an_okx_key_has_its_passphrase(sandbox: Sandbox) -> None:
    okx = ExchangeAccount.objects.create(exchange=Exchange.OKX, environment=Environment.SANDBOX, label="Main")
    store(okx, passphrase="words")
    passphrase = accounts.config_for(read(okx)).passphrase
    assert passphrase is not None
    assert passphrase.get_secret_value() == "words"


def test_a_changed_key_counts_the_version_up_and_makes_a_new_client(account: ExchangeAccount) -> None:
    store(account)
    first = accounts.client_for(read(account))
    assert accounts.client_for(read(account)) is first
    assert store(account, secret="another-secret").version == 2
    assert Credential.objects.count() == 1
    assert accounts.client_for(read(account)) is not first
    assert accounts.config_for(read(account)).api_secret.get_secret_value() == "another-secret"


def test_an_account_without_keys_is_no_client(account: ExchangeAccount) -> None:
    with pytest.raises(Credential.DoesNotExist):
        accounts.client_for(read(account))


def test_keys_moved_to_another_account_do_not_open(account: ExchangeAccount) -> None:
    store(account)
    other = ExchangeAccount.objects.create(exchange=Exchange.BYBIT, environment=Environment.SANDBOX, label="Other")
    kept = account.credential
    Credential.objects.create(account=other, key_id=kept.key_id, wrapped_key=kept.wrapped_key, ciphertext=kept.ciphertext, key_hint="")
    with pytest.raises(VaultError, match="belong to another account"):
        accounts.config_for(read(other))


def test_another_vault_key_does_not_open_and_an_added_one_does(account: ExchangeAccount, settings: LazySettings) -> None:
    store(account)
    old, new = settings.VAULT_KEYS, Fernet.generate_key().decode()
    settings.VAULT_KEYS = [new]
    with pytest.raises(VaultError, match="do not open") as refusal:
        accounts.config_for(read(account))
    assert new not in str(refusal.value)
    settings.VAULT_KEYS = [new, *old]
    assert accounts.config_for(read(account)).api_key.get_secret_value() == "sandbox-accounts"
    settings.VAULT_KEYS = []
    with pytest.raises(VaultError, match="missing"):
        vault()


def test_a_short_key_gives_no_hint(account: ExchangeAccount) -> None:
    assert store(account, key="12345678").key_hint == ""


def test_nothing_is_stored_where_nothing_can_be_sealed(account: ExchangeAccount, settings: LazySettings) -> None:
    settings.VAULT_KEYS = ["not a key"]
    with pytest.raises(VaultError):
        store(account)
    assert not Credential.objects.exists()


def test_a_region_that_does_not_exist_is_no_client(account: ExchangeAccount) -> None:
    store(account)
    ExchangeAccount.objects.filter(pk=account.pk).update(region="atlantis")
    Credential.objects.update(version=77_777)
    with pytest.raises(ValueError, match="region"):
        accounts.client_for(read(account))
