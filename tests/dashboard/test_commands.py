"""The management commands that people and the supervisor call."""

import io
import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.test import Client

from dashboard import environment
from exchanges.accounts import store_credential
from portfolio import tokens
from portfolio.models import ApiToken
from tests.dashboard import rows
from tests.dashboard.conftest import Desk


def output_of(command: str, **options: str | int) -> str:
    out = io.StringIO()
    call_command(command, stdout=out, **options)
    return out.getvalue()


def test_login_link_prints_an_address_that_signs_in(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT", "8123")
    address = output_of("login_link", user="alice").strip()
    assert address.startswith("http://127.0.0.1:8123/login/")
    client = Client()
    assert client.get(address.removeprefix("http://127.0.0.1:8123")).status_code == 302
    assert client.session["_auth_user_id"] == str(desk.alice.pk)


@pytest.mark.parametrize("name", ["nobody", "closed", ""])
def test_login_link_for_nobody_is_one_sentence(db: None, name: str) -> None:
    rows.person("closed", is_active=False)
    with pytest.raises(CommandError, match=rf"^there is no active user '{name}'\.$"):
        output_of("login_link", user=name)


def test_create_api_token_prints_the_token_and_nothing_else(desk: Desk) -> None:
    out = output_of("create_api_token", user="alice", name="script", scopes="read,trade")
    assert out.count("\n") == 1
    text = out.strip()
    assert (token := tokens.owner_of(text, rows.now())) is not None
    assert (token.user, token.scopes) == (desk.alice, ["read", "trade"])
    assert Client().get("/api/v1/exposure", headers={"authorization": f"Bearer {text}"}).status_code == 200


def test_a_token_reads_unless_more_is_asked_for(desk: Desk) -> None:
    output_of("create_api_token", user="alice", name="reader")
    assert ApiToken.objects.get().scopes == ["read"]


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"user": "nobody"}, "there is no user 'nobody'."),
        ({"scopes": "root"}, "scopes must be of read, trade, admin, was 'root'."),
        ({"scopes": "read;trade"}, "scopes must be of read, trade, admin, was 'read;trade'."),
        ({"scopes": " , "}, "scopes must be of read, trade, admin, was ' , '."),
        ({"expires_days": 0}, "expires-days must be between 1 and 3650, was 0."),
        ({"expires_days": 99_999_999}, "expires-days must be between 1 and 3650, was 99999999."),
        ({"name": "taken"}, "alice already has a token named 'taken'; choose another name."),
    ],
)
def test_create_api_token_refuses_in_one_sentence(desk: Desk, options: dict[str, str | int], sentence: str) -> None:
    tokens.create(desk.alice, "taken", ["read"])
    with pytest.raises(CommandError) as caught:
        output_of("create_api_token", **{"user": "alice", "name": "new", "scopes": "read"} | options)
    assert str(caught.value) == sentence
    assert ApiToken.objects.count() == 1


def test_a_token_is_valid_for_the_days_it_is_made_for(desk: Desk) -> None:
    text = output_of("create_api_token", user="alice", name="short", expires_days=7).strip()
    soon, late = (rows.now() + timedelta(days=7, seconds=seconds) for seconds in (-30, 30))
    assert tokens.owner_of(text, soon) is not None
    assert tokens.owner_of(text, late) is None


@pytest.mark.parametrize("by", ["name", "id"])
def test_a_revoked_token_opens_nothing_and_the_others_still_do(desk: Desk, by: str) -> None:
    script, other = (tokens.create(desk.alice, name, ["read"]) for name in ("script", "other"))
    named: dict[str, str | int] = {"user": "alice", "name": "script"} if by == "name" else {"id": ApiToken.objects.get(name="script").pk}
    assert output_of("revoke_api_token", **named) == "The token script of alice is revoked.\n"
    answers = [Client().get("/api/v1/exposure", headers={"authorization": f"Bearer {text}"}) for text in (script, other)]
    assert [answer.status_code for answer in answers] == [401, 200]
    with pytest.raises(CommandError, match=r"^the token script of alice was revoked before, at 20\d\d-.* UTC\.$"):
        output_of("revoke_api_token", **named)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({}, "name one token: by --user and --name, or by --id alone."),
        ({"user": "alice"}, "name one token: by --user and --name, or by --id alone."),
        ({"name": "script"}, "name one token: by --user and --name, or by --id alone."),
        ({"user": "alice", "name": "script", "id": 1}, "name one token: by --user and --name, or by --id alone."),
        ({"user": "victor", "name": "script"}, "'victor' has no token named 'script'."),
        ({"id": 987_654}, "there is no token with the id 987654."),
    ],
)
def test_revoke_api_token_refuses_in_one_sentence(desk: Desk, options: dict[str, str | int], sentence: str) -> None:
    tokens.create(desk.alice, "script", ["read"])
    with pytest.raises(CommandError) as caught:
        output_of("revoke_api_token", **options)
    assert str(caught.value) == sentence
    assert ApiToken.objects.get().revoked_at is None


def test_prepare_makes_the_demo_once_and_a_link_each_time(db: None) -> None:
    first, second = output_of("prepare").strip(), output_of("prepare").strip()
    assert User.objects.get().username == "admin"
    assert not User.objects.get().has_usable_password()
    for link in (first, second):
        assert link.startswith("/login/")
    assert Client().get(first).headers["Location"] == "/password"


def test_prepare_says_that_the_vault_key_is_missing(desk: Desk, settings: Any) -> None:
    store_credential(desk.binance, api_key="sandbox-x", api_secret="x")
    settings.VAULT_KEYS = []
    with pytest.raises(CommandError, match=r"^The vault key is missing: restore VAR_DIR/vault\.key"):
        output_of("prepare")
    assert not (environment.var_dir() / environment.VAULT_KEY_FILE).exists()  # a new key would open nothing and hide the loss


def test_prepare_says_that_the_vault_key_is_the_wrong_one(desk: Desk, settings: Any) -> None:
    store_credential(desk.binance, api_key="sandbox-x", api_secret="x")
    settings.VAULT_KEYS = [Fernet.generate_key().decode()]
    with pytest.raises(CommandError, match=r"do not open with this vault key: restore the right one\.$"):
        output_of("prepare")


def test_prepare_says_that_the_vault_key_is_malformed(desk: Desk, settings: Any) -> None:
    store_credential(desk.binance, api_key="sandbox-x", api_secret="x")
    settings.VAULT_KEYS = ["not a key"]
    with pytest.raises(CommandError, match=r"^The vault key is malformed: "):
        output_of("prepare")


def prepare_in(var_dir: Path, **variables: str) -> "subprocess.CompletedProcess[str]":
    kept = {name: value for name, value in os.environ.items() if name not in ("VAULT_KEYS", "DATABASE_URL", "SECRET_KEY")}
    # Nobody is asked at this address: it says that there are simulated exchanges, so that a demo portfolio is made.
    state = {**kept, "VAR_DIR": str(var_dir), "SANDBOX_URL": "http://127.0.0.1:9", **variables}
    command = [sys.executable, "manage.py", "prepare"]
    return subprocess.run(command, cwd=environment.ROOT, env=state, capture_output=True, text=True, check=False, timeout=60)


@pytest.mark.parametrize("damage", [b"this is no database at all, it only has its name" * 100, b"SQLite format 3\x00" + b"\xff" * 5_000])
def test_prepare_says_in_one_line_that_the_database_is_broken(tmp_path: Path, damage: bytes) -> None:
    (tmp_path / "crossbook.sqlite3").write_bytes(damage)
    done = prepare_in(tmp_path)
    assert done.returncode == 1
    [line] = done.stderr.strip().splitlines()
    assert line.startswith(f"CommandError: the database {tmp_path / 'crossbook.sqlite3'} cannot be used (")
    assert line.endswith("; restore it or set VAR_DIR.")


def test_a_first_start_makes_its_keys_and_a_second_one_keeps_them(tmp_path: Path) -> None:
    first = prepare_in(tmp_path)
    assert (first.returncode, first.stderr) == (0, "")
    keys = {name: (tmp_path / name).read_text() for name in ("vault.key", "secret.key")}
    assert [(tmp_path / name).stat().st_mode & 0o777 for name in keys] == [0o600, 0o600]
    second = prepare_in(tmp_path)
    assert second.returncode == 0
    assert {name: (tmp_path / name).read_text() for name in keys} == keys
    (tmp_path / "vault.key").unlink()
    third = prepare_in(tmp_path)
    assert third.returncode == 1
    assert "The vault key is missing: restore VAR_DIR/vault.key" in third.stderr
    assert not (tmp_path / "vault.key").exists()
