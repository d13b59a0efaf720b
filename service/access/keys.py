"""Gateway keys, `cw_<id>_<secret>`: made, presented, verified. Of the secret only its SHA-256 is stored.

The secret is 256 random bits, so a plain digest is enough: there is nothing to guess (OWASP's slow hashes
are for passwords people choose).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from service.access.clock import steady_now
from service.access.denial import KeyForbidden, KeyMissing
from service.access.store_cache import StoreCache
from service.ingest.dialects.specs import DIALECTS
from service.ingest.source import Source
from service.storage.port import Gateway, GatewayKey, KeyRight

_KEY = re.compile(r"cw_([0-9a-f]{12})_([A-Za-z0-9_-]{43})")
_KEY_ANYWHERE = re.compile(r"cw_([0-9a-f]{1,12})_[A-Za-z0-9_-]+")
_KEY_IN_PATH = re.compile(
    "(" + "|".join(re.escape(f"{spec.path}/") for spec in DIALECTS.values() if spec.path) + r")[^\s\"]+"
)
_NO_DIGEST = "0" * 64


def new_key(source: Source, rights: Sequence[KeyRight]) -> tuple[GatewayKey, str]:
    """A fresh key to store, and the plaintext to show once."""
    key_id, secret = secrets.token_hex(6), secrets.token_urlsafe(32)
    key = GatewayKey(
        id=key_id,
        source=source,
        secret_hash=digest(secret),
        rights=tuple(dict.fromkeys(rights)),
        created_at=datetime.now(UTC),
    )
    return key, f"cw_{key_id}_{secret}"


def credential_of(gateway: Gateway) -> str:
    """What a gateway has shown, as it may be told: its key by the public part, else the kind of its credential."""
    return f"cw_{gateway.id}" if isinstance(gateway, GatewayKey) else gateway.source.credential.kind


def digest(secret: str) -> str:
    """The form in which a secret is stored."""
    return hashlib.sha256(secret.encode()).hexdigest()


def split(presented: str) -> tuple[str, str] | None:
    """(id, secret) of a text with the form of a key."""
    match = _KEY.fullmatch(presented)
    return (match[1], match[2]) if match else None


def presented_id(presented: str | None) -> str:
    """The public part of a text with the form of a key, which a log may hold."""
    parts = split(presented or "")
    return parts[0] if parts else ""


def presented_key(headers: Mapping[str, str]) -> str | None:
    """The key in `Authorization: Bearer`, `X-API-Key`, or the password of `Authorization: Basic`."""
    scheme, _, value = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return value.strip()
    if scheme.lower() == "basic":
        return basic_pair(headers).partition(":")[2] or None
    return headers.get("x-api-key")


def basic_pair(headers: Mapping[str, str]) -> str:
    """User name and password of `Authorization: Basic`, with a colon between them; "" where there are none."""
    scheme, _, value = headers.get("authorization", "").partition(" ")
    try:
        return base64.b64decode(value.strip(), validate=True).decode() if scheme.lower() == "basic" else ""
    except ValueError:  # not base64, not ASCII, not UTF-8
        return ""


async def verified_key(
    known: StoreCache[GatewayKey], presented: str | None, right: KeyRight | None = None
) -> GatewayKey:
    """The stored key that was presented. Raises KeyMissing, KeyForbidden, StorageUnavailable."""
    parts = split(presented or "")
    if parts is None:
        raise KeyMissing("unknown_key" if presented else "no_key")
    key_id, secret = parts
    found = await known.find(key_id, steady_now())
    if not hmac.compare_digest(digest(secret), found.value.secret_hash if found else _NO_DIGEST) or found is None:
        raise KeyMissing("wrong_secret", found.value.source.name) if found else KeyMissing("unknown_key")
    key, source = found.value, found.value.source.name
    if key.revoked_at is not None:
        known.drop(found)
        raise KeyForbidden("revoked", source, "This key has been revoked.")
    known.keep(found)
    if right is not None and right not in key.rights:
        raise KeyForbidden("no_right", source, f"This key lacks the right {right!r}.")
    return key


def redacted(text: str) -> str:
    """The text with every key's secret, and whatever stands in a key's place in a path, masked: for logs."""
    return _KEY_ANYWHERE.sub(r"cw_\1_…", _KEY_IN_PATH.sub(r"\1…", text))
