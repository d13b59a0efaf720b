"""What may be said of a webhook, and its URL and secret: sealed, and read again."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from detectors.timezones.zones import read_zone, zone_name
from service.access.credentials import SealedStore, make_first_key
from service.access.sealing import Sealer
from service.invalid_field import InvalidField, require
from service.names import checked_name
from service.record.webhook import Webhook, WebhookSettings
from service.unusable import Unusable
from service.webhooks.addresses import Network, may_reach
from service.webhooks.shapes.registry import SHAPES
from service.webhooks.signing import new_secret

LONGEST_URL = 2048
LONGEST_SECRET = 256
_URL, _SECRET = "webhook URL", "webhook secret"


@dataclass(frozen=True, slots=True, kw_only=True)
class SaidWebhook(WebhookSettings):
    """What a person says of a new webhook; URL and secret in the clear. `secret`: the vendor's, where its robot has
    one."""

    url: str
    secret: str = ""


async def new_webhook(
    store: SealedStore, sealer: Sealer, said: SaidWebhook, allowed: Sequence[Network], now: datetime
) -> tuple[Webhook, str]:
    """The webhook, and the secret that was made for it; empty for a shape that has none of ours. Not stored yet. Raises
    InvalidField, Unusable, StorageUnavailable."""
    check(said, allowed)
    made = new_secret() if SHAPES[said.shape].signs == "own" else ""
    await make_first_key(store, sealer)
    sealed_url, sealed_secret = await asyncio.to_thread(_sealed, sealer, said, made or said.secret)
    told: dict[str, Any] = {field.name: getattr(said, field.name) for field in fields(WebhookSettings)}
    told["timezone"] = zone_name(said.timezone)
    sealed = {"sealed_url": sealed_url, "sealed_secret": sealed_secret}
    return Webhook(created_at=now, origin=_origin(said.url), **sealed, **told), made


def url_and_secret(webhook: Webhook, sealer: Sealer) -> tuple[str, str]:
    """Both in the clear. Blocks where the master key is read. Raises Unusable."""
    url = sealer.unseal(webhook.sealed_url, webhook.name, _URL, "webhook")
    secret = sealer.unseal(webhook.sealed_secret, webhook.name, _SECRET, "webhook") if webhook.sealed_secret else ""
    return url, secret


def unreadable_webhooks(webhooks: Iterable[Webhook], sealer: Sealer) -> list[str]:
    """A sentence for each webhook whose URL or secret cannot be read. Blocks."""
    told: list[str] = []
    for webhook in webhooks:
        try:
            url_and_secret(webhook, sealer)
        except Unusable as problem:
            told.append(str(problem))
    return told


def _sealed(sealer: Sealer, said: SaidWebhook, secret: str) -> tuple[str, str]:
    return sealer.seal(said.url, said.name, _URL), sealer.seal(secret, said.name, _SECRET) if secret else ""


def check(said: SaidWebhook, allowed: Sequence[Network]) -> None:
    """`allowed`: private networks that may be reached. Pure. Raises InvalidField."""
    try:
        checked_name(said.name)
    except ValueError as problem:
        raise InvalidField("name", str(problem)) from problem
    _check_url(said.url, allowed)
    fits = len(said.secret) <= LONGEST_SECRET and said.secret.isascii() and said.secret.isprintable()
    require(fits, "secret", f"has {LONGEST_SECRET} printable ASCII characters at most")
    vendors = SHAPES[said.shape].signs == "vendors"
    require(vendors or not said.secret, "secret", f"is none of the shape {said.shape}'s")
    require(read_zone(said.timezone) is not None, "timezone", f"{said.timezone[:80]!r} is none, such as Asia/Shanghai")
    require(said.digest_hour is None or 0 <= said.digest_hour <= 23, "digest_hour", "is 0 to 23")
    told_of = (said.alerts_from, said.call_started or None, said.call_ended or None, said.digest_hour)
    require(
        any(each is not None for each in told_of),
        "alerts_from",
        "is empty, and nothing else is chosen: say what it is told of",
    )


def _check_url(url: str, allowed: Sequence[Network]) -> None:
    fits = len(url) <= LONGEST_URL and url.isascii() and url.isprintable() and " " not in url
    try:
        parts = urlsplit(url)
        fits = fits and parts.scheme in ("https", "http") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        fits = False
    require(fits and "@" not in urlsplit(url).netloc, "url", "is one such as https://hooks.example.org/a1b2")
    require("#" not in url, "url", "has a part behind #, which is never sent")
    host = urlsplit(url).hostname or ""
    if _is_address(host):
        require(may_reach(host, allowed), "url", "is not public, and CALLWARDEN_WEBHOOK_NETWORKS does not allow it")


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _origin(url: str) -> str:
    """As much of a URL as may be shown."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
