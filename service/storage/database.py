"""The port of a database, and how long the store waits for it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol, TypeVar

from sqlalchemy import Connection

from asr.types import Seconds

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class StorePatience:
    """`busy`: for another process's lock on a SQLite file. The only other writers are short commands (`callwarden keys
    create`); one that holds the lock for longer is trouble that the supervisors should hear of.

    `settled`: a file that takes the place of the open one may still be being copied. It is opened once it has been left
    alone for so long.

    `connect` and `statement`: a PostgreSQL server that has gone silent must become an error, or the calls would wait
    with it.
    """

    busy: Seconds = 2.0
    settled: Seconds = 5.0
    connect: Seconds = 5.0
    statement: Seconds = 10.0


PATIENCE: Final = StorePatience()


class Database(Protocol):
    """Runs transactions: in threads on SQLite (one writer, several readers), on the event loop on PostgreSQL. Driver
    errors leave as the port's errors, with `doing` in the message."""

    async def open(self, prepare: Callable[[Connection], None]) -> None:
        """Connect, and run `prepare` in a write transaction; it runs again on a database that takes the place of this
        one while it is open."""
        ...

    async def check(self) -> None:
        """Raises StorageUnavailable where nothing can be read or written. Takes up a file that has been put back."""
        ...

    async def write(self, doing: str, work: Callable[[Connection], T]) -> T:
        """Run `work` in a transaction: committed when it returns, rolled back if it raises."""
        ...

    async def read(self, doing: str, work: Callable[[Connection], T]) -> T:
        """Run `work` in a transaction that sees one state of the database."""
        ...

    async def close(self) -> None:
        """Close all connections. No transaction may follow."""
        ...
