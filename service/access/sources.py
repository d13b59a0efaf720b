"""What holds of a source's keys and connections, and what becomes of one that is described anew."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from detectors.contract import Jurisdiction
from service.access.credentials import SealedStore, new_credential
from service.access.keys import KeyForbidden
from service.access.networks import lies_in
from service.access.sealing import Sealer
from service.access.source_rules import checked
from service.ingest.source import CredentialKind, Source
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


@dataclass(frozen=True, slots=True, kw_only=True)
class SaidCredential:
    """What is said of a credential: as `Credential`, with the secret in the clear; None: the one that it has."""

    kind: CredentialKind
    name: str = ""
    secret: str | None = None


async def described(
    store: SealedStore,
    sealer: Sealer,
    source: Source,
    said: Mapping[str, Any],
    credential: SaidCredential | None,
    jurisdiction: Jurisdiction,
) -> Source:
    """The source with what is said of it by the names of its fields. `jurisdiction`: the service's. Raises BadSource,
    Unusable, StorageUnavailable."""
    fresh = checked(replace(source, **said), jurisdiction)
    if credential is None:
        return fresh
    made = await new_credential(store, sealer, source, credential.kind, credential.name, credential.secret)
    return replace(fresh, credential=made)


def differences(before: Source, after: Source) -> str:
    """The names of the fields in which they differ: what the audit log holds of a change."""
    names = [field.name for field in fields(Source) if getattr(before, field.name) != getattr(after, field.name)]
    return ", ".join(names)
