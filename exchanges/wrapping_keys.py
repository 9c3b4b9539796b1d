"""Where the vault's wrapping keys are kept: in VAULT_KEYS, or in a file of one key a line, newest first, which is read anew when it has
changed, so that running processes follow a rotation. Knows no tables; what a key opens is the vault's business."""

import os
import tempfile
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

from django.conf import settings

from exchanges.vault import Vault, VaultError


def present() -> tuple[str, ...]:
    """Newest first; none where there is no file. Raises VaultError for a file that cannot be read."""
    path = file()
    if path is None:
        return tuple(settings.VAULT_KEYS)
    try:
        found = path.stat()
        return _read(path, found.st_ino, found.st_mtime_ns, found.st_size)
    except FileNotFoundError:
        return ()
    except (OSError, UnicodeDecodeError) as error:
        raise VaultError(f"The vault key cannot be read: {path} must be a text file that this user may read.") from error


def file() -> Path | None:
    """None where the environment names the keys."""
    path: Path | None = settings.VAULT_KEY_FILE
    return path


def vault() -> Vault:
    """Of the keys as they are now. Raises VaultError where no usable key is configured."""
    return _vault(present())


def replace(path: Path, keys: Sequence[str]) -> None:
    """Whole or not at all, for the file's owner alone, and on the disk before this returns."""
    descriptor, unfinished = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)  # made with mode 0600
    try:
        with os.fdopen(descriptor, "w") as content:
            _keep_owner(descriptor, path)
            content.write("".join(f"{key}\n" for key in keys))
            content.flush()
            os.fsync(content.fileno())
        Path(unfinished).replace(path)
    except BaseException:
        Path(unfinished).unlink(missing_ok=True)
        raise
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _keep_owner(descriptor: int, path: Path) -> None:
    """Rotated by root, the keys stay readable for the user that the site runs as. Nobody else may give a file away."""
    if os.geteuid() == 0 and path.exists():
        owner = path.stat()
        os.fchown(descriptor, owner.st_uid, owner.st_gid)


@lru_cache(maxsize=1)
def _read(path: Path, _inode: int, _changed_ns: int, _size: int) -> tuple[str, ...]:
    """The last three are what tells one content from the next without reading it."""
    return tuple(path.read_text(encoding="utf-8").replace(",", "\n").split())


@lru_cache(maxsize=1)
def _vault(keys: tuple[str, ...]) -> Vault:
    return Vault(keys)
