"""What this installation is told from outside: environment variables, secrets in files that they name, and the two secrets it makes for
itself in VAR_DIR.

Standard library only: the supervisor and the settings both read it. Every wrong value raises ConfigurationError with one sentence that
says what to do.
"""

import contextlib
import os
import re
import secrets
import tempfile
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import SplitResult, unquote, urlsplit

ROOT = Path(__file__).resolve().parent.parent
DEFAULT_PORT = 8000
_MOST_DIGITS = 18
SHORTEST_SECRET_KEY = 50
VAULT_KEY_FILE = "vault.key"
SECRET_KEY_FILE = "secret.key"  # noqa: S105  (a file's name)
ADDRESS_FILE = "address"
_REPAIRS = {
    VAULT_KEY_FILE: "restore it from your backup, without it the stored keys of your accounts cannot be opened",
    SECRET_KEY_FILE: "restore it, or delete it and a new one is made: everybody signs in again and API tokens are made anew",
}
_LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
_HOST = re.compile(r"\*|\.?[A-Za-z0-9][A-Za-z0-9.-]*|\[[0-9A-Fa-f:.]+\]")


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


def make_directory(path: Path) -> None:
    """For this user alone; one that is there already keeps the mode that somebody gave it. Raises OSError."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)


def keep_private() -> None:
    """The first step of every process: what it creates holds sessions and account data, and is for this user alone."""
    os.umask(0o077)


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
    return [word.strip() for word in (os.environ.get(name) or default).split(",") if word.strip()]


def is_https() -> bool:
    """People come by https, through a proxy in front of the site."""
    return is_on("HTTPS")


def allowed_hosts() -> list[str]:
    hosts = words("ALLOWED_HOSTS", ",".join(_LOOPBACK))
    for host in hosts:
        if not _HOST.fullmatch(host):
            raise ConfigurationError(f"ALLOWED_HOSTS must be names of hosts separated by commas, without scheme or port; one was {host!r}.")
    return hosts


def site_host() -> str:
    """A host that the site answers to: this machine where people come to it directly, the public name where there is a proxy."""
    allowed = allowed_hosts()
    hosts = [host.removeprefix(".") for host in allowed if host != "*"]
    if "*" in allowed or not hosts:
        hosts.append(_LOOPBACK[0])
    return min(hosts, key=lambda host: (host in _LOOPBACK) is is_https())


def site_address(port_number: int) -> str:
    """Where a browser finds the site that listens on this port of the loopback."""
    return f"https://{site_host()}" if is_https() else f"http://{site_host()}:{port_number}"


def leave_address(address: str) -> None:
    """For commands that are run beside the site; "" once it has stopped."""
    path = var_dir() / ADDRESS_FILE
    if address:
        path.write_text(address)
    else:
        path.unlink(missing_ok=True)


def known_address() -> str:
    """Of the site that PORT names, else of the one that runs on VAR_DIR."""
    if os.environ.get("PORT"):
        return site_address(port())
    with contextlib.suppress(FileNotFoundError):
        return (var_dir() / ADDRESS_FILE).read_text().strip() or site_address(DEFAULT_PORT)
    return site_address(DEFAULT_PORT)


def check_addresses() -> None:
    """Before anything is started. Raises ConfigurationError for the first that is wrong."""
    database_address()
    redis_url()
    sandbox_url()
    sandbox_speed()
    site_host()


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
    user, password = unquote(parts.username or ""), unquote(parts.password or "") or given_secret("DATABASE_PASSWORD")
    return DatabaseAddress("postgresql", name, user, password, parts.hostname or "", str(port_number or ""))


def redis_url() -> str:
    url = os.environ.get("REDIS_URL") or "redis://127.0.0.1:6379/0"
    parts = _parts(url)
    if parts is None or parts.scheme not in ("redis", "rediss") or not re.fullmatch(r"/?[0-9]*", parts.path):
        raise ConfigurationError("REDIS_URL must be redis://host:port/number (or rediss://); leave it out to have a server started.")
    return url


def sandbox_url() -> str:
    """Empty where the simulated exchanges are ours to start."""
    url = os.environ.get("SANDBOX_URL", "")
    parts = _parts(url)
    if url and (parts is None or parts.scheme not in ("http", "https") or parts.query or parts.fragment):
        raise ConfigurationError("SANDBOX_URL must be http://host:port; leave it out to have the simulated exchanges started.")
    return url


def sandbox_speed() -> int:
    """How many times as fast as the clock prices and funding of the simulated exchanges run; counts where these are ours to start."""
    return whole_number("SANDBOX_SPEED", 1, low=1, high=10_000)


def routing_policy() -> Path | None:
    """The file whose rules are applied at each start, read then and not before; None where the rules are kept in the site alone."""
    text = os.environ.get("ROUTING_POLICY", "").strip()
    return ROOT / text if text else None


def _parts(url: str) -> SplitResult | None:
    """None for what names no host. Wrong ones are not repeated to anybody: they may hold a password."""
    try:
        parts = urlsplit(url)
        has_host = bool(parts.hostname) and parts.port != 0
    except ValueError:
        return None
    return parts if has_host and url.isprintable() and " " not in url else None


def given_secret(variable: str) -> str:
    """From the variable, or from the file that <variable>_FILE names, as Docker and others hand secrets over; "" where neither is set."""
    file_name = os.environ.get(f"{variable}_FILE", "")
    if not file_name:
        return os.environ.get(variable, "")
    if os.environ.get(variable):
        raise ConfigurationError(f"{variable} and {variable}_FILE are both set; leave one of them out.")
    text = _read_secret(Path(file_name))
    if not text:
        raise ConfigurationError(f"{variable}_FILE must name a file, there is none at {file_name}.")
    return text


def secret_key() -> str:
    """Signs sessions and tokens. "" where there is none yet."""
    given = given_secret("SECRET_KEY")
    if given and len(given) < SHORTEST_SECRET_KEY:
        raise ConfigurationError(f"SECRET_KEY must have at least {SHORTEST_SECRET_KEY} characters, had {len(given)}.")
    return given or kept_secret("SECRET_KEY", SECRET_KEY_FILE)


def earlier_secret_keys() -> list[str]:
    """What was signed with these is still taken: SECRET_KEY can be changed without signing everybody out."""
    return given_secret("SECRET_KEY_FALLBACKS").replace(",", " ").split()


def kept_secret(variable: str, file_name: str) -> str:
    """The secret as it is given, else from VAR_DIR. "" where there is none yet: `make_secret` is the supervisor's to call."""
    return given_secret(variable) or _read_secret(var_dir() / file_name)


def _read_secret(path: Path) -> str:
    """Empty where there is no such file."""
    try:
        text = path.read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        return ""
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be read ({error.strerror}); give this user read access to it.") from error
    except UnicodeDecodeError:
        text = "\0"
    if not text or not "".join(text.split()).isprintable():
        reason = "it is not text" if text else "it is empty"
        raise ConfigurationError(f"{path} is damaged ({reason}); {_REPAIRS.get(path.name, 'restore it')}.")
    return text


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
