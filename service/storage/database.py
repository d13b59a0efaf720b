"""Connections: one writer and several readers on SQLite, one pool on PostgreSQL."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

from sqlalchemy import URL, Connection, event, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry

from service.storage.errors import port_errors

_DRIVERS = {"sqlite": "sqlite+aiosqlite", "postgresql": "postgresql+asyncpg", "postgres": "postgresql+asyncpg"}

_BUSY_MS = 2000
"""How long SQLite waits for another process's lock. The only other writers are short commands (`callwarden keys
create`); one that holds the lock for longer is trouble that the supervisors should hear of."""

_SQLITE_PRAGMAS = (
    f"PRAGMA busy_timeout = {_BUSY_MS}",
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
    """The URL with the asynchronous driver filled in. ValueError names what is wrong, never the password."""
    parsed = make_url(url)
    backend = parsed.get_backend_name()
    if backend not in _DRIVERS:
        raise ValueError(f"database URL: {backend} is not supported; use sqlite or postgresql")
    if backend == "sqlite" and parsed.database in (None, "", ":memory:"):
        raise ValueError("database URL: SQLite needs a file: sqlite:////path/to/callwarden.db")
    return parsed.set(drivername=_DRIVERS[backend])


def make_engine(url: URL, *, writer: bool, connections: int) -> AsyncEngine:
    """An engine whose SQLite connections begin transactions the way their purpose needs."""
    if url.get_backend_name() != "sqlite":
        timeouts = {"timeout": _CONNECT_S, "command_timeout": _STATEMENT_S}
        return create_async_engine(
            url, pool_size=connections, pool_pre_ping=True, connect_args=timeouts, json_serializer=_dump
        )
    engine = create_async_engine(url, pool_size=connections, max_overflow=0, json_serializer=_dump)
    # A writer takes the write lock at once: upgrading a read transaction could not wait for it, only fail.
    begin = "BEGIN IMMEDIATE" if writer else "BEGIN"

    def on_connect(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
        connection.isolation_level = None  # the driver's own BEGIN comes too late for reads and too early for DDL
        cursor = connection.cursor()
        for pragma in _WRITER_PRAGMAS if writer else _READER_PRAGMAS:
            cursor.execute(pragma)
        cursor.close()

    def on_begin(connection: Connection) -> None:
        connection.exec_driver_sql(begin)

    event.listen(engine.sync_engine, "connect", on_connect)
    event.listen(engine.sync_engine, "begin", on_begin)
    return engine


class Database:
    """Transactions to write and to read in. Driver errors leave as the port's errors, `doing` in their message."""

    def __init__(self, url: URL) -> None:
        self._sqlite = url.get_backend_name() == "sqlite"
        self._writers = make_engine(url, writer=True, connections=1 if self._sqlite else _POOL)
        if self._sqlite:
            self._readers = make_engine(url, writer=False, connections=_READERS)
        else:
            # Several selects of one read must see one state, as they do under SQLite's WAL.
            self._readers = self._writers.execution_options(isolation_level="REPEATABLE READ")
        self._one_writer = asyncio.Lock()

    @asynccontextmanager
    async def writing(self, doing: str) -> AsyncGenerator[AsyncConnection]:
        """A transaction, committed at the end of the block; rolled back if the block raises."""
        if not self._sqlite:
            with port_errors(doing):
                async with self._writers.begin() as connection:
                    yield connection
            return
        async with self._one_writer:  # in the order of arrival, which SQLite's own lock does not keep
            with port_errors(doing):
                async with self._writers.begin() as connection:
                    yield connection

    @asynccontextmanager
    async def reading(self, doing: str) -> AsyncGenerator[AsyncConnection]:
        """A transaction that sees one state of the database."""
        with port_errors(doing):
            async with self._readers.begin() as connection:
                yield connection

    async def dispose(self) -> None:
        await self._writers.dispose()
        if self._sqlite:
            await self._readers.dispose()


def _dump(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
