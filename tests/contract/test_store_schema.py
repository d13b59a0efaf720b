"""The schema: migrations make what the tables say, once, whoever opens the database first."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata

from service.ingest.source import Source
from service.record.facts import FindingMade
from service.storage.database import PATIENCE, Database
from service.storage.migrate import migration_context
from service.storage.port import StorageError, StorageUnavailable, Store
from service.storage.sql import SqlStore, make_database
from service.storage.tables import Moment, events, metadata
from service.storage.url import parse_url
from tests import scenes
from tests.scenes import AT


@pytest.fixture
async def database(store_url: str) -> AsyncIterator[Database]:
    database = make_database(parse_url(store_url), PATIENCE)
    yield database
    await database.close()


async def test_migrations_make_the_tables_the_code_expects(store: Store, database: Database) -> None:
    def differences(connection: sa.Connection) -> list[object]:
        return compare_metadata(migration_context(connection), metadata)

    assert await database.read("compare", differences) == []


async def test_difference_between_migrations_and_tables_would_be_seen(store: Store, database: Database) -> None:
    def differences(connection: sa.Connection) -> list[object]:
        connection.execute(sa.text("DROP INDEX ix_alerts_call_id"))
        connection.execute(sa.text("ALTER TABLE gaps ADD COLUMN more TEXT"))
        return compare_metadata(migration_context(connection), metadata)

    assert len(await database.write("compare", differences)) == 2


async def test_a_key_of_the_first_schema_leaves_to_the_service_what_was_not_asked_then(
    store: Store, database: Database, store_url: str
) -> None:
    def as_it_was(connection: sa.Connection) -> None:
        connection.execute(sa.text("DROP TABLE audit"))
        undo_sources(connection)
        for column in ("language", "jurisdiction", "timezone", "clock", "max_calls", "max_share"):
            connection.execute(sa.text(f"ALTER TABLE gateway_keys DROP COLUMN {column}"))
        undo_sentences(connection)
        undo_findings(connection)
        for column in ("owner", "owned_until"):
            connection.execute(sa.text(f"ALTER TABLE calls DROP COLUMN {column}"))
        insert_key(connection)
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '0001'"))

    await database.write("go back", as_it_was)
    newer = SqlStore(store_url)
    await newer.open()
    try:
        assert (await newer.key("0a1b2c3d4e5f")).source == Source(name="pbx", first_track="agent")
    finally:
        await newer.close()


async def test_a_key_that_was_made_before_sources_keeps_what_it_had(
    store: Store, database: Database, store_url: str
) -> None:
    def as_it_was(connection: sa.Connection) -> None:
        undo_sources(connection)
        undo_sentences(connection)
        for column in ("language", "jurisdiction", "clock"):
            connection.execute(sa.text(f"ALTER TABLE gateway_keys DROP COLUMN {column}"))
        insert_key(connection)
        connection.execute(sa.text("UPDATE gateway_keys SET timezone = 'Asia/Urumqi', max_calls = 7, max_share = 0.25"))
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '0006'"))

    await database.write("go back", as_it_was)
    newer = SqlStore(store_url)
    await newer.open()
    try:
        known = Source(name="pbx", first_track="agent", timezone="Asia/Urumqi", max_calls=7, max_share=0.25)
        assert (await newer.key("0a1b2c3d4e5f")).source == known
    finally:
        await newer.close()


async def test_what_was_found_before_sentences_were_kept_is_still_read(
    store: Store, database: Database, store_url: str
) -> None:
    def as_it_was(connection: sa.Connection) -> None:
        undo_sources(connection)
        undo_sentences(connection)
        fields = ',"sentence":"","lead":"","lead_role":null'
        written = connection.execute(sa.select(events.c.seq, events.c.payload).where(events.c.payload.contains(fields)))
        for seq, payload in written.all():
            older = sa.update(events).where(events.c.seq == seq).values(payload=payload.replace(fields, ""))
            connection.execute(older)
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '0007'"))

    facts = [scenes.opened(), scenes.heard(index=1), FindingMade(finding=scenes.finding()), scenes.raised()]
    await store.append("call-1", facts, AT)
    await database.write("go back", as_it_was)
    newer = SqlStore(store_url)
    await newer.open()
    try:
        record = await newer.call("call-1")
        assert (record.findings, record.alerts) == ((scenes.finding(),), (scenes.alert(),))
        assert [entry.fact for entry in await newer.facts("call-1")] == facts
    finally:
        await newer.close()


async def test_keys_that_said_different_things_of_one_name_get_a_source_each(
    store: Store, database: Database, store_url: str
) -> None:
    """A revoked key has nothing to say: it goes to the name it had."""
    keys = [("old", 1, 8, "zh"), ("first", 2, None, "zh"), ("newest", 4, None, "en"), ("second", 3, None, "zh")]

    def as_it_was(connection: sa.Connection) -> None:
        undo_sources(connection)
        for key, made, revoked, language in [*keys, ("numbered", 5, None, "auto")]:
            source = "pbx-2" if key == "numbered" else "pbx"
            known = {"id": key, "source": source, "language": language, "made": AT + timedelta(days=made)}
            known["revoked"] = None if revoked is None else AT + timedelta(days=revoked)
            connection.execute(_OLD_KEY, known)
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '0008'"))

    await database.write("go back", as_it_was)
    newer = SqlStore(store_url)
    await newer.open()
    try:
        said = {key.id: (key.source.name, key.source.language) for key in await newer.keys()}
        assert {source.name for source in await newer.sources()} == {"pbx", "pbx-2", "pbx-3"}
    finally:
        await newer.close()
    assert said == {
        "newest": ("pbx", "en"),
        "old": ("pbx", "en"),
        "first": ("pbx-3", "zh"),
        "second": ("pbx-3", "zh"),
        "numbered": ("pbx-2", "auto"),
    }


_OLD_KEY = sa.text(
    "INSERT INTO gateway_keys (id, source, secret_hash, rights, first_track, language, timezone, created_at, "
    "revoked_at) VALUES (:id, :source, 'h', '[]', 'customer', :language, '', :made, :revoked)"
).bindparams(sa.bindparam("made", type_=Moment), sa.bindparam("revoked", type_=Moment))


def undo_sources(connection: sa.Connection) -> None:
    """A key had what is known of its source (until 0009), and nobody was told of calls (until 0010)."""
    connection.execute(sa.text("DROP TABLE deliveries"))
    connection.execute(sa.text("DROP TABLE webhooks"))
    connection.execute(sa.text("DROP TABLE gateway_keys"))
    connection.execute(sa.text("DROP TABLE sources"))
    moment = "TIMESTAMP WITH TIME ZONE" if connection.dialect.name == "postgresql" else "DATETIME"
    connection.execute(
        sa.text(
            "CREATE TABLE gateway_keys (id TEXT NOT NULL, source TEXT NOT NULL, secret_hash TEXT NOT NULL, "
            "rights JSON NOT NULL, first_track TEXT NOT NULL, language TEXT, jurisdiction TEXT, "
            f"timezone TEXT NOT NULL DEFAULT '', clock TEXT, created_at {moment} NOT NULL, revoked_at {moment}, "
            "max_calls INTEGER, max_share DOUBLE PRECISION, CONSTRAINT pk_gateway_keys PRIMARY KEY (id))"
        )
    )


def undo_sentences(connection: sa.Connection) -> None:
    """The sentences of findings came later (0008)."""
    for table in ("findings", "alerts"):
        for column in ("sentence", "lead", "lead_role"):
            connection.execute(sa.text(f"ALTER TABLE {table} DROP COLUMN {column}"))


def undo_findings(connection: sa.Connection) -> None:
    """What findings rest on came later (0006)."""
    connection.execute(sa.text("DROP INDEX ix_calls_customer_started_at"))
    for table, columns in {"findings": ("pack",), "alerts": ("pack", "detector"), "utterances": ("acoustics",)}.items():
        for column in columns:
            connection.execute(sa.text(f"ALTER TABLE {table} DROP COLUMN {column}"))


def insert_key(connection: sa.Connection) -> None:
    connection.execute(
        sa.text(
            "INSERT INTO gateway_keys (id, source, secret_hash, rights, first_track, created_at) "
            "VALUES ('0a1b2c3d4e5f', 'pbx', 'h', '[\"stream\"]', 'agent', '2026-03-02 10:00:00')"
        )
    )


async def test_many_that_open_an_empty_database_at_once_migrate_it_once(store_url: str) -> None:
    stores = [SqlStore(store_url) for _ in range(5)]
    try:
        await asyncio.gather(*(store.open() for store in stores))
        for number, store in enumerate(stores):
            await store.append(f"call-{number}", [scenes.opened(f"call-{number}")], AT)
        assert len(await stores[0].live_calls()) == 5
    finally:
        for store in stores:
            await store.close()


async def test_database_of_a_newer_version_is_left_alone(store: Store, store_url: str, database: Database) -> None:
    await database.write(
        "age", lambda connection: connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    )
    older = SqlStore(store_url)
    with pytest.raises(StorageError, match=r"9999.*newer Callwarden") as refused:
        await older.open()
    await older.close()
    assert not isinstance(refused.value, StorageUnavailable)


async def test_what_was_said_is_in_no_error(store: Store) -> None:
    secret = "身份证号110101199003070000"
    await store.append("call-1", [scenes.opened(customer=secret), scenes.heard(text=secret)], AT)
    for refused in (
        scenes.opened(customer=secret),
        scenes.heard(text=secret),
        scenes.raised(quote=secret, score=float("nan")),
    ):
        with pytest.raises(StorageError) as error:
            await store.append("call-1", [refused], AT)
        chain: BaseException | None = error.value
        while chain is not None:
            assert secret not in f"{chain} {chain!r}"
            chain = chain.__cause__
