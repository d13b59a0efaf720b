"""How vendors give a key: in a header, or in the URL."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from urllib.parse import urlencode, urlsplit, urlunsplit


def basic(key: str, user: str = "callwarden") -> dict[str, str]:
    """An `Authorization: Basic` header with the key as password."""
    return {"Authorization": f"Basic {base64.b64encode(f'{user}:{key}'.encode()).decode()}"}


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


def in_path(url: str, key: str) -> str:
    """The URL with the key as the last part of its path, unless it stands there already."""
    parts = urlsplit(url)
    path = parts.path.rstrip("/")
    return url if path.endswith(f"/{key}") else urlunsplit(parts._replace(path=f"{path}/{key}"))


def with_query(url: str, parameters: Mapping[str, str]) -> str:
    """The URL with these parameters beside its own."""
    parts = urlsplit(url)
    query = "&".join(each for each in (parts.query, urlencode(parameters)) if each)
    return urlunsplit(parts._replace(query=query))
