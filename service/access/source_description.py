"""Makes a source of what is said about it, and checks that keys and connections belong to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from detectors.contract import Jurisdiction
from service.access.credentials import SealedStore, new_credential
from service.access.denial import KeyForbidden
from service.access.networks import lies_in
from service.access.sealing import Sealer
from service.access.source_rules import checked
from service.ingest.source import CredentialKind, Source
from service.storage.port import NotFound, Sources


async def source_of_key(store: Sources, name: str, said: Mapping[str, Any]) -> Source:
    """The source of a new key; `said` holds fields by their names. If a source of that name is stored with other
    settings, the store does not take the key. Raises StorageUnavailable."""
    try:
        stored = await store.source(name)
    except NotFound:
        return Source(name=name, **said)
    return replace(stored, **said)


def check_connection(source: Source, dialects: tuple[str, ...], address: str) -> None:
    """Raises KeyForbidden where a connection in one of these dialects, from this address, is none of the source's."""
    if source.dialect is not None and source.dialect not in dialects:
        here = " or ".join(dialects)
        told = f"Source {source.name} speaks {source.dialect}, and this is where {here} connects."
        raise KeyForbidden("other_dialect", source.name, told)
    if source.networks and not lies_in(address, source.networks):
        told = f"Source {source.name} does not connect from {address}."
        raise KeyForbidden("other_network", source.name, told)


@dataclass(frozen=True, slots=True, kw_only=True)
class SaidCredential:
    """A credential as a person gives it: the fields of `Credential`, with the secret in the clear. None: the present
    secret stays."""

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
    """The source with the given fields. `jurisdiction`: the service's. Raises InvalidField, Unusable,
    StorageUnavailable."""
    fresh = checked(replace(source, **said), jurisdiction)
    if credential is None:
        return fresh
    made = await new_credential(store, sealer, source, credential.kind, credential.name, credential.secret)
    return replace(fresh, credential=made)


def differences(before: Source, after: Source) -> str:
    """The names of the fields that differ, which the audit log holds of a change."""
    names = [field.name for field in fields(Source) if getattr(before, field.name) != getattr(after, field.name)]
    return ", ".join(names)
