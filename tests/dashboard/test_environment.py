"""What the installation is told from outside, and the secrets it makes for itself."""

import os
import stat
import threading
from pathlib import Path
from typing import Any

import pytest

from dashboard import environment
from dashboard import settings as project_settings
from dashboard.environment import ConfigurationError, DatabaseAddress


@pytest.fixture
def var_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("VAR_DIR", str(tmp_path))
    return tmp_path


@pytest.mark.parametrize(("text", "number"), [(None, 7), ("", 7), ("1", 1), ("10", 10), ("007", 7)])
def test_a_whole_number(monkeypatch: pytest.MonkeyPatch, text: str | None, number: int) -> None:
    monkeypatch.delenv("LIMIT", raising=False)
    if text is not None:
        monkeypatch.setenv("LIMIT", text)
    assert environment.whole_number("LIMIT", 7, low=1, high=10) == number


@pytest.mark.parametrize("text", ["0", "11", "-1", "1.5", "1e1", "x", " 1", "²", "１", "9" * 5_000])
def test_what_is_no_whole_number_in_the_range_is_one_sentence(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("LIMIT", text)
    with pytest.raises(ConfigurationError, match=r"^LIMIT must be a whole number from 1 to 10, was '"):
        environment.whole_number("LIMIT", 7, low=1, high=10)


@pytest.mark.parametrize("text", ["0", "65536", "http", "8000 "])
def test_a_port_is_one(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("PORT", text)
    with pytest.raises(ConfigurationError, match=r"PORT must be a whole number from 1 to 65535"):
        environment.port()
    monkeypatch.delenv("PORT")
    assert environment.port() == 8000


@pytest.mark.parametrize(
    ("text", "is_on"),
    [("1", True), ("true", True), (" YES ", True), ("on", True), ("0", False), ("False", False), ("no", False), ("off", False)],
)
def test_a_switch(monkeypatch: pytest.MonkeyPatch, text: str, is_on: bool) -> None:
    monkeypatch.setenv("SWITCH", text)
    assert environment.is_on("SWITCH", default=not is_on) is is_on


def test_a_switch_left_out_is_its_default_and_a_wrong_one_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SWITCH", raising=False)
    assert (environment.is_on("SWITCH"), environment.is_on("SWITCH", default=True)) == (False, True)
    monkeypatch.setenv("SWITCH", "ja")
    with pytest.raises(ConfigurationError, match=r"^SWITCH must be 1 or 0, was 'ja'\.$"):
        environment.is_on("SWITCH")


def test_words_are_separated_by_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORDS", " a, b ,,c ")
    assert environment.words("WORDS", "") == ["a", "b", "c"]
    monkeypatch.delenv("WORDS")
    assert environment.words("WORDS", "x,y") == ["x", "y"]


def test_without_an_address_the_database_is_a_file_of_ours(var_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DATABASE_URL", raising=False)
    assert environment.database_address() == DatabaseAddress("sqlite", str(var_dir / "crossbook.sqlite3"))


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("postgresql://db/book", DatabaseAddress("postgresql", "book", host="db")),
        ("postgres://u:p%40ss@db:5433/book", DatabaseAddress("postgresql", "book", "u", "p@ss", "db", "5433")),
        ("postgresql://u%3Aser:p%2F%3A@[::1]:5432/b%20k", DatabaseAddress("postgresql", "b k", "u:ser", "p/:", "::1", "5432")),
        ("postgresql:///book", DatabaseAddress("postgresql", "book")),
    ],
)
def test_the_address_of_a_postgresql(monkeypatch: pytest.MonkeyPatch, url: str, address: DatabaseAddress) -> None:
    monkeypatch.setenv("DATABASE_URL", url)
    assert environment.database_address() == address


@pytest.mark.parametrize(
    "url",
    [
        "mysql://u:hunter2@db/book",
        "book",
        "postgresql://u:hunter2@db:port/book",
        "postgresql://u:hunter2@[::1/book",
        "postgresql://u:hunter2@db",
    ],
)
def test_a_wrong_address_is_one_sentence_without_the_password(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("DATABASE_URL", url)
    with pytest.raises(ConfigurationError, match=r"^DATABASE_URL must ") as caught:
        environment.database_address()
    assert "hunter2" not in str(caught.value)


def test_a_secret_is_made_once_and_readable_by_its_owner_alone(var_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SOME_KEY", raising=False)
    assert environment.kept_secret("SOME_KEY", "some.key") == ""
    environment.make_secret("some.key")
    secret = environment.kept_secret("SOME_KEY", "some.key")
    assert len(secret) >= 50
    assert stat.S_IMODE((var_dir / "some.key").stat().st_mode) == 0o600
    environment.make_secret("some.key", "another")
    assert environment.kept_secret("SOME_KEY", "some.key") == secret
    assert os.listdir(var_dir) == ["some.key"]  # noqa: PTH208  (hidden leftovers count)


def test_a_secret_of_the_environment_comes_first(var_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    environment.make_secret("some.key", "kept")
    monkeypatch.setenv("SOME_KEY", "told")
    assert environment.kept_secret("SOME_KEY", "some.key") == "told"


def test_a_start_that_dies_while_it_writes_leaves_no_half_secret(var_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def die(_descriptor: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", die)
    with pytest.raises(KeyboardInterrupt):
        environment.make_secret("some.key", "whole")
    monkeypatch.undo()
    monkeypatch.setenv("VAR_DIR", str(var_dir))
    assert environment.kept_secret("SOME_KEY", "some.key") == ""
    environment.make_secret("some.key", "whole")
    assert environment.kept_secret("SOME_KEY", "some.key") == "whole"


def test_processes_that_start_at_once_agree_on_one_secret(var_dir: Path) -> None:
    barrier, seen = threading.Barrier(8), []

    def start() -> None:
        barrier.wait()
        environment.make_secret("some.key")
        seen.append(environment.kept_secret("SOME_KEY", "some.key"))

    threads = [threading.Thread(target=start) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(seen) == 8
    assert len(set(seen)) == 1
    assert seen[0]


def test_a_secret_that_cannot_be_read_is_one_sentence(var_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SOME_KEY", raising=False)
    (var_dir / "some.key").mkdir()
    with pytest.raises(ConfigurationError, match=r"some\.key cannot be read"):
        environment.kept_secret("SOME_KEY", "some.key")


@pytest.mark.parametrize("file_name", ["secret.key", "vault.key"])
@pytest.mark.parametrize(
    ("content", "reason"), [(b"", "empty"), (b" \n", "empty"), (b"\x80\xff" * 20, "not text"), (b"key\x00\x01", "not text")]
)
def test_a_damaged_key_is_one_sentence(var_dir: Path, monkeypatch: pytest.MonkeyPatch, file_name: str, content: bytes, reason: str) -> None:
    monkeypatch.delenv("SOME_KEY", raising=False)
    (var_dir / file_name).write_bytes(content)
    with pytest.raises(ConfigurationError, match=rf"^{var_dir / file_name} is damaged \(it is {reason}\); restore it"):
        environment.kept_secret("SOME_KEY", file_name)


@pytest.mark.parametrize(
    "url", ["redis://h", "redis://h:1/", "redis://:p%40ss@h:6379/15", "rediss://u:p@[::1]:6379/0?ssl_cert_reqs=required"]
)
@pytest.mark.parametrize("venues", ["", "http://127.0.0.1:9100", "https://venues.example.com/base/"])
def test_the_addresses_of_a_redis_and_of_simulated_exchanges(monkeypatch: pytest.MonkeyPatch, url: str, venues: str) -> None:
    monkeypatch.setenv("REDIS_URL", url)
    monkeypatch.setenv("SANDBOX_URL", venues)
    assert (environment.redis_url(), environment.sandbox_url()) == (url, venues)


@pytest.mark.parametrize(
    "url",
    [
        "hunter2",
        "redis:hunter2",
        "redis://",
        "http://hunter2:1",
        "redis://hunter2:x",
        "redis://h:6379/hunter2",
        "redis://h:0",
        " redis://h",
    ],
)
def test_a_wrong_redis_is_one_sentence_without_the_password(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("REDIS_URL", url)
    with pytest.raises(ConfigurationError, match=r"^REDIS_URL must be redis://host:port/number") as caught:
        environment.check_addresses()
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    "url", ["garbage", "localhost:9100", "ftp://h", "http://", "http://h:99999", "http://h:1?x", "http://h/#x", "http://h h"]
)
def test_a_wrong_address_of_them_is_one_sentence(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("SANDBOX_URL", url)
    with pytest.raises(ConfigurationError, match=r"^SANDBOX_URL must be http://host:port"):
        environment.check_addresses()


@pytest.mark.parametrize("text", ["https://book.example.com", "book.example.com:443", "a b", "böok.example.com", "a,*.b"])
def test_what_is_no_host_is_one_sentence(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("ALLOWED_HOSTS", text)
    with pytest.raises(ConfigurationError, match=r"^ALLOWED_HOSTS must be names of hosts separated by commas"):
        environment.check_addresses()


@pytest.mark.parametrize(
    ("hosts", "https", "address"),
    [
        ("", "", "http://127.0.0.1:8123"),
        ("*", "", "http://127.0.0.1:8123"),
        ("book.example.com,localhost", "", "http://localhost:8123"),
        ("book.example.com", "", "http://book.example.com:8123"),
        ("", "1", "https://127.0.0.1"),
        ("*", "1", "https://127.0.0.1"),
        ("127.0.0.1,.example.com,other.example.net", "1", "https://example.com"),
        ("[::1]", "", "http://[::1]:8123"),
    ],
)
def test_the_address_printed_is_one_that_the_site_answers_to(monkeypatch: pytest.MonkeyPatch, hosts: str, https: str, address: str) -> None:
    monkeypatch.setenv("ALLOWED_HOSTS", hosts)
    monkeypatch.setenv("HTTPS", https)
    assert environment.site_address(8123) == address


def test_a_command_knows_the_address_of_the_running_site_unless_it_is_told_a_port(var_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PORT", raising=False)
    assert environment.known_address() == "http://127.0.0.1:8000"
    environment.leave_address("http://127.0.0.1:8123")
    assert environment.known_address() == "http://127.0.0.1:8123"
    monkeypatch.setenv("PORT", "8124")
    assert environment.known_address() == "http://127.0.0.1:8124"
    monkeypatch.delenv("PORT")
    environment.leave_address("")
    environment.leave_address("")
    assert environment.known_address() == "http://127.0.0.1:8000"


def test_a_postgresql_that_does_not_answer_is_given_up_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """An address that swallows everything would hold each request for two minutes, `/readyz` too."""
    monkeypatch.setenv("DATABASE_URL", "postgresql://book@db/book")
    options = project_settings._databases()["default"]["OPTIONS"]
    assert options["connect_timeout"] == 5
    # One that falls silent in the middle of a query, half a minute after that.
    assert options["keepalives_idle"] + options["keepalives_interval"] * options["keepalives_count"] == 35


def test_settings_that_protect_are_on(settings: Any) -> None:
    assert settings.DEBUG is False
    assert "*" not in settings.ALLOWED_HOSTS
    assert settings.SESSION_COOKIE_HTTPONLY
    assert settings.PASSWORD_HASHERS == ["django.contrib.auth.hashers.Argon2PasswordHasher"]
    assert len(settings.SECRET_KEY) >= 50
    options = settings.DATABASES["default"]["OPTIONS"]
    assert options["transaction_mode"] == "IMMEDIATE"
    assert settings.CELERY_ACCEPT_CONTENT == ["json"]
    assert settings.DATA_UPLOAD_MAX_MEMORY_SIZE == 64 * 1024
