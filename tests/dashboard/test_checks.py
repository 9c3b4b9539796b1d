"""Checks of our own: what must not be so where real accounts are connected, and what is said of it at the start."""

import logging

import pytest
from cryptography.fernet import Fernet
from django.conf import settings
from django.core.checks import CheckMessage, registry
from django.db import connection

from dashboard import checks
from exchanges.accounts import store_credential
from exchanges.models import Environment, Exchange, ExchangeAccount


def ids(messages: list[CheckMessage]) -> list[str | None]:
    return [message.id for message in messages]


@pytest.fixture
def live_account(db: None) -> ExchangeAccount:
    return ExchangeAccount.objects.create(exchange=Exchange.OKX, environment=Environment.LIVE, label="Main")


@pytest.fixture
def _no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "VAULT_KEYS", [])


def test_all_of_them_are_registered() -> None:
    known = registry.registry.get_checks(include_deployment_checks=True)
    assert {checks.vault_has_a_key, checks.hosts_are_named, checks.live_accounts_are_safe} <= set(known)
    assert checks.vault_has_a_key not in registry.registry.get_checks(), "a first start has no key yet"


@pytest.mark.usefixtures("_no_key")
def test_a_missing_vault_key_is_an_error_of_a_deployment() -> None:
    assert ids(checks.vault_has_a_key()) == ["crossbook.E001"]


def test_a_vault_key_that_is_none_is_an_error_without_the_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "VAULT_KEYS", ["no-key-at-all"])
    (message,) = checks.vault_has_a_key()
    assert (message.id, "no-key-at-all" in message.msg) == ("crossbook.E001", False)
    monkeypatch.setattr(settings, "VAULT_KEYS", [Fernet.generate_key().decode()])
    assert checks.vault_has_a_key() == []


@pytest.mark.django_db
def test_stored_keys_without_a_vault_key_are_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    account = ExchangeAccount.objects.create(exchange=Exchange.OKX, environment=Environment.SANDBOX, label="Demo")
    store_credential(account, api_key="sandbox-x", api_secret="sandbox-x-secret", passphrase="sandbox-x-passphrase")
    assert checks.live_accounts_are_safe(databases=["default"]) == []
    monkeypatch.setattr(settings, "VAULT_KEYS", [])
    assert ids(checks.live_accounts_are_safe(databases=["default"])) == ["crossbook.E001"]


@pytest.mark.parametrize(("hosts", "found"), [(["*"], ["crossbook.W001"]), (["book.example.com", ".example.net"], [])])
def test_a_site_under_any_name_is_a_warning(monkeypatch: pytest.MonkeyPatch, hosts: list[str], found: list[str]) -> None:
    monkeypatch.setattr(settings, "ALLOWED_HOSTS", hosts)
    assert ids(checks.hosts_are_named()) == found


@pytest.mark.parametrize(("origins", "found"), [(["https://*.example.com"], ["crossbook.W002"]), (["https://book.example.com"], [])])
def test_open_origins_are_a_warning(monkeypatch: pytest.MonkeyPatch, origins: list[str], found: list[str]) -> None:
    monkeypatch.setattr(settings, "CSRF_TRUSTED_ORIGINS", origins)
    assert ids(checks.hosts_are_named()) == found


def test_live_accounts_with_debug_are_an_error(live_account: ExchangeAccount, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "crossbook.E002" not in ids(checks.live_accounts_are_safe(databases=["default"]))
    monkeypatch.setattr(settings, "DEBUG", True)
    assert "crossbook.E002" in ids(checks.live_accounts_are_safe(databases=["default"]))
    ExchangeAccount.objects.filter(pk=live_account.pk).update(is_enabled=False)
    assert checks.live_accounts_are_safe(databases=["default"]) == []


@pytest.mark.usefixtures("live_account")
def test_live_accounts_in_sqlite_are_a_warning_and_in_postgresql_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(settings.DATABASES["default"], "ENGINE", "django.db.backends.sqlite3")
    assert ids(checks.live_accounts_are_safe(databases=["default"])) == ["crossbook.W003"]
    monkeypatch.setitem(settings.DATABASES["default"], "ENGINE", "django.db.backends.postgresql")
    assert checks.live_accounts_are_safe(databases=["default"]) == []


def test_without_databases_none_is_asked() -> None:
    """pytest-django refuses every query of a test that asked for no database."""
    assert checks.live_accounts_are_safe() == []


@pytest.mark.django_db
def test_a_database_without_tables_is_no_trouble() -> None:
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE exchanges_credential RENAME TO not_there_yet")
    assert checks.live_accounts_are_safe(databases=["default"]) == []


@pytest.mark.usefixtures("live_account")
def test_what_was_found_is_said_at_the_start(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "ALLOWED_HOSTS", ["*"])
    checks.say_at_start()
    said = [(record.levelno, record.getMessage()) for record in caplog.records if record.name == "dashboard.checks"]
    assert [level for level, _ in said] == [logging.WARNING] * 2
    assert said[0][1].startswith("ALLOWED_HOSTS is *")
    assert said[1][1].startswith("Live accounts are kept in SQLite.")
