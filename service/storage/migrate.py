"""Bring a database to the newest schema with Alembic, without its command line: no ini file, no env.py."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext, MigrationStep
from alembic.script import ScriptDirectory
from alembic.script.revision import RevisionError
from sqlalchemy import Connection, text

from service.storage.port import StorageError
from service.storage.tables import metadata

Steps: TypeAlias = Callable[[tuple[str, ...], MigrationContext], list[MigrationStep]]

_SCRIPTS = Path(__file__).parent / "migrations"
_ADVISORY_LOCK = 0x63616C6C77617264  # "callward": any number will do that nobody else's program takes


def load_scripts() -> ScriptDirectory:
    """The migrations. Reads files: call it off the event loop."""
    scripts = ScriptDirectory(str(_SCRIPTS))
    list(scripts.walk_revisions())
    return scripts


def upgrade(connection: Connection, scripts: ScriptDirectory) -> None:
    """Run the missing migrations in the connection's write transaction, all or none.

    Safe from several processes at once: the second waits for the first, then finds nothing to do. StorageError
    where a newer Callwarden has written the database.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _ADVISORY_LOCK})

    def missing(heads: tuple[str, ...], _context: MigrationContext) -> list[MigrationStep]:
        try:
            newer = list(scripts.iterate_revisions("head", heads or "base"))
        except RevisionError as error:
            raise StorageError(
                f"the database has schema {', '.join(heads)}, which this version does not know: run the newer "
                "Callwarden that wrote it, or restore a backup"
            ) from error
        return [MigrationStep.upgrade_from_script(scripts.revision_map, step) for step in reversed(newer)]

    context = migration_context(connection, missing)
    with Operations.context(context):
        context.run_migrations()


def migration_context(connection: Connection, steps: Steps | None = None) -> MigrationContext:
    """Alembic's view of the connection, with our tables as what the schema ought to be."""
    opts = {"fn": steps, "target_metadata": metadata, "transactional_ddl": True}
    return MigrationContext.configure(connection, opts=opts)
