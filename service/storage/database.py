"""Where transactions run: in threads on SQLite (one writer, several readers), on the event loop on PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeVar

from sqlalchemy import URL, Connection

from service.storage.patience import StorePatience
from service.storage.postgres import PostgresDatabase
from service.storage.sqlite import SqliteDatabase

T = TypeVar("T")


class Database(Protocol):
    """Runs transactions. Driver errors leave as the port's errors, with `doing` in the message."""

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

    async def close(self) -> None: ...


def make_database(url: URL, patience: StorePatience) -> Database:
    return (SqliteDatabase if url.get_backend_name() == "sqlite" else PostgresDatabase)(url, patience)
