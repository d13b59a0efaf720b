"""Identifies a connecting gateway, by its key or by the credential of its source."""

from __future__ import annotations

import asyncio
import base64
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit, urlunsplit

import structlog

from service.access.clock import steady_now
from service.access.credentials import secret_of
from service.access.http_signature import SeenNonces, SignatureInvalid, verify_signature
from service.access.keys import KeyForbidden, KeyMissing, basic_pair, presented_key, split, verified_key
from service.access.sealing import Sealer
from service.access.sessions import unix_now
from service.access.signatures import SIGNATURES
from service.access.source_description import check_connection
from service.access.store_cache import Found, StoreCache
from service.ingest.dialects.specs import DIALECTS
from service.ingest.source import Source
from service.storage.port import Gateway, GatewayKey, KeylessGateway, NotFound, Store

log = structlog.get_logger(__name__)


class NoPublicUrl(Exception):
    """No public URL is set, and the vendor's signature is over the URL to which it connects."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionAttempt:
    """What a connection shows of itself. `dialects`: those that are spoken where it connects. `place` follows a
    dialect's path: a key, a source's name, or nothing. `headers` by name, in whatever case. `target`: path and query as
    asked for."""

    dialects: tuple[str, ...]
    place: str
    headers: Mapping[str, str]
    target: str
    address: str

    @property
    def key(self) -> str | None:
        """What has the form of a gateway key, in a header, or in the path where the dialect lets it stand there."""
        in_path = any(DIALECTS[dialect].key_in_path for dialect in self.dialects)
        shown = (self.place if in_path else "", presented_key(self.headers) or "")
        return next((text for text in shown if split(text) is not None), None)


class Admittance:
    """Admits gateways. `public_url` is used for sources that have none of their own."""

    def __init__(self, store: Store, sealer: Sealer, public_url: str) -> None:
        self._store = store
        self._sealer = sealer
        self._public_url = public_url
        self._seen = SeenNonces()
        self.keys: StoreCache[GatewayKey] = StoreCache(lambda key_id: store.key(key_id))
        self._sources: StoreCache[Source] = StoreCache(lambda name: store.source(name))
        self._by_api_key: StoreCache[Source] = StoreCache(self._source_of_api_key)

    def forget(self) -> None:
        """A key or a source was changed in this process, so what was read of them is read again."""
        for known in (self.keys, self._sources, self._by_api_key):
            known.forget()

    async def admitted(self, shown: ConnectionAttempt) -> Gateway:
        """The gateway whose connection this is. Raises KeyMissing, KeyForbidden, NoPublicUrl, StorageUnavailable, and
        Unusable if the source's secret cannot be read."""
        gateway = await self._by_key(shown.key) if shown.key is not None else await self._by_credential(shown)
        if shown.place not in ("", shown.key, gateway.source.name):
            raise KeyForbidden("This key is another source's.")
        check_connection(gateway.source, shown.dialects, shown.address)
        return gateway

    async def _by_key(self, key: str) -> Gateway:
        return await verified_key(self.keys, key, "stream")

    async def _by_credential(self, shown: ConnectionAttempt) -> Gateway:
        known, found = await self._found(shown)
        if found is None or found.value.credential.kind == "key":
            raise KeyMissing
        secret = await asyncio.to_thread(secret_of, found.value, self._sealer)
        self._check(found.value, secret, shown)
        known.keep(found)
        return KeylessGateway(source=found.value)

    async def _found(self, shown: ConnectionAttempt) -> tuple[StoreCache[Source], Found[Source] | None]:
        """The source that the URL names, or else the source with the presented API key."""
        if shown.place:
            return self._sources, await self._sources.find(shown.place, steady_now())
        api_key = shown.headers.get("x-api-key")
        return self._by_api_key, await self._by_api_key.find(api_key, steady_now()) if api_key else None

    async def _source_of_api_key(self, api_key: str) -> Source:
        for source in await self._store.sources():
            if source.credential.kind == "audiohook" and source.credential.name == api_key:
                return source
        raise NotFound("no source has this API key")

    def _check(self, source: Source, secret: str, shown: ConnectionAttempt) -> None:
        """Raises KeyMissing, NoPublicUrl."""
        credential = source.credential
        match credential.kind:
            case "header":
                shows = _same(shown.headers.get(credential.name, ""), secret)
            case "basic":
                shows = _same(basic_pair(shown.headers), f"{credential.name}:{secret}")
            case "audiohook":
                shows = self._signed_once(source, secret, shown)
            case kind:
                shows = SIGNATURES[kind](secret, self._url(source, shown.target), shown.headers)
        if not shows:
            raise KeyMissing

    def _signed_once(self, source: Source, secret: str, shown: ConnectionAttempt) -> bool:
        if not _same(shown.headers.get("x-api-key", ""), source.credential.name):
            return False
        url = urlsplit(self._url(source, shown.target))
        target = urlunsplit(("", "", url.path, url.query, ""))
        now = unix_now()
        try:
            signed = verify_signature(
                shown.headers, target=target, authority=url.netloc, secret=base64.b64decode(secret), now=now
            )
            self._seen.note(signed, now)
        except SignatureInvalid as problem:
            log.warning("signature refused", source=source.name, reason=str(problem))
            return False
        return True

    def _url(self, source: Source, target: str) -> str:
        """The URL to which the vendor connects. A public URL with a path is the whole URL, because a proxy may rewrite
        paths too."""
        told = source.public_url or self._public_url
        if not told:
            raise NoPublicUrl
        return told if urlsplit(told).path.strip("/") else told.rstrip("/") + target


def _same(shown: str, wanted: str) -> bool:
    return hmac.compare_digest(shown.encode(), wanted.encode())
