"""Completes the announcement of a call with what its source says of all its calls, whatever its dialect. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

from service.ingest.events import CallAnnounced, Irregularity, ProtocolViolation
from service.ingest.fields import (
    MAX_PARTY_LENGTH,
    Message,
    Notes,
    call_id_at,
    moment_at,
    optional_text_at,
    tolerated,
)
from service.ingest.source import NamedField, Source

_UNIX_TIME = re.compile(r"[0-9]{10}([0-9]{3})?", re.ASCII)
"""Seconds since 1970, or milliseconds."""
_WHERE = "metadata."


def completed(announced: CallAnnounced, source: Source) -> tuple[CallAnnounced, list[Irregularity]]:
    """The announcement with its source's labels, and with what stands in the metadata under the vendor's names; and
    what could not be read there, which stays as the dialect has it. What the call says of itself comes before labels.
    """
    notes: Notes = []
    metadata = {**source.labels, **announced.metadata}
    found: dict[str, Any] = {}
    for ours, theirs in source.names.items():
        try:
            value = _READERS[ours](metadata, theirs, notes)
        except ProtocolViolation as violation:
            notes.append(tolerated(violation, "value", "it is left as it was"))
            continue
        found |= {ours: value} if value else {}
    if direction := found.pop("direction", ""):
        metadata["direction"] = direction
    return replace(announced, metadata=metadata, **found), notes


def told_moment(message: Message, name: str) -> datetime | None:
    """ISO 8601 with its offset, or Unix time. Raises ProtocolViolation."""
    text = str(message.get(name, "")).strip()
    if match := _UNIX_TIME.fullmatch(text):
        return datetime.fromtimestamp(int(text) / (1000 if match[1] else 1), UTC)
    return moment_at(message, name, _WHERE)


def _moment(message: Message, name: str, _notes: Notes) -> datetime | None:
    return told_moment(message, name)


def _call_id(message: Message, name: str, _notes: Notes) -> str:
    return call_id_at(message, name, _WHERE)


def _party(message: Message, name: str, notes: Notes) -> str:
    return optional_text_at(message, name, MAX_PARTY_LENGTH, notes, _WHERE)


_READERS: Mapping[NamedField, Callable[[Message, str, Notes], object]] = MappingProxyType(
    {"call_id": _call_id, "agent": _party, "customer": _party, "direction": _party, "started_at": _moment}
)
