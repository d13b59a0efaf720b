"""Where transactions run: in threads on SQLite (one writer, several readers), on the event loop on PostgreSQL.

A transaction is a plain function of a connection. For SQLite the whole of it runs in one thread, in one go: a driver
that crosses between threads at each statement does so 18 times an append, and each crossing waits for a core
that recognition keeps busy.
"""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Protocol, TypeVar

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import QueuePool

from service.storage.errors import port_errors

T = TypeVar("T")

_DRIVERS = {"sqlite": "sqlite+pysqlite", "postgresql": "postgresql+asyncpg", "postgres": "postgresql+asyncpg"}

_BUSY_S = 2.0
"""How long SQLite waits for another process's lock. The only other writers are short commands (`callwarden keys
create`); one that holds the lock for longer is trouble that the supervisors should hear of."""

_SQLITE_PRAGMAS = (
    "PRAGMA foreign_keys = ON",
    # In WAL mode NORMAL never corrupts, and a killed process loses nothing. A power cut may lose what the kernel had
    # not yet written back: some thirty seconds of log, whose audio the recording keeps but for its own last second,
    # and a replay finds the same again. FULL would add a disk flush to every utterance of every call.
    "PRAGMA synchronous = NORMAL",
    "PRAGMA journal_size_limit = 67108864",
)
_WRITER_PRAGMAS = (*_SQLITE_PRAGMAS, "PRAGMA journal_mode = WAL")  # is written in the file; changes nothing later
_READER_PRAGMAS = (*_SQLITE_PRAGMAS, "PRAGMA query_only = ON")
_READERS = 4
_POOL = 10
_CONNECT_S = 5.0
_STATEMENT_S = 10.0
"""PostgreSQL: a server that has gone silent must become an error, or the calls would wait with it."""


def parse_url(url: str) -> URL:
    """The URL with our driver filled in. ValueError names what is wrong, never the password."""
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise ValueError(
            "database URL: not one; write sqlite:////path or postgresql://user:password@host/name"
        ) from None
    backend = parsed.get_backend_name()
    if backend not in _DRIVERS:
        raise ValueError(f"database URL: {backend} is not supported; use sqlite or postgresql")
    if backend == "sqlite" and parsed.database in (None, "", ":memory:"):
        raise ValueError("database URL: SQLite needs a file: sqlite:////path/to/callwarden.db")
    return parsed.set(drivername=_DRIVERS[backend])


class Database(Protocol):
    """Runs transactions. Driver errors leave as the port's errors, with `doing` in the message."""

    async def write(self, doing: str, work: Callable[[Connection], T]) -> T:
        """Run `work` in a transaction: committed when it returns, rolled back if it raises."""
        ...

    async def read(self, doing: str, work: Callable[[Connection], T]) -> T:
        """Run `work` in a transaction that sees one state of the database."""
        ...

    async def close(self) -> None: ...


def make_database(url: URL) -> Database:
    return SqliteDatabase(url) if url.get_backend_name() == "sqlite" else PostgresDatabase(url)


class SqliteDatabase:
    """A file in WAL mode. The one thread that writes is what puts writes in the order of their arrival."""

    def __init__(self, url: URL) -> None:
        self._file = Path(url.database or "")
        # A writer takes the write lock at once: upgrading a read transaction could not wait for it, only fail.
        self._writer = _sqlite_engine(self._file, 1, _WRITER_PRAGMAS, begin="BEGIN IMMEDIATE")
        self._readers = _sqlite_engine(self._file, _READERS, _READER_PRAGMAS, begin="BEGIN")
        self._writing = ThreadPoolExecutor(1, "store-writer")
        self._reading = ThreadPoolExecutor(_READERS, "store-reader")

    async def write(self, doing: str, work: Callable[[Connection], T]) -> T:
        with port_errors(doing):
            return await asyncio.get_running_loop().run_in_executor(self._writing, self._write, work)

    async def read(self, doing: str, work: Callable[[Connection], T]) -> T:
        with port_errors(doing):
            return await asyncio.get_running_loop().run_in_executor(self._reading, _run, self._readers, work)

    async def close(self) -> None:
        await asyncio.to_thread(self._close)

    def _write(self, work: Callable[[Connection], T]) -> T:
        if not self._file.exists():
            _make_private(self._file)
        return _run(self._writer, work)

    def _close(self) -> None:
        self._writing.shutdown()
        self._reading.shutdown()
        self._readers.dispose()
        self._writer.dispose()


class PostgresDatabase:
    """A pool of connections on the event loop."""

    def __init__(self, url: URL) -> None:
        timeouts = {"timeout": _CONNECT_S, "command_timeout": _STATEMENT_S}
        self._writers = create_async_engine(
            url,
            pool_size=_POOL,
            pool_pre_ping=True,
            connect_args=timeouts,
            json_serializer=_dump,
            hide_parameters=True,
        )
        # Several selects of one read must see one state, as they do under SQLite's WAL.
        self._readers = self._writers.execution_options(isolation_level="REPEATABLE READ")

    async def write(self, doing: str, work: Callable[[Connection], T]) -> T:
        with port_errors(doing):
            async with self._writers.begin() as connection:
                return await connection.run_sync(work)

    async def read(self, doing: str, work: Callable[[Connection], T]) -> T:
        with port_errors(doing):
            async with self._readers.begin() as connection:
                return await connection.run_sync(work)

    async def close(self) -> None:
        await self._writers.dispose()


def _run(engine: Engine, work: Callable[[Connection], T]) -> T:
    with engine.begin() as connection:
        return work(connection)


def _sqlite_engine(file: Path, connections: int, pragmas: tuple[str, ...], begin: str) -> Engine:
    def connect() -> sqlite3.Connection:
        # No isolation level: the driver's own BEGIN comes too late for reads and too early for DDL. A connection is
        # used by one thread at a time, though not always the same.
        connection = sqlite3.connect(file, timeout=_BUSY_S, isolation_level=None, check_same_thread=False)
        for pragma in pragmas:
            connection.execute(pragma)
        return connection

    def on_begin(connection: Connection) -> None:
        connection.exec_driver_sql(begin)

    engine = create_engine(
        "sqlite://",
        creator=connect,
        hide_parameters=True,  # errors are logged, and what was said is not
        poolclass=QueuePool,
        pool_size=connections,
        max_overflow=0,
        json_serializer=_dump,
    )
    event.listen(engine, "begin", on_begin)
    return engine


def _make_private(file: Path) -> None:
    """It holds what was said on calls: for the service's own user alone. SQLite gives the file's mode to its WAL."""
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    file.touch(mode=0o600)


def _dump(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
