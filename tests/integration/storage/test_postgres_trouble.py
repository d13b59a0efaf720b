"""PostgreSQL in trouble, for real: connections cut, rows locked, no server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest
import sqlalchemy as sa

from service.storage.database import StorePatience
from service.storage.port import StorageUnavailable
from service.storage.sql import SqlStore
from tests import scenes
from tests.scenes import AT

pytestmark = [pytest.mark.postgres, pytest.mark.timeout(240)]


@pytest.fixture
async def store(postgres_url: str) -> AsyncIterator[SqlStore]:
    store = SqlStore(postgres_url)
    await store.open()
    await store.append("call-1", [scenes.opened()], AT)
    yield store
    await store.close()


@pytest.fixture
async def operator(postgres_url: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(postgres_url)
    yield connection
    await connection.close()


OTHERS = "pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
CUT = f"SELECT pg_terminate_backend(pid) FROM {OTHERS}"
WAITING = f"SELECT count(*) FROM {OTHERS} AND wait_event_type = 'Lock'"


async def test_connections_cut_while_idle_are_made_anew(store: SqlStore, operator: asyncpg.Connection) -> None:
    await operator.execute(CUT)
    [logged] = await store.append("call-1", [scenes.heard()], AT)
    assert logged.seq == 2


async def test_connection_cut_in_the_middle_is_unavailable_and_heals(
    store: SqlStore, operator: asyncpg.Connection
) -> None:
    async with operator.transaction():
        await operator.execute("SELECT 1 FROM calls FOR UPDATE")
        writing = asyncio.create_task(store.append("call-1", [scenes.heard()], AT))
        while not await operator.fetchval(WAITING):
            pass  # each turn asks the server
        await operator.execute(CUT)
        with pytest.raises(StorageUnavailable, match="write to call call-1"):
            await writing
    [logged] = await store.append("call-1", [scenes.heard()], AT)
    assert logged.seq == 2


async def test_row_that_stays_locked_is_unavailable_and_heals(
    store: SqlStore, postgres_url: str, operator: asyncpg.Connection
) -> None:
    impatient = SqlStore(postgres_url, patience=StorePatience(statement=0.3))
    async with operator.transaction():
        await operator.execute("SELECT 1 FROM calls FOR UPDATE")
        with pytest.raises(StorageUnavailable):
            await impatient.append("call-1", [scenes.heard()], AT)
        assert len(await store.facts("call-1")) == 1
    await impatient.close()
    [logged] = await store.append("call-1", [scenes.heard()], AT)
    assert logged.seq == 2


async def test_database_that_takes_no_writes_is_unavailable(store: SqlStore, operator: asyncpg.Connection) -> None:
    name = await operator.fetchval("SELECT current_database()")
    await operator.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    await operator.execute(CUT)
    with pytest.raises(StorageUnavailable, match="read-only"):
        await store.append("call-1", [scenes.heard()], AT)


async def test_server_that_is_not_there_is_unavailable(tmp_path: Path) -> None:
    store = SqlStore(f"postgresql://nobody:secret@/nothing?host={tmp_path}")
    with pytest.raises(StorageUnavailable) as error:
        await store.open()
    await store.close()
    assert "secret" not in str(error.value)


async def refusal(url: str) -> str:
    store = SqlStore(url)
    with pytest.raises(StorageUnavailable) as told:
        await store.open()
    await store.close()
    return str(told.value)


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({"database": "none"}, "the server has no such database"),
        ({"username": "nobody"}, "the server refuses the user or the password"),
    ],
)
async def test_a_server_that_lets_nobody_in_is_told_in_a_sentence(
    postgres_url: str, wrong: dict[str, str], why: str
) -> None:
    url = sa.make_url(postgres_url).set(password="hush", **wrong)  # type: ignore[arg-type]
    told = await refusal(url.render_as_string(hide_password=False))
    assert why in told
    assert "hush" not in told
    assert "\n" not in told


@pytest.mark.parametrize(
    ("host", "why"),
    [
        ("no-such-host.invalid", "the database server's name is not known"),
        ("127.0.0.1:1", "the database server cannot be reached"),
    ],
)
async def test_a_server_that_is_nowhere_is_told_in_a_sentence(host: str, why: str) -> None:
    told = await refusal(f"postgresql://boss:hush@{host}/none?ssl=disable")
    assert why in told
    assert "hush" not in told
    assert "\n" not in told


async def test_a_user_who_may_not_make_tables_is_told_in_a_sentence(
    postgres_url: str, operator: asyncpg.Connection
) -> None:
    await operator.execute(
        "DROP ROLE IF EXISTS weak; CREATE ROLE weak LOGIN; REVOKE CREATE ON SCHEMA public FROM PUBLIC"
    )
    told = await refusal(sa.make_url(postgres_url).set(username="weak").render_as_string(hide_password=False))
    assert "does not let this user do that" in told
    await operator.execute("DROP ROLE weak")
