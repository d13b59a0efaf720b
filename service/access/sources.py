"""What holds of a source: for its connections, and for those who say what is known of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from service.access.keys import KeyForbidden
from service.access.networks import lies_in
from service.ingest.source import Source
from service.storage.port import NotFound, Sources


async def source_of_key(store: Sources, name: str, said: Mapping[str, Any]) -> Source:
    """The source of a new key, with what is said of it by the names of its fields. Where it is stored otherwise, the
    store does not take the key. Raises StorageUnavailable."""
    try:
        stored = await store.source(name)
    except NotFound:
        return Source(name=name, **said)
    return replace(stored, **said)


def check_connection(source: Source, dialect: str, address: str) -> None:
    """Raises KeyForbidden where a connection of this dialect, from this address, is none of the source's."""
    if source.dialect not in (None, dialect):
        raise KeyForbidden(f"Source {source.name} speaks {source.dialect}, and this is where {dialect} connects.")
    if source.networks and not lies_in(address, source.networks):
        raise KeyForbidden(f"Source {source.name} does not connect from {address}.")
