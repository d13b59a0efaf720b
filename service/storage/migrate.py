"""Bring a database to the newest schema. Runs in a thread of its own: Alembic reads files and knows no event loop."""

from __future__ import annotations

import asyncio
from pathlib import Path

from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext, MigrationStep
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import URL, Connection, text

from service.storage.database import make_engine
from service.storage.errors import port_errors
from service.storage.port import StorageError
from service.storage.tables import metadata

_SCRIPTS = Path(__file__).parent / "migrations"
_ADVISORY_LOCK = 0x63616C6C77617264  # "callward": any number will do that nobody else's program takes


def migrate(url: URL) -> None:
    """Apply the migrations that are missing, all or none. Safe to run from several processes at once.

    Blocks; call it off the event loop. StorageUnavailable where the database does not answer, StorageError
    where a newer Callwarden has written it.
    """
    script = ScriptDirectory(str(_SCRIPTS))
    list(script.walk_revisions())  # read the files now: below, a loop runs
    with port_errors("migrate the database"):
        if url.get_backend_name() == "sqlite":
            _make_private(Path(url.database or ""))
        asyncio.run(_migrate(url, script))


def _make_private(file: Path) -> None:
    """It holds what was said on calls: for the service's own user alone. SQLite gives the file's mode to its WAL."""
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    file.touch(mode=0o600)


async def _migrate(url: URL, script: ScriptDirectory) -> None:
    engine = make_engine(url, writer=True, connections=1)
    try:
        async with engine.begin() as connection:
            await connection.run_sync(upgrade, script)
    finally:
        await engine.dispose()


def upgrade(connection: Connection, script: ScriptDirectory) -> None:
    """Run the missing migrations in the connection's present transaction; the second of two waits, then finds none."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _ADVISORY_LOCK})

    def missing(heads: tuple[str, ...], _context: MigrationContext) -> list[MigrationStep]:
        try:
            newer = list(script.iterate_revisions("head", heads or "base"))
        except CommandError as error:
            raise StorageError(
                f"the database has schema {heads}, which this version does not know: run the newer Callwarden that "
                "wrote it, or restore a backup"
            ) from error
        return [MigrationStep.upgrade_from_script(script.revision_map, step) for step in reversed(newer)]

    context = migration_context(connection, missing)
    with Operations.context(context):
        context.run_migrations()


def migration_context(connection: Connection, steps: object = None) -> MigrationContext:
    """Alembic's view of the connection, with our tables as what the schema ought to be."""
    return MigrationContext.configure(
        connection, opts={"fn": steps, "target_metadata": metadata, "transactional_ddl": True}
    )
