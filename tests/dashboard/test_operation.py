"""Secrets that are handed over in files, and what is told of log and figures: right, or refused with one sentence."""

from pathlib import Path

import pytest

from dashboard import environment, operation
from dashboard.environment import ConfigurationError, DatabaseAddress


def test_a_secret_comes_from_its_variable_or_from_the_file_that_another_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "given"
    file.write_text("from a file\n")
    assert environment.given_secret("SOME_KEY") == ""
    monkeypatch.setenv("SOME_KEY_FILE", str(file))
    assert environment.given_secret("SOME_KEY") == "from a file"
    monkeypatch.setenv("SOME_KEY", "from the variable")
    with pytest.raises(ConfigurationError, match=r"^SOME_KEY and SOME_KEY_FILE are both set; leave one of them out\.$"):
        environment.given_secret("SOME_KEY")
    monkeypatch.delenv("SOME_KEY_FILE")
    assert environment.given_secret("SOME_KEY") == "from the variable"


def test_a_file_of_a_secret_that_is_not_there_or_empty_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_KEY_FILE", str(tmp_path / "none"))
    with pytest.raises(ConfigurationError, match=rf"^SOME_KEY_FILE must name a file, there is none at {tmp_path / 'none'}\.$"):
        environment.given_secret("SOME_KEY")
    (tmp_path / "none").write_text("\n")
    with pytest.raises(ConfigurationError, match=r"none is damaged \(it is empty\)"):
        environment.given_secret("SOME_KEY")


def test_the_password_of_the_database_may_be_in_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "password").write_text("hu%nter:2@/\n")
    monkeypatch.setenv("DATABASE_PASSWORD_FILE", str(tmp_path / "password"))
    monkeypatch.setenv("DATABASE_URL", "postgresql://u@db:5432/book")
    assert environment.database_address() == DatabaseAddress("postgresql", "book", "u", "hu%nter:2@/", "db", "5432")
    monkeypatch.setenv("DATABASE_URL", "postgresql://u:its-own@db:5432/book")
    assert environment.database_address().password == "its-own"


def test_a_short_key_for_signing_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_KEY", "x" * 50)
    assert environment.secret_key() == "x" * 50
    monkeypatch.setenv("SECRET_KEY", "x" * 49)
    with pytest.raises(ConfigurationError, match=r"^SECRET_KEY must have at least 50 characters, had 49\.$"):
        environment.secret_key()


def test_earlier_keys_are_separated_by_commas_or_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    assert environment.earlier_secret_keys() == []
    monkeypatch.setenv("SECRET_KEY_FALLBACKS", "one, two\nthree")
    assert environment.earlier_secret_keys() == ["one", "two", "three"]


@pytest.mark.parametrize(("text", "is_json"), [("", False), ("line", False), ("JSON", True), (" json ", True)])
def test_the_format_of_the_log(text: str, is_json: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOG_FORMAT", text)
    assert operation.log_format() == ("json" if is_json else "line")


@pytest.mark.parametrize(
    ("name", "text", "sentence"),
    [
        ("LOG_FORMAT", "xml", r"^LOG_FORMAT must be one of line, json, was 'xml'\.$"),
        ("LOG_LEVEL", "loud", r"^LOG_LEVEL must be one of INFO, DEBUG, WARNING, ERROR, was 'loud'\.$"),
        ("METRICS_TOKEN", "x" * 31, r"^METRICS_TOKEN must have at least 32 ASCII characters, had 31\.$"),
        ("METRICS_TOKEN", "ü" * 40, r"^METRICS_TOKEN must have at least 32 ASCII characters"),
    ],
)
def test_what_is_wrong_is_one_sentence(name: str, text: str, sentence: str, monkeypatch: pytest.MonkeyPatch) -> None:
    operation.check()
    monkeypatch.setenv(name, text)
    with pytest.raises(ConfigurationError, match=sentence):
        operation.check()
