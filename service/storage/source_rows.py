"""The rows of sources, inside a transaction of the caller's."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from service.ingest.source import Source
from service.storage import codec
from service.storage.port import AlreadyExists, NotFound, SourceInUse, StaleChange
from service.storage.tables import gateway_keys, sources


def add(connection: sa.Connection, source: Source) -> None:
    """Raises what the database raises for a name that is taken."""
    connection.execute(sa.insert(sources), codec.row_of(codec.SOURCE, source))


def find(connection: sa.Connection, name: str) -> Source | None:
    """The source of that name, None if there is none."""
    return _source(connection, sa.select(sources).where(sources.c.name == name))


def every(connection: sa.Connection) -> list[Source]:
    """All sources, by name."""
    rows = connection.execute(sa.select(sources).order_by(sources.c.name)).mappings()
    return [codec.value_of(codec.SOURCE, row) for row in rows]


def add_unless_there(connection: sa.Connection, source: Source) -> None:
    """Raises AlreadyExists where the source of this name is another."""
    present = _locked(connection, source.name)
    if present is None:
        add(connection, source)
    elif present != source:
        raise AlreadyExists(f"source {source.name} is there with other settings: change it, or say nothing of it here")


def change(connection: sa.Connection, changed: Source, seen: Source) -> None:
    """Put it in place of the source of its name. Raises NotFound, and StaleChange if that is no longer as `seen`."""
    present = _locked(connection, changed.name)
    if present is None:
        raise NotFound(f"no source {changed.name}")
    if present != seen:
        raise StaleChange(f"somebody else has changed source {changed.name} meanwhile")
    row = codec.row_of(codec.SOURCE, changed)
    connection.execute(sa.update(sources).where(sources.c.name == changed.name).values(row))


def remove(connection: sa.Connection, name: str) -> None:
    """Remove the source with its revoked keys. Raises NotFound, SourceInUse."""
    if _locked(connection, name) is None:
        raise NotFound(f"no source {name}")
    own = gateway_keys.c.source == name
    in_force = sa.select(gateway_keys.c.id).where(own, gateway_keys.c.revoked_at.is_(None))
    if connection.execute(in_force).first() is not None:
        raise SourceInUse(f"source {name} has gateway keys in force; revoke them first")
    connection.execute(sa.delete(gateway_keys).where(own))
    connection.execute(sa.delete(sources).where(sources.c.name == name))


def _locked(connection: sa.Connection, name: str) -> Source | None:
    """The source, which nobody else changes before the transaction ends."""
    return _source(connection, sa.select(sources).where(sources.c.name == name).with_for_update())


def _source(connection: sa.Connection, statement: sa.Select[Any]) -> Source | None:
    row = connection.execute(statement).mappings().one_or_none()
    return None if row is None else codec.value_of(codec.SOURCE, row)
