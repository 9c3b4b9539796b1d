"""The accounts of the simulated venues, kept in one append-only file that survives the death of the process at any moment.

Each line is a checksum and what one change left behind: the account, the orders it touched, the fills and the lines of the statement it
made, written in one call before anybody hears of the change; lines of their own tell how the market departs from its paths. Now and then
the file is replaced by one with a line per account. A file of the format before this one is read and replaced so. Without a path
everything stays in memory. It knows no prices and no rules.
"""

import fcntl
import os
from pathlib import Path
from zlib import crc32

import orjson

from .accounts import Changes, Desk
from .course import Pace, Shock
from .model import Venue
from .records import course_entry_of, entry_of, read_course_entry, read_entry, to_json
from .upgrade import entry_from_format_1, give_statements

_HEADER = {"crossbook_sandbox_ledger": 2}
_HEADER_1 = {"crossbook_sandbox_ledger": 1}
COMPACT_BYTES = 4_000_000


class LedgerUnreadable(Exception):
    """The file is not a ledger, is damaged before its end, or is in use. Its text is one line for a person."""


class Ledger:
    def __init__(self, path: Path | None, *, compact_bytes: int = COMPACT_BYTES) -> None:
        """Reads the file if there is one; it is made compact when it has grown by that much and is mostly history. Raises
        LedgerUnreadable."""
        self.desks: dict[tuple[Venue, str], Desk] = {}
        self.departures: list[Pace | Shock] = []
        self._path = path
        self._file = -1
        self._size = 0
        self._compact_bytes = compact_bytes
        self._compact_at = 0
        self._is_behind = False
        if path is None:
            return
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._file = _open_locked(path)
            self._read(path)
            self._compact(path)
        except OSError as error:
            raise LedgerUnreadable(
                f"sandbox ledger {path} cannot be used ({error.strerror}); let this user read and write it, or move it away to start afresh"
            ) from error

    @property
    def last_id(self) -> int:
        """The highest id any order, fill or line of a statement has had, as far as it is remembered."""
        newest = [max(desk.orders, default=0) for desk in self.desks.values()]
        last = [rows[-1].id for desk in self.desks.values() for rows in (desk.fills, desk.statement) if rows]
        return max((*newest, *last), default=0)

    def keep(self, desk: Desk, changes: Changes) -> None:
        """Files a change of an account, in memory and on disk; returns when the kernel has it. Raises OSError."""
        desk.keep(changes)
        self.desks[desk.account.venue, desk.account.name] = desk
        if self._path is not None:
            self._write(self._path, entry_of(desk, changes))

    def keep_departure(self, departure: Pace | Shock) -> None:
        """Files a departure of the market from its paths. Raises OSError."""
        self.departures.append(departure)
        if self._path is not None:
            self._write(self._path, course_entry_of(departure))

    def close(self) -> None:
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def _write(self, path: Path, entry: object) -> None:
        if not self._is_behind:
            self._append(_line(entry))
        if self._is_behind or self._size > self._compact_at:
            self._compact(path)

    def _append(self, line: bytes) -> None:
        try:
            self._size += _write(self._file, line)
        except OSError:
            self._is_behind = True  # half a line may be there, and nothing may follow it: the next change writes everything anew
            raise

    def _read(self, path: Path) -> None:
        lines = path.read_bytes().split(b"\n")
        written, unfinished = lines[:-1], lines[-1]  # what follows the last line break was not written to its end
        if not written and unfinished:  # the first line is there before the file has its name
            raise LedgerUnreadable(f"sandbox ledger {path} is damaged at line 1; move it away to start afresh")
        is_old = False
        for number, line in enumerate(written, 1):
            content = _content(line)
            if content is None:
                raise LedgerUnreadable(f"sandbox ledger {path} is damaged at line {number}; move it away to start afresh")
            if number == 1:
                if content not in (_HEADER, _HEADER_1):
                    raise LedgerUnreadable(f"sandbox ledger {path} has an unknown format; move it away to start afresh")
                is_old = content == _HEADER_1
                continue
            try:
                departure = None if is_old else read_course_entry(content)
                if departure is not None:
                    self.departures.append(departure)
                    continue
                read_entry(self.desks, entry_from_format_1(content) if is_old else content)
            except (AttributeError, KeyError, TypeError, ValueError, ArithmeticError) as error:
                raise LedgerUnreadable(
                    f"sandbox ledger {path} has an unknown entry at line {number} ({error}); move it away to start afresh"
                ) from error
        if is_old:
            give_statements(self.desks.values())

    def _compact(self, path: Path) -> None:
        """Replaces the file by one with a line per account; until the very last step the old one stays the ledger."""
        fresh, size = path.with_suffix(".new"), 0
        file = _open_locked(fresh)
        try:
            os.ftruncate(file, 0)
            size += _write(file, _line(_HEADER))
            for departure in self.departures:
                size += _write(file, _line(course_entry_of(departure)))
            for desk in self.desks.values():
                size += _write(file, _line(entry_of(desk, Changes(list(desk.orders.values()), list(desk.fills), list(desk.statement)))))
            fresh.replace(path)
        except OSError:
            os.close(file)
            raise
        os.close(self._file)
        self._is_behind = False
        self._file, self._size, self._compact_at = file, size, max(self._compact_bytes, 3 * size)


def _open_locked(path: Path) -> int:
    file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(file)
        raise LedgerUnreadable(f"sandbox ledger {path} is in use by another process") from None
    return file


def _write(file: int, line: bytes) -> int:
    written = 0
    while written < len(line):
        written += os.write(file, line[written:])
    return written


def _line(content: object) -> bytes:
    text = to_json(content)
    return b"%08x %b\n" % (crc32(text), text)


def _content(line: bytes) -> object:
    checksum, _, text = line.partition(b" ")
    if b"%08x" % crc32(text) != checksum:
        return None
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return None  # nothing at all has a checksum too
