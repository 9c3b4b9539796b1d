"""The wrapping key is rotated by one command, which can be interrupted at each row, while others read and seal (S2, S50 to S52)."""

import json
import os
import threading
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.core.management import CommandError, call_command
from django.db import connection

from exchanges import accounts, rotation, wrapping_keys
from exchanges.models import Credential, Environment, Exchange, ExchangeAccount
from exchanges.vault import Vault, VaultError, key_id, new_key

SECRET = "the-secret-of-the-key"
OLD = new_key()


@pytest.fixture
def key_file(tmp_path: Path, settings: Any) -> Path:
    path = tmp_path / "vault.key"
    path.write_text(f"{OLD}\n")
    settings.VAULT_KEYS, settings.VAULT_KEY_FILE = [OLD], path
    return path


def add_account(label: str) -> ExchangeAccount:
    account = ExchangeAccount.objects.create(exchange=Exchange.BYBIT, environment=Environment.SANDBOX, label=label)
    accounts.store_credential(account, api_key=f"key-of-{label}", api_secret=SECRET)
    return account


@pytest.fixture
def three(db: None, key_file: Path) -> list[ExchangeAccount]:
    return [add_account(label) for label in ("one", "two", "three")]


def keys_in(path: Path) -> list[str]:
    return path.read_text().split()


def rotate() -> str:
    out = StringIO()
    call_command("rotate_vault_key", stdout=out)
    return out.getvalue()


def secrets() -> dict[str, str]:
    """As a running process reads them: nothing is told of a rotation."""
    found = ExchangeAccount.objects.select_related("credential")
    return {account.label: accounts.config_for(account).api_key.get_secret_value() for account in found}


ALL = {label: f"key-of-{label}" for label in ("one", "two", "three")}


def test_one_command_replaces_the_key_and_the_old_one_opens_nothing(three: list[ExchangeAccount], key_file: Path) -> None:
    versions = list(Credential.objects.values_list("version", "updated_at"))
    said = rotate()
    (new,) = keys_in(key_file)
    assert "The keys of 3 accounts are now under the new key; 1 old key(s) dropped" in said
    assert new not in said
    assert OLD not in said
    assert key_file.stat().st_mode & 0o077 == 0
    assert secrets() == ALL
    assert set(Credential.objects.values_list("key_id", flat=True)) == {key_id(new)}
    assert list(Credential.objects.values_list("version", "updated_at")) == versions  # the exchange's keys are the same: no client renews
    for row in Credential.objects.all():
        with pytest.raises(VaultError, match="do not open"):
            Vault([OLD]).open(row.account_id, row.sealed)


def test_a_row_that_was_read_before_a_rotation_opens_after_it(three: list[ExchangeAccount], key_file: Path) -> None:
    before = ExchangeAccount.objects.select_related("credential").get(label="one")
    rotate()
    assert accounts.config_for(before).api_key.get_secret_value() == "key-of-one"


class Interrupted(BaseException):
    pass


@pytest.mark.parametrize("after", [0, 1, 2, 3])
def test_a_rotation_interrupted_at_any_row_is_resumed(
    three: list[ExchangeAccount], key_file: Path, monkeypatch: pytest.MonkeyPatch, after: int
) -> None:
    done: list[int] = []

    def seal_until_interrupted(account_id: int) -> bool:
        if len(done) == after:
            raise Interrupted
        done.append(account_id)
        return accounts.seal_anew(account_id)

    def killed(*_: Any) -> None:
        raise Interrupted

    with monkeypatch.context() as patched:
        patched.setattr(rotation, "seal_anew", seal_until_interrupted)
        patched.setattr(rotation, "_finish", killed)
        with pytest.raises(Interrupted):
            rotate()
    new, old = keys_in(key_file)
    assert old == OLD
    assert secrets() == ALL
    assert f"The keys of {3 - after} account" in rotate()
    assert keys_in(key_file) == [new]  # the key of the run before, not another one
    assert secrets() == ALL


def test_a_row_that_still_needs_the_old_key_keeps_it(three: list[ExchangeAccount], key_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that came in under the old key behind the back of the run, as from a restored backup."""
    late = wrapping_keys.vault().seal(three[0].pk, api_key="key-of-one", api_secret=SECRET)
    finish = rotation._finish

    def finish_late(path: Path, resealed: int) -> rotation.Rotated:
        Credential.objects.filter(account=three[0]).update(**accounts._columns(late))
        return finish(path, resealed)

    with monkeypatch.context() as patched:
        patched.setattr(rotation, "_finish", finish_late)
        with pytest.raises(CommandError, match="run this again"):
            rotate()
    assert keys_in(key_file)[1] == OLD
    assert secrets() == ALL
    rotate()
    assert OLD not in keys_in(key_file)
    assert secrets() == ALL


def test_tokens_of_the_first_kind_open_and_are_put_into_envelopes(three: list[ExchangeAccount], key_file: Path) -> None:
    content = {"account": three[0].pk, "api_key": "key-of-one", "api_secret": SECRET, "passphrase": ""}
    text = Fernet(OLD).encrypt(json.dumps(content).encode()).decode()
    Credential.objects.filter(account=three[0]).update(key_id="", wrapped_key="", ciphertext=text)
    assert secrets() == ALL
    assert accounts.seal_anew(three[0].pk)
    assert not accounts.seal_anew(three[0].pk)
    assert Credential.objects.get(account=three[0]).key_id == key_id(OLD)
    assert secrets() == ALL
    Credential.objects.filter(account=three[0]).update(key_id="", wrapped_key="", ciphertext=text)
    rotate()
    assert secrets() == ALL


@pytest.mark.parametrize("content", ["", "not a key\n", f"{new_key()}\n", None], ids=["empty", "malformed", "another", "missing"])
def test_a_wrong_or_missing_key_refuses_and_overwrites_nothing(three: list[ExchangeAccount], key_file: Path, content: str | None) -> None:
    before = list(Credential.objects.values())
    if content is None:
        key_file.unlink()
    else:
        key_file.write_text(content)
    with pytest.raises(CommandError, match=r"restore|Restore|malformed"):
        rotate()
    with pytest.raises(VaultError):
        secrets()
    with pytest.raises(VaultError):
        accounts.seal_anew(three[0].pk)
    assert list(Credential.objects.values()) == before
    assert (key_file.read_text() if key_file.exists() else None) == content
    key_file.write_text(f"{OLD}\n")
    assert secrets() == ALL


def test_a_row_that_was_changed_stops_the_rotation_before_it_begins(three: list[ExchangeAccount], key_file: Path) -> None:
    Credential.objects.filter(account=three[1]).update(ciphertext="tampered")
    with pytest.raises(CommandError, match=rf"^Nothing was changed: the stored keys of account {three[1].pk} do not open\."):
        rotate()
    assert keys_in(key_file) == [OLD]


def test_with_keys_from_the_environment_it_says_what_to_do(three: list[ExchangeAccount], key_file: Path, settings: Any) -> None:
    settings.VAULT_KEY_FILE = None
    with pytest.raises(CommandError, match="VAULT_KEYS is set in the environment") as refusal:
        rotate()
    assert OLD not in str(refusal.value)
    settings.VAULT_KEYS = [new_key(), OLD]
    assert "The keys of 3 accounts are now under the first key of VAULT_KEYS" in rotate()
    settings.VAULT_KEYS = settings.VAULT_KEYS[:1]
    assert secrets() == ALL
    assert keys_in(key_file) == [OLD]


def test_a_dump_of_the_database_alone_decrypts_nothing(three: list[ExchangeAccount]) -> None:
    out = StringIO()
    call_command("dumpdata", "exchanges", stdout=out)
    dump = out.getvalue()
    assert '"exchanges.credential"' in dump
    assert SECRET not in dump
    assert "key-of-" not in dump
    row = Credential.objects.first()
    assert row is not None
    for found in (row.key_id, row.wrapped_key, row.ciphertext):  # nothing in a row is a key
        with pytest.raises(VaultError):
            Vault([found])


def test_a_key_file_that_cannot_be_written_changes_nothing(
    three: list[ExchangeAccount], key_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any, **__: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(CommandError, match="No space left on device"):
        rotate()
    assert keys_in(key_file) == [OLD]
    assert [path.name for path in key_file.parent.iterdir()] == ["vault.key"]
    assert secrets() == ALL


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give a file to somebody else")
def test_the_file_stays_with_the_user_that_the_site_runs_as_though_root_rotates(three: list[ExchangeAccount], key_file: Path) -> None:
    os.chown(key_file, 12_345, 12_346)
    rotate()
    kept = key_file.stat()
    assert (kept.st_uid, kept.st_gid, kept.st_mode & 0o077) == (12_345, 12_346, 0)


@pytest.fixture
def committed(transactional_db: None, key_file: Path) -> list[ExchangeAccount]:
    return [add_account(label) for label in ("one", "two", "three")]


@pytest.mark.postgresql
def test_others_read_and_seal_while_the_key_is_rotated(committed: list[ExchangeAccount], key_file: Path) -> None:
    """Three rotations against a thread that stores keys anew and one that reads: nothing is ever closed to either."""
    stop, failures = threading.Event(), list[BaseException]()

    def keep(work: Any) -> threading.Thread:
        def run() -> None:
            try:
                while not stop.wait(0.01):  # SQLite is not fair: who never pauses lets nobody else write
                    work()
            except BaseException as error:  # told to the test
                failures.append(error)
            finally:
                connection.close()

        return threading.Thread(target=run)

    def store() -> None:
        accounts.store_credential(committed[0], api_key="key-of-one", api_secret=SECRET)

    def read() -> None:
        assert secrets() == ALL

    threads = [keep(store), keep(read)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(3):
            rotate()
    finally:
        stop.set()
        for thread in threads:
            thread.join(timeout=30)
    assert failures == []
    assert secrets() == ALL
    assert len(keys_in(key_file)) == 1
