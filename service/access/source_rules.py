"""The rules of what a source may be, in one place for the command line and the API. Pure."""

from __future__ import annotations

import re
from dataclasses import replace
from ipaddress import ip_network
from urllib.parse import urlsplit

from detectors.contract import Jurisdiction
from detectors.timezones.zones import NoZone, zone_name
from service.ingest.dialects.specs import DIALECTS
from service.ingest.fields import MAX_METADATA_KEY, MAX_METADATA_VALUE
from service.ingest.source import Source
from service.invalid_field import InvalidField, require
from service.names import checked_name

MOST_LABELS = 32
MOST_NETWORKS = 64
LONGEST_IDLE = 86_400.0
MOST_CALLS = 1000
_LONGEST_URL = 1024
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


def checked(source: Source, jurisdiction: Jurisdiction) -> Source:
    """The source, with its time zone and networks written as they are kept. `jurisdiction`: the service's. Raises
    InvalidField."""
    require(source.dialect is None or source.dialect in DIALECTS, "dialect", f"is one of {', '.join(DIALECTS)}")
    _check_texts(source)
    _check_figures(source)
    return replace(
        source,
        name=_name(source.name),
        timezone=_zone(source.timezone, source.jurisdiction or jurisdiction),
        networks=_networks(source.networks),
        public_url=_public_url(source.public_url),
    )


def _check_texts(source: Source) -> None:
    require(len(source.labels) <= MOST_LABELS, "labels", f"are {MOST_LABELS} at most")
    for field, keys in (("labels", source.labels), ("names", source.names.values())):
        told = f"have 1 to {MAX_METADATA_KEY} characters, none of them NUL"
        require(all(0 < len(key) <= MAX_METADATA_KEY and not _UNSTORABLE.search(key) for key in keys), field, told)
    told = f"have values of {MAX_METADATA_VALUE} characters at most, none of them NUL"
    values = source.labels.values()
    require(all(len(text) <= MAX_METADATA_VALUE and not _UNSTORABLE.search(text) for text in values), "labels", told)


def _check_figures(source: Source) -> None:
    idle, calls, share = source.idle_seconds, source.max_calls, source.max_share
    require(idle is None or 1 <= idle <= LONGEST_IDLE, "idle_seconds", f"are 1 to {LONGEST_IDLE:.0f}")
    require(calls is None or 1 <= calls <= MOST_CALLS, "max_calls", f"are 1 to {MOST_CALLS}")
    require(share is None or 0 < share <= 1, "max_share", "is more than 0 and at most 1")


def _name(name: str) -> str:
    try:
        return checked_name(name)
    except ValueError as problem:
        raise InvalidField("name", str(problem)) from problem


def _zone(name: str, jurisdiction: Jurisdiction) -> str:
    try:
        return zone_name(name, jurisdiction) if name else ""
    except NoZone as problem:
        raise InvalidField("timezone", str(problem)) from problem


def _networks(networks: tuple[str, ...]) -> tuple[str, ...]:
    require(len(networks) <= MOST_NETWORKS, "networks", f"are {MOST_NETWORKS} at most")
    try:
        return tuple(str(ip_network(network.strip(), strict=False)) for network in networks)
    except ValueError as problem:
        raise InvalidField("networks", f"are addresses or networks, such as 203.0.113.0/24: {problem}") from problem


def _public_url(url: str) -> str:
    try:
        parts = urlsplit(url)
        fits = parts.scheme in ("wss", "ws", "https", "http") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        fits = False
    fits = fits and "@" not in url and not any(char.isspace() for char in url) and len(url) <= _LONGEST_URL
    require(not url or fits, "public_url", "is a URL such as wss://calls.example.org, without a user name")
    return url
