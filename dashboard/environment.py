"""What this installation is told from outside: environment variables, and the two secrets it makes for itself in VAR_DIR.

Standard library only: the supervisor and the settings both read it. Every wrong value raises ConfigurationError with one sentence that
says what to do.
"""

import contextlib
import os
import secrets
import tempfile
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

ROOT = Path(__file__).resolve().parent.parent
DEFAULT_PORT = 8000
_MOST_DIGITS = 18
VAULT_KEY_FILE = "vault.key"
SECRET_KEY_FILE = "secret.key"  # noqa: S105  (a file's name)


class ConfigurationError(Exception):
    """The start cannot go on; the text is for a person."""


@dataclass(frozen=True, slots=True)
class DatabaseAddress:
    """`engine` is sqlite or postgresql; for sqlite `name` is a path."""

    engine: str
    name: str
    user: str = ""
    password: str = ""
    host: str = ""
    port: str = ""


def var_dir() -> Path:
    return Path(os.environ.get("VAR_DIR") or ROOT / "var").expanduser().resolve()


def port() -> int:
    return whole_number("PORT", DEFAULT_PORT, low=1, high=65_535)


def whole_number(name: str, default: int, *, low: int, high: int) -> int:
    text = os.environ.get(name) or str(default)
    if not text.isascii() or not text.isdigit() or len(text) > _MOST_DIGITS or not low <= int(text) <= high:
        raise ConfigurationError(f"{name} must be a whole number from {low} to {high}, was {text!r}.")
    return int(text)


def is_on(name: str, *, default: bool = False) -> bool:
    text = os.environ.get(name, "").strip().lower()
    if text in ("", "0", "false", "no", "off"):
        return default if text == "" else False
    if text in ("1", "true", "yes", "on"):
        return True
    raise ConfigurationError(f"{name} must be 1 or 0, was {text!r}.")


def words(name: str, default: str) -> list[str]:
    return [word.strip() for word in os.environ.get(name, default).split(",") if word.strip()]


def database_address() -> DatabaseAddress:
    """From DATABASE_URL; without it a SQLite file in VAR_DIR."""
    url = os.environ.get("DATABASE_URL", "")
    if not url:
        return DatabaseAddress("sqlite", str(var_dir() / "crossbook.sqlite3"))
    try:
        parts = urlsplit(url)
        name, port_number = unquote(parts.path.lstrip("/")), parts.port
    except ValueError as error:  # the text is left out: it may hold the password
        raise ConfigurationError(
            "DATABASE_URL must be postgresql://user:password@host:port/name; its host or port cannot be read."
        ) from error
    if parts.scheme not in ("postgres", "postgresql"):
        raise ConfigurationError("DATABASE_URL must begin with postgresql:// (leave it out to use SQLite in VAR_DIR).")
    if not name:
        raise ConfigurationError("DATABASE_URL must end with the name of a database: postgresql://user:password@host:port/name.")
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    return DatabaseAddress("postgresql", name, user, password, parts.hostname or "", str(port_number or ""))


def redis_url() -> str:
    return os.environ.get("REDIS_URL") or "redis://127.0.0.1:6379/0"


def kept_secret(variable: str, file_name: str) -> str:
    """The secret from the environment, else from VAR_DIR. "" where there is none yet: `make_secret` is the supervisor's to call."""
    if os.environ.get(variable):
        return os.environ[variable]
    path = var_dir() / file_name
    try:
        return path.read_text().strip()
    except FileNotFoundError:
        return ""
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be read ({error.strerror}); give this user read access to it.") from error


def make_secret(file_name: str, value: str = "") -> None:
    """Write a new secret to VAR_DIR, readable by this user alone; an existing one is left as it is. It appears whole or not at all: half a
    key, left by a start that was killed, would never be replaced."""
    path = var_dir() / file_name
    if path.exists():
        return
    descriptor, unfinished = tempfile.mkstemp(prefix=f".{file_name}.", dir=path.parent)  # made with mode 0600
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write((value or secrets.token_urlsafe(60)) + "\n")
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(FileExistsError):  # another process was first
            os.link(unfinished, path)
    finally:
        Path(unfinished).unlink()
