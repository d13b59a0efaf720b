"""SQLite: a file in WAL mode, one thread that writes, several that read.

A transaction is a plain function of a connection. The whole of it runs in one thread, in one go: a driver that
crosses between threads at each statement does so 18 times an append, and each crossing waits for a core that
recognition keeps busy.

Before each transaction the file's name is looked at: what is written while it names no file or another one would go
to a file that nobody opens again.
"""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

import structlog
from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.pool import QueuePool

from asr.types import Seconds
from service.storage.codec import json_text
from service.storage.database import StorePatience
from service.storage.driver_errors import port_errors
from service.storage.port import StorageError, StorageUnavailable
from service.storage.sqlite_files import SqliteFiles

T = TypeVar("T")

log = structlog.get_logger(__name__)

_PRAGMAS = (
    "PRAGMA foreign_keys = ON",
    # In WAL mode NORMAL never corrupts, and a killed process loses nothing. A power cut may lose what the kernel had
    # not yet written back: some thirty seconds of log, whose audio the recording keeps but for its own last second,
    # and a replay finds the same again. FULL would add a disk flush to every utterance of every call.
    "PRAGMA synchronous = NORMAL",
    "PRAGMA journal_size_limit = 67108864",
)
_WRITER_PRAGMAS = (*_PRAGMAS, "PRAGMA journal_mode = WAL")  # is written in the file; changes nothing later
_READER_PRAGMAS = (*_PRAGMAS, "PRAGMA query_only = ON")
_READERS = 4


class SqliteDatabase:
    """The one thread that writes is what puts writes in the order of their arrival. It alone opens files."""

    def __init__(self, url: URL, patience: StorePatience) -> None:
        self._patience = patience
        self._file = Path(url.database or "")
        self._files = SqliteFiles(self._file)
        self._prepare: Callable[[Connection], None] = _nothing
        # A writer takes the write lock at once: upgrading a read transaction could not wait for it, only fail.
        self._writer = _engine(self._file, 1, _WRITER_PRAGMAS, "BEGIN IMMEDIATE", patience.busy)
        self._readers = _engine(self._file, _READERS, _READER_PRAGMAS, "BEGIN", patience.busy)
        self._writing = ThreadPoolExecutor(1, "store-writer")
        self._reading = ThreadPoolExecutor(_READERS, "store-reader")

    async def open(self, prepare: Callable[[Connection], None]) -> None:
        self._prepare = prepare
        await self._in_writer("open the database", self._open)

    async def check(self) -> None:
        await self._in_writer("look at the database", self._take_up)

    async def write(self, doing: str, work: Callable[[Connection], T]) -> T:
        return await self._in_writer(doing, lambda: self._write(work))

    async def read(self, doing: str, work: Callable[[Connection], T]) -> T:
        reading = asyncio.get_running_loop().run_in_executor(self._reading, self._do, doing, lambda: self._read(work))
        return await reading

    async def close(self) -> None:
        await asyncio.to_thread(self._close)

    async def _in_writer(self, doing: str, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._writing, self._do, doing, work)

    def _do(self, doing: str, work: Callable[[], T]) -> T:
        with port_errors(doing, self._file):  # in the thread: it looks at the disk
            return work()

    def _open(self) -> None:
        self._files.begin()
        _run(self._writer, self._prepare)
        self._files.opened()

    def _write(self, work: Callable[[Connection], T]) -> T:
        self._take_up()
        return _run(self._writer, work)

    def _read(self, work: Callable[[Connection], T]) -> T:
        if self._files.state() != "same":
            raise StorageUnavailable(self._files.told())
        return _run(self._readers, work)

    def _take_up(self) -> None:
        """See to it that the open file is the one that has the name. Raises StorageUnavailable where none has it."""
        match self._files.state():
            case "same":
                return
            case "gone":
                raise StorageUnavailable(self._files.told())
            case "log gone":
                self._save_log()
            case "replaced":
                if not self._files.settled(time.monotonic(), self._patience.settled):
                    raise StorageUnavailable(self._files.told())
                self._reopen()

    def _save_log(self) -> None:
        """What is in a log that has lost its name goes into the database; a new log is begun."""
        with self._writer.connect() as connection:
            cursor = connection.connection.cursor()
            busy, *_ = cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        if busy:
            raise StorageUnavailable(self._files.told())
        self._reopen()

    def _reopen(self) -> None:
        log.warning("database file changed under the service", told=self._files.told())
        self._readers.dispose()
        self._writer.dispose()  # SQLite leaves alone what belongs to a file that has lost its name
        self._files.put_aside()
        try:
            _run(self._writer, self._prepare)
        except StorageError as error:  # a newer schema: whoever put the file there can still put another
            raise StorageUnavailable(f"{self._file}: {error}") from error
        self._files.opened()
        log.warning("database file taken up", file=str(self._file))

    def _close(self) -> None:
        self._writing.shutdown()
        self._reading.shutdown()
        self._readers.dispose()
        self._writer.dispose()


def _nothing(_connection: Connection) -> None:
    return


def _run(engine: Engine, work: Callable[[Connection], T]) -> T:
    with engine.begin() as connection:
        return work(connection)


def _engine(file: Path, connections: int, pragmas: tuple[str, ...], begin: str, busy: Seconds) -> Engine:
    def connect() -> sqlite3.Connection:
        # No isolation level: the driver's own BEGIN comes too late for reads and too early for DDL. A connection is
        # used by one thread at a time, though not always the same.
        connection = sqlite3.connect(file, timeout=busy, isolation_level=None, check_same_thread=False)
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
        json_serializer=json_text,
    )
    event.listen(engine, "begin", on_begin)
    return engine
