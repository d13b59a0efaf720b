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
from service.access.denial import DenialReason, KeyForbidden, KeyMissing, NotVerifiable
from service.access.http_signature import SeenNonces, SignatureInvalid, verify_signature
from service.access.keys import basic_pair, presented_key, split, verified_key
from service.access.sealing import Sealer
from service.access.sessions import unix_now
from service.access.signatures import SIGNATURES
from service.access.source_description import check_connection
from service.access.store_cache import Found, StoreCache
from service.ingest.dialects.specs import DIALECTS
from service.ingest.source import Source
from service.storage.port import Gateway, GatewayKey, KeylessGateway, NotFound, Store
from service.unusable import Unusable

log = structlog.get_logger(__name__)


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
        """Whose connection it is. Raises Denied, StorageUnavailable."""
        gateway = await self._by_key(shown.key) if shown.key is not None else await self._by_credential(shown)
        if shown.place not in ("", shown.key, gateway.source.name):
            raise KeyForbidden("other_source", gateway.source.name, "This key is another source's.")
        check_connection(gateway.source, shown.dialects, shown.address)
        return gateway

    async def _by_key(self, key: str) -> Gateway:
        return await verified_key(self.keys, key, "stream")

    async def _by_credential(self, shown: ConnectionAttempt) -> Gateway:
        known, found = await self._found(shown)
        if found is None:
            raise KeyMissing(_unknown(shown))
        if found.value.credential.kind == "key":
            raise KeyMissing("no_key", found.value.name)
        secret = await self._secret(found.value)
        self._check(found.value, secret, shown)
        known.keep(found)
        return KeylessGateway(source=found.value)

    async def _secret(self, source: Source) -> str:
        try:
            return await asyncio.to_thread(secret_of, source, self._sealer)
        except Unusable as problem:
            log.error("secret of a source cannot be read", source=source.name, problem=str(problem))
            raise NotVerifiable("secret_unreadable", source.name, str(problem)) from problem

    async def _found(self, shown: ConnectionAttempt) -> tuple[StoreCache[Source], Found[Source] | None]:
        """The source that the URL names, else the one that has the API key."""
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
        """Raises KeyMissing, NotVerifiable."""
        credential = source.credential
        match credential.kind:
            case "header":
                self._check_text(source, shown.headers.get(credential.name, ""), secret)
            case "basic":
                self._check_text(source, basic_pair(shown.headers), f"{credential.name}:{secret}")
            case "audiohook":
                self._check_signed_once(source, secret, shown)
            case kind:
                url = self._url(source, shown.target)
                if not SIGNATURES[kind](secret, url, shown.headers):
                    raise KeyMissing("wrong_signature", source.name, f"it was checked over {_without_query(url)}")

    def _check_text(self, source: Source, shown: str, wanted: str) -> None:
        if not _same(shown, wanted):
            raise KeyMissing("wrong_credential", source.name)

    def _check_signed_once(self, source: Source, secret: str, shown: ConnectionAttempt) -> None:
        self._check_text(source, shown.headers.get("x-api-key", ""), source.credential.name)
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
            raise KeyMissing("wrong_signature", source.name, str(problem)) from problem

    def _url(self, source: Source, target: str) -> str:
        """The URL to which the vendor connects. A public URL with a path is the whole URL, because a proxy may rewrite
        paths too."""
        told = source.public_url or self._public_url
        if not told:
            raise NotVerifiable("no_public_url", source.name)
        return told if urlsplit(told).path.strip("/") else told.rstrip("/") + target


def _unknown(shown: ConnectionAttempt) -> DenialReason:
    """Of a connection that shows nothing by which a source is found."""
    if shown.place and not shown.place.startswith("cw_"):
        return "unknown_source"
    return "unknown_key" if shown.place or presented_key(shown.headers) else "no_key"


def _without_query(url: str) -> str:
    return url.partition("?")[0]


def _same(shown: str, wanted: str) -> bool:
    return hmac.compare_digest(shown.encode(), wanted.encode())
