"""Files and folders for the service's own user alone."""

from __future__ import annotations

import errno
import os
import secrets
import stat
from collections.abc import Iterable
from pathlib import Path

from service.unusable import Unusable, told

PRIVATE_FILE = 0o600
PRIVATE_FOLDER = 0o700
_OTHERS = 0o077

INSTALLATION = "installation"
MASTER_KEY = "master.key"
CALIBRATION = "calibration.json"
_DATABASE = "callwarden.db"
_OURS = frozenset(
    {
        _DATABASE,
        "callwarden.db-wal",
        "callwarden.db-shm",
        "session.key",
        MASTER_KEY,
        CALIBRATION,
        INSTALLATION,
        "ended-sessions",
        "reservations",
        "in-use",
        "recordings",
        "demo",
    }
)
"""What a data folder holds. A folder with anything else in it may be another program's too."""


def prepare_folder(folder: Path, *, with_store: bool) -> list[str]:
    """Make the data folder, or close it and what is ours in it to others; `with_store`: the store is in it. Blocks.

    A sentence for each thing that stays open to others, or is missing. Raises Unusable.
    """
    try:
        folder.mkdir(mode=PRIVATE_FOLDER, parents=True, exist_ok=True)
        present = {path.name for path in folder.iterdir()}
    except OSError as error:
        raise Unusable(f"data folder: {told(error, folder)}") from error
    if os.statvfs(folder).f_flag & os.ST_RDONLY:
        raise Unusable(f"data folder: {told(OSError(errno.EROFS, ''), folder)}")
    if not os.access(folder, os.R_OK | os.W_OK | os.X_OK, effective_ids=True):
        raise Unusable(f"data folder: {folder} cannot be written by this user; give it to the user who runs Callwarden")
    begun_anew = _look_for_database(folder, present) if with_store else []
    ours = [folder / name for name in present if name in _OURS]
    left_open = [sentence for path in ours if (sentence := close_to_others(path))]
    if present <= _OURS:
        left_open += [sentence] if (sentence := close_to_others(folder)) else []
    elif folder.stat().st_mode & _OTHERS:
        left_open.append(
            f"other users can enter {folder}, which holds more than Callwarden's files: chmod 700 {folder}"
        )
    return begun_anew + left_open


def _look_for_database(folder: Path, present: set[str]) -> list[str]:
    """A sentence where recordings are there and no database. Raises Unusable for an empty one, as a machine that went
    down may leave it: SQLite would take it for a new one."""
    file = folder / _DATABASE
    recorded = "recordings" in present and any((folder / "recordings").iterdir())
    if not recorded or (_DATABASE in present and file.stat().st_size):
        return []
    if _DATABASE in present:
        raise Unusable(
            f"{file} is empty, though calls were recorded here: put a backup in its place, or delete it to begin anew"
        )
    return [f"{folder} holds recordings and no database: a new one is begun"]


def close_to_others(path: Path) -> str:
    """Take other users' rights away; a sentence where that cannot be done, else an empty string."""
    try:
        mode = path.stat().st_mode
        if mode & _OTHERS:
            path.chmod(stat.S_IMODE(mode) & ~_OTHERS)
            mode = path.stat().st_mode
    except FileNotFoundError:  # one of SQLite's own, gone meanwhile
        return ""
    except OSError as error:
        return f"other users can read {path}: {error.strerror or error}"
    return f"other users can read {path}: this file system keeps no modes" if mode & _OTHERS else ""


def replace_file(path: Path, content: bytes) -> None:
    """Write a whole file or leave the old one as it is, whatever the disk does. Blocks. Raises OSError."""
    path.parent.mkdir(mode=PRIVATE_FOLDER, parents=True, exist_ok=True)
    fresh = path.with_name(f"{path.name}.new")
    try:
        _write_all(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, PRIVATE_FILE), [content])
        fresh.replace(path)
    except OSError:
        fresh.unlink(missing_ok=True)
        raise
    _sync_folder(path.parent)


def make_file(path: Path, content: bytes) -> None:
    """Write a file where there is none: FileExistsError else. Blocks. Raises OSError."""
    _write_all(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, PRIVATE_FILE), [content])
    _sync_folder(path.parent)


def append_to_file(path: Path, lines: Iterable[bytes]) -> None:
    """Add lines at the end, on the disk when this returns. Blocks. Raises OSError; part of them may be there then."""
    _write_all(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, PRIVATE_FILE), lines)


def _write_all(descriptor: int, blocks: Iterable[bytes]) -> None:
    with os.fdopen(descriptor, "wb") as file:
        file.writelines(blocks)
        file.flush()
        os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    """So that the new name is kept too, should the machine go down."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def installation_id(folder: Path) -> str:
    """Tells this data folder from that of any other installation on the same database; made at first use. Blocks."""
    path = folder / INSTALLATION
    try:
        found = path.read_text("ascii").strip() if path.exists() else ""
        if not found:
            found = secrets.token_hex(8)
            replace_file(path, found.encode())
    except (OSError, UnicodeDecodeError) as error:
        raise Unusable(f"installation's id: {error}") from error
    return found[:64]
