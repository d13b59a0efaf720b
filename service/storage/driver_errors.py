"""Turns drivers' errors into the port's errors, with one sentence each."""

from __future__ import annotations

import errno
import os
import socket
import sqlite3
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import exc

from service.storage.port import AlreadyExists, StorageUnavailable, Unstorable

_PASSING_STATES = ("08", "25", "28", "3D", "40", "53", "55", "57", "58")
"""PostgreSQL's SQLSTATE classes of trouble that passes, or that whoever runs the server can end: connection, read-only
standby, refused user, unknown database, rollback (deadlock), insufficient resources (disk full), lock not available,
operator intervention (shutdown, timeout), system error (IO)."""

_FORBIDDEN = "42501"
_UNFIT_STATES = ("22", "54")
"""Data exception and program limit exceeded: the value is at fault, and trying again will not help."""

_DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)

_LEAST_ROOM = 1024 * 1024
"""Bytes free below which an error of input and output is taken for a full disk: SQLite's index alone takes 32 KiB."""

_TOLD_BY_STATE = (
    ("28", "the server refuses the user or the password"),
    ("3D", "the server has no such database"),
    (_FORBIDDEN, "the server does not let this user do that"),
    ("53100", "the server's disk is full"),
)


@contextmanager
def port_errors(doing: str, file: Path | None = None) -> Generator[None]:
    """Run a piece of database work; `doing` says which, for the message; `file` is SQLite's. What is a bug stays what
    it is."""
    try:
        yield
    except exc.IntegrityError as error:
        raise AlreadyExists(f"{doing}: it is there already") from error
    except exc.DBAPIError as error:
        cause = error.orig or error
        if error.connection_invalidated or isinstance(error, exc.InterfaceError) or _passes(error):
            raise StorageUnavailable(f"{doing}: {_reason(cause, file)}") from error
        if isinstance(error, exc.DataError) or _state(cause)[:2] in _UNFIT_STATES:
            raise Unstorable(f"{doing}: the database refuses a value: {type(error.orig).__name__}") from error
        raise
    except exc.StatementError as error:  # a value no column type takes, such as a time without an offset
        raise Unstorable(f"{doing}: {error.orig}") from error
    except (TimeoutError, exc.TimeoutError, OSError) as error:
        raise StorageUnavailable(f"{doing}: {_reason(error, file)}") from error


def _passes(error: exc.DBAPIError) -> bool:
    """Whether the fault lies with the database, and not with the question."""
    cause = error.orig or error
    state = _state(cause)
    damaged = getattr(cause, "sqlite_errorcode", 0) & 0xFF in _DAMAGED
    return damaged or isinstance(error, exc.OperationalError) or state[:2] in _PASSING_STATES or state == _FORBIDDEN


def _state(cause: BaseException) -> str:
    return str(getattr(cause, "sqlstate", None) or "")


def _reason(cause: BaseException, file: Path | None) -> str:
    """One sentence, on one line."""
    if isinstance(cause, sqlite3.Error) and file is not None:
        return _sqlite_reason(cause, file)
    state = _state(cause)
    said = next((told for start, told in _TOLD_BY_STATE if state.startswith(start)), None)
    return f"{said or _connection_reason(cause)}: {' '.join(str(cause).split())}"


def _connection_reason(cause: BaseException) -> str:
    match cause:
        case socket.gaierror():
            return "the database server's name is not known"
        case ConnectionError():
            return "the database server cannot be reached"
        case TimeoutError() | exc.TimeoutError():
            return "the database does not answer in time"
        case _:
            return "the database does not answer as it should, try again later"


def _sqlite_reason(cause: sqlite3.Error, file: Path) -> str:
    code = getattr(cause, "sqlite_errorcode", 0) & 0xFF
    if code == sqlite3.SQLITE_FULL or (code in (sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN) and _is_full(file)):
        return f"the disk is full: {file} cannot be written; free some space"
    match code:
        case sqlite3.SQLITE_READONLY:
            return f"{file} is read-only, or its disk is: {cause}"
        case sqlite3.SQLITE_CANTOPEN | sqlite3.SQLITE_PERM:
            return f"{file} cannot be opened: {cause}"
        case sqlite3.SQLITE_CORRUPT | sqlite3.SQLITE_NOTADB:
            return f"{file} is damaged ({cause}): put a backup in its place"
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            return f"{file} is held by another program: {cause}"
        case _:
            return f"{file} cannot be used now, try again later: {cause}"


def _is_full(file: Path) -> bool:
    try:
        there = os.statvfs(file.parent)
    except OSError as error:
        return error.errno == errno.ENOSPC
    return there.f_bavail * there.f_frsize < _LEAST_ROOM
