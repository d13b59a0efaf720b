"""A SQLite database's files by name and by identity, to see whether the open file still has the name."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

from asr.types import Seconds
from service.private_files import PRIVATE_FILE, PRIVATE_FOLDER, close_to_others
from service.storage.port import StorageError

State: TypeAlias = Literal["same", "gone", "replaced", "log gone"]
_Identity: TypeAlias = tuple[int, int]
"""Device and inode."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Look:
    """A file at one moment."""

    identity: _Identity
    size: int
    changed_ns: int


class SqliteFiles:
    """The database, its write-ahead log and the log's index. Used by the store's threads; each call is one look."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._log = file.with_name(f"{file.name}-wal")
        self._index = file.with_name(f"{file.name}-shm")
        self._opened: tuple[_Identity | None, ...] = ()
        self._seen: _Look | None = None
        self._seen_at = 0.0

    def begin(self) -> None:
        """Before the first opening: make the file if there is none, for this user alone.

        StorageError for a log without its database, which SQLite would throw away.
        """
        present, left = _look(self._file), _look(self._log)
        if left is not None and left.size and (present is None or not present.size):
            what = "is gone" if present is None else "is empty"
            raise StorageError(
                f"the database {self._file} {what}, but its log {self._log.name} is there: put the database back, or "
                "move the log away to begin anew"
            )
        if present is None:
            self._file.parent.mkdir(mode=PRIVATE_FOLDER, parents=True, exist_ok=True)
            self._file.touch(mode=PRIVATE_FILE)  # SQLite gives the file's mode to its log
        for path in self._paths():
            close_to_others(path)

    def opened(self) -> None:
        """A transaction has just succeeded, so the files that have the names now are the open ones."""
        self._opened = self._identities()
        self._seen = None

    def state(self) -> State:
        """The state of the opened files. "log gone": the database is there, and its log or the log's index has lost its
        name."""
        present = self._identities()
        if not self._opened or present == self._opened:
            return "same"
        if present[0] is None:
            return "gone"
        return "log gone" if present[0] == self._opened[0] else "replaced"

    def settled(self, now: Seconds, within: Seconds) -> bool:
        """Has the file that has the name now been left alone for so long? `now` is a steady clock's."""
        look = _look(self._file)
        if look is None or look != self._seen:
            self._seen, self._seen_at = look, now
            return False
        return look.size > 0 and now - self._seen_at >= within

    def told(self) -> str:
        """What is wrong, and what to do about it, in a sentence."""
        match self.state():
            case "gone":
                return (
                    f"the database file {self._file} was moved away or deleted: put it back, or a backup in its place"
                )
            case "replaced":
                return f"another file was put in the place of {self._file}; it is taken up when it no longer changes"
            case "log gone":
                return f"the database's log {self._log} was moved away or deleted; a new one is begun"
            case "same":
                return f"the database file {self._file} is there"

    def put_aside(self) -> None:
        """Rename the log of the file that was open, so that it is not taken for the new one's."""
        if _identity(self._file) == self._opened[0]:
            return
        stamp = time.strftime("%Y%m%dT%H%M%S")
        for path, identity in zip((self._log, self._index), self._opened[1:], strict=True):
            if identity is not None and _identity(path) == identity:
                path.rename(path.with_name(f"{path.name}.of-old-{stamp}"))

    def _paths(self) -> tuple[Path, ...]:
        return self._file, self._log, self._index

    def _identities(self) -> tuple[_Identity | None, ...]:
        return tuple(_identity(path) for path in self._paths())


def _identity(path: Path) -> _Identity | None:
    look = _look(path)
    return look.identity if look else None


def _look(path: Path) -> _Look | None:
    try:
        status = path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    return _Look(identity=(status.st_dev, status.st_ino), size=status.st_size, changed_ns=status.st_mtime_ns)
