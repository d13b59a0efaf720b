"""The credentials of sources: made with sealed secrets, and read again."""

from __future__ import annotations

import asyncio
import base64
import re
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Protocol

from service.access.sealing import Sealer
from service.ingest.source import Credential, CredentialKind, Source
from service.invalid_field import require
from service.storage.outbox_port import Webhooks
from service.storage.port import Sources
from service.unusable import Unusable

MIN_SECRET, MAX_SECRET = 16, 1024
"""Characters. Vendors' own secrets have more. A secret that a person thinks of might be guessed."""

_NAMES: Mapping[CredentialKind, tuple[re.Pattern[str], str]] = MappingProxyType(
    {
        "header": (re.compile(r"[a-z0-9-]{1,64}", re.ASCII), "names a header, of letters, digits and -"),
        "basic": (re.compile(r"[^\s:\x00-\x1f\ud800-\udfff]{1,128}"), "names a user, without blanks and colons"),
        "audiohook": (re.compile(r"[\x21-\x7e]{1,256}", re.ASCII), "names the API key"),
    }
)
_NO_NAME = (re.compile(""), "has no name")
_TAKEN = frozenset({"authorization", "connection", "cookie", "host", "origin", "upgrade", "x-api-key"})
"""Headers with another meaning, here or on the way here."""


class SealedStore(Sources, Webhooks, Protocol):
    """A store of all that has something sealed."""


async def new_credential(
    store: SealedStore, sealer: Sealer, source: Source, kind: CredentialKind, name: str, secret: str | None
) -> Credential:
    """A credential for the source, its secret sealed; None: the secret that its present one of this kind has. Raises
    InvalidField, Unusable, StorageUnavailable."""
    name = name.lower() if kind == "header" else name
    others = [each for each in await store.sources() if each.name != source.name]
    _check_name(kind, name, others)
    before = source.credential
    if kind == "key":
        require(not secret, "credential", "of the kind key has no secret: keys have their own")
        return Credential()
    if secret is None:
        require(kind == before.kind, "credential", f"of the kind {kind} needs a secret")
        return Credential(kind=kind, name=name, sealed=before.sealed)
    _check_secret(kind, secret)
    if not before.sealed:
        await make_first_key(store, sealer)
    sealed = await asyncio.to_thread(sealer.seal, secret, source.name, _field(kind))
    return Credential(kind=kind, name=name, sealed=sealed)


async def make_first_key(store: SealedStore, sealer: Sealer) -> None:
    """Make the master key, where nothing is sealed yet. Raises Unusable, StorageUnavailable."""
    if not await store.webhooks() and not any(each.credential.sealed for each in await store.sources()):
        await asyncio.to_thread(sealer.make_key)


def secret_of(source: Source, sealer: Sealer) -> str:
    """The secret of the source's credential. Blocks where the master key is read for the first time. Raises
    Unusable."""
    return sealer.unseal(source.credential.sealed, source.name, _field(source.credential.kind))


def unreadable(sources: Iterable[Source], sealer: Sealer) -> list[str]:
    """A sentence for each secret that cannot be read. Blocks."""
    told: list[str] = []
    for source in sources:
        try:
            _ = secret_of(source, sealer) if source.credential.sealed else ""
        except Unusable as problem:
            told.append(str(problem))
    return told


def _check_name(kind: CredentialKind, name: str, others: Iterable[Source]) -> None:
    form, otherwise = _NAMES.get(kind, _NO_NAME)
    require(form.fullmatch(name) is not None, "credential", otherwise)
    require(kind != "header" or name not in _TAKEN, "credential", f"names {name}, which means something else")
    api_keys = {each.credential.name for each in others if each.credential.kind == "audiohook"}
    require(kind != "audiohook" or name not in api_keys, "credential", "names the API key of another source")


def _check_secret(kind: CredentialKind, secret: str) -> None:
    told = f"has a secret of {MIN_SECRET} to {MAX_SECRET} printable characters"
    require(MIN_SECRET <= len(secret) <= MAX_SECRET and secret.isprintable(), "credential", told)
    if kind == "audiohook":
        require(_is_base64(secret), "credential", "has a client secret in base64, as Genesys Cloud takes it")


def _is_base64(text: str) -> bool:
    try:
        return bool(base64.b64decode(text, validate=True))
    except ValueError:
        return False


def _field(kind: CredentialKind) -> str:
    return f"{kind} secret"
