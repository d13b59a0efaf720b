"""PostgreSQL: a pool of connections on the event loop."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from sqlalchemy import URL, Connection, text
from sqlalchemy.ext.asyncio import create_async_engine

from service.storage.codec import json_text
from service.storage.database import StorePatience
from service.storage.driver_errors import port_errors

T = TypeVar("T")

_POOL = 10


class PostgresDatabase:
    """A server, which takes care of its own files."""

    def __init__(self, url: URL, patience: StorePatience) -> None:
        timeouts = {"timeout": patience.connect, "command_timeout": patience.statement}
        self._writers = create_async_engine(
            url,
            pool_size=_POOL,
            pool_pre_ping=True,
            connect_args=timeouts,
            json_serializer=json_text,
            hide_parameters=True,
        )
        # Several selects of one read must see one state, as they do under SQLite's WAL.
        self._readers = self._writers.execution_options(isolation_level="REPEATABLE READ")

    async def open(self, prepare: Callable[[Connection], None]) -> None:
        await self.write("open the database", prepare)

    async def check(self) -> None:
        await self.read("ask the database", lambda connection: connection.execute(text("SELECT 1")))

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
